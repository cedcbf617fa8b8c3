//! One process from spawn to exit, with as little as possible between the two clock readings.

use std::io::{self, PipeReader, Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::Result;

/// The ends of the pipes that a process writes into.
struct Outputs {
    stdout: PipeReader,
    stderr: PipeReader,
}

/// Runs it to its end, and returns how long that took and what it wrote.
pub fn timed(mut command: Command, input: &str) -> Result<(Duration, String)> {
    let outputs = connect(&mut command, input)?;
    let start = Instant::now();
    let status = command.spawn()?.wait()?;
    let elapsed = start.elapsed();
    // The command holds this process's copies of the pipes' other ends.
    drop(command);
    Ok((elapsed, outputs.answer(status)?))
}

/// Starts all of them at once, and returns the time until the last has ended, and what each wrote.
pub fn timed_together(mut commands: Vec<Command>, input: &str) -> Result<(Duration, Vec<String>)> {
    let outputs: Result<Vec<Outputs>> = commands.iter_mut().map(|command| connect(command, input)).collect();
    let outputs = outputs?;
    let start = Instant::now();
    let running: io::Result<Vec<Child>> = commands.iter_mut().map(Command::spawn).collect();
    let ended: io::Result<Vec<ExitStatus>> = running?.iter_mut().map(Child::wait).collect();
    let elapsed = start.elapsed();
    drop(commands);
    let answers: Result<Vec<String>> = outputs
        .into_iter()
        .zip(ended?)
        .map(|(output, status)| output.answer(status))
        .collect();
    Ok((elapsed, answers?))
}

/// Gives the command its input and its outputs: pipes as docker gives them, the one filled beforehand and the others emptied
/// afterwards, so that nobody waits for the measuring process. All of it fits into a pipe's buffer.
fn connect(command: &mut Command, input: &str) -> Result<Outputs> {
    let (stdin, mut filled) = io::pipe()?;
    filled.write_all(input.as_bytes())?;
    let (stdout, into_stdout) = io::pipe()?;
    let (stderr, into_stderr) = io::pipe()?;
    command.stdin(stdin).stdout(into_stdout).stderr(into_stderr);
    Ok(Outputs { stdout, stderr })
}

impl Outputs {
    /// What was written to stdout, where the process succeeded.
    fn answer(mut self, status: ExitStatus) -> Result<String> {
        let (mut answer, mut complaint) = (String::new(), String::new());
        self.stdout.read_to_string(&mut answer)?;
        self.stderr.read_to_string(&mut complaint)?;
        match status.success() {
            true => Ok(answer),
            false => Err(format!("it ended with {status}: {answer}{complaint}").into()),
        }
    }
}

/// The same command as a tool's arguments, with the same environment.
pub fn under(tool: &str, arguments: &[&str], command: &Command) -> Command {
    let mut whole = Command::new(tool);
    whole
        .args(arguments)
        .arg(command.get_program())
        .args(command.get_args());
    whole.env_clear();
    whole.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    whole
}
