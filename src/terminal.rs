//! A line for the person at the terminal that is still to be read when the client is done.
//!
//! Clients let a helper's stderr through to the terminal, and some of them draw their progress there at the same time. What comes
//! behind a line makes up for their ways; where stderr is no terminal, nothing does. docs/clients.md tells which client does what.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};

use crate::env;

/// Saves the cursor's position (DECSC). It shows nothing.
///
/// oras saves the position when it begins, goes back there to redraw its progress, and so writes over whatever was printed
/// meanwhile, its own error message included. Saved anew, the position is below our line.
const SAVE_POSITION: &str = "\x1b7";

/// BuildKit and nerdctl go up as many rows as their progress last had, many times a second, and write over what is there.
/// These rows are for them to write over. nerdctl's pull has two rows when it asks for credentials, its push three and one for each
/// layer, a build some five and one for each image that it is FROM.
const ROWS_TO_WRITE_OVER: &str = "\n\n\n\n\n\n\n\n\n\n\n\n";

/// What to print behind a line on stderr.
pub fn behind_line() -> String {
    let is_dumb = |term: OsString| term.is_empty() || term == "dumb";
    if !io::stderr().is_terminal() || std::env::var_os(env::TERM).is_none_or(is_dumb) {
        return String::new();
    }
    let rows = match draws_from_the_cursor_up(&parent_arguments()) {
        true => ROWS_TO_WRITE_OVER,
        false => "",
    };
    format!("{rows}{SAVE_POSITION}")
}

/// Whether a client with that command line draws its progress in the rows above the cursor.
fn draws_from_the_cursor_up(arguments: &[String]) -> bool {
    let Some((program, rest)) = arguments.split_first() else {
        return false;
    };
    match program.rsplit('/').next() {
        Some("nerdctl" | "docker-buildx") => true,
        // BuildKit was a part of docker's command line until version 23.
        Some("docker") => rest.iter().any(|argument| argument == "build"),
        _ => false,
    }
}

/// The command line of the program that started this one; known on Linux.
fn parent_arguments() -> Vec<String> {
    let read = |parent: rustix::process::Pid| fs::read(format!("/proc/{}/cmdline", parent.as_raw_pid())).ok();
    let line = rustix::process::getppid().and_then(read).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_and_nerdctl_draw_from_the_cursor_up() {
        let draws = |line: &str| draws_from_the_cursor_up(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for line in [
            "nerdctl pull app",
            "/usr/local/bin/nerdctl push app",
            "/usr/libexec/docker/cli-plugins/docker-buildx buildx build .",
            "docker --debug build .",
            "/usr/bin/docker image build .",
        ] {
            assert!(draws(line), "{line}");
        }
        for line in [
            "",
            "docker pull app",
            "docker push build-tools",
            "podman build .",
            "my-nerdctl pull app",
        ] {
            assert!(!draws(line), "{line:?}");
        }
        assert!(!draws_from_the_cursor_up(&[]), "a parent that cannot be seen");
    }
}
