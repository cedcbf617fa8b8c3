//! The terminal that a person sits at, and asking them for a secret on it.

use std::fs::File;
use std::io::{self, Write};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcgetpgrp, tcsetattr,
};
use zeroize::Zeroizing;

use super::line::{Line, Typed};

/// The controlling terminal of this process.
#[derive(Debug)]
pub struct Terminal(File);

/// Why a question was not answered.
#[derive(Debug)]
pub enum NoAnswer {
    /// The person does not want to: ctrl-C, ctrl-\, or ctrl-D where nothing was typed.
    Cancelled,
    /// Nobody finished an answer in time.
    TimedOut,
    /// The terminal went away, or belongs to another program by now.
    Closed(io::Error),
}

impl Terminal {
    /// The controlling terminal, if there is one and this process is in its foreground: one in the background would be
    /// stopped for touching it.
    pub fn open() -> Option<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?;
        let in_foreground = tcgetpgrp(&file).ok()? == getpgrp();
        in_foreground.then(|| Self(File::from(file)))
    }

    #[cfg(test)]
    pub(super) fn of_file(file: File) -> Self {
        Self(file)
    }

    /// Asks a question, and reads a line that nobody sees. Only in one's turn.
    pub(super) fn ask(&self, question: &str, until: Instant) -> Result<Zeroizing<String>, NoAnswer> {
        if self.is_anothers() {
            return Err(in_background());
        }
        let _silent = Silent::begin(self)?;
        self.write(question, until)?;
        let mut line = Line::new();
        loop {
            match line.take(self.key(until)?) {
                Typed::More => {}
                Typed::Done => return Ok(line.into_text()),
                Typed::Cancelled => return Err(NoAnswer::Cancelled),
            }
        }
    }

    /// Whether another program has the terminal, and this one would be stopped for touching it. One that is not the
    /// controlling terminal never stops anybody.
    fn is_anothers(&self) -> bool {
        tcgetpgrp(&self.0).is_ok_and(|group| group != getpgrp())
    }

    /// Waits until the terminal can be read from or written to. False at the end of the time.
    fn wait_for(&self, what: PollFlags, until: Instant) -> io::Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.0, what)], Some(&timeout)) {
                Ok(0) | Err(Errno::INTR) if Instant::now() < until => {}
                Ok(number) => return Ok(number != 0),
                Err(Errno::INTR) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn write(&self, text: &str, until: Instant) -> Result<(), NoAnswer> {
        // It takes nothing where the person stopped it with ctrl-S.
        if !self.wait_for(PollFlags::OUT, until)? {
            return Err(NoAnswer::TimedOut);
        }
        Ok((&self.0).write_all(text.as_bytes())?)
    }

    /// The next byte that is typed.
    fn key(&self, until: Instant) -> Result<u8, NoAnswer> {
        let mut byte = Zeroizing::new([0_u8; 1]);
        while self.wait_for(PollFlags::IN, until)? {
            if self.is_anothers() {
                return Err(in_background());
            }
            match retry_on_intr(|| rustix::io::read(&self.0, byte.as_mut_slice())) {
                // Nothing came: macOS cannot wait for /dev/tty, and there it is the read that waits, a tenth of a
                // second. Or nothing ever comes: that is when the terminal does not answer either.
                Ok(0) => {
                    tcgetattr(&self.0).map_err(io::Error::from)?;
                }
                Ok(_) => {
                    let [key] = *byte;
                    return Ok(key);
                }
                Err(error) => return Err(io::Error::from(error).into()),
            }
            if Instant::now() >= until {
                break;
            }
        }
        Err(NoAnswer::TimedOut)
    }
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        Self::Closed(error)
    }
}

fn in_background() -> NoAnswer {
    NoAnswer::Closed(io::Error::other("the terminal belongs to another program"))
}

