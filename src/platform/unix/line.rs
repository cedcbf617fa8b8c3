//! A line as it is being typed, key by key.

use zeroize::Zeroizing;

/// The longest line, in bytes. What is typed behind it is dropped.
const LIMIT: usize = 100;

/// What a key did to the line.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    More,
    Done,
    Cancelled,
}

/// A line that is being typed. It has all its room from the start: growing would leave copies behind.
pub struct Line(Zeroizing<Vec<u8>>);

impl Line {
    pub fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(LIMIT)))
    }

    pub fn take(&mut self, key: u8) -> Typed {
        const CTRL_C: u8 = 3;
        const CTRL_D: u8 = 4;
        const BACKSPACE: u8 = 8;
        const CTRL_U: u8 = 21;
        const CTRL_BACKSLASH: u8 = 28;
        const DELETE: u8 = 127;
        match key {
            b'\r' | b'\n' => return Typed::Done,
            CTRL_C | CTRL_BACKSLASH => return Typed::Cancelled,
            CTRL_D if self.0.is_empty() => return Typed::Cancelled,
            BACKSPACE | DELETE => self.remove_last(),
            CTRL_U => self.0.clear(),
            0..b' ' => {}
            _ if self.0.len() < LIMIT => self.0.push(key),
            _ => {}
        }
        Typed::More
    }

    /// All bytes of the last character.
    fn remove_last(&mut self) {
        while self.0.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
    }

    pub fn into_text(self) -> Zeroizing<String> {
        Zeroizing::new(String::from_utf8_lossy(&self.0).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line holds after these keys, and what the last of them did.
    fn after(keys: &[u8]) -> (String, Typed) {
        let mut line = Line::new();
        let mut last = Typed::More;
        for key in keys {
            assert_eq!(last, Typed::More, "nothing is typed behind the end");
            last = line.take(*key);
        }
        (line.into_text().to_string(), last)
    }

    #[test]
    fn keys_that_edit() {
        for (keys, text) in [
            ("123\n", "123"),
            ("123\r", "123"),
            ("12x\x7f3\r", "123"),
            ("\x08\x7f12\x08\n", "1"),
            ("key\u{e9}\x7f\n", "key"),
            ("wrong\x15right\n", "right"),
            ("12\x04\x1a\t3\n", "123"),
            ("\n", ""),
        ] {
            assert_eq!(after(keys.as_bytes()), (text.to_owned(), Typed::Done), "{keys:?}");
        }
    }

    #[test]
    fn keys_that_cancel() {
        for keys in ["\x03", "12\x03", "\x04", "1\x7f\x04", "12\x1c"] {
            assert_eq!(after(keys.as_bytes()).1, Typed::Cancelled, "{keys:?}");
        }
    }

    #[test]
    fn a_line_has_a_limit_and_never_grows() {
        let mut line = Line::new();
        let room = line.0.capacity();
        for _ in 0..10 * LIMIT {
            line.take(b'7');
        }
        assert_eq!((line.0.len(), line.0.capacity()), (LIMIT, room));
    }
}
