//! Another credential helper, which answers for the registries that are not ECR.
//!
//! It is run as docker would run it: the client's own bytes on its stdin, its stdout and stderr the client's, its exit
//! code the answer's. What it does not get is the AWS credentials in the environment: they are for AWS alone.

mod search;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::command_line::NAME;
use crate::env::{self, Env};
use crate::error::{Failure, Reason, one_line, truncate};
use crate::files::{self, describe};
use crate::platform;

/// The longest name of a helper, in bytes. Real ones are some ten.
const NAME_LIMIT: usize = 64;

/// The longest list that is read from a helper, in bytes.
const LIST_LIMIT: u64 = 1024 * 1024;

/// What docker writes to a helper's stdin where there is nothing to say.
const UNUSED: &[u8] = b"unused";

/// A helper's name as docker has it in `credsStore`: `desktop` stands for docker-credential-desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    name: String,
}

impl Fallback {
    /// Reads a name: letters, digits, `-`, `_` and `.`, with a letter, a digit or `_` first.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and the name itself.
    pub fn parse(name: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let shown = || truncate(&one_line(name), 100);
        if name.is_empty() || name.starts_with(['-', '.']) || !name.chars().all(is_plain) {
            return Err(format!(
                "\"{}\" is not the name of a credential helper, such as \"desktop\" for docker-credential-desktop",
                shown()
            ));
        }
        if name.len() > NAME_LIMIT {
            return Err(format!("\"{}\" is longer than {NAME_LIMIT} characters", shown()));
        }
        Ok(Self { name: name.to_owned() })
    }

    /// The name of the program.
    pub fn program(&self) -> String {
        format!("docker-credential-{}", self.name)
    }

    /// Hands a request over: `input` is what the client wrote, to the byte, and the answer goes to the client without
    /// being looked at. The helper's exit code, or 128 and the number of the signal that ended it.
    ///
    /// # Errors
    ///
    /// [`Reason::Configuration`] where the helper is not there or is not to be run, [`Reason::Process`] where it cannot
    /// be. It has answered nothing in either case.
    pub fn pass(&self, env: &Env, verb: &str, input: &[u8]) -> Result<ExitCode, Failure> {
        self.refuse_loop(env)?;
        let code = self.run(&self.find()?, verb, input)?;
        Ok(ExitCode::from(code))
    }

    /// The servers and user names that the helper knows, if it tells them within that time.
    ///
    /// # Errors
    ///
    /// As with [`Self::pass`]; and [`Reason::Process`] where it fails, takes too long or its answer is no list.
    pub fn list(&self, env: &Env, timeout: Duration) -> Result<BTreeMap<String, String>, Failure> {
        self.refuse_loop(env)?;
        self.list_of(&self.find()?, timeout)
    }

    fn refuse_loop(&self, env: &Env) -> Result<(), Failure> {
        if env.raw(env::AWS_ECR_FALLBACK_CALLER).is_none() {
            return Ok(());
        }
        let what = format!("the fallback {} leads back to {NAME}", self.program());
        let advice = "name another helper as `fallback`, or take this one out of the configuration of that helper";
        Err(Failure::new(Reason::Configuration, what, advice))
    }

    fn run(&self, program: &Path, verb: &str, input: &[u8]) -> Result<u8, Failure> {
        let mut child = self.start(program, verb, Stdio::inherit())?;
        // On a thread of its own: whoever is done may have left its stdin to somebody who never reads it.
        if let Some(error) = child.stdin.take().and_then(|stdin| feed(stdin, input).err()) {
            end(&mut child);
            return Err(self.failed("cannot be given its input", &error));
        }
        let status = child
            .wait()
            .map_err(|error| self.failed("cannot be waited for", &error))?;
        Ok(platform::exit_code(status))
    }

