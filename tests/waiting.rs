//! A call that takes longer than two seconds says once on the terminal what it waits for; a quick one says nothing, and
//! where stderr is no terminal nobody does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;
use support::{FakeAws, OnTerminal, Reply, Sandbox, Seen, world, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

const ECR: &str = "ecr:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";
const SSO: &str = "sso:GetRoleCredentials";

/// SHA-1 of `corp`: the name of its token file.
const CORP_TOKEN: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// Longer than anybody waits without a word, though not by much.
const LONG: Duration = Duration::from_millis(2600);

fn slowly() -> Reply {
    Reply::normal().after(LONG)
}

fn on_terminal(sandbox: &Sandbox) -> Seen {
    let seen = sandbox.on_terminal("get", HOST).wait();
    assert_eq!(seen.answer().code, 0, "{seen:?}");
    assert!(seen.answer().stdout.starts_with('{'), "{seen:?}");
    seen
}

/// The one line says that it waits, and for this.
fn assert_waits_for(seen: &Seen, words: &[&str]) {
    let line = seen.terminal.trim_end();
    assert!(
        line.starts_with("docker-credential-ecr-login: waiting for "),
        "{seen:?}"
    );
    assert_eq!(seen.terminal.lines().count(), 1, "{seen:?}");
    for word in words {
        assert!(line.contains(word), "{word:?} is not in: {seen:?}");
    }
}

fn with_role() -> (FakeAws, Sandbox) {
    let (fake, sandbox) = world();
    sandbox.aws_credentials("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n");
    let role = "arn:aws:iam::123456789012:role/pull";
    sandbox.aws_config(&format!("[default]\nrole_arn = {role}\nsource_profile = base\n"));
    (fake, sandbox)
}

/// These take long without doing much: all at once, however few processors there are.
#[test]
fn calls_that_take_longer_than_two_seconds() {
    let tests: [fn(); 13] = [
        what_is_waited_for_is_said_once,
        two_slow_answers_are_still_one_line,
        slow_parts_that_are_quick_each_are_slow_together,
        without_a_terminal_nothing_is_said,
        sso_is_waited_for_by_its_host,
        a_credential_process_is_waited_for_by_its_profile,
        another_process_is_waited_for_by_that_name,
        a_failure_that_takes_long_is_told_behind_it,
        get_login_password_says_it_too_and_not_on_stdout,
        the_time_a_person_takes_is_not_waiting,
        no_secret_is_in_what_is_waited_for,
        a_refresh_that_nobody_is_in_need_of_says_it_like_any_other,
        the_fallback_is_waited_for_by_its_name,
    ];
    thread::scope(|scope| {
        for test in tests {
            scope.spawn(test);
        }
    });
}

fn what_is_waited_for_is_said_once() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, slowly());
    assert_waits_for(&on_terminal(&sandbox), &[&fake.url()]);
    assert_eq!(fake.total(), 1);
}

fn two_slow_answers_are_still_one_line() {
    let (fake, sandbox) = with_role();
    fake.on(STS, slowly());
    fake.on(ECR, slowly());
    assert_waits_for(&on_terminal(&sandbox), &[&fake.url()]);
    assert_eq!(fake.total(), 2);
}

fn slow_parts_that_are_quick_each_are_slow_together() {
    let (fake, sandbox) = with_role();
    let part = || Reply::normal().after(LONG / 2);
    fake.on(STS, part());
    fake.on(ECR, part());
    assert_waits_for(&on_terminal(&sandbox), &[&fake.url()]);
}

#[test]
fn a_quick_answer_is_silent() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, Reply::normal().after(Duration::from_millis(100)));
    assert_eq!(on_terminal(&sandbox).terminal, "");
    assert_eq!(on_terminal(&sandbox).terminal, "", "and so is the cache's");
}

fn without_a_terminal_nothing_is_said() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, slowly());
    let output = sandbox.get(HOST);
    output.password();
    assert_eq!(output.stderr, "");
}

fn sso_is_waited_for_by_its_host() {
    let (fake, sandbox) = world();
    sandbox.aws_config(
        "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Pull\n\
         [sso-session corp]\nsso_region = us-east-2\nsso_start_url = https://corp.awsapps.com/start\n",
    );
    let token = r#"{"accessToken":"sso-access","expiresAt":"2099-01-01T00:00:00Z","startUrl":"https://corp"}"#;
    sandbox.write(CORP_TOKEN, token);
    fake.on(SSO, slowly());
    assert_waits_for(&on_terminal(&sandbox), &[&fake.url()]);
}

