//! The command line: what to do.

use std::ffi::OsString;
use std::process::ExitCode;
use std::{iter, slice};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::command_line::{CommandLine, NAME, Verb};
use crate::commands;
use crate::docker::answer;
use crate::error::{one_line, truncate};
use crate::output::{complain, finish, line};

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
        Ok(CommandLine { command, .. }) => commands::perform(command),
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
