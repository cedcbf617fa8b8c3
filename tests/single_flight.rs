//! Many processes that want the same token at the same time: one asks AWS, the others wait for it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use support::{FakeAws, Output, Reply, Running, Sandbox, files_ending, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const ECR: &str = "ecr:GetAuthorizationToken";

fn all(running: impl IntoIterator<Item = Running>) -> Vec<Output> {
    // Collected first: they must run at the same time.
    let running: Vec<_> = running.into_iter().collect();
    running.into_iter().map(Running::wait).collect()
}

/// An SSO login whose token has expired and can be refreshed.
fn use_sso_login_to_be_refreshed(sandbox: &Sandbox) {
    sandbox.aws_config(
        "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n\
         [default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n",
    );
    // The name is the SHA-1 of the session's.
    sandbox.write(
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
        r#"{"accessToken":"old","expiresAt":"2020-01-01T00:00:00Z","refreshToken":"r","clientId":"c",
            "clientSecret":"s","registrationExpiresAt":"2999-01-01T00:00:00Z"}"#,
    );
}

#[test]
fn forty_cold_gets_make_one_call_and_answer_with_one_token() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, Reply::normal().after(Duration::from_millis(300)));
    let outputs = all((0..40).map(|_| sandbox.spawn("get", HOST)));
    let passwords: BTreeSet<_> = outputs.iter().map(Output::password).collect();
    assert_eq!(passwords.len(), 1);
    assert_eq!(fake.total(), 1);
    assert_eq!(files_ending(&sandbox.cache_dir(), ".lock").len(), 0);
}

#[test]
fn twenty_gets_for_twenty_regions_keep_all_twenty() {
    let (fake, sandbox) = world_with_keys();
    let host = |n: i32| format!("123456789012.dkr.ecr.xx-east-{n}.amazonaws.com");
    for output in all((0..20).map(|n| sandbox.spawn("get", host(n)))) {
        output.password();
    }
    assert_eq!(sandbox.entries().len(), 20);
    for output in all((0..20).map(|n| sandbox.spawn("get", host(n)))) {
        output.password();
    }
    assert_eq!(fake.total(), 20);
}

#[test]
fn twenty_gets_against_a_failing_api_end_together_with_one_reason() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, Reply::aws_error(500, "ServerException", "not today"));
    let started = Instant::now();
    let outputs = all((0..20).map(|_| sandbox.spawn("get", HOST)));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    for output in &outputs {
        output.assert_not_found();
        assert!(output.stderr.contains("not today"), "{output}");
    }
    let calls = fake.count(ECR);
    assert!(calls <= 8, "{calls} calls: one process's attempts, or two's");
    fake.on(ECR, Reply::normal());
    sandbox.get(HOST).password();
}

#[test]
fn whoever_comes_after_a_failure_tries_anew() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", "not you"));
    sandbox.get(HOST).assert_not_found();
    sandbox.get(HOST).assert_not_found();
    assert_eq!(fake.total(), 2);
}

