//! The command line: what to do.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;
use std::{iter, slice};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::command_line::{CommandLine, KUBELET, NAME, PROVIDER, Verb};
use crate::commands;
use crate::docker::answer;
use crate::error::{Failure, Reason, one_line, truncate};
use crate::output::{complain, finish, line};

/// The exit code for a command line that makes no sense, where it is not docker's protocol that says.
const WRONG_USAGE: u8 = 2;

/// Runs the program: `args` with the program's own name.
pub fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let is_provider = args.next().is_some_and(|name| is_provider(&name));
    let args: Vec<_> = args.collect();
    match (Verb::parse(&args), args.as_slice()) {
        (_, args) if is_provider => provide(args),
        (Some(verb), _) => answer(verb),
        (None, [command, args @ ..]) if command == KUBELET => provide(args),
        _ => serve_person(&args),
    }
}

/// Whether the program is started as the kubelet's credential provider.
fn is_provider(name: &OsStr) -> bool {
    let name = Path::new(name).file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(PROVIDER.as_bytes())
}

/// What is said to the kubelet's credential provider. Like AWS's own, it has no use for arguments that are no options.
fn provide(args: &[OsString]) -> ExitCode {
    let is_option = |arg: &&OsString| arg.as_encoded_bytes().starts_with(b"-");
    let Some(option) = args.iter().take_while(|arg| *arg != "--").find(is_option) else {
        return commands::kubelet::answer();
    };
    match option.to_string_lossy().as_ref() {
        "-h" | "--help" => serve_person(&["help", KUBELET].map(OsString::from)),
        "-v" | "--version" => answer(Verb::Version),
        unknown => {
            let what = format!("the option {:?} is not known", truncate(&one_line(unknown), 100));
            let failure = Failure::new(
                Reason::Configuration,
                what,
                "correct args in the CredentialProviderConfig",
            );
            complain(&failure.line(KUBELET));
            ExitCode::from(WRONG_USAGE)
        }
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
