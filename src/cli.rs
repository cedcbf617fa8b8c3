//! The command line: what to do, and the one place that prints.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config;
use crate::env::Env;
use crate::error::{Error, one_line, truncate};
use crate::files::{self, describe};
use crate::helper::Helper;
use crate::log::Log;
use crate::platform;
use crate::protocol::{self, INPUT_LIMIT, ServerUrl, StoreRequest};
use crate::registry::Registry;
use crate::terminal;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long a line on stderr may take.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

const HELP: &str = "\
Credential helper that logs docker and other container clients in to Amazon ECR.

Usage: docker-credential-ecr-login <store|get|erase|list|version>

Container clients run it; a person only names it in docker's config.json:

  {\"credHelpers\": {\"123456789012.dkr.ecr.us-east-1.amazonaws.com\": \"ecr-login\"}}

Verbs, each as docker's credential helper protocol has it:
  get      reads a server from stdin, prints its user name and password as JSON
  store    reads a login to an ECR registry as JSON from stdin, and keeps it until it ends
  erase    reads a server from stdin, forgets its login and cached tokens
  list     prints the registries that were asked for lately or logged in to, as JSON
  version  prints the version

Options:
  -v, --version  print the version
  -h, --help     print this help

AWS credentials are found as the AWS CLI finds them (AWS_PROFILE, ~/.aws, SSO, roles, ...).

Environment:
  AWS_ECR_CACHE_DIR              where tokens are cached (~/.cache/docker-credential-ecr-login; on macOS
                                 ~/Library/Caches/docker-credential-ecr-login)
  AWS_ECR_DISABLE_CACHE          any value but 0 and false: cache nothing
  AWS_ECR_IGNORE_CREDS_STORAGE   true: store and erase succeed and do nothing
  AWS_ECR_LOG                    error, warn, info, debug or trace: write helper.log in the cache directory
  AWS_ECR_STRICT                 true: print why a get failed on stdout too, as a hard error
  AWS_ECR_TIMEOUT                seconds that a get may take (30)

To see why a login fails: printf HOST | docker-credential-ecr-login get
";

/// What the command line asks for.
enum Verb {
    Get,
    Store,
    Erase,
    List,
    Version,
    Help,
}

impl Verb {
    /// Tells what is asked for; or the words for what is wrong, which are those of docker's own helpers.
    fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let usage = || format!("Usage: {NAME} <store|get|erase|list|version>");
        let (Some(verb), None) = (args.next(), args.next()) else {
            return Err(usage());
        };
        Ok(match verb.to_string_lossy().as_ref() {
            "get" => Self::Get,
            "store" => Self::Store,
            "erase" => Self::Erase,
            "list" => Self::List,
            "version" | "--version" | "-v" => Self::Version,
            "--help" | "-h" => Self::Help,
            other => return Err(format!("{NAME}: unknown action: {}", truncate(&one_line(other), 100))),
        })
    }
}

/// Runs the program: `args` without the program's own name.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    match Verb::parse(args) {
        Ok(verb) => answer(&verb),
        Err(words) => finish(&line(words), ExitCode::FAILURE),
    }
}

fn answer(verb: &Verb) -> ExitCode {
    let env = Env::from_process();
    let mut server = None;
    match perform(verb, &env, &mut server) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(answer)) => finish(&answer, ExitCode::SUCCESS),
        Err(Error::Failure(failure)) => {
            let why = failure.line(server.as_deref().unwrap_or("no server"));
            let code = match config::is_strict(&env) {
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

/// Does what was asked. `server` is set to the host as soon as it is known, for messages.
fn perform(verb: &Verb, env: &Env, server: &mut Option<String>) -> Result<Option<Zeroizing<String>>, Error> {
    // The helper's time begins when it knows what to do: how long stdin takes is the client's affair.
    let helper = || Helper::new(env.clone(), log(env));
    let answer = match verb {
        Verb::Get => {
            let url = ServerUrl::parse(&read_input()?)?;
            *server = url.host().map(str::to_owned);
            // Before any file is touched, the log among them.
            if !url.host().is_some_and(Registry::is_host) {
                return Err(Error::NotFound);
            }
            Some(protocol::get_answer(&url, &helper().get(&url)?))
        }
        Verb::Store => {
            let request = StoreRequest::parse(&read_input()?)?;
            helper().store(request)?;
            None
        }
        Verb::Erase => {
            let url = ServerUrl::parse(&read_input()?)?;
            helper().erase(&url)?;
            None
        }
        Verb::List => Some(protocol::list_answer(&helper().list())),
        Verb::Version => Some(line(format_args!("{NAME} ({NAME}) {VERSION}")).into()),
        Verb::Help => Some(HELP.to_owned().into()),
    };
    Ok(answer)
}

fn line(words: impl Display) -> String {
    format!("{words}\n")
}

fn log(env: &Env) -> Log {
    Log::open(env).unwrap_or_else(|why| {
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
