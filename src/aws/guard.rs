//! Work that may hang or panic, done on a thread that can be left behind.

use std::panic::{self, PanicHookInfo};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::files::describe;
use crate::platform;

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The time was over; this long was waited.
    TimedOut(Duration),
    /// The work panicked, at this place in the source.
    Panicked(String),
    /// The thread could not be started.
    NotStarted(String),
}

type Report = Box<dyn Fn(String) + Send>;

/// Whom to tell of a panic on another than the main thread.
static WAITING: Mutex<Option<Report>> = Mutex::new(None);

/// Runs `work` until it ends or `deadline` comes. If it takes until the moment of `notice`, that is called.
///
/// A panic anywhere in it, also on threads that it starts, ends the wait at once. The thread that panicked then
/// stands still for the rest of the process: unwinding it further is not possible in builds that abort on panic, and
/// not needed in others.
pub fn run<T: Send + 'static>(
    deadline: Instant,
    notice: Option<(Instant, impl FnOnce())>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stopped> {
    let started = Instant::now();
    let (done, result) = mpsc::channel();
    let panicked = done.clone();
    *waiting() = Some(Box::new(move |place| {
        let _ = panicked.send(Err(Stopped::Panicked(place)));
    }));
    thread::Builder::new()
        .name("aws".to_owned())
        .spawn(move || {
            let _ = done.send(Ok(work()));
        })
        .map_err(|error| Stopped::NotStarted(describe(&error)))?;
    let until = |moment: Instant| result.recv_timeout(moment.saturating_duration_since(Instant::now()));
    if let Some((moment, notice)) = notice.filter(|(moment, _)| *moment < deadline) {
        match until(moment) {
            Err(RecvTimeoutError::Timeout) => notice(),
            Ok(ended) => return ended,
            Err(RecvTimeoutError::Disconnected) => {}
        }
    }
    until(deadline).unwrap_or_else(|_| {
        // The credential_process that was waited for: nobody will read what it prints.
        platform::end_children();
        Err(Stopped::TimedOut(started.elapsed()))
    })
}

fn waiting() -> MutexGuard<'static, Option<Report>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes panics quiet: the message of one may quote anything, and stdout and stderr belong to the protocol.
/// `last_words` are for a panic of the main thread, which nobody is left to answer for.
pub fn quiet_panics(last_words: fn(place: &str)) {
    panic::set_hook(Box::new(move |info| {
        let place = place(info);
        if thread::current().name() == Some("main") {
            last_words(&place);
            return;
        }
        if let Some(report) = waiting().as_ref() {
            report(place);
        }
        loop {
            thread::park();
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    // Release builds may leave out the names of source files, for a smaller program: rustc then writes this in their place.
    let known = info.location().filter(|location| location.file() != "<redacted>");
    known.map_or_else(
        || "a place that this build does not know".to_owned(),
        |location| {
            // The crate and what is below it; what stands before is somebody's build directory.
            let short = location.file().rsplit('/').take(3).collect::<Vec<_>>();
            let short: Vec<_> = short.into_iter().rev().collect();
            format!("{}:{}", short.join("/"), location.line())
        },
    )
}
