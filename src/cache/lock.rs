//! One process at a time asks AWS for a given token; the others wait for its answer. The only user of `try_lock`.
//!
//! A lock file is removed only by whoever holds its lock, and whoever gets a lock makes sure that the file is still
//! the one at its path. The kernel lets go of a lock when its process ends, however it ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::cache::dir::Dir;
use crate::error::{Failure, Reason};
use crate::files::describe;
use crate::platform;

/// Between two looks at a lock that another process holds.
const POLL: Duration = Duration::from_millis(10);

/// The most that is read of a lock file, in bytes: more than a failure's texts can be.
const RECORD_LIMIT: u64 = 64 * 1024;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// How an attempt to get a lock ended.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Held(Lock),
    /// Another process has it.
    Busy,
    /// Locks do not work here; the text says why.
    Unavailable(String),
}

impl Lock {
    /// Tries once to get the lock of this name.
    pub fn attempt(dir: &Dir, name: &str) -> Attempt {
        // A file that is removed between opening and locking it is no lock any more: then another round with the new
        // one.
        for _ in 0..100 {
            let file = match dir.open_own(name, false) {
                Ok(file) => file,
                Err(error) => return Attempt::Unavailable(describe(&error)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Attempt::Busy,
                Err(TryLockError::Error(error)) => return Attempt::Unavailable(error.to_string()),
            }
            let path = dir.join(name);
            if is_at(&file, &path) {
                return Attempt::Held(Self { file, path });
            }
        }
        Attempt::Busy
    }

    /// Waits for the lock until `deadline`, asking `ready` before each look whether there is any need for it still.
    pub fn wait<T>(
        dir: &Dir,
        name: &str,
        deadline: Instant,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, Attempt> {
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            match Self::attempt(dir, name) {
                Attempt::Busy if Instant::now() < deadline => thread::sleep(POLL),
                attempt => return Err(attempt),
            }
        }
    }

    /// The failure that an earlier holder left, if it failed after `since` and under the same circumstances.
    pub fn failure_after(&self, since: SystemTime, circumstances: &str) -> Option<Failure> {
        let mut bytes = Vec::new();
        let mut file = &self.file;
        file.rewind().ok()?;
        file.take(RECORD_LIMIT).read_to_end(&mut bytes).ok()?;
        let record: Record = serde_json::from_slice(&bytes).ok()?;
        let reason = Reason::from_code(&record.code)?;
        let is_ours = record.at_millis >= millis(since) && record.circumstances == circumstances;
        (is_ours && reason.is_shared()).then(|| Failure::new(reason, record.what, record.advice).with(&record.whose))
    }

    /// Leaves a failure for those who are waiting.
    pub fn leave_failure(&self, failure: &Failure, circumstances: &str, now: SystemTime) -> io::Result<()> {
        let record = Record {
            at_millis: millis(now),
            circumstances: circumstances.to_owned(),
            code: failure.reason.code().to_owned(),
            whose: failure.whose.clone(),
            what: failure.what.clone(),
            advice: failure.advice.clone(),
        };
        self.file.set_len(0)?;
        let mut file = &self.file;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(&record)?)
    }

    /// Gives the lock back and removes its file: there is nothing to be read in it.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What a holder that failed writes into the lock file.
#[derive(Serialize, Deserialize)]
struct Record {
    at_millis: u64,
    circumstances: String,
    code: String,
    whose: String,
    what: String,
    advice: String,
}

fn is_at(file: &File, path: &std::path::Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => platform::is_same_file(&open, &named),
        _ => false,
    }
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_that_was_removed_or_replaced_is_no_lock_any_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path));
        fs::rename(&path, directory.path().join("moved")).unwrap();
        assert!(!is_at(&file, &path), "removed");
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path), "replaced");
    }
}
