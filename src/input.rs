//! The one place that reads stdin.

use std::io;

use zeroize::Zeroizing;

use crate::files::{self, describe};
use crate::platform;

/// The most that is read, in bytes. A server name is some fifty, a `store` or kubelet request some four thousand.
const LIMIT: u64 = 1024 * 1024;

/// All of stdin, up to the limit.
///
/// # Errors
///
/// A text that says what is wrong with it.
pub fn read() -> Result<Zeroizing<Vec<u8>>, String> {
    files::read_to_end(platform::stdin(), 0, LIMIT).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => format!("the input is {error}"),
        _ => format!("stdin cannot be read: {}", describe(&error)),
    })
}
