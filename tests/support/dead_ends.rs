//! Addresses that lead nowhere: one that accepts and says nothing, one that refuses.

use std::net::{TcpListener, TcpStream};

/// Takes connections and never reads or answers.
pub struct HangingServer(TcpListener);

impl HangingServer {
    /// Nobody calls accept: the kernel completes the connections by itself (up to 128 at a time).
    pub fn start() -> Self {
        Self(TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port"))
    }

    pub fn url(&self) -> String {
        let address = self.0.local_addr().expect("the port just bound");
        format!("http://{address}")
    }
}

/// A URL whose port refuses connections. Port 1 and not one just closed: that one might be
/// given to the next test that binds.
pub fn refused_url() -> String {
    assert!(
        TcpStream::connect(("127.0.0.1", 1)).is_err(),
        "something listens on port 1"
    );
    "http://127.0.0.1:1".to_owned()
}