/// A terminal that does not show what is typed, and where ctrl-C is a key like others: it would end this process and
/// leave the terminal as it is. Once dropped, the terminal is what it was before, on a line of its own.
struct Silent<'a> {
    terminal: &'a Terminal,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn begin(terminal: &'a Terminal) -> io::Result<Self> {
        let before = tcgetattr(&terminal.0)?;
        let mut settings = before.clone();
        settings.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        // Reading comes back after a tenth of a second with nothing. It is asked to only where something came; on
        // macOS, which cannot wait for /dev/tty otherwise, always.
        settings.special_codes[SpecialCodeIndex::VMIN] = 0;
        settings.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(&terminal.0, OptionalActions::Now, &settings)?;
        let silent = Self { terminal, before };
        // What was typed before the question was not meant for it.
        tcflush(&terminal.0, QueueSelector::IFlush)?;
        Ok(silent)
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // A shell that took the terminal back has its own settings.
        if !self.terminal.is_anothers() {
            let _ = tcsetattr(&self.terminal.0, OptionalActions::Now, &self.before);
            let _ = self.terminal.write("\n", Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use pty_process::blocking::Pty;
    use rustix::termios::{Action, tcflow};

    use super::*;

    type Asking = JoinHandle<Result<Zeroizing<String>, NoAnswer>>;

    /// The person's side of a terminal, and the program's. It is not the controlling terminal of the tests.
    fn terminal() -> (Pty, Terminal) {
        let (person, program) = pty_process::blocking::open().unwrap();
        (
            person,
            Terminal::of_file(program.as_fd().try_clone_to_owned().unwrap().into()),
        )
    }

    fn read_until(person: &mut Pty, text: &str) -> String {
        let mut seen = Vec::new();
        while !seen.ends_with(text.as_bytes()) {
            let mut byte = [0];
            person.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        String::from_utf8(seen).unwrap()
    }

    /// A question that is asked and seen, on a terminal that may have seen something before.
    fn asked(person: &mut Pty, terminal: &Terminal, limit: Duration) -> Asking {
        let terminal = Terminal::of_file(terminal.0.try_clone().unwrap());
        let asking = thread::spawn(move || terminal.ask("code: ", Instant::now() + limit));
        assert_eq!(read_until(person, ": "), "code: ");
        asking
    }

    fn local_modes(terminal: &Terminal) -> LocalModes {
        tcgetattr(&terminal.0).unwrap().local_modes
    }

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn an_answer_is_not_seen_and_nothing_typed_before_is_one() {
        let (mut person, terminal) = terminal();
        let before = tcgetattr(&terminal.0).unwrap();
        person.write_all(b"999999\r").unwrap();
        // Once it is echoed, the terminal has it.
        assert_eq!(read_until(&mut person, "\n"), "999999\r\n");
        let asking = asked(&mut person, &terminal, LONG);
        assert!(!local_modes(&terminal).contains(LocalModes::ECHO));
        person.write_all(b"123456\rls\r").unwrap();
        assert_eq!(*asking.join().unwrap().unwrap(), "123456");
        assert_eq!(read_until(&mut person, "\n"), "\r\n");
        let after = tcgetattr(&terminal.0).unwrap();
        assert_eq!(after.local_modes, before.local_modes);
        assert_eq!(
            format!("{:?}", after.special_codes),
            format!("{:?}", before.special_codes)
        );
    }

    #[test]
    fn what_is_typed_behind_the_answer_is_for_whoever_reads_next() {
        let (mut person, terminal) = terminal();
        let asking = asked(&mut person, &terminal, LONG);
        person.write_all(b"123456\rls\r").unwrap();
        asking.join().unwrap().unwrap();
        let mut next = [0; 3];
        (&terminal.0).read_exact(&mut next).unwrap();
        assert_eq!(&next, b"ls\n");
    }

    #[test]
    fn whoever_does_not_answer_leaves_the_terminal_as_it_was() {
        let (mut person, terminal) = terminal();
        let before = local_modes(&terminal);
        let asking = asked(&mut person, &terminal, LONG);
        person.write_all(b"12\x03").unwrap();
        assert!(matches!(asking.join().unwrap(), Err(NoAnswer::Cancelled)));
        assert_eq!(read_until(&mut person, "\n"), "\r\n");
        assert_eq!(local_modes(&terminal), before);
        let asking = asked(&mut person, &terminal, SHORT);
        assert!(matches!(asking.join().unwrap(), Err(NoAnswer::TimedOut)));
        assert_eq!(read_until(&mut person, "\n"), "\r\n");
        assert_eq!(local_modes(&terminal), before);
    }

    #[test]
    fn a_terminal_that_is_stopped_is_not_waited_for_too_long() {
        let (_person, terminal) = terminal();
        tcflow(&terminal.0, Action::OOff).unwrap();
        let answer = terminal.ask("code: ", Instant::now() + SHORT);
        assert!(matches!(answer, Err(NoAnswer::TimedOut)), "{answer:?}");
    }

    #[test]
    fn a_terminal_that_goes_away_ends_the_question() {
        let (mut person, terminal) = terminal();
        let asking = asked(&mut person, &terminal, LONG);
        drop(person);
        let answer = asking.join().unwrap();
        assert!(matches!(answer, Err(NoAnswer::Closed(_))), "{answer:?}");
    }
}
