//! The names that the program is started by, and what is said to it there.

use crate::node::{HOST, complaint, node_with_keys, password, request};

const NAMES: [&str; 3] = [
    "ecr-credential-provider",
    "ecr-credential-provider-service-account",
    "ecr-credential-provider.v2",
];

#[test]
fn under_the_providers_names_every_argument_is_said_to_it() {
    for name in NAMES {
        let (_fake, mut sandbox) = node_with_keys();
        sandbox.call_it(name);
        let stdin = request(&format!("{HOST}/app")).to_string();
        for args in [
            &[][..],
            &["get-credentials"],
            &["get-credentials", "more"],
            &["get"],
            &["list"],
            &["kubelet"],
            &["--", "--v=5"],
        ] {
            password(&sandbox.feed_args(args, &stdin), HOST);
        }
    }
}

#[test]
fn under_other_names_it_is_dockers() {
    for name in [
        "docker-credential-ecr-login",
        "my-ecr-credential-provider",
        "ecr-credential",
    ] {
        let (_fake, mut sandbox) = node_with_keys();
        sandbox.call_it(name);
        sandbox.get(HOST).password();
        let stdin = request(&format!("{HOST}/app")).to_string();
        for args in [&["kubelet"][..], &["kubelet", "get-credentials"]] {
            password(&sandbox.feed_args(args, &stdin), HOST);
        }
        assert_eq!(sandbox.feed_args(&["get-credentials"], &stdin).code, Some(1));
    }
}

#[test]
fn an_option_that_is_not_known_is_named() {
    let (fake, mut sandbox) = node_with_keys();
    let stdin = request(&format!("{HOST}/app")).to_string();
    let refused = |args: &[&str], sandbox: &crate::support::Sandbox| {
        let output = sandbox.feed_args(args, &stdin);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
        assert!(
            output.stderr.contains("\"--v=5\"") && output.stderr.contains("args"),
            "{output}"
        );
    };
    refused(&["kubelet", "get-credentials", "--v=5"], &sandbox);
    sandbox.call_it(NAMES[0]);
    refused(&["--v=5"], &sandbox);
    assert_eq!(fake.total(), 0);
}

#[test]
fn help_and_version_are_there_under_each_name() {
    let (_fake, mut sandbox) = node_with_keys();
    let version = sandbox.run_args(&["--version"]).stdout;
    let help = sandbox.run_args(&["kubelet", "--help"]).stdout;
    assert!(
        help.contains("CredentialProviderRequest") && help.contains("Usage:"),
        "{help}"
    );
    sandbox.call_it(NAMES[1]);
    for (args, expected) in [
        (["--version"], &version),
        (["-v"], &version),
        (["--help"], &help),
        (["-h"], &help),
    ] {
        let output = sandbox.run_args(&args);
        assert_eq!((output.code, &output.stdout), (Some(0), expected), "{output}");
    }
}

#[test]
fn without_a_request_the_provider_says_who_runs_it() {
    let (_fake, mut sandbox) = node_with_keys();
    sandbox.call_it(NAMES[0]);
    let line = complaint(&sandbox.run_args(&[]));
    assert!(
        line.contains("no request") && line.contains("the kubelet runs this"),
        "{line}"
    );
}

#[test]
fn a_person_at_a_terminal_is_told_what_is_waited_for() {
    let (_fake, sandbox) = node_with_keys();
    let mut terminal = sandbox.at_terminal(&["kubelet"]);
    terminal.wait_for("reading a CredentialProviderRequest");
    terminal.press(&format!("{}\n\x04", request(&format!("{HOST}/app"))));
    let seen = terminal.wait();
    assert_eq!(seen.answer().code, 0, "{seen:?}");
    assert!(seen.terminal.contains("CredentialProviderResponse"), "{seen:?}");
}
