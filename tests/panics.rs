//! A panic in a dependency: a failed get like any other, with a line on stderr.

#![allow(clippy::unwrap_used)]

mod support;

use support::{FakeAws, Reply, Sandbox};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const HOUR: i64 = 3600;

/// Credentials from an instance whose metadata make the SDK panic: it adds the life of the token to the time of day.
fn on_a_strange_instance(fake: &FakeAws) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox
        .point_at(fake)
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    sandbox
}

fn panicking() -> Reply {
    Reply::raw(200, "text/plain", "token").header("x-aws-ec2-metadata-token-ttl-seconds", &u64::MAX.to_string())
}

#[test]
fn a_panic_ends_as_a_failed_get_with_one_line() {
    let fake = FakeAws::start();
    let sandbox = on_a_strange_instance(&fake);
    fake.on("imds:token", panicking());
    let output = sandbox.get(HOST);
    output.assert_not_found();
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    assert!(output.stderr.contains("a part of the program failed at"), "{output}");
    assert!(
        output
            .stderr
            .contains(&format!("waiting for an answer from {}", fake.url())),
        "{output}"
    );
    assert!(output.elapsed.as_secs() < 3, "at once, not at the deadline: {output}");
    fake.on("imds:token", Reply::normal());
    sandbox.get(HOST).password();
}

#[test]
fn a_panic_leaves_a_usable_token_to_be_served() {
    let fake = FakeAws::start();
    let sandbox = on_a_strange_instance(&fake);
    let password = sandbox.get(HOST).password();
    sandbox.age_entry(7 * HOUR);
    fake.on("imds:token", panicking());
    assert_eq!(sandbox.get(HOST).password(), password);
}
