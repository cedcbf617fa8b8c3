//! What was found, for a person as it comes and for machines at the end.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::finding::{Finding, State};
use crate::style::Style;

/// Where findings go. Shared with the thread that asks AWS.
#[derive(Clone)]
pub struct Report(Arc<Inner>);

struct Inner {
    findings: Mutex<Vec<Finding>>,
    /// None where nothing is shown before the end.
    screen: Option<Screen>,
}

struct Screen {
    style: Style,
    show: fn(&str),
}

impl Report {
    /// A report whose lines are shown by `show` as they come.
    pub fn shown(style: Style, show: fn(&str)) -> Self {
        Self::new(Some(Screen { style, show }))
    }

    /// A report of which nothing is seen before the end.
    pub fn silent() -> Self {
        Self::new(None)
    }

    fn new(screen: Option<Screen>) -> Self {
        Self(Arc::new(Inner {
            findings: Mutex::default(),
            screen,
        }))
    }

    /// Adds what was found at a step.
    pub fn add(&self, finding: Finding) {
        if let Some(Screen { style, show }) = &self.0.screen {
            show(&lines(&finding, *style));
        }
        self.0
            .findings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(finding);
    }

    /// Whether there is a finding of that step.
    pub fn has(&self, step: &str) -> bool {
        let findings = self.0.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.iter().any(|finding| finding.step == step)
    }

    /// How many findings are of that state.
    pub fn count(&self, state: State) -> usize {
        let findings = self.0.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.iter().filter(|finding| finding.state == state).count()
    }

    /// What it comes down to.
    pub fn summary(&self) -> String {
        let counted = |state, what: &str| match self.count(state) {
            0 => None,
            1 => Some(format!("1 {what}")),
            number => Some(format!("{number} {what}s")),
        };
        let counts = [counted(State::Failure, "failure"), counted(State::Warning, "warning")];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        match counts.is_empty() {
            true => "\nNothing is wrong.\n".to_owned(),
            false => format!("\n{}.\n", counts.join(", ")),
        }
    }

    /// Everything, as JSON.
    pub fn json(&self, registry: Option<&str>) -> String {
        let findings = self.0.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let ok = !findings.iter().any(|finding| finding.state == State::Failure);
        let report = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "registry": registry,
            "ok": ok,
            "steps": *findings,
        });
        format!("{report:#}\n")
    }
}

/// A finding as lines: state, step, what was found, the time where it took any; and below it what to do.
fn lines(finding: &Finding, style: Style) -> String {
    let state = match finding.state {
        State::Ok => style.ok("ok     "),
        State::Warning => style.warn("warning"),
        State::Failure => style.bad("failure"),
    };
    let millis = finding.took.as_secs_f64() * 1000.0;
    let took = style.dim(&match millis < 10.0 {
        true => format!("({millis:.1} ms)"),
        false => format!("({millis:.0} ms)"),
    });
    let advice = match finding.advice.as_str() {
        "" => String::new(),
        advice => format!("{:24}{}\n", "", style.dim(&format!("-> {advice}"))),
    };
    format!("{state}  {:<13}  {} {took}\n{advice}", finding.step, finding.found)
}
