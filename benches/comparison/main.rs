//! Measures this helper against AWS's one and against a process that does nothing. `benches/compare` gets the programs and
//! calls this; nobody else has to.
//!
//! Read it in this order: `quantity` says what is measured, `contestant` puts a program into its surroundings and runs it
//! once, `rounds` runs all of them in turns, `target` says what the numbers should be. `table`, `chart` and `document`
//! show them.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod chart;
mod contestant;
mod document;
mod machine;
mod measurements;
mod options;
mod process;
mod program;
mod quantity;
mod report;
mod rounds;
mod sample;
mod server;
mod table;
mod target;

use std::error::Error;
use std::process::ExitCode;

use measurements::Measurements;
use options::Options;

/// What went wrong, in words for whoever started the comparison.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some(server::VERB) => server::serve(),
        _ => Options::parse(&words).and_then(|options| compare(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("benches/compare: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<()> {
    let machine = machine::describe(options)?;
    let measurements = Measurements::take(options)?;
    let verdicts = target::judge(&measurements);
    if let Some(directory) = &options.out {
        document::write(directory, &machine, &measurements, &verdicts, options.runs)?;
        chart::write(directory, &measurements)?;
    }
    report::print(&machine, &measurements, &verdicts, options.out.as_deref());
    Ok(())
}
