//! Credential helper that logs Docker, Podman and other container clients in to Amazon ECR.
//!
//! # Follow one `get`
//!
//! `cli` reads the verb and stdin, and is the one place that prints. `protocol` turns the input into a
//! [`ServerUrl`], and `registry` its host into a [`Registry`]; a host that is not ECR ends here, before any file is
//! opened. `helper` and `tokens` then ask, in this order:
//!
//! 1. `cache::login`: was there a `docker login` to this registry?
//! 2. `identity`: where would AWS credentials come from? A fingerprint of that, made without resolving them, is the
//!    key of
//! 3. `cache::store`: is there a token for this key that is still fresh? Nearly always there is, and the answer is
//!    printed.
//! 4. `cache::lock`: else one process asks and the others wait for its answer.
//! 5. `aws`: resolves credentials and calls GetAuthorizationToken, on a thread that can be left behind at the deadline.
//!
//! `commands::kubelet` goes the same way from a kubelet's request, with a pod's service account where its token came.
//!
//! Everything before step 5 is synchronous and touches neither tokio nor the SDK nor TLS. What only the operating system
//! can tell or do is in `platform`, and nowhere else.

mod aws;
mod cache;
mod cli;
mod command_line;
mod commands;
mod config;
mod docker;
mod env;
mod error;
mod fallback;
mod files;
mod finding;
mod helper;
mod identity;
mod input;
mod log;
mod mfa;
mod output;
mod platform;
mod protocol;
mod registry;
mod replace;
mod secret;
mod service_account;
mod style;
mod terminal;
mod tokens;
mod waiting;
mod who;

use std::process::ExitCode;

pub use config::{Settings, Target};
pub use env::Env;
pub use error::{Error, Failure, Reason};
pub use helper::Helper;
pub use log::Log;
pub use protocol::{Credentials, ServerUrl, StoreRequest};
pub use registry::{Registry, Service};
pub use secret::Secret;
pub use service_account::{Claims, ServiceAccount};
pub use tokens::Grant;
pub use who::{Role, Who};

/// Nothing that others may use: the parts of a cached `get` that `benches/pure.rs` measures, and the command line, which
/// `tests/generated` makes the man page and the completions from.
#[doc(hidden)]
pub mod internals {
    pub use crate::cache::{Entry, Token};
    pub use crate::command_line::{CommandLine, ENVIRONMENT};
    pub use crate::files::AwsFiles;
    pub use crate::identity::{Fingerprint, Unseen};
}

/// Runs the program with the process's own arguments, environment, stdin, stdout and stderr.
pub fn main() -> ExitCode {
    aws::quiet_panics(output::last_words);
    cli::run(std::env::args_os())
}
