//! Asking AWS for a token. The only part that uses threads, tokio, the SDK or TLS; nothing here runs when the cache
//! answers.

mod answer;
mod client;
mod explain;
mod guard;
mod journal;
mod origin;
mod profiles;
mod proxy;
mod refusal;
mod sent;
mod setup;
mod source;
mod sso_cache;
mod token;
mod trust;

use std::time::Instant;

pub use guard::quiet_panics;
pub use sso_cache::refresh_is_due;
pub use token::Request;

use crate::aws::guard::Stopped;
use crate::aws::journal::Journal;
use crate::cache::Token;
use crate::error::{Failure, Reason};
use crate::files::AwsFiles;
use crate::platform;

/// Gets a token, or gives up at `deadline`.
///
/// The work is done on a thread of its own, which is left behind when the time is over: a read or a name look-up that
/// hangs cannot be called off, and must not hold up the answer.
///
/// # Errors
///
/// A [`Failure`] that says what failed, or what was waited for.
pub fn fetch(request: Request, files: AwsFiles, deadline: Instant) -> Result<Token, Failure> {
    let journal = Journal::default();
    let (theirs, log) = (journal.clone(), request.log.clone());
    // Tools that are used as credential_process ask for a code or a touch on their stderr. The AWS CLI and the Go SDK pass that on; the
    // SDK for Rust keeps it for its error message, where it comes too late. Copied before the network has taken the low numbers.
    let terminal = platform::inheritable_terminal();
    let result = guard::run(deadline, move || {
        let terminal = terminal.as_ref().map(|(_, number)| *number);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    Reason::Process,
                    format!("the network cannot be used: {error}"),
                    "check the limits on open files",
                )
            })?;
        runtime.block_on(token::fetch(&request, &files, terminal, &theirs))
    });
    let result = result.unwrap_or_else(|stopped| {
        log.warn(|| format!("the AWS part stopped: {stopped:?}"));
        Err(match stopped {
            Stopped::TimedOut(after) => {
                let activity = journal.activity();
                let activity = activity.as_deref().unwrap_or("the AWS part to begin");
                let seconds = after.as_secs_f64();
                let seconds = match seconds < 10.0 {
                    true => format!("{seconds:.1}"),
                    false => format!("{seconds:.0}"),
                };
                Failure::new(
                    Reason::Deadline,
                    format!("no token after {seconds} seconds of waiting for {activity}"),
                    "see why that takes so long, or allow more time with AWS_ECR_TIMEOUT (seconds)",
                )
            }
            Stopped::Panicked(place) => Failure::new(
                Reason::Process,
                match journal.activity() {
                    Some(activity) => format!("a part of the program failed at {place}, waiting for {activity}"),
                    None => format!("a part of the program failed at {place}"),
                },
                "please report this with the versions of your AWS settings' tools",
            ),
            Stopped::NotStarted(why) => Failure::new(
                Reason::Process,
                format!("no thread could be started: {why}"),
                "check the limits on processes and memory",
            ),
        })
    });
    result.map_err(|failure| match failure.reason {
        // Nobody's, and where it was looked for is said.
        Reason::NoCredentials => failure,
        _ => failure.with(&journal.whose()),
    })
}
