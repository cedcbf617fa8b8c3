//! What `benches/compare` hands on. People's mistakes are its to explain; here they only must not pass unseen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::program::Program;

pub struct Options {
    pub programs: BTreeMap<Program, PathBuf>,
    /// How many rounds the shortest run is measured in; the longer ones have fewer.
    pub runs: u32,
    /// Where performance.md and performance.svg are to be written, if anywhere.
    pub out: Option<PathBuf>,
}

impl Options {
    /// Reads pairs of `--name value`.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            programs: BTreeMap::new(),
            runs: 300,
            out: None,
        };
        for pair in words.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} has no value", pair.concat()).into());
            };
            options.set(name, value)?;
        }
        for needed in [Program::Empty, Program::Static, Program::Dynamic] {
            options.path(needed)?;
        }
        Ok(options)
    }

    pub fn path(&self, program: Program) -> Result<&Path> {
        let path = self.programs.get(&program).map(PathBuf::as_path);
        path.ok_or_else(|| format!("{} is missing, which the script of this name gives", program.option()).into())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        if let Some(program) = Program::ALL.into_iter().find(|program| program.option() == name) {
            // Absolute: each program is started with an environment, and so with a PATH, of its own.
            let path = std::fs::canonicalize(value).map_err(|why| format!("{value}: {why}"))?;
            self.programs.insert(program, path);
            return Ok(());
        }
        match name {
            "--runs" => self.runs = value.parse().map_err(|why| format!("--runs {value}: {why}"))?,
            "--out" => self.out = Some(PathBuf::from(value)),
            _ => return Err(format!("there is no option {name}").into()),
        }
        Ok(())
    }
}