    fn list_of(&self, program: &Path, timeout: Duration) -> Result<BTreeMap<String, String>, Failure> {
        let until = Instant::now() + timeout;
        let mut child = self.start(program, "list", Stdio::piped())?;
        if let Some(mut stdin) = child.stdin.take() {
            // So few bytes never block. One that does not read them has no need to.
            let _ = stdin.write_all(UNUSED);
        }
        let read = child.stdout.take().map(|stdout| answer_of(stdout, until)).transpose();
        let answer = read.map_err(|error| {
            end(&mut child);
            self.failed("has a list that cannot be read", &error)
        })?;
        let status = child
            .wait()
            .map_err(|error| self.failed("cannot be waited for", &error))?;
        self.read_list(status, &answer.unwrap_or_default())
    }

    fn read_list(&self, status: ExitStatus, answer: &[u8]) -> Result<BTreeMap<String, String>, Failure> {
        let failure = |why: String| {
            let what = format!("the fallback {} cannot list what it knows: {why}", self.program());
            let advice = format!("run `{} list` by hand to see what it says", self.program());
            Failure::new(Reason::Process, what, advice)
        };
        if !status.success() {
            // Helpers print errors to stdout.
            let text = String::from_utf8_lossy(answer);
            return Err(failure(match text.trim().lines().next() {
                Some(line) => truncate(&one_line(line), 200),
                None => format!("it ended with {status}"),
            }));
        }
        // An empty map is null to a helper in Go. The error is not shown: it may quote a user's name.
        let list: Option<_> =
            serde_json::from_slice(answer).map_err(|_| failure("its answer is no list".to_owned()))?;
        Ok(list.unwrap_or_default())
    }

    fn start(&self, program: &Path, verb: &str, stdout: Stdio) -> Result<Child, Failure> {
        let mut command = Command::new(program);
        command.arg(verb).stdin(Stdio::piped()).stdout(stdout);
        command.env(env::AWS_ECR_FALLBACK_CALLER, "1");
        without_secrets(&mut command);
        command
            .spawn()
            .map_err(|error| self.failed("cannot be started", &error))
    }

    fn failed(&self, what: &str, error: &io::Error) -> Failure {
        let what = format!("the fallback {} {what}: {}", self.program(), describe(error));
        let advice = format!("run `{}` by hand to see whether it works", self.program());
        Failure::new(Reason::Process, what, advice)
    }
}

/// The two lists as one. Where both know a server, the user is ours. A server of theirs of which `is_ours` says yes is
/// left out: clients ask us for all that is listed, and one that there is nothing for can fail them all.
pub fn merge(
    ours: BTreeMap<String, String>,
    theirs: BTreeMap<String, String>,
    is_ours: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut both: BTreeMap<_, _> = theirs.into_iter().filter(|(server, _)| !is_ours(server)).collect();
    both.extend(ours);
    both
}

/// Writes the input to a helper. One that ends without reading it has its reasons.
fn feed(mut stdin: ChildStdin, input: &[u8]) -> io::Result<()> {
    let input = Zeroizing::new(input.to_vec());
    thread::Builder::new().spawn(move || stdin.write_all(&input))?;
    Ok(())
}

/// All that a helper prints. On a thread of its own: it may have left its stdout to somebody who keeps it open.
fn answer_of(stdout: ChildStdout, until: Instant) -> io::Result<Zeroizing<Vec<u8>>> {
    let (done, answer) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let _ = done.send(files::read_to_end(stdout, 0, LIST_LIMIT));
    })?;
    let left = until.saturating_duration_since(Instant::now());
    let late = || io::Error::new(io::ErrorKind::TimedOut, "it does not come to an end");
    answer.recv_timeout(left).unwrap_or_else(|_| Err(late()))
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Takes the AWS credentials out of the environment that a program is started with.
pub fn without_secrets(command: &mut Command) {
    let names = std::env::vars_os().map(|(name, _)| name);
    for secret in names.filter(|name| is_secret(name)) {
        command.env_remove(secret);
    }
}

/// Whether a variable's value is an AWS credential, or a part of one. The name of a file is none.
fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    name.starts_with("AWS_")
        && ["KEY", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
        && !name.ends_with("_FILE")
}

#[cfg(test)]
mod tests;
