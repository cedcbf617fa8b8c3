//! The one handler behind every port: records the request, picks the reply, answers.

use super::http::{self, Answer, RawRequest};
use super::reply::{Kind, Reply};
use super::request::{self, Request, Via};
use super::{answers, errors};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// Asks for the list of requests; it is not one of them.
const REQUESTS_PATH: &str = "/fake/requests";

#[derive(Default)]
pub struct State {
    pub requests: Vec<Request>,
    pub sticky: HashMap<String, Reply>,
    pub queued: HashMap<String, VecDeque<Reply>>,
    /// By access key id, for calls for a token.
    pub keyed: HashMap<String, Reply>,
    /// Makes the passwords, where no reply has one.
    pub password_of: Option<fn(&Request) -> String>,
    serial: u64,
}

/// What becomes of the connection after a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    KeepOpen,
    Close,
}

#[derive(Clone, Default)]
pub struct Service(Arc<Mutex<State>>);

impl Service {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread of the fake panics with the lock held")
    }

    /// Serves a connection to its end. `stream` may be the TLS inside `socket`.
    pub fn serve(&self, stream: impl Read + Write, socket: &TcpStream, via: &Via) {
        let mut stream = BufReader::new(stream);
        while let Ok(Some(raw)) = http::read_request(&mut stream) {
            if self.answer(raw, stream.get_mut(), socket, via) == Next::Close {
                return;
            }
        }
    }

    pub fn answer(&self, raw: RawRequest, out: &mut impl Write, socket: &TcpStream, via: &Via) -> Next {
        let last = raw
            .header("connection")
            .is_some_and(|v| v.eq_ignore_ascii_case("close"));
        if raw.target == REQUESTS_PATH {
            let listed = Answer::new(200, "application/json", self.requests_as_json());
            return match listed.write_to(out) {
                Ok(()) if !last => Next::KeepOpen,
                _ => Next::Close,
            };
        }
        let request = Request::new(raw, via);
        let (mut reply, serial) = self.record(&request);
        let made = self.state().password_of.map(|password_of| password_of(&request));
        reply.password = reply.password.or(made);
        thread::sleep(reply.delay);
        let mut answer = match &reply.kind {
            Kind::Normal => answers::normal(&request, &reply, serial),
            Kind::AwsError {
                status,
                code,
                message,
                oauth,
            } => errors::answer(&request.operation, *status, code, message, oauth.as_deref()),
            Kind::Raw {
                status,
                content_type,
                body,
            } => Answer::new(*status, content_type, body.clone()),
            Kind::Hang => {
                wait_for_the_end(socket);
                return Next::Close;
            }
            Kind::Close => return Next::Close,
        };
        answer.headers.extend(reply.headers);
        match answer.write_to(out) {
            Ok(()) if !last => Next::KeepOpen,
            _ => Next::Close,
        }
    }

    /// For those who count from another process: each request so far, in the order they came.
    fn requests_as_json(&self) -> String {
        let requests: Vec<Value> = self.state().requests.iter().map(Request::summary).collect();
        Value::Array(requests).to_string()
    }

    /// Records the request and takes the reply meant for it: of its key, else queued, else sticky, else normal.
    fn record(&self, request: &Request) -> (Reply, u64) {
        let mut state = self.state();
        state.requests.push(request.clone());
        if matches!(request.operation.as_str(), request::ECR | request::ECR_PUBLIC) {
            state.serial += 1;
            let key = request.access_key_id.as_deref().unwrap_or_default();
            if let Some(reply) = state.keyed.get(key) {
                return (reply.clone(), state.serial);
            }
        }
        let queued = state.queued.get_mut(&request.operation).and_then(VecDeque::pop_front);
        let reply = queued.or_else(|| state.sticky.get(&request.operation).cloned());
        (reply.unwrap_or_else(Reply::normal), state.serial)
    }
}

/// Reads what may still come, on the bare socket even under TLS, until either side closes it.
fn wait_for_the_end(mut socket: &TcpStream) {
    let mut ignored = [0; 1024];
    while matches!(socket.read(&mut ignored), Ok(1..)) {}
}
