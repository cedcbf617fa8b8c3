//! Programs with a controlling terminal, as docker has one when a person types `docker pull`: stdin and stdout are the
//! client's, stderr is the terminal, and whoever opens /dev/tty speaks to the person.
//!
//! A shell is between the terminal and the program, since the kernel throws away what was written to a terminal and not
//! yet read as soon as its first process ends. The shell stays until everything was seen.

use pty_process::blocking::{Pty, open};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a test waits for anything to be seen before it fails.
const LIMIT: Duration = Duration::from_secs(60);

/// Between what a program wrote and its exit code, and behind that. No program of ours writes it.
const MARK: char = '\u{1e}';

/// Marks the end on the terminal, and waits: the test ends the shell once it has seen the mark.
const ENDING: &str = "printf '\\036' >/dev/tty; read line </dev/tty";

/// A terminal with one program or several on it.
pub struct OnTerminal {
    shell: Child,
    pty: Arc<Pty>,
    screen: Arc<Screen>,
    /// How much of what was seen was waited for already.
    waited_for: usize,
    stdout: Option<JoinHandle<String>>,
}

/// What one program answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// 128 and the signal's number where one ended it, as a shell has it.
    pub code: i32,
    pub stdout: String,
}

/// What came of it all.
#[derive(Debug)]
pub struct Seen {
    /// One for each program, in the order in which they were given.
    pub answers: Vec<Answer>,
    /// Everything that was seen on the terminal, with its line ends as they are: `\r\n`.
    pub terminal: String,
    /// Whether the terminal shows what is typed after the programs' end as it did before.
    pub echoes: bool,
}

impl OnTerminal {
    /// Starts a program with its stdin and stdout as pipes. It has the command's variables and no others.
    pub fn start(program: &Command, stdin: impl AsRef<[u8]>) -> Self {
        // ctrl-C is for the program, not for the shell that runs it.
        let script = format!("trap : INT; \"$@\"; printf '\\036%d\\036' $?; {ENDING}");
        let mut shell = shell_for(program, &script);
        shell.arg(program.get_program()).args(program.get_args());
        Self::run(shell, stdin.as_ref().to_vec())
    }

    /// Starts one program several times on one terminal, all at once, with an input for each. Their stdin and stdout
    /// are files in the directory.
    pub fn start_each(program: &Command, inputs: &[&str], directory: &Path) -> Self {
        let (mut starts, mut ends) = (String::new(), String::new());
        for (number, input) in inputs.iter().enumerate() {
            let file = |name: &str| directory.join(format!("{name}-{number}")).display().to_string();
            let (stdin, stdout) = (file("stdin"), file("stdout"));
            fs::write(&stdin, input).unwrap();
            starts += &format!("\"$@\" <'{stdin}' >'{stdout}' & pid{number}=$!; ");
            ends += &format!("wait $pid{number}; code{number}=$?; ");
            ends += &format!("cat '{stdout}'; printf '\\036%d\\036' $code{number}; ");
        }
        let mut shell = shell_for(program, &format!("{starts}{ends}{ENDING}"));
        shell.arg(program.get_program()).args(program.get_args());
        Self::run(shell, Vec::new())
    }

    fn run(mut shell: Command, stdin: Vec<u8>) -> Self {
        let (pty, pts) = open().expect("a pseudo-terminal");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let shell = pty_process::blocking::Command::from(shell)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut shell = shell.spawn(pts).expect("a shell on a terminal");
        let mut input = shell.stdin.take().expect("a piped stdin");
        // A program may exit without reading its input; that is its affair.
        thread::spawn(move || input.write_all(&stdin).ok());
        let mut output = shell.stdout.take().expect("a piped stdout");
        let stdout = thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).expect("a pipe can be read");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let (pty, screen) = (Arc::new(pty), Arc::new(Screen::default()));
        let (from, to) = (Arc::clone(&pty), Arc::clone(&screen));
        thread::spawn(move || to.show(&from));
        Self {
            shell,
            pty,
            screen,
            waited_for: 0,
            stdout: Some(stdout),
        }
    }

    /// Waits until a text is seen, behind what was waited for before. What was seen up to its end.
    pub fn wait_for(&mut self, text: &str) -> String {
        let (seen, end) = self.screen.wait_for(text, self.waited_for);
        let new = seen[self.waited_for..end].to_owned();
        self.waited_for = end;
        new
    }

    /// Types keys: `\r` is Enter, `\x03` is ctrl-C.
    pub fn press(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("a terminal takes keys");
    }

    /// Whether the terminal shows what is typed.
    pub fn echoes(&self) -> bool {
        let settings = tcgetattr(&*self.pty).expect("a terminal has settings");
        settings.local_modes.contains(LocalModes::ECHO)
    }

    /// Everything that was seen so far.
    pub fn seen(&self) -> String {
        self.screen.seen()
    }

    /// Waits for the end of every program.
    pub fn wait(mut self) -> Seen {
        let (mut terminal, end) = self.screen.wait_for(&MARK.to_string(), 0);
        terminal.truncate(end - MARK.len_utf8());
        let echoes = self.echoes();
        self.end_shell();
        let stdout = self.stdout.take().expect("waited for once").join().unwrap();
        let parts: Vec<_> = stdout.split_terminator(MARK).collect();
        let answer = |pair: &[&str]| Answer {
            stdout: pair[0].to_owned(),
            code: pair[1].parse().expect("an exit code"),
        };
        Seen {
            answers: parts.chunks(2).map(answer).collect(),
            terminal,
            echoes,
        }
    }

    /// What is still in the terminal's foreground is told by the kernel that the terminal is gone.
    fn end_shell(&mut self) {
        self.shell.kill().ok();
        self.shell.wait().ok();
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        self.end_shell();
    }
}

impl Seen {
    /// The answer of the only program.
    pub fn answer(&self) -> &Answer {
        assert_eq!(self.answers.len(), 1, "{self:?}");
        &self.answers[0]
    }
}

/// A shell that runs the script, with a program's variables and directory.
fn shell_for(program: &Command, script: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = program.get_current_dir() {
        shell.current_dir(directory);
    }
    shell
}

/// What is seen on a terminal.
#[derive(Default)]
struct Screen {
    seen: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Screen {
    /// Takes what is written until nobody has the terminal open.
    fn show(&self, mut pty: &Pty) {
        let mut bytes = [0; 1024];
        while let Ok(count @ 1..) = pty.read(&mut bytes) {
            self.seen.lock().unwrap().extend_from_slice(&bytes[..count]);
            self.more.notify_all();
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Everything that was seen, and where in it the text ends that begins behind `start`.
    fn wait_for(&self, text: &str, start: usize) -> (String, usize) {
        let deadline = Instant::now() + LIMIT;
        let mut bytes = self.seen.lock().unwrap();
        loop {
            let seen = String::from_utf8_lossy(&bytes).into_owned();
            if let Some(found) = seen.get(start..).and_then(|rest| rest.find(text)) {
                return (seen, start + found + text.len());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{text:?} is not seen behind byte {start} of {seen:?}");
            bytes = self.more.wait_timeout(bytes, left).unwrap().0;
        }
    }
}
