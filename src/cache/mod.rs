//! What is kept on disk: tokens, locks and logins, each a file of its own in one directory.

pub mod dir;
pub mod entry;
pub mod lock;
pub mod login;
pub mod store;

pub use dir::Dir;
pub use entry::{Entry, Token};
pub use lock::{Attempt, Lock};
pub use login::Login;
pub use store::{Lookup, Store, lock_name};
