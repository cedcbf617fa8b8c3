//! Runs a program as docker runs a helper: feeds stdin, reads stdout and stderr to their end,
//! and kills what does not come to one.

use serde_json::Value;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a run may take before it is killed and the test fails.
pub const RUN_LIMIT: Duration = Duration::from_secs(60);

pub struct Output {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Until it had exited and closed its output, which is what docker waits for.
    pub elapsed: Duration,
}

impl Output {
    /// The password of a successful `get`; checks all of the answer's form on the way.
    pub fn password(&self) -> String {
        self.member("Secret")
    }

    /// The `ServerURL` of a successful `get`.
    pub fn server_url(&self) -> String {
        self.member("ServerURL")
    }

    /// Checks for the answer that makes docker go on without credentials.
    pub fn assert_not_found(&self) {
        let found = (self.code, self.stdout.trim());
        assert_eq!(found, (Some(1), "credentials not found in native keychain"), "{self}");
    }

    fn member(&self, name: &str) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        let answer: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("stdout is not JSON: {why}\n{self}"));
        let names = answer
            .as_object()
            .map(|members| members.keys().cloned().collect::<Vec<_>>());
        let mut names = names.unwrap_or_default();
        names.sort();
        assert_eq!(names, ["Secret", "ServerURL", "Username"], "{self}");
        assert_eq!(answer["Username"], "AWS", "{self}");
        answer[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name} is no string\n{self}"))
            .to_owned()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}")?,
            (None, signal) => write!(f, "ended by signal {}", signal.unwrap_or_default())?,
        }
        writeln!(f, " after {:?}", self.elapsed)?;
        writeln!(f, "--- stdout ---\n{}", self.stdout)?;
        write!(f, "--- stderr ---\n{}", self.stderr)
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A program under way. Its end is timed and its limit kept whether or not anybody waits yet.
pub struct Running {
    pid: u32,
    supervisor: JoinHandle<Result<Output, String>>,
}

impl Running {
    pub fn start(mut command: Command, stdin: impl AsRef<[u8]>, limit: Duration) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let start = Instant::now();
        let child = command
            .spawn()
            .unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"));
        let (pid, stdin) = (child.id(), stdin.as_ref().to_vec());
        let supervisor = thread::spawn(move || supervise(child, stdin, start, limit));
        Self { pid, supervisor }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn is_finished(&self) -> bool {
        self.supervisor.is_finished()
    }

    /// Waits for the end. Panics if the limit had to be enforced.
    pub fn wait(self) -> Output {
        let ended = self.supervisor.join().expect("the supervisor does not panic");
        ended.unwrap_or_else(|why| panic!("{why}"))
    }
}

fn supervise(mut child: Child, stdin: Vec<u8>, start: Instant, limit: Duration) -> Result<Output, String> {
    if let Some(mut pipe) = child.stdin.take() {
        // A program may exit without reading its input; that is its affair.
        thread::spawn(move || pipe.write_all(&stdin).ok());
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let deadline = start + limit;
    let (status, mut late) = wait_until(&mut child, deadline);
    let mut read = |pipe: Receiver<Vec<u8>>| {
        let left = deadline.saturating_duration_since(Instant::now());
        // A killed program's output is in the pipe already and worth showing.
        let bytes = pipe.recv_timeout(left.max(Duration::from_millis(200)));
        late |= bytes.is_err();
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    let (stdout, stderr) = (read(stdout), read(stderr));
    let (code, signal) = (status.code(), status.signal());
    let output = Output {
        code,
        signal,
        stdout,
        stderr,
        elapsed: start.elapsed(),
    };
    if late {
        return Err(format!(
            "not at an end, or its output not closed, in {limit:?}: {output}"
        ));
    }
    Ok(output)
}

/// Waits for the exit, and kills at the deadline; the flag says whether it came to that.
fn wait_until(child: &mut Child, deadline: Instant) -> (ExitStatus, bool) {
    loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            return (status, false);
        }
        if Instant::now() >= deadline {
            child.kill().ok();
            return (child.wait().expect("our own child"), true);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let mut pipe = pipe.expect("a piped stream");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).ok();
        sender.send(bytes).ok();
    });
    receiver
}
