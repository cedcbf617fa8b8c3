//! A line for the person at the terminal that is still to be read when the client is done.
//!
//! Clients let a helper's stderr through to the terminal, and some of them draw their progress there at the same time. What comes
//! behind a line makes up for their ways; where stderr is no terminal, nothing does. docs/clients.md tells which client does what.

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use crate::env;
use crate::platform::parent_arguments;

/// Saves the cursor's position (DECSC). It shows nothing.
const SAVE_POSITION: &str = "\x1b7";

/// What to print behind a line on stderr.
pub fn behind_line() -> String {
    let is_dumb = |term: OsString| term.is_empty() || term == "dumb";
    if !io::stderr().is_terminal() || std::env::var_os(env::TERM).is_none_or(is_dumb) {
        return String::new();
    }
    match drawing_of(&parent_arguments(), docker_has_buildkit()) {
        Drawing::FromCursorUp(rows) => "\n".repeat(rows),
        Drawing::FromSavedPosition => SAVE_POSITION.to_owned(),
        Drawing::Nowhere => String::new(),
    }
}

/// Where a client draws its progress.
#[derive(Debug, Eq, PartialEq)]
enum Drawing {
    /// It goes up as many rows as its progress last had, many times a second, and writes over what is there. So many empty ones
    /// are for it to write over.
    FromCursorUp(usize),
    /// It goes back to a position that it saved when it began, and writes its error message there as well. Saved anew, the
    /// position is below our line.
    FromSavedPosition,
    Nowhere,
}

/// How a client with that command line draws. docs/clients.md says with which versions this was seen.
fn drawing_of(arguments: &[String], docker_has_buildkit: bool) -> Drawing {
    let Some((program, rest)) = arguments.split_first() else {
        return Drawing::FromSavedPosition;
    };
    let does = |verb: &str| rest.iter().any(|argument| argument == verb);
    match program.rsplit('/').next() {
        // Three rows, and one for each layer.
        Some("nerdctl") if does("push") => Drawing::FromCursorUp(20),
        Some("nerdctl") => Drawing::FromCursorUp(3),
        Some("docker") if does("build") && docker_has_buildkit => BUILDKIT,
        // compose and buildctl draw as buildx does.
        Some("docker-buildx" | "docker-compose" | "buildctl") => BUILDKIT,
        Some("oras") => Drawing::FromSavedPosition,
        _ => Drawing::Nowhere,
    }
}

/// Five rows, and one for each image that it is FROM.
const BUILDKIT: Drawing = Drawing::FromCursorUp(8);

/// Whether docker's own command line builds with BuildKit, as it can until version 23, when the plug-in buildx took over.
/// Where the daemon's settings ask for it, this cannot be seen.
fn docker_has_buildkit() -> bool {
    const TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];
    std::env::var_os(env::DOCKER_BUILDKIT).is_some_and(|value| TRUE.iter().any(|word| value == *word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_by_their_command_line() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let pull = Drawing::FromCursorUp(3);
        let push = Drawing::FromCursorUp(20);
        for (line, expected) in [
            ("nerdctl pull app", pull),
            ("/usr/local/bin/nerdctl -n k8s.io push app", push),
            ("/usr/libexec/docker/cli-plugins/docker-buildx buildx build .", BUILDKIT),
            ("docker --debug build .", BUILDKIT),
            ("/usr/bin/docker image build .", BUILDKIT),
            ("docker pull app", Drawing::Nowhere),
            ("docker push build-tools", Drawing::Nowhere),
            ("oras pull app", Drawing::FromSavedPosition),
            ("podman build .", Drawing::Nowhere),
            ("sh -c nerdctl", Drawing::Nowhere),
        ] {
            assert_eq!(drawing_of(&words(line), true), expected, "{line}");
        }
        let classic = words("docker build .");
        assert_eq!(drawing_of(&classic, false), Drawing::Nowhere);
        // It shows nothing where it is not needed, unlike rows.
        assert_eq!(
            drawing_of(&[], true),
            Drawing::FromSavedPosition,
            "a parent that cannot be seen"
        );
    }
}
