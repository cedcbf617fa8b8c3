//! What only the operating system can tell or do, as small functions that say what they are for.
//!
//! Nothing else in the program names Unix or its system calls: another system needs another file here, with the same
//! functions, and the same promises about who can read and write what.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::*;

#[cfg(not(unix))]
compile_error!("src/platform has no file for this operating system; there is one for Unix: Linux and macOS");
