//! A forward proxy that ends TLS itself, as an inspecting corporate proxy does: whatever host
//! the client asks for, the fake AWS answers.

use super::fake_aws::FakeAws;
use super::http::{self, Answer, RawRequest};
use super::listener::Listener;
use super::request::Via;
use super::service::{Next, Service};
use super::tls::{self, TestCa};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};

pub struct TlsProxy {
    inner: Arc<Inner>,
    listener: Listener,
}

struct Inner {
    ca: TestCa,
    service: Service,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// The value Proxy-Authorization must have.
    required: Option<String>,
    connects: Vec<String>,
    authorizations: Vec<String>,
}

impl TlsProxy {
    pub fn start(fake: &FakeAws) -> Self {
        let log = Mutex::default();
        let inner = Arc::new(Inner {
            ca: TestCa::new(),
            service: fake.service(),
            log,
        });
        let handler = Arc::clone(&inner);
        Self {
            inner,
            listener: Listener::start(move |socket| handler.serve(&socket)),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    pub fn ca_pem(&self) -> &str {
        self.inner.ca.pem()
    }

    /// From now on answers 407 to whoever does not send these.
    pub fn require_auth(&self, user: &str, password: &str) {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        self.inner.log().required = Some(value);
    }

    /// `host:port` of every CONNECT, also of those answered 407.
    pub fn connects(&self) -> Vec<String> {
        self.inner.log().connects.clone()
    }

    /// The values of every Proxy-Authorization header that came.
    pub fn proxy_authorizations(&self) -> Vec<String> {
        self.inner.log().authorizations.clone()
    }
}

impl Inner {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log
            .lock()
            .expect("no thread of the proxy panics with the lock held")
    }

    fn serve(&self, socket: &TcpStream) {
        let mut reader = BufReader::new(socket);
        while let Ok(Some(request)) = http::read_request(&mut reader) {
            if !self.admits(&request) {
                let refusal =
                    Answer::new(407, "text/plain", "who are you?").header("Proxy-Authenticate", "Basic realm=\"test\"");
                if refusal.write_to(reader.get_mut()).is_err() {
                    return;
                }
            } else if request.method == "CONNECT" {
                return self.tunnel(&request.target, socket);
            } else {
                let mut out = socket;
                let next = self.service.answer(request, &mut out, socket, &Via::default());
                if next == Next::Close {
                    return;
                }
            }
        }
    }

    fn admits(&self, request: &RawRequest) -> bool {
        let mut log = self.log();
        if request.method == "CONNECT" {
            log.connects.push(request.target.clone());
        }
        let given = request.header("proxy-authorization");
        log.authorizations.extend(given.map(str::to_owned));
        log.required.is_none() || log.required.as_deref() == given
    }

    fn tunnel(&self, target: &str, mut socket: &TcpStream) {
        if socket
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .is_err()
        {
            return;
        }
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        let config = self.ca.server_config(&[host.trim_matches(['[', ']'])]);
        let via = Via {
            over_tls: true,
            connect_target: Some(target.to_owned()),
        };
        self.service.serve(tls::accept(config, socket), socket, &via);
    }
}
