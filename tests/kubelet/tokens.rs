//! Tokens on a node: how long the kubelet keeps them, the cache that all pods share, the deadline, and failures.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use crate::node::{ECR, HOST, answer, ask, complaint, node_with_keys, password, request, start};
use crate::support::{Output, Reply, Running, files_ending};

/// The seconds of a duration as Go writes it.
fn seconds(duration: &str) -> u64 {
    let mut seconds = 0;
    let mut number = String::new();
    for c in duration.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => panic!("{duration}"),
        };
        seconds += number.parse::<u64>().unwrap() * unit;
        number.clear();
    }
    assert!(number.is_empty(), "{duration}");
    seconds
}

fn kept(output: &Output) -> u64 {
    seconds(&answer(output).cache_duration)
}

#[test]
fn the_kubelet_keeps_a_token_for_half_of_what_is_left_of_it() {
    for (life, least, most) in [(43_200, 21_590, 21_600), (86_400, 21_590, 21_600), (1000, 490, 500)] {
        let (fake, sandbox) = node_with_keys();
        fake.on(ECR, Reply::token_expires_in(life));
        let kept = kept(&ask(&sandbox, &request(&format!("{HOST}/app"))));
        assert!((least..=most).contains(&kept), "{life}: {kept}");
    }
}

#[test]
fn a_token_from_the_cache_is_kept_for_half_of_what_is_left_then() {
    let (fake, sandbox) = node_with_keys();
    let image = request(&format!("{HOST}/app"));
    ask(&sandbox, &image);
    sandbox.age_entry(5 * 3600);
    let kept = kept(&ask(&sandbox, &image));
    assert!((12_590..=12_600).contains(&kept), "{kept}");
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn a_token_that_is_nearly_over_is_not_kept() {
    for life in [100, 30, -10] {
        let (fake, sandbox) = node_with_keys();
        fake.on(ECR, Reply::token_expires_in(life));
        let output = ask(&sandbox, &request(&format!("{HOST}/app")));
        assert_eq!(answer(&output).cache_duration, "0s", "{life}");
    }
}

#[test]
fn an_older_token_is_served_while_aws_fails_and_never_after_its_end() {
    let (fake, sandbox) = node_with_keys();
    let image = request(&format!("{HOST}/app"));
    let first = password(&ask(&sandbox, &image), HOST);
    fake.on(ECR, Reply::aws_error(500, "ServerException", "not today"));
    sandbox.age_entry(11 * 3600 + 1800);
    let output = ask(&sandbox, &image);
    assert_eq!(password(&output, HOST), first);
    let kept = kept(&output);
    assert!((890..=900).contains(&kept), "{kept}");
    sandbox.age_entry(1800);
    assert!(complaint(&ask(&sandbox, &image)).contains("not today"));
}

#[test]
fn fifty_pods_at_once_cost_one_call_for_each_region() {
    let (fake, sandbox) = node_with_keys();
    fake.on(ECR, Reply::normal().after(Duration::from_millis(300)));
    let other = "210987654321.dkr.ecr.eu-west-1.amazonaws.com";
    let running: Vec<_> = (0..50)
        .map(|pod| [HOST, other][pod % 2].to_owned() + &format!("/app-{pod}"))
        .map(|image| start(&sandbox, &request(&image)))
        .collect();
    let outputs = running.into_iter().map(Running::wait);
    let passwords: BTreeSet<_> = outputs
        .enumerate()
        .map(|(pod, output)| password(&output, [HOST, other][pod % 2]))
        .collect();
    assert_eq!((passwords.len(), fake.count(ECR), fake.total()), (2, 2, 2));
    assert_eq!(files_ending(&sandbox.cache_dir(), ".lock").len(), 0);
}

#[test]
fn dockers_get_and_the_kubelet_share_a_token() {
    let (fake, sandbox) = node_with_keys();
    let of_docker = sandbox.get(HOST).password();
    assert_eq!(
        password(&ask(&sandbox, &request(&format!("{HOST}/app"))), HOST),
        of_docker
    );
    assert_eq!(fake.total(), 1);
}

#[test]
fn a_failure_is_a_line_on_stderr_and_nothing_else() {
    let (fake, sandbox) = node_with_keys();
    fake.on(
        ECR,
        Reply::aws_error(400, "AccessDeniedException", "User is not authorized"),
    );
    let line = complaint(&ask(&sandbox, &request(&format!("{HOST}:8443/app"))));
    assert!(line.contains(&format!(" {HOST}:8443 with ")), "{line}");
    assert!(
        line.contains("User is not authorized") && line.contains("ecr:GetAuthorizationToken"),
        "{line}"
    );
}

#[test]
fn a_failure_is_not_remembered_once_it_is_cured() {
    let (fake, sandbox) = node_with_keys();
    let image = request(&format!("{HOST}/app"));
    fake.next(ECR, Reply::aws_error(400, "AccessDeniedException", "no"));
    complaint(&ask(&sandbox, &image));
    password(&ask(&sandbox, &image), HOST);
}

#[test]
fn a_shorter_deadline_holds() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_TIMEOUT", "1");
    fake.on(ECR, Reply::hang());
    let output = ask(&sandbox, &request(&format!("{HOST}/app")));
    let line = complaint(&output);
    assert!(
        line.contains("after 1.0 seconds") && line.contains("AWS_ECR_TIMEOUT may allow up to 45"),
        "{line}"
    );
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
}

#[test]
fn strict_changes_nothing_for_the_kubelet() {
    let (_fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_STRICT", "true").unset("AWS_SECRET_ACCESS_KEY");
    complaint(&ask(&sandbox, &request(&format!("{HOST}/app"))));
}

#[test]
fn without_home_and_cache_there_is_a_token_still() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox.unset("HOME").env("AWS_ECR_CACHE_DIR", "/proc/none");
    for _ in 0..2 {
        password(&ask(&sandbox, &request(&format!("{HOST}/app"))), HOST);
    }
    assert_eq!(fake.count(ECR), 2);
}

#[test]
fn roots_cache_is_gone_with_the_next_boot() {
    const SCRIPT: &str = "mount -t tmpfs tmpfs /run; cat >/run/request
        for pod in 1 2; do \"$0\" kubelet </run/request >/dev/null; done
        stat -c '%a %U' /run/docker-credential-ecr-login; ls /run/docker-credential-ecr-login
        AWS_ECR_CACHE_DIR=/run/docker-credential-ecr-login \"$0\" cache list";
    let possible = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"])
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: needs root and unshare");
        return;
    }
    let (fake, mut sandbox) = node_with_keys();
    sandbox.unset("AWS_ECR_CACHE_DIR");
    let image = request(&format!("{HOST}/app")).to_string();
    let output = sandbox.run_with("kubelet", image, |command| {
        let program = command.get_program().to_owned();
        let vars: Vec<_> = command
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
            .collect();
        *command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-ec", SCRIPT])
            .arg(program)
            .env_clear()
            .envs(vars);
    });
    let mut lines = output.stdout.lines();
    assert_eq!(lines.next(), Some("700 root"), "{output}");
    assert!(lines.next().is_some_and(|name| name.ends_with(".json")), "{output}");
    assert!(lines.any(|line| line.starts_with("ecr  ")), "{output}");
    assert!(!sandbox.home().join(".cache").exists());
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn the_log_lies_beside_the_cache() {
    let (_fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_LOG", "debug");
    password(&ask(&sandbox, &request(&format!("{HOST}/app"))), HOST);
    let log = std::fs::read_to_string(sandbox.cache_dir().join("helper.log")).unwrap();
    assert!(log.contains(HOST), "{log}");
}
