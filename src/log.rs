//! The log: none unless AWS_ECR_LOG or the configuration asks for one; then a file in the cache directory that only its owner can read.
//!
//! Everything in it is written by this program. The SDK's own events are not taken in: some hold whole responses, and
//! none says more than what is noted here.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::cache::Dir;
use crate::cache::dir::{LOG, OLD_LOG};
use crate::config::Settings;
use crate::error::one_line;
use crate::files::describe;
use crate::platform;

/// The size in bytes at which a new log is begun. Processes that run at the same time write on to the one they have,
/// so this leaves them room up to the promised 1 MiB.
const FULL: u64 = 768 * 1024;

/// The longest line, in bytes.
const LINE_LIMIT: usize = 2048;

/// How much is written: a level takes in those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Requests that failed.
    Error,
    /// What was worked around.
    Warn,
    /// What was asked of AWS.
    Info,
    /// Each decision and its reason.
    Debug,
    /// No more than debug, today.
    Trace,
}

impl Level {
    /// The level of that name, with none inside for `off`; none at all where it is no level's name.
    pub fn or_off(text: &str) -> Option<Option<Self>> {
        Some(Some(match text.to_ascii_lowercase().as_str() {
            "off" => return Some(None),
            "error" => Self::Error,
            "warn" | "warning" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => return None,
        }))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

/// Where events go; nowhere, for nearly everybody.
#[derive(Debug, Clone, Default)]
pub struct Log(Option<Arc<Sink>>);

#[derive(Debug)]
struct Sink {
    level: Level,
    file: Mutex<File>,
}

impl Log {
    /// The log that the settings ask for.
    ///
    /// # Errors
    ///
    /// A line for the person who asked for a log that cannot be had; the request itself goes on.
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let Some(level) = settings.log_level()? else {
            return Ok(Self::default());
        };
        let dir = settings
            .cache_dir()
            .map_err(|why| format!("no log is written: {why}"))?;
        let file = open(&dir).map_err(|error| {
            let path = dir.path().display();
            format!("no log is written to {path}: {}", describe(&error))
        })?;
        Ok(Self(Some(Arc::new(Sink {
            level,
            file: Mutex::new(file),
        }))))
    }

    /// Writes an event, if the level asks for it. `event` is only made then.
    pub fn write(&self, level: Level, event: impl FnOnce() -> String) {
        let Some(sink) = self.0.as_deref().filter(|sink| level <= sink.level) else {
            return;
        };
        let mut line = format!(
            "{} {} {level} {}",
            timestamp(SystemTime::now()),
            std::process::id(),
            one_line(&event())
        );
        while line.len() > LINE_LIMIT {
            line.pop();
        }
        line.push('\n');
        if let Ok(mut file) = sink.file.lock() {
            // A full disk is no reason to fail a login.
            let _ = file.write_all(line.as_bytes());
        }
    }

    /// A decision and its reason.
    pub fn debug(&self, event: impl FnOnce() -> String) {
        self.write(Level::Debug, event);
    }

    /// What was asked of AWS, or changed on disk.
    pub fn info(&self, event: impl FnOnce() -> String) {
        self.write(Level::Info, event);
    }

    /// Something that did not work and was worked around.
    pub fn warn(&self, event: impl FnOnce() -> String) {
        self.write(Level::Warn, event);
    }
}

/// A moment as people read it: `2026-11-21T03:22:41.769Z`.
pub(crate) fn timestamp(moment: SystemTime) -> String {
    DateTime::from(moment).fmt(Format::DateTime).unwrap_or_default()
}

/// The same without fractions of a second.
pub(crate) fn to_the_second(moment: SystemTime) -> String {
    let seconds = DateTime::from_secs(DateTime::from(moment).secs());
    seconds.fmt(Format::DateTime).unwrap_or_default()
}

fn open(dir: &Dir) -> io::Result<File> {
    let file = dir.open_own(LOG, true)?;
    let open = file.metadata()?;
    let path = dir.join(LOG);
    if open.len() < FULL || !platform::is_same_file(&fs::symlink_metadata(&path)?, &open) {
        return Ok(file);
    }
    fs::rename(path, dir.join(OLD_LOG))?;
    dir.open_own(LOG, true)
}
