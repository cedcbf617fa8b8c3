//! What a test asks the fake to answer instead of, or on top of, the normal answer.

use std::time::Duration;

/// One scripted answer; `FakeAws::on` makes it last, `FakeAws::next` uses it once.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) kind: Kind,
    pub(super) delay: Duration,
    pub(super) expires_in: Option<i64>,
    pub(super) password: Option<String>,
    pub(super) headers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Normal,
    AwsError {
        status: u16,
        code: String,
        message: String,
        oauth: Option<String>,
    },
    Raw {
        status: u16,
        content_type: String,
        body: Vec<u8>,
    },
    Hang,
    Close,
}

impl Reply {
    /// The answer the fake gives anyway; undoes an earlier `on`, or carries modifiers.
    pub fn normal() -> Self {
        Self::of(Kind::Normal)
    }

    /// An error of the service, in the protocol of the operation it answers.
    pub fn aws_error(status: u16, code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self::of(Kind::AwsError {
            status,
            code,
            message,
            oauth: None,
        })
    }

    pub fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let content_type = content_type.to_owned();
        Self::of(Kind::Raw {
            status,
            content_type,
            body: body.into(),
        })
    }

    /// Takes the request and never answers, until the server stops or the client goes.
    pub fn hang() -> Self {
        Self::of(Kind::Hang)
    }

    /// Takes the request and drops the connection without a byte of answer.
    pub fn close() -> Self {
        Self::of(Kind::Close)
    }

    /// A normal answer whose token or credentials end that many seconds from now (or before now).
    pub fn token_expires_in(seconds: i64) -> Self {
        Self {
            expires_in: Some(seconds),
            ..Self::normal()
        }
    }

    /// A normal answer of ECR or ECR Public with that very password.
    pub fn password(password: impl Into<String>) -> Self {
        Self {
            password: Some(password.into()),
            ..Self::normal()
        }
    }

    /// Waits that long before the answer; only the connection's own thread sleeps.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Fills the `error` member that errors of AWS Sign-in (`TOKEN_EXPIRED`) and of SSO OIDC
    /// (`invalid_grant`) carry beside the exception's name. Only for an `aws_error`.
    #[must_use]
    pub fn oauth_error(mut self, error: &str) -> Self {
        match &mut self.kind {
            Kind::AwsError { oauth, .. } => *oauth = Some(error.to_owned()),
            other => panic!("oauth_error belongs to an aws_error, not to {other:?}"),
        }
        self
    }

    fn of(kind: Kind) -> Self {
        let delay = Duration::ZERO;
        Self {
            kind,
            delay,
            expires_in: None,
            password: None,
            headers: Vec::new(),
        }
    }
}
