//! The man page, one for the whole program, with its commands in it. clap_mangen's own section of commands refers to a
//! page for each, and what it makes of several lines runs them together; so those are written here.

use clap::{Arg, Command};
use clap_mangen::Man;
use docker_credential_ecr_login::internals::ENVIRONMENT;
use roff::{Inline, Roff, bold, italic, roman};

const HEADER: &str = ".\\\" Made from src/command_line.rs by: UPDATE_GENERATED=1 cargo test --test generated\n";

/// Files that the program reads or writes, and what for.
const FILES: [(&str, &str); 6] = [
    (
        "~/.config/docker-credential-ecr-login/config.toml, /etc/docker-credential-ecr-login/config.toml",
        "Configuration: what a call may take, whose credentials are for which registry, and who answers for registries \
         that are not ECR. What the first says goes before what the second says. \
         AWS_ECR_CONFIG_FILE names another file in the place of the first. A mistake in them is an error. \
         docs/configuration.md tells all keys; packages install an example.",
    ),
    (
        "~/.cache/docker-credential-ecr-login/",
        "Cached tokens, the log, and what docker login stored. XDG_CACHE_HOME moves it, and AWS_ECR_CACHE_DIR names \
         another. It may be removed at any time; logins are then to be made anew.",
    ),
    (
        "/run/docker-credential-ecr-login/",
        "The same, for root with somebody else's HOME (sudo), and for root's kubelet.",
    ),
    (
        "~/.aws/config, ~/.aws/credentials",
        "AWS profiles, as for every AWS tool.",
    ),
    (
        "~/.docker/config.json, ~/.config/containers/auth.json",
        "Where container clients look for the helper of a registry (credHelpers, credsStore). Only configure reads and \
         writes them.",
    ),
    (
        "ecr-credential-provider, ecr-credential-provider-service-account",
        "Packages install these as other names of the program. Under them, and all that begin so, it is the \
         kubelet's credential provider and nothing else: as with the command kubelet. docs/kubernetes.md tells how a \
         node is set up.",
    ),
];

const EXIT_STATUS: [(&str, &str); 3] = [
    ("0", "It was done."),
    (
        "1",
        "There is no answer, or the command line is none that docker's protocol knows. stdout has the line that the \
         protocol demands; why, and what to do, is on stderr, except for registries that are not ECR. The kubelet finds \
         nothing on stdout. Or configure could not do what it was asked for, and says on stderr why.",
    ),
    (
        "2",
        "The command line of configure, completions, kubelet or help makes no sense.",
    ),
];

const SEE_ALSO: [(&str, &str); 5] = [
    ("docker-login", "1"),
    ("docker-logout", "1"),
    ("podman-login", "1"),
    ("containers-auth.json", "5"),
    ("aws", "1"),
];

/// The whole page.
pub fn page(mut command: Command) -> String {
    command.build();
    let (name, version) = (command.get_name(), command.get_version().unwrap());
    // Without a date. clap_mangen leaves an empty one out, and what comes behind it moves up.
    let title = format!(".TH {name} 1 \"\" \"{name} {version}\" \"User Commands\"\n");
    let mut page = [HEADER, &title].concat().into_bytes();
    let man = Man::new(command.clone());
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    text(&mut roff, &long_about(&command));
    roff.control("SH", ["COMMANDS"]);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        describe(&mut roff, sub);
    }
    roff.control("SH", ["OPTIONS"]);
    for option in command.get_arguments() {
        tagged(&mut roff, label(option), &help(option));
    }
    table(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    roff.control("PP", []);
    roff.text([roman(
        "An empty variable counts as unset. Beside these, the variables are read that every AWS tool reads; the region is \
         the registry's.",
    )]);
    table(&mut roff, "FILES", &FILES);
    table(&mut roff, "EXIT STATUS", &EXIT_STATUS);
    roff.control("SH", ["SEE ALSO"]);
    roff.text(see_also());
    roff.to_writer(&mut page).unwrap();
    once(&String::from_utf8(page).unwrap(), PREAMBLE)
}

/// roff begins each of its pieces with this.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// The text without what it repeats of `part`.
fn once(text: &str, part: &str) -> String {
    let (before, after) = text.split_once(part).unwrap();
    [before, part, &after.replace(part, "")].concat()
}

/// A command and its commands, each with its arguments and examples.
fn describe(roff: &mut Roff, command: &Command) {
    let subs: Vec<_> = command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .collect();
    let mut usage = vec![bold(command.get_bin_name().unwrap().split_once(' ').unwrap().1)];
    for argument in command.get_positionals() {
        let names = match argument.get_num_args().is_some_and(|number| number.max_values() > 1) {
            true => format!("{} ...", value_names(argument)),
            false => value_names(argument),
        };
        usage.push(roman(" "));
        usage.extend(match argument.is_required_set() {
            true => vec![italic(names)],
            false => vec![roman("["), italic(names), roman("]")],
        });
    }
    if subs.is_empty() {
        roff.control("SS", []);
        roff.text(usage);
        text(roff, &long_about(command));
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            tagged(roff, label(argument), &help(argument));
        }
        if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
            roff.control("PP", []);
            text(roff, &after.to_string());
        }
    }
    for sub in subs {
        describe(roff, sub);
    }
}

fn long_about(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    format!("{}.", about.trim_end_matches('.'))
}

fn help(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_values(argument))
        .map(|value| value.get_name().to_owned())
        .collect();
    match values.is_empty() {
        true => help,
        false => format!("{help}: {}", values.join(", ")),
    }
}

fn label(argument: &Arg) -> Vec<Inline> {
    if argument.is_positional() {
        return vec![italic(value_names(argument))];
    }
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let names: Vec<_> = [short, long].into_iter().flatten().collect();
    let mut label = vec![bold(names.join(", "))];
    if takes_values(argument) {
        label.extend([roman(" "), italic(value_names(argument))]);
    }
    label
}

fn value_names(argument: &Arg) -> String {
    argument.get_value_names().unwrap_or_default().join(" ")
}

fn takes_values(argument: &Arg) -> bool {
    argument.get_num_args().is_some_and(|number| number.takes_values())
}

fn table(roff: &mut Roff, heading: &str, rows: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (name, meaning) in rows {
        tagged(roff, vec![bold(*name)], meaning);
    }
}

fn tagged(roff: &mut Roff, tag: Vec<Inline>, meaning: &str) {
    roff.control("TP", []);
    roff.text(tag);
    text(roff, meaning);
}

/// Text in paragraphs; lines that are set in stay as they are.
fn text(roff: &mut Roff, text: &str) {
    let mut is_literal = false;
    for line in text.lines() {
        let literal = line.strip_prefix("  ");
        if literal.is_some() != is_literal {
            roff.control(if is_literal { "EE" } else { "EX" }, []);
            is_literal = !is_literal;
        }
        match line {
            "" => roff.control("PP", []),
            line => roff.text([roman(literal.unwrap_or(line))]),
        };
    }
    if is_literal {
        roff.control("EE", []);
    }
}

fn see_also() -> Vec<Inline> {
    let mut line = Vec::new();
    for (index, (name, section)) in SEE_ALSO.into_iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        line.extend([roman(separator), bold(name), roman(format!("({section})"))]);
    }
    line
}
