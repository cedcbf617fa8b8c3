//! All numbers of one comparison.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::Result;
use crate::options::Options;
use crate::program::Program;
use crate::quantity::Quantity;
use crate::rounds::{self, Outcome};
use crate::sample::Sample;

pub struct Measurements(BTreeMap<Quantity, BTreeMap<Program, Outcome>>);

impl Measurements {
    /// Measures everything that can be measured here, and says on stderr what it is at.
    pub fn take(options: &Options) -> Result<Self> {
        let mut all = BTreeMap::new();
        for quantity in Quantity::ALL
            .into_iter()
            .filter(|quantity| quantity.missing_tool().is_none())
        {
            let rounds = quantity.rounds(options.runs);
            let outcomes = match quantity.scenario() {
                Some(scenario) => {
                    writeln!(io::stderr(), "measuring in {rounds} rounds: {}", quantity.label())?;
                    rounds::interleaved(quantity, scenario, options)?
                }
                None => sizes(options)?,
            };
            all.insert(quantity, outcomes);
        }
        Ok(Self(all))
    }

    pub fn get(&self, quantity: Quantity, program: Program) -> Option<&Outcome> {
        self.0.get(&quantity)?.get(&program)
    }

    /// The median, or why there is none.
    pub fn median(&self, quantity: Quantity, program: Program) -> std::result::Result<f64, String> {
        match (self.get(quantity, program), quantity.missing_tool()) {
            (Some(outcome), _) => Ok(outcome.sample.median()),
            (None, Some(tool)) => Err(format!("needs {tool}")),
            (None, None) => Err(format!("needs {program}")),
        }
    }
}

/// As the files are: both builds of ours are stripped when they are made.
fn sizes(options: &Options) -> Result<BTreeMap<Program, Outcome>> {
    let mut sizes = BTreeMap::new();
    for (&program, path) in &options.programs {
        let bytes = u32::try_from(std::fs::metadata(path)?.len())?;
        let sample = Sample::new(vec![f64::from(bytes) / 1e6]).ok_or("one value is a sample")?;
        sizes.insert(program, Outcome { sample, calls: 0.0 });
    }
    Ok(sizes)
}
