//! The fake AWS of the tests as a server of its own, for clients that are not tests of this crate:
//! `cargo run --example fake_aws [PORT]`. Without a port it takes a free one. It prints its address, for AWS_ENDPOINT_URL,
//! and answers until it is stopped. `GET /fake/requests` lists what it was asked, as JSON.
//!
//! What it answers depends on the access key id that signs:
//!
//! | AWS_ACCESS_KEY_ID | a call for a token |
//! |---|---|
//! | `AKIAFAKEDENIED000000` | access denied |
//! | `ASIAFAKEEXPIRED00000` | the session has expired |
//! | `AKIAFAKEBROKEN000000` | an internal error, each time |
//! | `AKIAFAKESHORT0000000` | a token that ends in 30 seconds |
//! | any other | a token for twelve hours |
//!
//! A password begins with the SHA-256, in hexadecimal, of `SIGNER SERVICE REGION`: the access key id, or `role` where it is one that
//! this AWS gave for a role; `ecr` or `ecr-public`. As much follows as makes it as long as a real one.

#![allow(clippy::print_stdout, clippy::expect_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use sha2::{Digest, Sha256};
use support::{FakeAws, Reply, Request};

fn main() {
    let port = std::env::args().nth(1).map_or(0, |port| port.parse().expect("a port"));
    let fake = FakeAws::start_on(port);
    fake.on_key(
        "AKIAFAKEDENIED000000",
        Reply::aws_error(
            400,
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
        ),
    );
    fake.on_key(
        "ASIAFAKEEXPIRED00000",
        Reply::aws_error(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
    );
    fake.on_key(
        "AKIAFAKEBROKEN000000",
        Reply::aws_error(500, "ServerException", "An internal error has occurred"),
    );
    fake.on_key("AKIAFAKESHORT0000000", Reply::token_expires_in(30));
    fake.passwords(password);
    println!("{}", fake.url());
    loop {
        std::thread::park();
    }
}

fn password(request: &Request) -> String {
    let key = request.access_key_id.as_deref().unwrap_or_default();
    let issued = |tail: &str| tail.len() == 16 && tail.bytes().all(|byte| byte.is_ascii_hexdigit());
    let signer = match key.strip_prefix("ASIA").is_some_and(issued) {
        true => "role",
        false => key,
    };
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let whose = format!("{signer} {} {}", part(&request.signing_service), part(&request.region));
    let digest: String = Sha256::digest(whose).iter().map(|byte| format!("{byte:02x}")).collect();
    digest + &"x".repeat(2000)
}
