//! What the person at the terminal reads. The last lines are the ones to remember.

use std::path::Path;

use crate::machine::Machine;
use crate::measurements::Measurements;
use crate::table::Table;
use crate::target::Verdict;

pub fn print(machine: &Machine, measurements: &Measurements, verdicts: &[Verdict], written: Option<&Path>) {
    for table in [
        Table::of_pairs(machine),
        Table::of_numbers(measurements),
        Table::of_calls(measurements),
        Table::of_targets(verdicts),
    ] {
        println!("\n{}", table.to_markdown());
    }
    if let Some(directory) = written {
        let directory = directory.display();
        println!("Written: {directory}/performance.md, {directory}/performance.svg");
    }
    print_verdicts(verdicts);
}

/// A line for each target, the missed ones last.
fn print_verdicts(verdicts: &[Verdict]) {
    for (title, met) in [("not measured", None), ("met", Some(true)), ("missed", Some(false))] {
        for verdict in verdicts.iter().filter(|verdict| verdict.met() == met) {
            let value = verdict
                .measured
                .as_ref()
                .map_or_else(String::clone, |_| verdict.value());
            println!(
                "{title:<12}  {}, {}: {value} ({})",
                verdict.program,
                verdict.what,
                verdict.target()
            );
        }
    }
    let count = |met| verdicts.iter().filter(|verdict| verdict.met() == met).count();
    let (met, missed, open) = (count(Some(true)), count(Some(false)), count(None));
    println!(
        "Of {} targets {met} are met, {missed} missed and {open} not measured.",
        verdicts.len()
    );
}
