//! Asking AWS for a token. The only part that uses threads, tokio, the SDK or TLS; nothing here runs when the cache
//! answers.

mod answer;
mod caller;
mod chain;
mod challenge;
mod checkup;
mod client;
mod explain;
mod guard;
mod hops;
mod journal;
mod origin;
mod ping;
mod profiles;
mod proxy;
mod refusal;
mod sent;
mod service_account;
mod settings;
mod setup;
mod source;
mod sso_cache;
mod token;
mod trust;

use std::io;
use std::time::Instant;

pub use caller::Caller;
pub use checkup::Checkup;
pub use guard::quiet_panics;
pub use sso_cache::refresh_is_due;
pub use token::Request;

use crate::aws::guard::Stopped;
use crate::aws::journal::Journal;
use crate::aws::source::Plan;
use crate::cache::Token;
use crate::env::Env;
use crate::error::{Failure, Reason};
use crate::files::{AwsFile, AwsFiles, Found};
use crate::log::Log;
use crate::mfa;
use crate::platform;
use crate::waiting::Waiting;
use crate::who::Who;

/// Gets a token, or gives up at `deadline`.
///
/// The work is done on a thread of its own, which is left behind when the time is over: a read or a name look-up that
/// hangs cannot be called off, and must not hold up the answer.
///
/// # Errors
///
/// A [`Failure`] that says what failed, or what was waited for.
pub fn fetch(request: Request, files: AwsFiles, deadline: Instant, waiting: &Waiting) -> Result<Token, Failure> {
    in_time(
        &request.log.clone(),
        deadline,
        waiting,
        async move |journal, terminal| token::fetch(&request, &files, terminal, &journal).await,
    )
}

/// Goes through the steps of getting a token, and tells what was found at each.
///
/// # Errors
///
/// A [`Failure`] where there was no getting to the end of them in time.
pub fn check_up(checkup: Checkup, files: AwsFiles, deadline: Instant, waiting: &Waiting) -> Result<(), Failure> {
    in_time(
        &checkup.request.log.clone(),
        deadline,
        waiting,
        async move |journal, terminal| {
            checkup::run(&checkup, &files, terminal, &journal).await;
            Ok(())
        },
    )
}

/// Asks AWS who somebody is. The registry is that of a region, which is whose STS is asked.
///
/// # Errors
///
/// A [`Failure`] that says why there is no telling.
pub fn identify(request: Request, files: AwsFiles, deadline: Instant, waiting: &Waiting) -> Result<Caller, Failure> {
    in_time(
        &request.log.clone(),
        deadline,
        waiting,
        async move |journal, terminal| token::identify(&request, &files, terminal, &journal).await,
    )
}

/// The MFA device whose code somebody's credentials need, if they do.
///
/// # Errors
///
/// A [`Failure`] where it cannot be told what the credentials are.
pub fn mfa_device(env: &Env, files: &AwsFiles, who: &Who) -> Result<Option<mfa::Device>, Failure> {
    const SETTING: &str = "mfa_serial";
    let of_role = who.role().is_some_and(|role| role.mfa_serial.is_some());
    if !(of_role || files.mention(SETTING)) || !are_regular(files) {
        return Ok(None);
    }
    Ok(plan(env, files, who)?.mfa_device())
}

/// The region that the profile of somebody's credentials is for, if it has one.
///
/// # Errors
///
/// A [`Failure`] where there is no such profile, or no reading it.
pub fn profile_region(env: &Env, files: &AwsFiles, who: &Who) -> Result<Option<String>, Failure> {
    match are_regular(files) {
        true => Ok(plan(env, files, who)?.setting("region").map(str::to_owned)),
        false => Ok(None),
    }
}

/// Whether both files can be read again. What can be read only once, and may keep one waiting, is left to the call that
/// needs it and has a deadline.
fn are_regular(files: &AwsFiles) -> bool {
    let is_regular = |file: &&AwsFile| file.found != Found::NotRegular;
    files.each().iter().all(is_regular)
}

/// What is known of somebody's credentials before AWS is asked. For files that can be read at once.
fn plan(env: &Env, files: &AwsFiles, who: &Who) -> Result<Plan, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| no_network(&error))?;
    runtime.block_on(Plan::new(env, files, who))
}

/// Does something with AWS on a thread of its own, until `deadline`. `work` is given the journal to keep, and the terminal
/// of [`token::fetch`].
fn in_time<T, F>(log: &Log, deadline: Instant, waiting: &Waiting, work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: AsyncFnOnce(Journal, Option<i32>) -> Result<T, Failure> + Send + 'static,
{
    let journal = Journal::default();
    let theirs = journal.clone();
    // Tools that are used as credential_process ask for a code or a touch on their stderr. The AWS CLI and the Go SDK pass that on; the
    // SDK for Rust keeps it for its error message, where it comes too late. Copied before the network has taken the low numbers.
    let terminal = platform::inheritable_terminal();
    let notice = waiting.due().map(|due| {
        let tell = || journal.activity().into_iter().for_each(|what| waiting.say(&what));
        (due, tell)
    });
    let result = guard::run(deadline, notice, move || {
        let terminal = terminal.as_ref().map(|(_, number)| *number);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| no_network(&error))?;
        runtime.block_on(work(theirs, terminal))
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

fn no_network(error: &io::Error) -> Failure {
    Failure::new(
        Reason::Process,
        format!("the network cannot be used: {error}"),
        "check the limits on open files",
    )
}