#[test]
fn a_killed_process_leaves_nothing_locked() {
    let (fake, sandbox) = world_with_keys();
    fake.next(ECR, Reply::hang());
    let holder = sandbox.spawn("get", HOST);
    while fake.total() == 0 {
        std::thread::yield_now();
    }
    let waiting = sandbox.spawn("get", HOST);
    let pid = holder.pid().to_string();
    let killed = std::process::Command::new("kill").args(["-9", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(holder.wait().signal, Some(9));
    let output = waiting.wait();
    output.password();
    assert!(output.elapsed < Duration::from_secs(5), "{output}");
    assert_eq!(fake.total(), 2);
}

#[test]
fn a_holder_that_hangs_is_waited_for_only_so_long() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.env("AWS_ECR_TIMEOUT", "6");
    fake.next(ECR, Reply::hang());
    let holder = sandbox.spawn("get", HOST);
    while fake.total() == 0 {
        std::thread::yield_now();
    }
    let output = sandbox.get(HOST);
    output.password();
    let waited = output.elapsed.as_secs_f64();
    assert!((1.5..4.5).contains(&waited), "a third of six seconds: {waited}");
    assert_eq!(
        holder.wait().password(),
        output.password(),
        "at its own deadline the holder finds the other's token"
    );
}

#[test]
fn a_failure_left_by_another_is_cleaned_of_control_characters() {
    let (fake, sandbox) = world_with_keys();
    fake.on(
        ECR,
        Reply::aws_error(400, "AccessDeniedException", "no\u{1b}[2J\nway\u{7}").after(Duration::from_millis(300)),
    );
    for output in all((0..4).map(|_| sandbox.spawn("get", HOST))) {
        output.assert_not_found();
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
        assert!(!output.stderr.trim_end().chars().any(char::is_control), "{output}");
    }
}

#[test]
fn every_host_is_remembered_for_list_also_when_asked_at_once() {
    let (fake, sandbox) = world_with_keys();
    let host = |n: i32| format!("{:012}.dkr.ecr.us-east-1.amazonaws.com", n);
    for output in all((0..10).map(|n| sandbox.spawn("get", host(n)))) {
        output.password();
    }
    for n in 0..10 {
        sandbox.get(&host(n)).password();
    }
    assert_eq!(fake.total(), 1);
    let list = sandbox.run("list", "unused").stdout;
    for n in 0..10 {
        assert!(list.contains(&host(n)), "{list}");
    }
    fs::remove_dir_all(sandbox.cache_dir()).unwrap();
    assert_eq!(sandbox.run("list", "").stdout.trim(), "{}");
}

#[test]
fn forty_gets_with_an_sso_login_to_be_refreshed_make_one_call() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.point_at(&fake);
    use_sso_login_to_be_refreshed(&sandbox);
    fake.on(ECR, Reply::normal().after(Duration::from_millis(300)));
    let outputs = all((0..40).map(|_| sandbox.spawn("get", HOST)));
    let passwords: BTreeSet<_> = outputs.iter().map(Output::password).collect();
    assert_eq!(passwords.len(), 1);
    for operation in ["sso-oidc:CreateToken", "sso:GetRoleCredentials", ECR] {
        assert_eq!(fake.count(operation), 1, "{operation}");
    }
}

#[test]
fn gets_for_many_regions_with_an_sso_login_to_be_refreshed_refresh_it_once() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.point_at(&fake);
    use_sso_login_to_be_refreshed(&sandbox);
    fake.on(
        "sso-oidc:CreateToken",
        Reply::normal().after(Duration::from_millis(200)),
    );
    let host = |n: i32| format!("123456789012.dkr.ecr.xx-east-{n}.amazonaws.com");
    for output in all((0..12).map(|n| sandbox.spawn("get", host(n)))) {
        output.password();
    }
    assert_eq!(fake.count("sso-oidc:CreateToken"), 1);
    assert_eq!(fake.count(ECR), 12);
    assert_eq!(files_ending(&sandbox.cache_dir(), ".lock").len(), 0);
}

#[test]
fn a_failure_is_not_shared_with_a_process_whose_settings_are_others() {
    let (fake, mut sandbox) = world_with_keys();
    let refusal = Reply::aws_error(403, "InvalidSignatureException", "wrong secret");
    fake.next(ECR, refusal.after(Duration::from_millis(500)));
    sandbox.env("AWS_SECRET_ACCESS_KEY", "wrong-secret");
    let wrong = sandbox.spawn("get", HOST);
    while fake.total() == 0 {
        std::thread::yield_now();
    }
    sandbox.use_static_keys();
    sandbox.get(HOST).password();
    wrong.wait().assert_not_found();
    assert_eq!(fake.count(ECR), 2);
}

#[test]
fn a_failure_with_a_very_long_reason_is_shared_too() {
    let (fake, sandbox) = world_with_keys();
    let long = "not you ".repeat(2000);
    let refusal = Reply::aws_error(400, "AccessDeniedException", &long);
    fake.on(ECR, refusal.after(Duration::from_millis(500)));
    for output in all((0..10).map(|_| sandbox.spawn("get", HOST))) {
        output.assert_not_found();
        assert!(output.stderr.len() < 500, "{output}");
    }
    assert_eq!(fake.count(ECR), 1);
}
