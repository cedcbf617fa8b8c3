//! What `doctor` finds at one step of the way of a `get`. Pure.

use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use crate::error::{Failure, one_line};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It may be what goes wrong, and need not be.
    Warning,
    /// A `get` fails here, or is never asked for.
    Failure,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The step's name.
    pub step: &'static str,
    /// How it ended.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do; empty where there is nothing to do.
    pub advice: String,
    /// How long it took.
    #[serde(rename = "milliseconds", serialize_with = "millis")]
    pub took: Duration,
}

impl Finding {
    /// All is well.
    pub fn ok(step: &'static str, found: impl AsRef<str>) -> Self {
        Self::new(step, State::Ok, found.as_ref(), "")
    }

    /// Something that may be wrong, and what to do about it.
    pub fn warning(step: &'static str, found: impl AsRef<str>, advice: impl AsRef<str>) -> Self {
        Self::new(step, State::Warning, found.as_ref(), advice.as_ref())
    }

    /// Something that is wrong, and what to do about it.
    pub fn failure(step: &'static str, found: impl AsRef<str>, advice: impl AsRef<str>) -> Self {
        Self::new(step, State::Failure, found.as_ref(), advice.as_ref())
    }

    /// What failed.
    pub fn of(step: &'static str, failure: &Failure) -> Self {
        let found = match failure.whose.as_str() {
            "" => failure.what.clone(),
            whose => format!("with {whose}: {}", failure.what),
        };
        Self::new(step, State::Failure, &found, &failure.advice)
    }

    /// The same, where a `get` may work all the same.
    pub fn but_a_warning(self) -> Self {
        Self {
            state: State::Warning,
            ..self
        }
    }

    /// What `look` finds, and how long it took to.
    pub fn timed(look: impl FnOnce() -> Self) -> Self {
        let began = Instant::now();
        let finding = look();
        finding.after(began.elapsed())
    }

    /// The same, which took so long.
    pub fn after(self, took: Duration) -> Self {
        Self { took, ..self }
    }

    fn new(step: &'static str, state: State, found: &str, advice: &str) -> Self {
        Self {
            step,
            state,
            found: one_line(found),
            advice: one_line(advice),
            took: Duration::ZERO,
        }
    }
}

/// Milliseconds with three digits behind the point.
fn millis<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
    serializer.serialize_f64(f64::from(micros) / 1000.0)
}
