//! The fake AWS behind TLS of its own, as a custom https endpoint is.

use super::fake_aws::FakeAws;
use super::listener::Listener;
use super::request::Via;
use super::tls::{self, TestCa};
use std::sync::Arc;

pub struct TlsServer {
    ca: TestCa,
    listener: Listener,
}

impl TlsServer {
    /// Its certificate is for `names`, `localhost` and `127.0.0.1`.
    pub fn start(fake: &FakeAws, names: &[&str]) -> Self {
        let ca = TestCa::new();
        let config = ca.server_config(&[names, &["localhost", "127.0.0.1"]].concat());
        let service = fake.service();
        let listener = Listener::start(move |socket| {
            let via = Via {
                over_tls: true,
                connect_target: None,
            };
            service.serve(tls::accept(Arc::clone(&config), &socket), &socket, &via);
        });
        Self { ca, listener }
    }

    /// `https://localhost:PORT`
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.listener.port())
    }

    pub fn ca_pem(&self) -> &str {
        self.ca.pem()
    }
}
