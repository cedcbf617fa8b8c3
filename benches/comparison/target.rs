//! What the numbers should be, and whether they are.

use std::fmt;

use crate::measurements::Measurements;
use crate::program::Program;
use crate::quantity::Quantity;
use crate::table;

/// A line of the table of targets.
struct Target {
    what: &'static str,
    quantity: Quantity,
    value: Value,
    unit: &'static str,
    dynamic: Limit,
    static_: Limit,
}

/// What is made of the medians.
#[derive(Clone, Copy)]
enum Value {
    /// Ours, by this factor.
    Ours(f64),
    /// Ours ÷ the empty process.
    OursToEmpty,
    /// AWS's helper ÷ ours.
    GoToOurs,
}

#[derive(Clone, Copy, Debug)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// How one build did at one target.
pub struct Verdict {
    pub what: &'static str,
    pub program: Program,
    pub limit: Limit,
    pub unit: &'static str,
    /// Or why it was not measured.
    pub measured: Result<f64, String>,
}

use Limit::{AtLeast, AtMost};

const TARGETS: [Target; 9] = [
    Target {
        what: "cached get ÷ an empty dynamically linked C program",
        quantity: Quantity::Cached,
        value: Value::OursToEmpty,
        unit: "",
        dynamic: AtMost(1.6),
        static_: AtMost(0.6),
    },
    Target {
        what: "AWS's helper ÷ ours, cached get, static keys",
        quantity: Quantity::Cached,
        value: Value::GoToOurs,
        unit: "",
        dynamic: AtLeast(4.0),
        static_: AtLeast(15.0),
    },
    Target {
        what: "AWS's helper ÷ ours, second get with an assumed role",
        quantity: Quantity::Role,
        value: Value::GoToOurs,
        unit: "",
        dynamic: AtLeast(15.0),
        static_: AtLeast(50.0),
    },
    Target {
        what: "AWS's helper ÷ ours, first get over TLS with the system's roots",
        quantity: Quantity::First,
        value: Value::GoToOurs,
        unit: "",
        dynamic: AtLeast(2.5),
        static_: AtLeast(2.5),
    },
    Target {
        what: "forty parallel first gets, AWS answering after 0.5 s: all done, one call",
        quantity: Quantity::Storm,
        value: Value::Ours(1e-3),
        unit: " s",
        dynamic: AtMost(1.0),
        static_: AtMost(1.0),
    },
    Target {
        what: "peak memory, cached get",
        quantity: Quantity::MemoryCached,
        value: Value::Ours(1.0),
        unit: " MB",
        dynamic: AtMost(4.0),
        static_: AtMost(2.0),
    },
    Target {
        what: "peak memory, first get over TLS",
        quantity: Quantity::MemoryFirst,
        value: Value::Ours(1.0),
        unit: " MB",
        dynamic: AtMost(9.0),
        static_: AtMost(7.0),
    },
    Target {
        what: "size of the stripped program",
        quantity: Quantity::Size,
        value: Value::Ours(1.0),
        unit: " MB",
        dynamic: AtMost(7.5),
        static_: AtMost(7.5),
    },
    Target {
        what: "system calls of a cached get",
        quantity: Quantity::SystemCalls,
        value: Value::Ours(1.0),
        unit: "",
        dynamic: AtMost(65.0),
        static_: AtMost(45.0),
    },
];

/// Two verdicts for each target, the dynamic build's first.
pub fn judge(measurements: &Measurements) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for target in &TARGETS {
        for (program, limit) in [(Program::Dynamic, target.dynamic), (Program::Static, target.static_)] {
            verdicts.push(Verdict {
                what: target.what,
                program,
                limit,
                unit: target.unit,
                measured: target.value_of(program, measurements),
            });
        }
    }
    verdicts
}

impl Target {
    fn value_of(&self, program: Program, measurements: &Measurements) -> Result<f64, String> {
        let ours = measurements.median(self.quantity, program)?;
        Ok(match self.value {
            Value::Ours(factor) => ours * factor,
            Value::OursToEmpty => ours / measurements.median(self.quantity, Program::Empty)?,
            Value::GoToOurs => measurements.median(self.quantity, Program::Go)? / ours,
        })
    }
}

impl Verdict {
    /// None where it was not measured.
    pub fn met(&self) -> Option<bool> {
        let measured = *self.measured.as_ref().ok()?;
        Some(match self.limit {
            AtMost(most) => measured <= most,
            AtLeast(least) => measured >= least,
        })
    }

    /// The target with its unit.
    pub fn target(&self) -> String {
        format!("{}{}", self.limit, self.unit)
    }

    /// The number with its unit, or why there is none.
    pub fn value(&self) -> String {
        match &self.measured {
            Ok(measured) => format!("{}{}", table::number(*measured), self.unit),
            Err(why) => format!("not measured: {why}"),
        }
    }

    pub fn word(&self) -> &'static str {
        match self.met() {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AtMost(limit) => write!(f, "≤ {limit}"),
            AtLeast(limit) => write!(f, "≥ {limit}"),
        }
    }
}
