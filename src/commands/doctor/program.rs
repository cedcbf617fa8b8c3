//! Which program clients find on PATH by our name.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::command_line::NAME;
use crate::env;
use crate::error::{one_line, truncate};
use crate::fallback;
use crate::files;
use crate::finding::{Finding, State};
use crate::platform;

const STEP: &str = "program";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The most that is read of what another program says of its version, in bytes.
const VERSION_LIMIT: u64 = 1024;

/// How long another program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(3);

/// The first program of our name on PATH: this one, another, or none. One in an entry that is not a full path is never
/// run, for the directory that one happens to be in may be somebody else's.
pub fn find() -> Finding {
    let own = std::env::current_exe().unwrap_or_default();
    let path = std::env::var_os(env::PATH);
    let mut relative = None;
    for entry in path.iter().flat_map(std::env::split_paths) {
        let program = entry.join(NAME);
        if !platform::is_program(&program) {
            continue;
        }
        if entry.is_absolute() {
            return behind(relative, found(Some(&program), &own));
        }
        relative.get_or_insert(entry);
    }
    behind(relative, found(None, &own))
}

fn found(first: Option<&Path>, own: &Path) -> Finding {
    match first {
        None => Finding::failure(
            STEP,
            format!("{NAME} {VERSION} is {}, and is in no directory of PATH", own.display()),
            "put it into a directory of PATH, /usr/local/bin for one: clients look for it there",
        ),
        Some(first) if files::is_same(first, own) => {
            Finding::ok(STEP, format!("{} {VERSION}, the first on PATH", first.display()))
        }
        Some(first) => Finding::warning(
            STEP,
            format!(
                "clients find {} first on PATH, which is {}; this is {} {VERSION}",
                first.display(),
                version(first),
                own.display()
            ),
            "remove the other one, or put this one's directory before its own in PATH",
        ),
    }
}

/// What is found in full paths, behind a program that is in an entry which is none. Go's os/exec refuses that one, and
/// does not look further (`ErrDot`).
fn behind(relative: Option<PathBuf>, found: Finding) -> Finding {
    let Some(entry) = relative else { return found };
    let what = format!(
        "{NAME} is in \"{}\", an entry of PATH that is not a full path; clients written in Go do not run it, nor look \
         further; in full paths: {}",
        entry.display(),
        found.found
    );
    let advice = match found.advice.as_str() {
        "" => "take that entry out of PATH".to_owned(),
        more => format!("take that entry out of PATH; {more}"),
    };
    match found.state {
        State::Failure => Finding::failure(STEP, what, advice),
        State::Ok | State::Warning => Finding::warning(STEP, what, advice),
    }
}

/// What a program says of its version.
fn version(program: &Path) -> String {
    match said_by(program).filter(|said| !said.is_empty()) {
        Some(said) => truncate(&said, 100),
        None => "one that does not tell its version".to_owned(),
    }
}

/// The line that a program answers the verb `version` with; none where it cannot be started or takes too long.
fn said_by(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("version");
    fallback::without_secrets(&mut command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let stdout = child.stdout.take()?;
    let (done, said) = mpsc::channel();
    let reader = thread::Builder::new().spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.take(VERSION_LIMIT).read_to_end(&mut text);
        let _ = done.send(text);
    });
    let said = reader.ok().and_then(|_| said.recv_timeout(PATIENCE).ok());
    let _ = child.kill();
    let _ = child.wait();
    said.map(|text| one_line(&String::from_utf8_lossy(&text)))
}
