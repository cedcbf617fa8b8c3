//! The man page and the completions that packages install are made here from the command line's definition, and are
//! in the repository so that a package needs no more than a build of the program. They have to be up to date:
//!
//! ```sh
//! UPDATE_GENERATED=1 cargo test --test generated
//! ```
//!
//! writes them anew.

#![allow(clippy::unwrap_used, clippy::panic)]

mod man;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use docker_credential_ecr_login::internals::{CommandLine, ENVIRONMENT};
use support::Sandbox;

const UPDATE: &str = "UPDATE_GENERATED";

const SCRIPTS: [(&str, &str); 3] = [
    ("bash", "completions/docker-credential-ecr-login.bash"),
    ("fish", "completions/docker-credential-ecr-login.fish"),
    ("zsh", "completions/_docker-credential-ecr-login"),
];

fn command_line() -> Command {
    CommandLine::command()
}

fn packaging(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(file)
}

/// Fails where the file is another than this; or writes it, where that is asked for.
fn must_be(file: &str, contents: &[u8]) {
    let path = packaging(file);
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, contents).unwrap();
    }
    assert!(
        fs::read(&path).ok().as_deref() == Some(contents),
        "packaging/{file} is not up to date. Write it anew: {UPDATE}=1 cargo test --test generated"
    );
}

#[test]
fn the_man_page_is_up_to_date() {
    must_be(
        "man/docker-credential-ecr-login.1",
        man::page(command_line()).as_bytes(),
    );
}

#[test]
fn the_completions_are_up_to_date() {
    for (shell, file) in SCRIPTS {
        must_be(file, completions(shell).as_bytes());
    }
}

fn completions(shell: &str) -> String {
    let mut script = Vec::new();
    let shell: Shell = shell.parse().unwrap();
    let mut command = command_line();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = rename_bash_states(String::from_utf8(script).unwrap(), &[&command]);
    match shell {
        Shell::Fish => script + &fish_values(&command),
        _ => script,
    }
}

/// What may stand behind a command: clap_complete leaves it out of the script for fish, save for options.
fn fish_values(command: &Command) -> String {
    let name = command.get_name();
    let state = format!("__fish_{}_using_subcommand", name.replace('-', "_"));
    let mut lines = String::new();
    for sub in command.get_subcommands() {
        for value in sub
            .get_positionals()
            .flat_map(|argument| argument.get_possible_values())
        {
            let (sub, value, help) = (sub.get_name(), value.get_name(), value.get_help().unwrap());
            lines += &format!("complete -c {name} -n \"{state} {sub}\" -f -a \"{value}\" -d '{help}'\n");
        }
    }
    lines
}

/// clap_complete's script for bash gives the states of a program whose name has a `-` in it one name where it enters
/// them, and another where it asks for them (clap's issue 6421). The other scripts have neither.
fn rename_bash_states(script: String, path: &[&Command]) -> String {
    let names: Vec<_> = path.iter().map(|command| command.get_name()).collect();
    let asked_for = names.join("-").replace('-', "__subcmd__");
    let (program, below) = names.split_first().unwrap();
    let below = below
        .iter()
        .map(|name| format!("__subcmd__{}", name.replace('-', "__subcmd__")));
    let entered = program.replace('-', "__") + &below.collect::<String>();
    let script = script.replace(&format!(" {asked_for})\n"), &format!(" {entered})\n"));
    let subs = path.last().unwrap().get_subcommands();
    subs.fold(script, |script, sub| {
        rename_bash_states(script, &[path, &[sub]].concat())
    })
}

#[test]
fn every_state_that_the_script_for_bash_enters_is_one_that_it_asks_for() {
    let script = completions("bash");
    let entered = |line: &str| Some(line.trim().strip_prefix("cmd=\"")?.strip_suffix('"')?.to_owned());
    let states: Vec<_> = script
        .lines()
        .filter_map(entered)
        .filter(|state| !state.is_empty())
        .collect();
    assert!(states.len() > 6);
    for state in states {
        assert!(script.contains(&format!("\n        {state})\n")), "{state}");
    }
}

#[test]
fn the_program_prints_the_completions_that_packages_install() {
    if std::env::var_os(UPDATE).is_some() {
        return; // The program was built with the ones before.
    }
    for (shell, file) in SCRIPTS {
        let output = Sandbox::new().run_args(&["completions", shell]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(output.stdout == fs::read_to_string(packaging(file)).unwrap(), "{shell}");
    }
}

#[test]
fn the_program_prints_the_help_that_all_of_this_is_made_from() {
    let mut command = command_line();
    let long = Sandbox::new().run_args(&["--help"]);
    assert_eq!(long.stdout, command.render_long_help().to_string());
    let short = Sandbox::new().run_args(&["-h"]);
    assert_eq!(short.stdout, command.render_help().to_string());
    assert!(short.stdout.len() < long.stdout.len());
}

#[test]
fn help_and_man_page_name_every_command_option_and_variable() {
    let mut command = command_line();
    command.build();
    let help = command.render_long_help().to_string();
    let page = man::page(command_line()).replace('\\', "");
    for name in ENVIRONMENT.map(|(name, _)| name) {
        assert!(help.contains(name) && page.contains(name), "{name}");
    }
    for sub in command.get_subcommands() {
        let about = sub.get_about().unwrap().to_string();
        assert!(help.contains(&about), "{about}");
        let is_described = |name: &str| page.contains(&format!("fB{name}fR"));
        let below: Vec<_> = sub.get_subcommands().map(|below| below.get_name()).collect();
        let names: Vec<_> = match below.as_slice() {
            [] => vec![sub.get_name().to_owned()],
            below => below.iter().map(|name| format!("{} {name}", sub.get_name())).collect(),
        };
        for name in names.iter().filter(|name| name.split(' ').next_back() != Some("help")) {
            assert!(sub.get_name() == "help" || is_described(name), "{name}");
        }
        for option in sub.get_arguments().filter_map(|option| option.get_long()) {
            assert!(page.contains(&format!("--{option}")), "{option}");
        }
    }
    for option in command.get_arguments().filter_map(|option| option.get_long()) {
        assert!(page.contains(&format!("--{option}")), "{option}");
    }
}

#[test]
fn lines_of_help_fit_a_terminal_and_every_command_has_an_example() {
    let mut command = command_line();
    command.build();
    let is_ours = |sub: &&mut Command| sub.get_name() != "help";
    let mut helps = vec![command.render_long_help().to_string()];
    for sub in command.get_subcommands_mut().filter(is_ours) {
        let after = sub.get_after_help().unwrap().to_string();
        assert!(after.contains("\n  "), "{after}");
        helps.push(sub.render_long_help().to_string());
    }
    for line in helps.iter().flat_map(|help| help.lines()) {
        assert!(line.chars().count() <= 120, "{line}");
    }
}