fn a_credential_process_is_waited_for_by_its_profile() {
    let (_fake, sandbox) = world();
    let keys = r#"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"secret-of-process"}"#;
    let program = sandbox.write("program", format!("sleep 2.6\necho '{keys}'\n"));
    sandbox.aws_config(&format!("[default]\ncredential_process = sh {}\n", program.display()));
    assert_waits_for(&on_terminal(&sandbox), &["credential_process", "\"default\""]);
}

fn another_process_is_waited_for_by_that_name() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, slowly());
    let mut terminal = sandbox.each_on_terminal("get", &[HOST, HOST]);
    terminal.wait_for("waiting for ");
    let seen = terminal.wait();
    assert!(seen.answers.iter().all(|answer| answer.code == 0), "{seen:?}");
    let words = "another process that asks AWS for the same token";
    let lines: Vec<_> = seen.terminal.lines().collect();
    assert_eq!(lines.len(), 2, "{seen:?}");
    for part in [words, &fake.url()] {
        assert_eq!(
            lines.iter().filter(|line| line.contains(part)).count(),
            1,
            "{part}: {seen:?}"
        );
    }
    assert_eq!(fake.total(), 1);
}

fn a_failure_that_takes_long_is_told_behind_it() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.env("AWS_ECR_TIMEOUT", "2.5");
    fake.on(ECR, Reply::hang());
    let seen = sandbox.on_terminal("get", HOST).wait();
    assert_eq!(seen.answer().code, 1);
    let lines: Vec<_> = seen.terminal.lines().collect();
    assert_eq!(lines.len(), 2, "{seen:?}");
    assert!(
        lines[0].contains("waiting for ") && lines[1].contains("no token after 2.5 seconds"),
        "{seen:?}"
    );
}

#[test]
fn a_call_that_ends_before_is_silent_about_waiting() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.env("AWS_ECR_TIMEOUT", "0.3");
    fake.on(ECR, Reply::hang());
    let seen = sandbox.on_terminal("get", HOST).wait();
    assert!(
        !seen.terminal.contains("waiting for another") && seen.terminal.lines().count() == 1,
        "{seen:?}"
    );
}

fn get_login_password_says_it_too_and_not_on_stdout() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, Reply::password("the-password").after(LONG));
    let mut command = sandbox.command("get-login-password");
    command.args(["--region", "eu-central-1"]);
    let seen = OnTerminal::start(&command, "").wait();
    assert_eq!(seen.answer().stdout, "the-password\n");
    assert_waits_for(&seen, &[&fake.url()]);
}

fn the_time_a_person_takes_is_not_waiting() {
    let (_fake, sandbox) = with_role();
    let config = fs::read_to_string(sandbox.home().join(".aws/config")).unwrap();
    sandbox.aws_config(&format!("{config}mfa_serial = arn:aws:iam::123456789012:mfa/me\n"));
    let mut terminal = sandbox.on_terminal("get", HOST);
    let question = terminal.wait_for(": ");
    thread::sleep(LONG);
    terminal.press("123456\r");
    let seen = terminal.wait();
    assert_eq!(seen.terminal, format!("{question}\r\n"));
}

fn no_secret_is_in_what_is_waited_for() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.env("AWS_ENDPOINT_URL", format!("{}/path?key=hunter2hunter2", fake.url()));
    fake.on("unknown", slowly());
    fake.on(ECR, slowly());
    let seen = sandbox.on_terminal("get", HOST).wait();
    assert!(seen.terminal.contains("waiting for "), "{seen:?}");
    assert!(!seen.terminal.contains("hunter2"), "{seen:?}");
}

fn a_refresh_that_nobody_is_in_need_of_says_it_like_any_other() {
    let (fake, sandbox) = world_with_keys();
    on_terminal(&sandbox);
    sandbox.age_entry(7 * 3600);
    fake.on(ECR, slowly());
    assert_waits_for(&on_terminal(&sandbox), &[&fake.url()]);
    assert_eq!(fake.total(), 2);
}

fn the_fallback_is_waited_for_by_its_name() {
    let (_fake, mut sandbox) = world_with_keys();
    let program = sandbox.write("bin/docker-credential-mine", "#!/bin/sh\nsleep 2.6\necho '{}'\n");
    let bin = program.parent().unwrap().display().to_string();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.env("PATH", format!("{bin}:/usr/bin:/bin"));
    sandbox.configure("fallback = \"mine\"\n");
    let seen = sandbox.on_terminal("get", "docker.io").wait();
    assert_eq!(seen.answer().stdout, "{}\n");
    assert_waits_for(&seen, &["docker-credential-mine"]);
}
