//! Taking turns on a terminal: docker compose starts several helpers at once, and each may have something to ask.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::terminal::{NoAnswer, Terminal};

/// How often somebody who waits for their turn looks again.
const INTERVAL: Duration = Duration::from_millis(50);

/// How waiting for one's turn ended.
#[derive(Debug)]
pub enum Waited<'a, T> {
    /// No other process asks while this is kept.
    Turn(Turn<'a>),
    /// What was to be asked for came by itself.
    Ready(T),
    /// The time was over first.
    TimedOut,
}

/// The right to ask on a terminal, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    terminal: &'a Terminal,
    _lock: Option<File>,
}

impl Terminal {
    /// Waits until no other process of this program asks on the same terminal, and asks `ready` over and over whether
    /// there is still any need to: the answer to another process may be an answer to this one.
    ///
    /// Where the terminal has no file of its own that can be locked, it is always one's turn.
    pub fn take_turn<T>(&self, until: Instant, ready: impl FnMut() -> Option<T>) -> Waited<'_, T> {
        self.take_turn_at(own_device().as_deref().and_then(open_to_lock), until, ready)
    }

    fn take_turn_at<T>(
        &self,
        device: Option<File>,
        until: Instant,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Waited<'_, T> {
        loop {
            let lock = device.as_ref().map(File::try_lock);
            // After the lock: what its last holder left behind is there by now.
            if let Some(value) = ready() {
                return Waited::Ready(value);
            }
            if !matches!(lock, Some(Err(TryLockError::WouldBlock))) {
                return Waited::Turn(Turn {
                    terminal: self,
                    _lock: device,
                });
            }
            if Instant::now() >= until {
                return Waited::TimedOut;
            }
            thread::sleep(INTERVAL);
        }
    }
}

impl Turn<'_> {
    /// Asks a question, and reads a line that nobody sees.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`] says why there is none. The terminal is as it was before in any case.
    pub fn ask(&self, question: &str, until: Instant) -> Result<Zeroizing<String>, NoAnswer> {
        self.terminal.ask(question, until)
    }
}

/// The file of this process's controlling terminal, which each terminal has for itself. /dev/tty is the same for all.
fn own_device() -> Option<PathBuf> {
    device(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The terminal in the contents of /proc/PID/stat: proc_pid_stat(5) and, for the numbers, devices.txt of the kernel.
fn device(stat: &str) -> Option<PathBuf> {
    // The second field is the program's name, in parentheses, and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let number: i32 = fields.split_whitespace().nth(4)?.parse().ok()?;
    let number = number.cast_unsigned();
    let major = (number >> 8) & 0xfff;
    let minor = (number & 0xff) | ((number >> 12) & 0xf_ff00);
    let name = match (major, minor) {
        (136..=143, _) => format!("pts/{}", (major - 136) * 256 + minor),
        (4, 1..=63) => format!("tty{minor}"),
        (4, 64..) => format!("ttyS{}", minor - 64),
        _ => return None,
    };
    Some(PathBuf::from("/dev").join(name))
}

fn open_to_lock(device: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(device, flags, Mode::empty()).ok().map(File::from)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::pty::OnTerminal;
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_kernels_number_of_a_terminal_is_a_file() {
        let stat = |number: i32| format!("7 (a) b (c)) S 1 7 7 {number} 7 4194304 0 0");
        for (number, path) in [
            (136 << 8 | 5, Some("/dev/pts/5")),
            (136 << 8 | 255, Some("/dev/pts/255")),
            // The upper bits of the minor number stand above the major number.
            (1 << 20 | 136 << 8 | 1, Some("/dev/pts/257")),
            (137 << 8 | 1, Some("/dev/pts/257")),
            (4 << 8 | 1, Some("/dev/tty1")),
            (4 << 8 | 64, Some("/dev/ttyS0")),
            (4 << 8, None),
            (5 << 8 | 1, None),
            (0, None),
        ] {
            assert_eq!(device(&stat(number)).as_deref(), path.map(Path::new), "{number}");
        }
        assert_eq!(device("7 (cat"), None);
    }

    #[test]
    fn one_waits_for_the_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let terminal = Terminal::of_file(File::open("/dev/null").unwrap());
        let wait = |limit, ready| {
            let device = open_to_lock(file.path());
            terminal.take_turn_at(device, Instant::now() + limit, || ready)
        };
        let Waited::Turn(turn) = wait(Duration::ZERO, None) else {
            panic!("nobody else asks");
        };
        assert!(matches!(wait(Duration::from_millis(100), None), Waited::TimedOut));
        assert!(matches!(wait(LONG, Some("token")), Waited::Ready("token")));
        drop(turn);
        // What came while one waited is seen before anybody is asked.
        assert!(matches!(wait(LONG, Some("token")), Waited::Ready("token")));
        assert!(matches!(wait(Duration::ZERO, None), Waited::Turn(_)));
        let no_device = terminal.take_turn_at(None, Instant::now(), || None::<()>);
        assert!(matches!(no_device, Waited::Turn(_)));
    }

    /// This program, as another process that runs only the test of that name.
    fn this_program(test: &str) -> Command {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args([
            &format!("platform::unix::turn::tests::{test}"),
            "--exact",
            "--nocapture",
        ]);
        program.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|value| ("LLVM_PROFILE_FILE", value)));
        program.env("ASKS", "yes");
        program
    }

    fn is_started_to_ask() -> bool {
        std::env::var_os("ASKS").is_some()
    }

    #[test]
    fn two_processes_ask_one_after_the_other() {
        if is_started_to_ask() {
            let terminal = Terminal::open().unwrap();
            let mut looks = 0;
            let ready = || {
                looks += 1;
                if looks == 2 {
                    eprintln!("one waits");
                }
                None::<()>
            };
            let Waited::Turn(turn) = terminal.take_turn(Instant::now() + LONG, ready) else {
                panic!("there is time enough");
            };
            let answer = turn.ask("code: ", Instant::now() + LONG).unwrap();
            println!("the answer is {}", *answer);
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let program = this_program("two_processes_ask_one_after_the_other");
        let mut terminal = OnTerminal::start_each(&program, &["", ""], directory.path());
        // The other may look a second time before the question is printed.
        if !terminal.wait_for("one waits\r\n").contains("code: ") {
            terminal.wait_for("code: ");
        }
        assert!(!terminal.echoes());
        terminal.press("111\r");
        terminal.wait_for("code: ");
        terminal.press("222\r");
        let seen = terminal.wait();
        assert!(seen.terminal.ends_with("\r\ncode: \r\n"), "{seen:?}");
        assert!(seen.echoes);
        for code in [111, 222] {
            let answer = format!("the answer is {code}\n");
            let of_that = seen.answers.iter().filter(|one| one.stdout.contains(&answer));
            assert_eq!(of_that.count(), 1, "{seen:?}");
        }
    }

    #[test]
    fn a_process_in_the_background_leaves_the_terminal_alone() {
        if is_started_to_ask() {
            println!("there is a terminal: {}", Terminal::open().is_some());
            return;
        }
        let program = this_program("a_process_in_the_background_leaves_the_terminal_alone");
        for (background, found) in [("\"$@\" & wait $!", false), ("\"$@\"", true)] {
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-mc", background, "sh"])
                .arg(program.get_program())
                .args(program.get_args());
            shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let seen = OnTerminal::start(&shell, "").wait();
            let words = format!("there is a terminal: {found}\n");
            assert!(seen.answer().stdout.contains(&words), "{background}: {seen:?}");
        }
    }
}
