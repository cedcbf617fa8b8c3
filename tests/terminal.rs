//! A person at the terminal: what a credential_process asks them for reaches them while it waits, and the reason of a failure stays.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use support::{FakeAws, Running, Sandbox};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// A sandbox whose credentials come from a program that speaks to the person first.
fn with_process(fake: &FakeAws, ending: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.point_at(fake);
    let program = sandbox.write("program", format!("echo 'touch your key' >&2\n{ending}\n"));
    let config = format!("[default]\ncredential_process = sh {}\n", program.display());
    sandbox.aws_config(&config);
    sandbox
}

/// Everything that is seen on a terminal during a `get`; none where there is no `script` to make one.
fn on_a_terminal(sandbox: &Sandbox) -> Option<String> {
    started_by("sh", sandbox)
}

/// The same, with a client of that name as the one that runs the helper.
fn started_by(client: &str, sandbox: &Sandbox) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no script(1)");
        return None;
    }
    let get = sandbox.command("get");
    let program = get.get_program().to_str().unwrap();
    // A shell by the client's name.
    let client = sandbox.home().join(client);
    if !client.exists() {
        symlink("/bin/sh", &client).unwrap();
    }
    let command = format!("{} -c 'printf {HOST} | {program} get'", client.display());
    let mut script = Command::new("script");
    script
        .env_clear()
        .envs(get.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .args(["-qec", &command, "/dev/null"]);
    Some(Running::start(script, "", Duration::from_secs(30)).wait().stdout)
}

#[test]
fn what_a_credential_process_asks_for_is_shown_on_the_terminal() {
    let fake = FakeAws::start();
    let keys = r#"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"secret-of-process"}"#;
    let sandbox = with_process(&fake, &format!("echo '{keys}'"));
    if let Some(seen) = on_a_terminal(&sandbox) {
        assert!(seen.contains("touch your key"), "{seen}");
        assert!(seen.contains("\"Secret\""), "{seen}");
        assert!(!seen.contains("secret-of-process"), "{seen}");
    }
    assert_eq!(sandbox.get(HOST).stderr, "", "elsewhere nothing is shown");
}

#[test]
fn a_credential_process_that_failed_on_the_terminal_is_not_said_to_have_said_nothing() {
    let fake = FakeAws::start();
    let sandbox = with_process(&fake, "exit 3");
    if let Some(seen) = on_a_terminal(&sandbox) {
        assert!(seen.contains("touch your key"), "{seen}");
        assert!(seen.contains("failed; what it said stands above"), "{seen}");
    }
    let output = sandbox.get(HOST);
    output.assert_not_found();
    assert!(output.stderr.contains("failed: touch your key"), "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
}

#[cfg(target_os = "linux")]
/// The end of the reason of a failure, with what comes behind it on the terminal of such a client.
fn behind_the_reason(client: &str, sandbox: &Sandbox) -> Option<String> {
    let seen = started_by(client, sandbox)?;
    let (line, behind) = seen.split_once("or run `aws configure`\r\n").unwrap();
    assert!(line.contains("no AWS credentials were found"), "{seen:?}");
    Some(behind.to_owned())
}

/// oras goes back to a position that it saved (DECSC, DECRC), and prints its error there. BuildKit and nerdctl write over the rows above
/// the cursor, also when the helper is done.
#[cfg(target_os = "linux")]
#[test]
fn the_reason_is_not_where_clients_draw() {
    let mut sandbox = Sandbox::new();
    sandbox.env("TERM", "xterm");
    let (saved, three, eight) = ("\u{1b}7", "\r\n".repeat(3), "\r\n".repeat(8));
    for (client, expected) in [
        ("oras", saved),
        ("nerdctl", &three),
        ("docker-buildx", &eight),
        ("docker", ""),
        ("podman", ""),
    ] {
        let Some(behind) = behind_the_reason(client, &sandbox) else {
            return;
        };
        assert_eq!(behind, expected, "{client}");
    }
    for term in ["dumb", ""] {
        sandbox.env("TERM", term);
        for client in ["oras", "nerdctl"] {
            assert_eq!(
                behind_the_reason(client, &sandbox).unwrap(),
                "",
                "{client}, TERM={term:?}"
            );
        }
    }
    let off = sandbox.env("TERM", "xterm").get(HOST).stderr;
    assert!(off.ends_with("or run `aws configure`\n"), "{off:?}");
}
