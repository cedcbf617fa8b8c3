//! What can go wrong, and what each case means to the client that asked.

use std::fmt;

/// How a request ends when it is not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no credentials for this server, and nobody need know why: every client goes on without.
    #[error("credentials not found in native keychain")]
    NotFound,
    /// `get` or `erase` without a server, or `store` with an empty one. Clients know these words.
    #[error("no credentials server URL")]
    MissingServerUrl,
    /// `store` without a user name. Clients know these words.
    #[error("no credentials username")]
    MissingUsername,
    /// The request itself is wrong. Clients fail the command and show the words.
    #[error("{0}")]
    Request(String),
    /// An ECR registry's token could not be had. The client is told "not found" and the person is told why.
    #[error("{0}")]
    Failure(Failure),
}

/// Why there is no token, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is: it decides whether an older token may be served instead.
    pub reason: Reason,
    /// Whose credentials it was tried with, such as `profile "dev"`; empty where that is not known.
    pub whose: String,
    /// What failed, in lower case and without a full stop.
    pub what: String,
    /// What the person who reads it can do.
    pub advice: String,
}

/// Kinds of failure, by what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// AWS knows who asks and says no.
    AccessDenied,
    /// AWS does not accept the keys: unknown, revoked, or the signature does not match.
    InvalidCredentials,
    /// The credentials, or the session they come from, were good and are no longer.
    ExpiredCredentials,
    /// No source had any credentials.
    NoCredentials,
    /// The AWS or our own configuration names something that is not there, or cannot be read.
    Configuration,
    /// No connection, no name, a broken connection or a 5xx answer.
    Unreachable,
    /// The certificate of the other side is not trusted.
    Tls,
    /// AWS says "too many requests".
    Throttled,
    /// The machine's clock is too far from AWS's.
    ClockSkew,
    /// The time for the whole call is over.
    Deadline,
    /// The other side answered, and the answer makes no sense.
    BadAnswer,
    /// A program or thread could not be started, or ended badly.
    Process,
}

impl Reason {
    const ALL: [Self; 12] = [
        Self::AccessDenied,
        Self::InvalidCredentials,
        Self::ExpiredCredentials,
        Self::NoCredentials,
        Self::Configuration,
        Self::Unreachable,
        Self::Tls,
        Self::Throttled,
        Self::ClockSkew,
        Self::Deadline,
        Self::BadAnswer,
        Self::Process,
    ];

    /// A definite no is about the identity, not about the moment: no older token may hide it.
    pub fn is_definite(self) -> bool {
        matches!(self, Self::AccessDenied | Self::InvalidCredentials)
    }

    /// Whether those who waited for the same token share this failure. What happened to one process alone (its
    /// deadline, a program it started) says nothing about the next.
    pub fn is_shared(self) -> bool {
        !matches!(self, Self::Deadline | Self::Process)
    }

    /// The word for it in lock files and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "access-denied",
            Self::InvalidCredentials => "invalid-credentials",
            Self::ExpiredCredentials => "expired-credentials",
            Self::NoCredentials => "no-credentials",
            Self::Configuration => "configuration",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Throttled => "throttled",
            Self::ClockSkew => "clock-skew",
            Self::Deadline => "deadline",
            Self::BadAnswer => "bad-answer",
            Self::Process => "process",
        }
    }

    /// The reason whose word this is.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// The longest text that is kept of what failed, in bytes: AWS's sentences can be thousands long, and nobody is shown
/// more.
const TEXT_LIMIT: usize = 1000;

/// The longest line that is shown to a person, in bytes.
const LINE_LIMIT: usize = 480;

impl Failure {
    /// A failure of this kind; the texts are cleaned of anything that could move a terminal's cursor.
    pub fn new(reason: Reason, what: impl AsRef<str>, advice: impl AsRef<str>) -> Self {
        Self {
            reason,
            whose: String::new(),
            what: truncate(&one_line(what.as_ref()), TEXT_LIMIT),
            advice: truncate(&one_line(advice.as_ref()), TEXT_LIMIT),
        }
    }

    /// The same failure, with these credentials.
    pub fn with(self, whose: &str) -> Self {
        Self {
            whose: one_line(whose),
            ..self
        }
    }

    /// The line for a person: under 500 bytes, and what to do is never what is cut off.
    pub fn line(&self, registry: &str) -> String {
        let whose = match self.whose.as_str() {
            "" => String::new(),
            whose => format!(" with {}", truncate(whose, 100)),
        };
        let head = format!("docker-credential-ecr-login: {registry}{whose}: ");
        let tail = match self.advice.as_str() {
            "" => String::new(),
            advice => format!("; {}", truncate(advice, 200)),
        };
        let room = LINE_LIMIT.saturating_sub(head.len() + tail.len());
        format!("{head}{}{tail}", truncate(&self.what, room.max(40)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.advice)
    }
}

/// The text on one line: control characters and runs of white space become one space each, also those of Unicode that
/// turn the direction of writing or cannot be seen.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if moves(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a character is none that is seen, and may change how others are.
pub(crate) fn moves(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The beginning of a text, of at most so many bytes, with a mark where something was cut off.
pub(crate) fn truncate(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mark = "…";
    let mut end = limit.saturating_sub(mark.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{mark}", text.get(..end).unwrap_or_default().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_short_and_keeps_the_advice() {
        let failure = Failure::new(
            Reason::AccessDenied,
            format!("denied\r\n\x1b[31m\u{202e} {}", "é".repeat(2000)),
            "ask\nthe owner",
        );
        let line = failure.line("123456789012.dkr.ecr.us-east-1.amazonaws.com");
        assert!(line.len() < 500, "{}", line.len());
        assert!(line.ends_with("…; ask the owner"), "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains('\u{202e}'), "{line:?}");
    }

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
    }
}
