//! A token that is no longer fresh: refreshed by one process, served when AWS cannot be asked, and never against a clear no.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use support::{FakeAws, Reply, Sandbox, refused_url};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const ECR: &str = "ecr:GetAuthorizationToken";
const HOUR: i64 = 3600;

/// A sandbox whose only cached token is this old.
fn with_token_aged(seconds: i64) -> (FakeAws, Sandbox, String) {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(&fake);
    let password = sandbox.get(HOST).password();
    sandbox.age_entry(seconds);
    fake.clear();
    (fake, sandbox, password)
}

#[test]
fn half_its_life_a_token_is_served_without_a_question() {
    let (fake, sandbox, password) = with_token_aged(6 * HOUR - 60);
    assert_eq!(sandbox.get(HOST).password(), password);
    assert_eq!(fake.total(), 0);
}

#[test]
fn after_half_its_life_it_is_refreshed_once() {
    let (fake, sandbox, old) = with_token_aged(6 * HOUR + 60);
    let new = sandbox.get(HOST).password();
    assert_ne!(new, old);
    assert_eq!(sandbox.get(HOST).password(), new);
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn one_process_refreshes_and_the_others_serve_what_there_is() {
    let (fake, sandbox, old) = with_token_aged(7 * HOUR);
    fake.on(ECR, Reply::normal().after(Duration::from_secs(2)));
    let refreshing = sandbox.spawn("get", HOST);
    while fake.count(ECR) == 0 {
        std::thread::yield_now();
    }
    let other = sandbox.get(HOST);
    assert_eq!(other.password(), old);
    assert!(other.elapsed < Duration::from_secs(1), "{other}");
    assert_ne!(refreshing.wait().password(), old);
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn in_an_outage_what_is_usable_is_served_and_asked_about_again_only_after_five_minutes() {
    for (what, reply) in [
        ("500", Reply::aws_error(500, "ServerException", "")),
        (
            "throttled",
            Reply::aws_error(400, "ThrottlingException", "Rate exceeded"),
        ),
        ("closed", Reply::close()),
        (
            "expired session",
            Reply::aws_error(400, "ExpiredTokenException", "expired"),
        ),
    ] {
        let (fake, sandbox, old) = with_token_aged(7 * HOUR);
        fake.on(ECR, reply);
        let first = sandbox.get(HOST);
        assert_eq!(first.password(), old, "{what}");
        assert!(first.elapsed < Duration::from_millis(5800), "{what} {first}");
        let calls = fake.total();
        assert!(calls > 0, "{what}");
        let second = sandbox.get(HOST);
        assert_eq!(second.password(), old, "{what}");
        assert_eq!(fake.total(), calls, "{what}: not asked again");
        sandbox.change_entry(|entry| entry["refresh_after"] = 0.into());
        fake.on(ECR, Reply::normal());
        assert_ne!(sandbox.get(HOST).password(), old, "{what}: over");
    }
}

#[test]
fn an_api_that_hangs_holds_up_a_usable_token_for_five_seconds_at_most() {
    let (fake, sandbox, old) = with_token_aged(11 * HOUR);
    fake.on(ECR, Reply::hang());
    let output = sandbox.get(HOST);
    assert_eq!(output.password(), old);
    let waited = output.elapsed.as_secs_f64();
    assert!((4.5..6.0).contains(&waited), "{waited}");
}

#[test]
fn a_token_that_is_no_longer_usable_is_not_served_in_an_outage() {
    let (fake, sandbox, _) = with_token_aged(12 * HOUR - 30);
    fake.on(ECR, Reply::aws_error(400, "ExpiredTokenException", "expired"));
    let output = sandbox.get(HOST);
    output.assert_not_found();
    assert!(output.stderr.contains("expired"), "{output}");
}

#[test]
fn a_definite_no_is_explained_and_ends_the_older_token() {
    for (status, code) in [
        (400, "AccessDeniedException"),
        (403, "UnrecognizedClientException"),
        (403, "InvalidSignatureException"),
        (400, "InvalidClientTokenId"),
    ] {
        let (fake, sandbox, _) = with_token_aged(7 * HOUR);
        fake.on(ECR, Reply::aws_error(status, code, "AWS says no"));
        let output = sandbox.get(HOST);
        output.assert_not_found();
        assert!(output.stderr.contains("AWS says no"), "{output}");
        assert_eq!(sandbox.entries().len(), 0, "{code}");
    }
}

#[test]
fn with_the_network_gone_the_answer_comes_at_once() {
    let (_fake, sandbox, old) = with_token_aged(7 * HOUR);
    // The endpoint is part of the identity, so the fake has to go, not its address.
    drop(_fake);
    let started = Instant::now();
    assert_eq!(sandbox.get(HOST).password(), old);
    assert!(started.elapsed() < Duration::from_secs(5));
    let mut elsewhere = Sandbox::new();
    elsewhere.use_static_keys().env("AWS_ENDPOINT_URL", refused_url());
    let output = elsewhere.get(HOST);
    output.assert_not_found();
    assert!(output.stderr.contains(&refused_url()), "{output}");
}
