//! What a call waits for, said once to the person at the terminal, where it takes long.

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Nobody wonders before.
const PATIENCE: Duration = Duration::from_secs(2);

/// The waiting of one call.
#[derive(Debug, Default)]
pub struct Waiting {
    say: Option<fn(&str)>,
    /// When the waiting began; none before it did.
    since: Cell<Option<Instant>>,
    is_said: Cell<bool>,
}

/// Does something that waits for `what`, and has `say` say so if it takes long.
pub fn noticed<T>(say: fn(&str), what: &str, work: impl FnOnce() -> T) -> T {
    let (done, over) = mpsc::channel::<()>();
    let line = format!("waiting for {what}");
    let notice = move || {
        if over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) && io::stderr().is_terminal() {
            say(&line);
        }
    };
    // Where there is no thread to be had, nobody is told.
    let _ = thread::Builder::new().spawn(notice);
    let value = work();
    drop(done);
    value
}

impl Waiting {
    /// A person is told by `say`, if stderr is a terminal.
    pub fn telling(say: fn(&str)) -> Self {
        Self {
            say: Some(say),
            ..Self::default()
        }
    }

    /// Waiting goes on: when it is time to say what for. None where nobody is to be told, or was already.
    pub fn due(&self) -> Option<Instant> {
        let since = self.since.get().unwrap_or_else(|| {
            let now = Instant::now();
            self.since.set(Some(now));
            now
        });
        (self.say.is_some() && !self.is_said.get()).then(|| since + PATIENCE)
    }

    /// Says what is waited for.
    pub fn say(&self, what: &str) {
        if let Some(say) = self.say.filter(|_| !self.is_said.replace(true))
            && io::stderr().is_terminal()
        {
            say(&format!("waiting for {what}"));
        }
    }

    /// Says it if it is time to.
    pub fn look(&self, what: &str) {
        if self.due().is_some_and(|due| due <= Instant::now()) {
            self.say(what);
        }
    }
}
