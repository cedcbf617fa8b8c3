//! Colours, for a person who sees them.

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use crate::env;

/// How words are shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// For what is printed on stdout: coloured on a terminal that can show it, unless NO_COLOR is set.
    pub fn of_stdout() -> Self {
        Self {
            colour: shows_colours(
                io::stdout().is_terminal(),
                std::env::var_os(env::TERM),
                std::env::var_os(env::NO_COLOR),
            ),
        }
    }

    /// Good, or new.
    pub fn ok(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Wrong, or removed.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// To be looked at.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Of less interest.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

fn shows_colours(is_terminal: bool, term: Option<OsString>, no_color: Option<OsString>) -> bool {
    let is_set = |value: &OsString| !value.is_empty();
    is_terminal && term.filter(is_set).is_some_and(|term| term != "dumb") && no_color.filter(is_set).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let shows = |is_terminal, term: &str, no_color: &str| {
            shows_colours(is_terminal, Some(term.into()), Some(no_color.into()))
        };
        assert!(shows(true, "xterm", ""));
        assert!(!shows(false, "xterm", ""));
        assert!(!shows(true, "dumb", "") && !shows(true, "", "") && !shows(true, "xterm", "1"));
    }

    #[test]
    fn without_colours_words_are_plain() {
        let plain = Style::default();
        assert_eq!(
            [plain.ok("a"), plain.bad("a"), plain.warn("a"), plain.dim("a")],
            ["a"; 4]
        );
        assert_eq!(Style { colour: true }.ok("a"), "\x1b[32ma\x1b[0m");
    }
}
