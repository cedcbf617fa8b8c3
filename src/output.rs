//! The one place that prints: answers to stdout, and lines for a person to stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::command_line::NAME;
use crate::error::{Error, Failure};
use crate::files::describe;
use crate::platform;
use crate::terminal;

/// How long a line on stderr may take.
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

/// Words with the end of the line.
pub fn line(words: impl Display) -> String {
    format!("{words}\n")
}

/// A command of our own that did not succeed: nothing on stdout.
pub fn fail(what: &str, failure: &Failure) -> ExitCode {
    complain(&failure.line(what));
    ExitCode::FAILURE
}

/// Prints the answer. An answer that nobody can read is none.
pub fn finish(answer: &str, code: ExitCode) -> ExitCode {
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

/// Prints a part of a report, as it comes. Whoever has gone away hears of it at the end.
pub fn show(text: &str) {
    let _ = print(text.as_bytes());
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

/// Asks the person at the terminal, with yes for an empty line. Where nobody can be asked, nobody objects.
pub fn confirm(question: &str) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return true;
    }
    let mut answer = String::new();
    let asked = io::stderr().lock().write_all(question.as_bytes());
    let read = asked.and_then(|()| io::stdin().read_line(&mut answer));
    // Without so much as the end of a line, the terminal was closed.
    read.is_ok_and(|length| length > 0) && ["", "y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// Says something to the person at the terminal while the client waits.
pub fn say(what: &str) {
    complain(&format!("{NAME}: {what}"));
}

/// Prints a line for the person at the terminal, if there is one. Where stderr is a pipe that nobody empties, it is
/// not waited for: the client has its answer, and wants the process to end.
pub fn complain(line: &str) {
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

/// Whether what asked is a client, and not a person.
static IS_CLIENTS: AtomicBool = AtomicBool::new(false);

/// From now on, a client reads what is printed.
pub fn answer_a_client() {
    IS_CLIENTS.store(true, Ordering::Relaxed);
}

/// What a panic of our own ends in: a client is told something that it understands, and a person nothing that could be
/// taken for a password.
pub(crate) fn last_words(place: &str) {
    if IS_CLIENTS.load(Ordering::Relaxed) {
        let _ = finish(&line(Error::NotFound), ExitCode::FAILURE);
    }
    complain(&format!(
        "{NAME}: a part of the program failed at {place}; please report this"
    ));
    std::process::exit(1);
}
