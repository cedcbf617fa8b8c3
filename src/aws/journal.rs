//! What the AWS part is doing, and how its last request ended: the SDK's error types hide both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::aws::origin::Origin;
use crate::error::Failure;
use crate::secret::Secret;

/// What is shorter is a word like any other.
const SHORTEST_SECRET: usize = 8;

/// Shared between the thread that works and the one that waits for it.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    activity: Option<String>,
    whose: String,
    secrets: Vec<Zeroizing<String>>,
    sso_token: Option<Zeroizing<String>>,
    sso_refreshed: bool,
    asked: Option<Origin>,
    clocks: Option<(SystemTime, SystemTime)>,
    failed: Option<FailedExchange>,
}

/// The last request, where it did not succeed.
#[derive(Debug, Clone)]
pub struct FailedExchange {
    /// Where it went.
    pub origin: Origin,
    /// Which call it was, for the two that are told apart by their path. Paths may hold secrets: never shown.
    pub call: Call,
    /// The proxy it went through, without user info, and the variable that names it.
    pub proxy: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A role's credentials for an SSO login.
    Sso,
    /// A newer token for an SSO login.
    SsoRefresh,
    /// A newer token for an `aws login` session.
    Login,
    /// Anything else.
    Other,
}

impl Call {
    /// Tells calls apart by the path that the SSO, SSO OIDC and sign-in APIs define for them.
    pub fn of(uri: &str) -> Self {
        let path = uri.split('?').next().unwrap_or_default();
        if path.ends_with("/federation/credentials") {
            Self::Sso
        } else if path.ends_with("/v1/token") {
            Self::Login
        } else if path.ends_with("/token") && !path.ends_with("/api/token") {
            Self::SsoRefresh
        } else {
            Self::Other
        }
    }
}

/// How a request ended that did not succeed.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// An answer with another status than 2xx.
    Answer(Answer),
    /// No answer in time.
    TimedOut,
    /// The other side's certificate was refused.
    Untrusted(Distrust),
    /// No connection, or one that broke.
    Broken(String),
    /// It was never sent.
    NotSent(Failure),
}

/// Why a certificate was refused.
#[derive(Debug, Clone)]
pub enum Distrust {
    /// Nobody who is trusted signed it.
    Issuer,
    /// It is for another name.
    Name,
    /// It is not valid yet, or no longer.
    Time,
    /// Anything else, in the TLS library's words.
    Other(String),
}

/// An answer that says no.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// AWS's error code, without name space.
    pub code: Option<String>,
    /// AWS's own sentence.
    pub message: Option<String>,
}

impl Journal {
    /// Notes what is being done, for whoever gives up waiting for it.
    pub fn begin(&self, activity: impl Into<String>) {
        self.state().activity = Some(activity.into());
    }

    /// What is being done.
    pub fn activity(&self) -> Option<String> {
        self.state().activity.clone()
    }

    /// Notes whose credentials are used.
    pub fn is_with(&self, whose: String) {
        self.state().whose = whose;
    }

    /// Whose credentials are used; empty where that is not known yet.
    pub fn whose(&self) -> String {
        self.state().whose.clone()
    }

    /// Takes note of a secret, so that nobody's words repeat it.
    pub fn keep_secret(&self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            self.state().secrets.push(Zeroizing::new(secret.to_owned()));
        }
    }

    /// The same for a code that a person typed: short, and no word like any other.
    pub fn keep_code(&self, code: &str) {
        self.state().secrets.push(Zeroizing::new(code.to_owned()));
    }

    /// A text without the secrets in it.
    pub fn conceal(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.state().secrets {
            text = text.replace(secret.as_str(), "[left out]");
        }
        text
    }

    /// Notes the SSO access token that a role's credentials are asked for with.
    pub fn uses_sso_token(&self, token: &str) {
        self.state().sso_token = Some(Zeroizing::new(token.to_owned()));
    }

    /// The SSO access token that was used, if it is one that the SDK got by a refresh.
    pub fn refreshed_sso_token(&self) -> Option<Secret> {
        let state = self.state();
        let token = state.sso_token.as_deref().filter(|_| state.sso_refreshed)?;
        Some(Secret::from(token.clone()))
    }

    /// Notes that a request succeeded.
    pub fn succeeded(&self, call: Call) {
        let mut state = self.state();
        state.sso_refreshed |= call == Call::SsoRefresh;
        state.failed = None;
    }

    /// Notes that a request failed.
    pub fn failed(&self, exchange: FailedExchange) {
        let mut state = self.state();
        state.asked = Some(exchange.origin.clone());
        state.failed = Some(exchange);
    }

    /// Notes what time an answer said it was, when it came.
    pub fn heard_time(&self, theirs: SystemTime) {
        self.state().clocks = Some((theirs, SystemTime::now()));
    }

    /// What time the last answer said it was, and what time it was here.
    pub fn clocks(&self) -> Option<(SystemTime, SystemTime)> {
        self.state().clocks
    }

    /// Where the last request went.
    pub fn last_origin(&self) -> Option<String> {
        self.state().asked.as_ref().map(Origin::to_string)
    }

    /// The last request, if it failed.
    pub fn last_failure(&self) -> Option<FailedExchange> {
        self.state().failed.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a thread that panicked noted last is what is asked for.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
