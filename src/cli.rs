//! The command line: what to do, and the one place that prints.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
use std::{iter, slice, thread};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use zeroize::Zeroizing;

use crate::command_line::{Cache, Command, CommandLine, NAME, Verb};
use crate::commands::{cache, completions, get_login_password};
use crate::config::Settings;
use crate::env::Env;
use crate::error::{Error, Failure, one_line, truncate};
use crate::fallback;
use crate::files::{self, describe};
use crate::helper::{self, Helper};
use crate::log::Log;
use crate::platform;
use crate::protocol::{self, INPUT_LIMIT, Request, ServerUrl};
use crate::terminal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a line on stderr may take.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

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
        Command::Doctor(_) => Ok(String::new()),
    };
    match result {
        Ok(report) => finish(&report, ExitCode::SUCCESS),
        Err((what, failure)) => fail(&what, &failure),
    }
}

/// A command of our own that did not succeed: nothing on stdout.
fn fail(what: &str, failure: &Failure) -> ExitCode {
    complain(&failure.line(what));
    ExitCode::FAILURE
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

/// What became of a verb.
enum Done {
    /// There is nothing to say.
    Silently,
    /// An answer for stdout.
    With(Zeroizing<String>),
    /// Another helper answered, and ended so.
    Elsewhere(ExitCode),
}

/// What is known of a request, for messages about it.
#[derive(Default)]
struct Known {
    server: Option<String>,
    is_strict: bool,
}

fn answer(verb: Verb) -> ExitCode {
    let mut known = Known::default();
    match perform(verb, &mut known) {
        Ok(Done::Silently) => ExitCode::SUCCESS,
        Ok(Done::With(answer)) => finish(&answer, ExitCode::SUCCESS),
        Ok(Done::Elsewhere(code)) => code,
        Err(Error::Failure(failure)) => {
            let why = failure.line(known.server.as_deref().unwrap_or(verb.as_str()));
            let code = match known.is_strict {
                true => finish(&line(&why), ExitCode::FAILURE),
                false => finish(&line(Error::NotFound), ExitCode::FAILURE),
            };
            // Also where it stands on stdout: docker before version 29 and nerdctl keep that from their users.
            complain(&why);
            code
        }
        Err(error) => finish(&line(error), ExitCode::FAILURE),
    }
}

/// Does what was asked.
fn perform(verb: Verb, known: &mut Known) -> Result<Done, Error> {
    if matches!(verb, Verb::Version) {
        return Ok(Done::With(line(format_args!("{NAME} ({NAME}) {VERSION}")).into()));
    }
    let input = match verb {
        Verb::List => Zeroizing::default(),
        _ => read_input()?,
    };
    let settings = settings(known)?;
    // Before any other file is touched, the log among them.
    let request = Request::parse(verb, &input)?;
    if let Some(url) = request.server() {
        known.server = url.host().map(str::to_owned);
        if !url.host().is_some_and(|host| settings.target(host).is_some()) {
            return elsewhere(verb, url, &input, &settings);
        }
    }
    // The helper's time begins when it knows what to do: how long stdin takes is the client's affair.
    let log = log(&settings);
    let theirs = match verb {
        Verb::List => theirs(&settings),
        _ => BTreeMap::new(),
    };
    let helper = Helper::new(settings, log).saying(say);
    Ok(match request {
        Request::Get(url) => Done::With(protocol::get_answer(&url, &helper.get(&url)?)),
        Request::Store(request) => {
            helper.store(request)?;
            Done::Silently
        }
        Request::Erase(url) => {
            helper.erase(&url)?;
            Done::Silently
        }
        Request::List => Done::With(protocol::list_answer(&fallback::merge(helper.list(), theirs))),
    })
}

/// The settings; where there are none to be had, all that is known is what the environment says.
fn settings(known: &mut Known) -> Result<Settings, Error> {
    let env = Env::from_process();
    let settings = Settings::load(env.clone());
    known.is_strict = match &settings {
        Ok(settings) => settings.is_strict(),
        Err(_) => Settings::without_files(env).is_strict(),
    };
    settings.map_err(Error::Failure)
}

/// A server that is not ECR: another helper's, if one is configured.
fn elsewhere(verb: Verb, url: &ServerUrl, input: &[u8], settings: &Settings) -> Result<Done, Error> {
    match settings.fallback() {
        Some(fallback) => fallback
            .pass(verb.as_str(), input)
            .map(Done::Elsewhere)
            .map_err(Error::Failure),
        None if matches!(verb, Verb::Get) => Err(Error::NotFound),
        None if settings.ignores_storage() => Ok(Done::Silently),
        None => Err(helper::not_ecr(url)),
    }
}

fn line(words: impl Display) -> String {
    format!("{words}\n")
}

fn log(settings: &Settings) -> Log {
    Log::open(settings).unwrap_or_else(|why| {
        complain(&format!("{NAME}: {why}"));
        Log::default()
    })
}

/// All of stdin, up to the limit.
fn read_input() -> Result<Zeroizing<Vec<u8>>, Error> {
    let limit = u64::try_from(INPUT_LIMIT).unwrap_or(u64::MAX);
    files::read_to_end(platform::stdin(), 0, limit).map_err(|error| {
        Error::Request(match error.kind() {
            io::ErrorKind::FileTooLarge => format!("the input is {error}"),
            _ => format!("stdin cannot be read: {}", describe(&error)),
        })
    })
}

/// Prints the answer. An answer that nobody can read is none.
fn finish(answer: &str, code: ExitCode) -> ExitCode {
    match print(answer.as_bytes()) {
        Ok(()) => code,
        Err(error) => {
            // A client that has gone away wants to hear nothing.
            if error.kind() != io::ErrorKind::BrokenPipe {
                let why = describe(&error);
                complain(&format!("{NAME}: the answer cannot be written: {why}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// Writes to stdout in one piece. std's stdout would take it apart at the end of the line, and keep a copy.
fn print(mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        let written = platform::write_stdout_once(rest)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Says something to the person at the terminal while the client waits.
fn say(what: &str) {
    complain(&format!("{NAME}: {what}"));
}

/// Prints a line for the person at the terminal, if there is one. Where stderr is a pipe that nobody empties, it is
/// not waited for: the client has its answer, and wants the process to end.
fn complain(line: &str) {
    let line = format!("{line}\n{}", terminal::behind_line());
    let (done, written) = mpsc::channel();
    let text = line.clone();
    let write = move || {
        let _ = io::stderr().lock().write_all(text.as_bytes());
        let _ = done.send(());
    };
    match thread::Builder::new().spawn(write) {
        Ok(_) => drop(written.recv_timeout(STDERR_TIMEOUT)),
        // No thread is to be had, which may be the very thing to be told.
        Err(_) => drop(io::stderr().lock().write_all(line.as_bytes())),
    }
}

/// What a panic of our own ends in: the client is told something that it understands.
pub(crate) fn last_words(place: &str) {
    let _ = finish(&line(Error::NotFound), ExitCode::FAILURE);
    complain(&format!(
        "{NAME}: a part of the program failed at {place}; please report this"
    ));
    std::process::exit(1);
}
