//! Whether the registry takes the token.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::support::refused_url;
use super::{
    HOST, PASSWORD, REGISTRY, REGISTRY_TOKEN, Reply, World, assert_shows_no_secret, examine, examine_as, world,
};

const PUBLIC: &str = "public.ecr.aws";

#[test]
fn a_registry_that_does_not_accept_the_token_is_a_failure() {
    for status in [401, 403] {
        let world = world();
        world
            .fake
            .on(REGISTRY, Reply::raw(status, "text/plain", "Not Authorized"));
        let words = [&status.to_string(), HOST, "account and region"];
        examine(&world)
            .only_failures(&["registry"])
            .assert("registry", "failure", &words);
    }
}

#[test]
fn a_registry_that_answers_anything_else_is_worth_a_warning() {
    for reply in [Reply::raw(500, "text/plain", "oops"), Reply::close()] {
        let world = world();
        world.fake.on(REGISTRY, reply);
        examine(&world)
            .only_warnings(&["registry"])
            .assert("registry", "warning", &[HOST]);
    }
}

#[test]
fn a_registry_that_cannot_be_reached_is_worth_a_warning() {
    let mut world = world();
    // http goes past this proxy, as AWS does in a network that has an endpoint for it.
    world.sandbox.point_at(&world.fake).env("HTTPS_PROXY", refused_url());
    examine(&world).only_warnings(&["registry"]).assert(
        "registry",
        "warning",
        &[HOST, "cannot be reached", "refused", "docker's daemon"],
    );
}

#[test]
fn a_registry_that_answers_with_another_refusal_is_to_be_looked_at() {
    for status in [400, 404] {
        let world = world();
        world.fake.on(REGISTRY, Reply::raw(status, "text/plain", "no"));
        let seen = examine(&world);
        seen.only_warnings(&["registry"]).assert(
            "registry",
            "warning",
            &[&status.to_string(), "check what answers there"],
        );
        assert!(!seen.output.stdout.contains("try again"), "{seen}");
    }
}

#[test]
fn a_redirect_is_told_of_and_not_followed() {
    for (location, where_to) in [
        (
            "https://210987654321.dkr.ecr.us-east-1.amazonaws.com/v2/?secret=hunter2-of-the-proxy",
            "a redirect to https://210987654321.dkr.ecr.us-east-1.amazonaws.com ",
        ),
        ("/elsewhere", "a redirect to itself"),
        ("", "a redirect to nowhere"),
    ] {
        for status in [301, 302, 307, 308] {
            let world = world();
            let reply = Reply::raw(status, "text/plain", "").header("Location", location);
            world.fake.on(REGISTRY, reply);
            examine(&world).only_warnings(&["registry"]).assert(
                "registry",
                "warning",
                &[where_to, &status.to_string(), "login"],
            );
            assert_eq!(world.proxy.connects().last().unwrap(), &format!("{HOST}:443"));
            assert_eq!(world.fake.total(), 3, "identity, token, registry");
        }
    }
}

/// Answers with a challenge.
fn challenging(host: &str, challenge: &str) -> World {
    let world = world();
    world.sandbox.write(super::DOCKER, super::docker_config(host));
    let reply = Reply::raw(401, "text/plain", "who are you?").header("WWW-Authenticate", challenge);
    world.fake.on(REGISTRY, reply);
    world
}

/// Checks that nobody but AWS and this host was spoken to, and that to the latter a password was sent as often as that.
fn assert_asked(world: &World, host: &str, times: usize) {
    let pair = format!("Basic {}", BASE64_STANDARD.encode(format!("AWS:{PASSWORD}")));
    let with_password = |request: &&super::support::Request| request.header("authorization") == Some(pair.as_str());
    let requests = world.fake.requests();
    let requests: Vec<_> = requests.iter().filter(with_password).collect();
    assert_eq!(requests.len(), times);
    for request in requests {
        assert_eq!(request.connect_target.as_deref(), Some(format!("{host}:443").as_str()));
    }
    let is_known = |target: &String| target.ends_with(".amazonaws.com:443") || *target == format!("{host}:443");
    assert!(
        world.proxy.connects().iter().all(is_known),
        "{:?}",
        world.proxy.connects()
    );
}

