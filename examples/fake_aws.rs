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

#![allow(clippy::print_stdout, clippy::expect_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use support::{FakeAws, Reply};

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
    println!("{}", fake.url());
    loop {
        std::thread::park();
    }
}
