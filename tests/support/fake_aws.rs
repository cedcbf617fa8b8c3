//! A fake AWS: every service this program talks to, on one loopback port.

use super::listener::Listener;
use super::reply::Reply;
use super::request::{OPERATIONS, Request, Via};
use super::service::Service;

/// Tells services apart by headers and path, records each request, and answers as told.
/// Stops when dropped.
pub struct FakeAws {
    service: Service,
    listener: Listener,
}

impl FakeAws {
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// On that loopback port; on a free one for 0.
    pub fn start_on(port: u16) -> Self {
        let service = Service::default();
        let handler = service.clone();
        let listener = Listener::start_on(port, move |stream| handler.serve(&stream, &stream, &Via::default()));
        Self { service, listener }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    /// Answers every such operation with `reply` from now on.
    pub fn on(&self, operation: &str, reply: Reply) -> &Self {
        self.service.state().sticky.insert(known(operation), reply);
        self
    }

    /// Answers one such operation with `reply`, after those queued before and ahead of `on`.
    pub fn next(&self, operation: &str, reply: Reply) -> &Self {
        self.service
            .state()
            .queued
            .entry(known(operation))
            .or_default()
            .push_back(reply);
        self
    }

    /// Answers every call for a token that is signed with that key with `reply`, whatever `on` and `next` say.
    pub fn on_key(&self, access_key_id: &str, reply: Reply) -> &Self {
        self.service.state().keyed.insert(access_key_id.to_owned(), reply);
        self
    }

    /// Makes every password so from now on, where no reply has one of its own.
    pub fn passwords(&self, password_of: fn(&Request) -> String) -> &Self {
        self.service.state().password_of = Some(password_of);
        self
    }

    /// Every request so far, in the order they came, also those through a proxy or over TLS.
    pub fn requests(&self) -> Vec<Request> {
        self.service.state().requests.clone()
    }

    pub fn requests_to(&self, operation: &str) -> Vec<Request> {
        let operation = known(operation);
        self.requests()
            .into_iter()
            .filter(|request| request.operation == operation)
            .collect()
    }

    pub fn count(&self, operation: &str) -> usize {
        self.requests_to(operation).len()
    }

    pub fn total(&self) -> usize {
        self.service.state().requests.len()
    }

    /// Forgets the requests so far; replies and the serial of passwords stay.
    pub fn clear(&self) {
        self.service.state().requests.clear();
    }

    pub(super) fn service(&self) -> Service {
        self.service.clone()
    }
}

fn known(operation: &str) -> String {
    assert!(
        OPERATIONS.contains(&operation),
        "no operation {operation:?}, only {OPERATIONS:?}"
    );
    operation.to_owned()
}
