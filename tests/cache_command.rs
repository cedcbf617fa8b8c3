//! `cache list` and `cache clear`: what is cached, for people, without a word to AWS and without a secret.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs
)]

mod netns;
mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;
use support::{FakeAws, Output, Running, STATIC_KEY_ID, Sandbox, files_ending, world, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const OTHER_ACCOUNT: &str = "210987654321.dkr.ecr.eu-central-1.amazonaws.com";
const OTHER_REGION: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
const PUBLIC: &str = "public.ecr.aws";
const ALIAS: &str = "registry.corp.example";

fn run(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = sandbox.run_args(&[&["cache"], args].concat());
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
    output.stdout
}

/// The rows below the head, with their cells parted by single spaces.
fn rows(sandbox: &Sandbox) -> Vec<String> {
    let text = run(sandbox, &["list"]);
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(
        lines.next().as_deref(),
        Some("SERVICE REGION CREDENTIALS AGE LEFT REGISTRIES")
    );
    lines.collect()
}

fn login(sandbox: &Sandbox, host: &str) {
    let login = format!("{{\"ServerURL\":\"{host}\",\"Username\":\"AWS\",\"Secret\":\"typed-password\"}}");
    assert_eq!(sandbox.run("store", login).code, Some(0));
}

/// A token for two registries of a region, one for another region, one for the public gallery, and a login.
fn world_with_cache() -> (FakeAws, Sandbox) {
    let (fake, sandbox) = world_with_keys();
    for host in [HOST, OTHER_ACCOUNT, OTHER_REGION, PUBLIC] {
        sandbox.get(host).password();
    }
    login(&sandbox, HOST);
    fake.clear();
    (fake, sandbox)
}

fn assert_fails(output: &Output, words: &[&str]) {
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    for word in words {
        assert!(output.stderr.contains(word), "{word:?} is not in: {output}");
    }
}

#[test]
fn a_list_tells_service_region_credentials_age_time_left_and_registries() {
    let (fake, sandbox) = world_with_cache();
    assert_eq!(
        rows(&sandbox),
        [
            format!("ecr eu-central-1 the keys in AWS_ACCESS_KEY_ID <1m 11h 59m {HOST} {OTHER_ACCOUNT}"),
            format!("ecr us-west-2 the keys in AWS_ACCESS_KEY_ID <1m 11h 59m {OTHER_REGION}"),
            format!("ecr-public us-east-1 the keys in AWS_ACCESS_KEY_ID <1m 11h 59m {PUBLIC}"),
            format!("login - docker login <1m 11h 59m {HOST}"),
        ]
    );
    assert_eq!(fake.total(), 0);
}

#[test]
fn columns_stand_one_below_the_other() {
    let (_fake, sandbox) = world_with_cache();
    let text = run(&sandbox, &["list"]);
    let head = text.lines().next().unwrap();
    for name in ["REGION", "CREDENTIALS", "AGE", "LEFT", "REGISTRIES"] {
        let at = head.find(name).unwrap();
        for line in text.lines() {
            assert!(
                line.is_char_boundary(at) && line[..at].ends_with("  "),
                "{name}:\n{text}"
            );
            assert!(!line[at..].starts_with(' '), "{name}:\n{text}");
        }
    }
    assert!(text.lines().all(|line| line.trim_end() == line));
}

#[test]
fn whose_credentials_they_are_is_told_by_profile_and_role() {
    let (_fake, sandbox) = world();
    sandbox.aws_credentials(
        "[default]\naws_access_key_id = AKIAD\naws_secret_access_key = s\n\
         [prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n",
    );
    let role = "arn:aws:iam::210987654321:role/pull";
    sandbox.configure(format!(
        "[[registry]]\nmatch = \"210987654321.*\"\nrole_arn = \"{role}\"\n\
         [[registry]]\nmatch = \"{ALIAS}\"\necr = \"{HOST}\"\nprofile = \"prod\"\n"
    ));
    for host in [HOST, OTHER_ACCOUNT, ALIAS] {
        sandbox.get(host).password();
    }
    let rows = rows(&sandbox);
    assert_eq!(rows.len(), 3);
    for (whose, host) in [
        ("profile \"default\"", HOST),
        (&format!("the role {role}"), OTHER_ACCOUNT),
        ("profile \"prod\"", ALIAS),
    ] {
        let row = format!("ecr eu-central-1 {whose} <1m 11h 59m {host}");
        assert!(rows.contains(&row), "{row} is not in {rows:?}");
    }
}

#[test]
fn age_and_time_left_are_told_in_hours_and_minutes() {
    let (_fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    sandbox.age_entry(5 * 3600 + 7 * 60);
    assert!(rows(&sandbox)[0].contains(" 5h 07m 6h 52m "), "{:?}", rows(&sandbox));
    sandbox.age_entry(6 * 3600);
    assert!(rows(&sandbox)[0].contains(" 11h 07m 52m "), "{:?}", rows(&sandbox));
    // What is over is not cached, whatever lies there.
    sandbox.age_entry(3600);
    assert!(run(&sandbox, &["list"]).starts_with("Nothing is cached in "));
}

#[test]
fn a_token_for_a_region_alone_has_no_registries() {
    let (_fake, sandbox) = world_with_keys();
    assert_eq!(
        sandbox
            .run_args(&["get-login-password", "--region", "eu-central-1"])
            .code,
        Some(0)
    );
    assert_eq!(
        rows(&sandbox),
        ["ecr eu-central-1 the keys in AWS_ACCESS_KEY_ID <1m 11h 59m -"]
    );
}

#[test]
fn nothing_is_said_to_be_nothing_and_where() {
    let (_fake, sandbox) = world_with_keys();
    let directory = sandbox.cache_dir().display().to_string();
    assert_eq!(run(&sandbox, &["list"]), format!("Nothing is cached in {directory}.\n"));
    assert_eq!(
        run(&sandbox, &["clear"]),
        format!("Nothing to remove from {directory}.\n")
    );
    assert_eq!(
        run(&sandbox, &["clear", HOST]),
        format!("Nothing to remove from {directory}.\n")
    );
    assert!(!sandbox.cache_dir().exists(), "looking makes no directory");
}

#[test]
fn no_secret_is_printed() {
    let (_fake, sandbox) = world_with_cache();
    let password = sandbox.run_args(&["get-login-password", "--registry", HOST]).stdout;
    for args in [&["list"][..], &["clear", OTHER_REGION], &["clear"]] {
        let said = run(&sandbox, args);
        for secret in [password.trim(), "typed-password", "wJalrXUtnFEMI", STATIC_KEY_ID] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn clearing_a_registry_removes_its_login_and_the_tokens_of_its_region() {
    let (fake, sandbox) = world_with_cache();
    let directory = sandbox.cache_dir().display().to_string();
    login(&sandbox, OTHER_ACCOUNT);
    assert_eq!(
        run(&sandbox, &["clear", HOST]),
        format!("Removed 1 token and 1 login from {directory}.\n")
    );
    let left = rows(&sandbox);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(|row| !row.contains(HOST)), "{left:?}");
    assert_eq!(
        run(&sandbox, &["clear", HOST]),
        format!("Nothing to remove from {directory}.\n")
    );
    assert_eq!(
        run(&sandbox, &["clear", PUBLIC]),
        format!("Removed 1 token and 0 logins from {directory}.\n")
    );
    assert_eq!(fake.total(), 0);
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 1);
}

#[test]
fn a_registry_is_named_in_any_form_that_clients_know() {
    let (_fake, sandbox) = world_with_keys();
    sandbox.configure(format!("[[registry]]\nmatch = \"{ALIAS}\"\necr = \"{HOST}\"\n"));
    for same in [
        HOST.to_owned(),
        format!("https://{}:443/v2/", HOST.to_uppercase()),
        ALIAS.to_owned(),
    ] {
        sandbox.get(ALIAS).password();
        assert!(
            run(&sandbox, &["clear", &same]).starts_with("Removed 1 token "),
            "{same}"
        );
        assert!(sandbox.entries().is_empty());
    }
}

#[test]
fn clearing_everything_leaves_no_token_and_no_login() {
    let (fake, sandbox) = world_with_cache();
    let directory = sandbox.cache_dir().display().to_string();
    sandbox.write(sandbox.cache_dir().join("helper.log"), "words\n");
    assert_eq!(
        run(&sandbox, &["clear"]),
        format!("Removed 3 tokens and 1 login from {directory}.\n")
    );
    assert!(run(&sandbox, &["list"]).starts_with("Nothing is cached"));
    for ending in [".json", ".login"] {
        assert!(files_ending(&sandbox.cache_dir(), ending).is_empty());
    }
    assert!(sandbox.cache_dir().join("helper.log").exists(), "a log is no cache");
    assert_eq!(sandbox.run("list", "").stdout.trim(), "{}");
    assert_eq!(fake.total(), 0);
}

#[test]
fn what_nobody_can_read_is_cleared_and_does_not_hide_the_rest() {
    let (_fake, sandbox) = world_with_cache();
    let damaged = sandbox.entries().remove(0);
    fs::write(&damaged, "nonsense").unwrap();
    assert_eq!(rows(&sandbox).len(), 3);
    let open = sandbox.entries().remove(1);
    fs::set_permissions(&open, Permissions::from_mode(0o666)).unwrap();
    assert_eq!(rows(&sandbox).len(), 2);
    run(&sandbox, &["clear"]);
    assert!(sandbox.entries().is_empty());
}

#[test]
fn what_is_not_ecr_is_refused_and_nothing_cleared() {
    let (fake, sandbox) = world_with_cache();
    for host in [
        "docker.io",
        &format!("{HOST}.evil.example"),
        &format!("me:hunter2@{HOST}"),
        "",
    ] {
        let output = sandbox.run_args(&["cache", "clear", host]);
        assert_fails(&output, &["cache clear"]);
        assert!(!output.stderr.contains("hunter2"), "{output}");
    }
    assert_fails(
        &sandbox.run_args(&["cache", "clear", "docker.io"]),
        &["docker.io", "not an Amazon ECR registry"],
    );
    assert_eq!(rows(&sandbox).len(), 4);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_cache_that_is_off_is_listed_and_said_to_be_off() {
    let (_fake, mut sandbox) = world_with_cache();
    sandbox.env("AWS_ECR_DISABLE_CACHE", "true");
    let text = run(&sandbox, &["list"]);
    assert!(
        text.starts_with("The cache is off: AWS_ECR_DISABLE_CACHE is set.\nSERVICE"),
        "{text}"
    );
    assert!(run(&sandbox, &["clear"]).starts_with("Removed 3 tokens and 1 login"));
}

#[test]
fn the_directory_is_the_one_that_the_environment_names() {
    let (_fake, mut sandbox) = world_with_cache();
    let other = sandbox.home().join("elsewhere");
    sandbox.env("AWS_ECR_CACHE_DIR", other.clone());
    assert_eq!(
        run(&sandbox, &["list"]),
        format!("Nothing is cached in {}.\n", other.display())
    );
    run(&sandbox, &["clear"]);
    sandbox.unset("AWS_ECR_CACHE_DIR");
    assert_eq!(rows(&sandbox).len(), 4);
    sandbox
        .unset("HOME")
        .env("AWS_ECR_CONFIG_FILE", "/dev/null")
        .env("AWS_ECR_CACHE_DIR", "~/cache");
    assert_fails(&sandbox.run_args(&["cache", "list"]), &["cache list", "HOME"]);
}

#[test]
fn tokens_that_cannot_be_removed_are_an_error() {
    if !netns::is_possible() {
        eprintln!("skipped: needs root and unshare");
        return;
    }
    const SCRIPT: &str = "mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\"; shift; exec \"$@\"";
    let (_fake, sandbox) = world_with_cache();
    for args in [&["cache", "clear"][..], &["cache", "clear", HOST]] {
        let own = sandbox.command("cache");
        let mut elsewhere = Command::new("unshare");
        elsewhere
            .args(["--mount", "sh", "-ec", SCRIPT, "sh"])
            .arg(sandbox.cache_dir());
        elsewhere.arg(own.get_program()).args(args).env_clear();
        elsewhere.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = Running::start(elsewhere, "", Duration::from_secs(30)).wait();
        let directory = sandbox.cache_dir().display().to_string();
        assert_fails(
            &output,
            &["cache clear", &directory, "cannot be cleared: read-only file system"],
        );
    }
    assert_eq!(rows(&sandbox).len(), 4);
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let (_fake, sandbox) = world_with_cache();
    for args in [
        &["cache"][..],
        &["cache", "purge"],
        &["cache", "list", HOST],
        &["cache", "clear", HOST, HOST],
    ] {
        let output = sandbox.run_args(args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
    assert_eq!(rows(&sandbox).len(), 4);
}

#[test]
fn the_login_to_a_name_that_is_in_front_of_ecr_no_more_can_be_cleared() {
    let (_fake, sandbox) = world_with_cache();
    let config = sandbox.configure(format!(
        "[[registry]]\nmatch = \"hub.corp.example\"\necr = \"{HOST}\"\n"
    ));
    login(&sandbox, "hub.corp.example");
    std::fs::remove_file(config).unwrap();
    assert!(run(&sandbox, &["clear", "hub.corp.example"]).contains("1 login"));
    assert_fails(
        &sandbox.run_args(&["cache", "clear", "hub.corp.example"]),
        &["hub.corp.example"],
    );
}

#[test]
fn a_login_with_an_absurd_end_is_listed_to_the_end_that_it_has() {
    let (_fake, sandbox) = world_with_cache();
    login(&sandbox, HOST);
    let [file] = &support::files_ending(&sandbox.cache_dir(), ".login")[..] else {
        panic!("one login");
    };
    let mut login: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    login["expires_at"] = u64::MAX.into();
    std::fs::write(file, login.to_string()).unwrap();
    let list = run(&sandbox, &["list"]);
    assert!(
        list.contains("docker login  <1m  12h 00m") || list.contains("11h 59m"),
        "{list}"
    );
}
