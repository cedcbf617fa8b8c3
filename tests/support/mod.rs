//! What the integration tests and the quick start share: a fake AWS on loopback, a proxy and a
//! server that end TLS in front of it, places that never answer, and a sandbox that runs the
//! built program as docker does. Nothing here sends a packet off the machine.

// Each test file compiles this module for itself and uses a part of it. Support code may stop
// at the first surprise, as tests may, but clippy.toml lets off only functions marked #[test].
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

mod answers;
mod cache_files;
mod dead_ends;
mod errors;
mod fake_aws;
mod http;
mod listener;
mod pty;
mod reply;
mod request;
mod run;
mod sandbox;
mod service;
mod tls;
mod tls_proxy;
mod tls_server;
mod token;

pub use answers::IMDS_ROLE;
pub use cache_files::{files_ending, mode};
pub use dead_ends::{HangingServer, refused_url};
pub use fake_aws::FakeAws;
pub use pty::{Answer, OnTerminal, Seen};
pub use reply::Reply;
pub use request::Request;
pub use run::{Output, Running};
pub use sandbox::{STATIC_KEY_ID, Sandbox};
pub use tls_proxy::TlsProxy;
pub use tls_server::TlsServer;
pub use token::{TokenInfo, decode_password};

/// A fake AWS, and a home whose every call to AWS goes there. Credentials are still to come.
pub fn world() -> (FakeAws, Sandbox) {
    let (fake, mut sandbox) = (FakeAws::start(), Sandbox::new());
    sandbox.point_at(&fake);
    (fake, sandbox)
}

/// The same with static keys in the environment.
pub fn world_with_keys() -> (FakeAws, Sandbox) {
    let (fake, mut sandbox) = world();
    sandbox.use_static_keys();
    (fake, sandbox)
}