#[test]
fn ecr_public_gives_a_token_of_its_own_for_ours() {
    let world = world();
    world.sandbox.write(super::DOCKER, super::docker_config(PUBLIC));
    examine_as(&world, &[PUBLIC]).only_failures(&[]).assert(
        "registry",
        "ok",
        &["https://public.ecr.aws/v2/ accepts the token"],
    );
    assert_asked(&world, PUBLIC, 2);
    let asked = &world.fake.requests_to(REGISTRY_TOKEN)[0];
    assert_eq!(asked.path, "/token/?service=public.ecr.aws&scope=aws");
}

#[test]
fn what_a_challenge_says_is_passed_on_as_it_is() {
    let challenge = format!(
        "Basic realm=\"x\", bearer Scope=\"a:b c&d\\\"\", realm=\"https://{}/token/?x=1#y\", service=s/t",
        HOST.to_uppercase()
    );
    let world = challenging(HOST, &challenge);
    examine(&world).only_failures(&[]);
    let asked = &world.fake.requests_to(REGISTRY_TOKEN)[0];
    assert_eq!(asked.path, "/token/?x=1&service=s%2Ft&scope=a%3Ab%20c%26d%22");
}

#[test]
fn a_token_that_is_not_exchanged_is_not_accepted() {
    for (status, state, words) in [
        (401, "failure", ["does not accept the token", "status 401"]),
        (403, "failure", ["does not accept the token", "status 403"]),
        (404, "warning", ["status 404", "check what answers there"]),
        (503, "warning", ["status 503", "try again"]),
        (302, "warning", ["status 302", "a redirect to https://evil.example "]),
    ] {
        let world = world();
        world.sandbox.write(super::DOCKER, super::docker_config(PUBLIC));
        let pair = BASE64_STANDARD.encode(format!("AWS:{PASSWORD}"));
        let reply = Reply::raw(status, "text/plain", format!("{PASSWORD} {pair}"))
            .header("Location", "https://evil.example/token/");
        world.fake.on(REGISTRY_TOKEN, reply);
        examine_as(&world, &[PUBLIC]).assert("registry", state, &words);
        assert_asked(&world, PUBLIC, 2);
        assert_shows_no_secret(&world.sandbox.run_args(&["doctor", PUBLIC]).stdout);
    }
    let world = world();
    world.fake.on(REGISTRY_TOKEN, Reply::close());
    examine_as(&world, &[PUBLIC]).assert("registry", "warning", &["cannot be reached"]);
}

#[test]
fn the_password_goes_to_nobody_but_the_registry() {
    for (realm, shown) in [
        ("https://evil.example/token/", "https://evil.example,"),
        (
            "https://public.ecr.aws.evil.example/token/",
            "https://public.ecr.aws.evil.example,",
        ),
        ("https://public.ecr.aws@evil.example/token/", "https://evil.example,"),
        ("https://public.ecr.aws:8443/token/", "https://public.ecr.aws:8443,"),
        ("http://public.ecr.aws/token/", "http://public.ecr.aws,"),
        ("/token/", "no https URL"),
        ("https://[/token/", "no https URL"),
    ] {
        let world = challenging(PUBLIC, &format!("Bearer realm=\"{realm}\",service=\"x\""));
        let seen = examine_as(&world, &[PUBLIC]);
        seen.only_warnings(&["registry"])
            .assert("registry", "warning", &[shown, "password was not sent"]);
        assert_asked(&world, PUBLIC, 1);
    }
}

#[test]
fn a_refusal_that_names_nowhere_to_ask_is_one() {
    for challenge in [
        "Basic realm=\"https://evil.example/\"",
        "Bearer",
        "Negotiate YWJj==",
        ",",
        "=",
    ] {
        let world = challenging(HOST, challenge);
        examine(&world).only_failures(&["registry"]).assert(
            "registry",
            "failure",
            &["does not accept the token", "401"],
        );
        assert_asked(&world, HOST, 1);
    }
}
