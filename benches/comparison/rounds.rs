//! Runs the programs in turns, so that whatever else the machine does meets all of them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Result;
use crate::contestant::Contestant;
use crate::options::Options;
use crate::program::Program;
use crate::quantity::{Quantity, Scenario};
use crate::sample::Sample;

/// Rounds that are not counted: the first ones fill the page cache.
const WARM_UP: u32 = 3;

/// What came of one quantity for one program.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub sample: Sample,
    /// Calls to AWS by one run.
    pub calls: f64,
}

/// Measures one quantity of every program, in turns, and checks what AWS was asked meanwhile.
pub fn interleaved(quantity: Quantity, scenario: Scenario, options: &Options) -> Result<BTreeMap<Program, Outcome>> {
    let mut entrants = Vec::new();
    for (&program, path) in &options.programs {
        if quantity.concerns(program) {
            entrants.push(Entrant::new(program, path, scenario)?);
        }
    }
    for round in 0..WARM_UP {
        each_in_turn(&mut entrants, round, |entrant| entrant.run(quantity).map(drop))?;
    }
    for entrant in &mut entrants {
        entrant.calls_before = entrant.contestant.calls()?;
    }
    let rounds = quantity.rounds(options.runs);
    for round in 0..rounds {
        each_in_turn(&mut entrants, round, |entrant| {
            let value = entrant.run(quantity)?;
            entrant.values.push(value);
            Ok(())
        })?;
    }
    entrants.into_iter().map(|entrant| entrant.outcome(rounds)).collect()
}

struct Entrant {
    contestant: Contestant,
    calls_before: BTreeMap<String, u32>,
    values: Vec<f64>,
}

impl Entrant {
    fn new(program: Program, path: &Path, scenario: Scenario) -> Result<Self> {
        let contestant = Contestant::new(program, path, scenario).map_err(|why| format!("{program}: {why}"))?;
        Ok(Self {
            contestant,
            calls_before: BTreeMap::new(),
            values: Vec::new(),
        })
    }

    fn run(&self, quantity: Quantity) -> Result<f64> {
        self.contestant.rewind()?;
        let measured = self.contestant.measure(quantity);
        measured.map_err(|why| format!("{}: {why}", self.contestant.program).into())
    }

    fn outcome(self, runs: u32) -> Result<(Program, Outcome)> {
        let program = self.contestant.program;
        let mut calls = self.contestant.calls()?;
        for (operation, before) in &self.calls_before {
            calls.entry(operation.clone()).and_modify(|count| *count -= before);
        }
        calls.retain(|_, count| *count > 0);
        if let Some(due) = self.contestant.calls_due(runs).filter(|due| *due != calls) {
            return Err(format!("{program}: in {runs} runs it called AWS {calls:?} times and not {due:?}").into());
        }
        let sample = Sample::new(self.values).ok_or("no rounds, no values")?;
        let calls = f64::from(calls.values().sum::<u32>()) / f64::from(runs);
        Ok((program, Outcome { sample, calls }))
    }
}

/// Another one begins each round, and every other round goes backwards, so that nobody always runs behind the same one.
fn each_in_turn(entrants: &mut [Entrant], round: u32, mut run: impl FnMut(&mut Entrant) -> Result<()>) -> Result<()> {
    let count = u32::try_from(entrants.len())?;
    for step in 0..count {
        let step = if round.is_multiple_of(2) {
            step
        } else {
            count - 1 - step
        };
        let index = usize::try_from((round / 2 + step) % count)?;
        if let Some(entrant) = entrants.get_mut(index) {
            run(entrant)?;
        }
    }
    Ok(())
}
