//! A line for the person at the terminal that is still to be read when the client is done.
//!
//! Clients let a helper's stderr through to the terminal, and some of them draw their progress there at the same time. What comes
//! behind a line makes up for the ways of two of them; where stderr is no terminal, nothing does.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};

use crate::env;

/// Saves the cursor's position (DECSC). It shows nothing.
///
/// oras saves the position when it begins, goes back there to redraw its progress, and so writes over whatever was printed
/// meanwhile, its own error message included. Saved anew, the position is below our line.
const SAVE_POSITION: &str = "\x1b7";

/// nerdctl erases as many rows above the cursor as its progress last had, ten times a second, whatever stands there. These are for
/// it to erase: a pull has two rows when it asks for credentials, a push three and one for each layer.
const ROWS_TO_ERASE: &str = "\n\n\n\n\n\n\n\n\n\n";

/// What to print behind a line on stderr.
pub fn behind_line() -> String {
    let is_dumb = |term: OsString| term.is_empty() || term == "dumb";
    if !io::stderr().is_terminal() || std::env::var_os(env::TERM).is_none_or(is_dumb) {
        return String::new();
    }
    let rows = match parent_name().as_deref() {
        Some("nerdctl") => ROWS_TO_ERASE,
        _ => "",
    };
    format!("{rows}{SAVE_POSITION}")
}

/// The program that started this one; known on Linux.
fn parent_name() -> Option<String> {
    let parent = rustix::process::getppid()?;
    let name = fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_pid())).ok()?;
    Some(name.trim_end().to_owned())
}
