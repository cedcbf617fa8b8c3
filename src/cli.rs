//! The command line: what to do.

use std::ffi::OsString;
use std::process::ExitCode;
use std::{iter, slice};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use zeroize::Zeroizing;

use crate::command_line::{Cache, Command, CommandLine, Configure, NAME, Verb};
use crate::commands::{account, cache, completions, configure, doctor, get_login_password};
use crate::config::Settings;
use crate::docker::{answer, log};
use crate::env::{self, Env};
use crate::error::{Failure, one_line, truncate};
use crate::output::{complain, confirm, fail, finish, line, say, show};
use crate::style::Style;
use crate::waiting::Waiting;

/// The exit code for a command line that makes no sense, where it is not docker's protocol that says.
const WRONG_USAGE: u8 = 2;

/// Runs the program: `args` without the program's own name.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.collect();
    match Verb::parse(&args) {
        Some(verb) => answer(verb),
        None => serve_person(&args),
    }
}

/// What is not docker's: a person's commands and mistakes.
fn serve_person(args: &[OsString]) -> ExitCode {
    let name = OsString::from(NAME);
    // clap's own `help` does not know these.
    let args = match args {
        [help, flag] if help == "help" && (flag == "-h" || flag == "--help") => slice::from_ref(help),
        args => args,
    };
    match CommandLine::try_parse_from(iter::once(&name).chain(args)) {
        Ok(CommandLine { command, .. }) => perform_command(command),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => finish(&error.to_string(), ExitCode::SUCCESS),
            ErrorKind::DisplayVersion => answer(Verb::Version),
            _ if is_persons(args) => {
                let lines: Vec<_> = error.to_string().trim_end().lines().map(one_line).collect();
                complain(&lines.join("\n"));
                ExitCode::from(WRONG_USAGE)
            }
            _ => refuse(args),
        },
    }
}

fn perform_command(command: Command) -> ExitCode {
    let settings = || Settings::load(Env::from_process()).map_err(|failure| ("config.toml".to_owned(), failure));
    let named = |what: &str, result: Result<String, Failure>| result.map_err(|failure| (what.to_owned(), failure));
    let result = match command {
        Command::Docker(verb) => return answer(verb),
        Command::Completions { shell } => Ok(completions::script(shell).to_owned()),
        Command::Cache(Cache::List) => settings().and_then(|settings| named("cache list", cache::list(&settings))),
        Command::Cache(Cache::Clear { registry }) => {
            settings().and_then(|settings| named("cache clear", cache::clear(&settings, registry.as_deref())))
        }
        Command::GetLoginPassword(arguments) => match settings() {
            Ok(settings) => {
                let log = log(&settings);
                let credentials = get_login_password::run(&arguments, settings, log, say);
                return match credentials {
                    Ok(credentials) => finish(&Zeroizing::new(line(credentials.secret.expose())), ExitCode::SUCCESS),
                    Err((what, failure)) => fail(&what, &failure),
                };
            }
            Err(error) => Err(error),
        },
        Command::Configure(options) => return configure(&options),
        Command::Doctor(arguments) => {
            let (report, is_well) = doctor::run(&arguments, show, say);
            let code = if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            return finish(&report, code);
        }
    };
    match result {
        Ok(report) => finish(&report, ExitCode::SUCCESS),
        Err((what, failure)) => fail(&what, &failure),
    }
}

fn configure(options: &Configure) -> ExitCode {
    let settings = match Settings::load_to_change(Env::from_process()) {
        Ok(settings) => settings,
        Err(failure) => return fail("config.toml", &failure),
    };
    let waiting = Waiting::telling(say);
    let world = configure::World {
        env: settings.env(),
        style: Style::of_stdout(),
        is_ours: &|host| settings.target(host).is_some(),
        whoami: &|| account::registries(&settings, options.profile.as_deref(), &waiting),
        confirm: &|text| confirm(&format!("{text}Add them? [Y/n] ")),
        search_path: std::env::var_os(env::PATH),
    };
    match configure::run(options, &world) {
        Ok(done) => {
            for warning in done.warnings {
                complain(&format!("{NAME}: {}", one_line(&warning)));
            }
            finish(&done.report, ExitCode::SUCCESS)
        }
        Err(why) => {
            complain(&format!("{NAME}: {}", one_line(&why)));
            ExitCode::FAILURE
        }
    }
}

/// Whether the command is one that docker does not know.
fn is_persons(args: &[OsString]) -> bool {
    let mut known = CommandLine::command();
    known.build();
    let command = args.first().and_then(|name| known.find_subcommand(name));
    command.is_some_and(|command| !Verb::has_subcommand(command.get_name()))
}

/// Refuses in the words of docker's own helpers, and says more to a person.
fn refuse(args: &[OsString]) -> ExitCode {
    let words = match args {
        [action] => {
            let action = action.to_string_lossy();
            format!("{NAME}: unknown action: {}", truncate(&one_line(&action), 100))
        }
        _ => format!("Usage: {NAME} <store|get|erase|list|version>"),
    };
    let code = finish(&line(words), ExitCode::FAILURE);
    let verb = args.first().and_then(|verb| Verb::parse(slice::from_ref(verb)));
    complain(&match verb {
        // The argument is not shown: it may be a URL with a password in it.
        Some(Verb::Get | Verb::Erase) => format!(
            "The server is read from stdin, not from the arguments: printf SERVER | {NAME} {}",
            args.first().map(|verb| verb.to_string_lossy()).unwrap_or_default()
        ),
        _ => format!("For more information, try '{NAME} --help'."),
    });
    code
}
