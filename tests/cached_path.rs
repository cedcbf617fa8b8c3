//! What a cached answer does not touch: the SDK, its runtime, TLS, the network; seen from the kernel.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::process::Command;

use support::{Sandbox, world, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// Threads and programs; the network; what a runtime waits with.
const FORBIDDEN: [&str; 16] = [
    "clone",
    "clone3",
    "fork",
    "vfork",
    "futex",
    "socket",
    "socketpair",
    "connect",
    "bind",
    "sendto",
    "sendmmsg",
    "epoll_create",
    "epoll_create1",
    "eventfd",
    "eventfd2",
    "memfd_create",
];

/// The most system calls that a cached answer may take: of a program that the loader puts together, and of a static one. The
/// promise for the former is 65, but std reads the process's memory map at its start, in three pieces, or more where the program
/// lies deep in the file system.
const MOST_CALLS: [usize; 2] = [65 - 3, 45];

/// What the kubelet asks for the same.
const REQUEST: &str = r#"{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1",
    "image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/app"}"#;

/// The system calls of one run, one a line; none where there is no strace, or it may not trace.
fn trace(sandbox: &Sandbox, verb: &str, stdin: &str) -> Option<String> {
    let file = sandbox.home().join("trace");
    let strace = || Command::new("strace");
    if !strace()
        .args(["-o", "/dev/null", "true"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        assert!(
            std::env::var_os("CI").is_none(),
            "strace is needed, and does not work here"
        );
        eprintln!("skipped: strace is not there, or may not trace");
        return None;
    }
    let output = sandbox.run_with(verb, stdin, |get| {
        let mut traced = strace();
        traced
            .args(["-f", "-qq", "-o"])
            .arg(&file)
            .arg(get.get_program())
            .arg(verb)
            .env_clear();
        traced.envs(get.get_envs().filter_map(|(name, value)| Some((name, value?))));
        *get = traced;
    });
    assert_eq!(output.code, Some(0), "{output}");
    Some(std::fs::read_to_string(file).unwrap())
}

/// The name of the call in a line such as `123 openat(AT_FDCWD, …) = 3`.
fn name(line: &str) -> Option<&str> {
    let (before, _) = line.split_once('(')?;
    before.split_whitespace().last()
}

fn reads_of_memory_map(trace: &str) -> usize {
    let after = trace.split_once("/proc/self/maps").map_or("", |(_, after)| after);
    let until_closed = after.lines().take_while(|line| name(line) != Some("close"));
    until_closed.filter(|line| name(line) == Some("read")).count()
}

/// Asks once, so that there is something in the cache, and then looks on.
fn cached_answer_is_quiet(sandbox: &Sandbox) -> Option<String> {
    sandbox.get(HOST).password();
    let trace = trace(sandbox, "get", HOST)?;
    assert_quiet(&trace);
    Some(trace)
}

fn assert_quiet(trace: &str) {
    for line in trace.lines() {
        let name = name(line).unwrap_or_default();
        assert!(!FORBIDDEN.contains(&name), "{line}\n{trace}");
        assert!(
            !["/ssl", "/pki", "resolv.conf", "/etc/hosts"]
                .iter()
                .any(|file| line.contains(file)),
            "{line}\n{trace}"
        );
    }
}

#[test]
fn with_static_keys() {
    let (_fake, sandbox) = world_with_keys();
    let Some(trace) = cached_answer_is_quiet(&sandbox) else {
        return;
    };
    // As `strace -c` counts: the last one never returns. F_GETFD is how std looks after itself in a debug build.
    let counts = |line: &&str| !line.contains("exit_group(") && !line.contains("F_GETFD");
    let calls = trace.lines().filter(counts).filter_map(name).count() - reads_of_memory_map(&trace);
    let [dynamic, of_static] = MOST_CALLS;
    let most = if trace.contains("ld.so.cache") {
        dynamic
    } else {
        of_static
    };
    assert!(calls <= most, "{calls} calls, where {most} are allowed:\n{trace}");
}

#[test]
fn for_the_kubelet() {
    let (_fake, mut sandbox) = world_with_keys();
    // As root it has another cache directory, and its system calls are to be compared.
    let cache = sandbox.cache_dir();
    sandbox.env("AWS_ECR_CACHE_DIR", cache);
    let Some(get) = cached_answer_is_quiet(&sandbox) else {
        return;
    };
    let kubelet = trace(&sandbox, "kubelet", REQUEST).unwrap();
    assert_quiet(&kubelet);
    // It looks whether a person is at the terminal.
    let (most, calls) = (get.lines().count() + 1, kubelet.lines().count());
    assert!(calls <= most, "{calls} calls, where {most} are allowed:\n{kubelet}");
}

#[test]
fn with_a_configuration() {
    let (_fake, sandbox) = world_with_keys();
    // What reading it takes, with or without a configuration, is not the configuration's doing.
    sandbox.aws_credentials("[prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = secret\n");
    let count = |trace: Option<String>| trace.map(|trace| trace.lines().count());
    let without = count(cached_answer_is_quiet(&sandbox));
    let entry = "timeout = \"10s\"\n[[registry]]\nmatch = \"123456789012.*\"\n";
    sandbox.configure(entry);
    let with = count(cached_answer_is_quiet(&sandbox));
    // It is looked at, read and closed.
    assert!(
        with <= without.map(|calls| calls + 6),
        "{with:?} calls, {without:?} without"
    );
    sandbox.configure(format!("{entry}profile = \"prod\"\n"));
    cached_answer_is_quiet(&sandbox);
}

#[test]
fn with_an_assumed_role() {
    let (_fake, sandbox) = world();
    sandbox.aws_credentials("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n");
    sandbox.aws_config("[default]\nrole_arn = arn:aws:iam::123456789012:role/pull\nsource_profile = base\n");
    cached_answer_is_quiet(&sandbox);
}

#[test]
fn with_a_web_identity() {
    let (_fake, mut sandbox) = world();
    let token = sandbox.write("token", "a.web.token");
    sandbox
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pull");
    cached_answer_is_quiet(&sandbox);
}

#[test]
fn with_a_process() {
    let (_fake, sandbox) = world();
    let keys = r#"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"secret"}"#;
    let program = sandbox.write("program", format!("echo '{keys}'\n"));
    sandbox.aws_config(&format!("[default]\ncredential_process = sh {}\n", program.display()));
    cached_answer_is_quiet(&sandbox);
}

#[test]
fn with_instance_metadata() {
    let (fake, mut sandbox) = world();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    cached_answer_is_quiet(&sandbox);
}

/// That the trace shows what it is to show: a first answer needs all of it.
#[test]
fn a_first_answer_is_not_quiet() {
    let (_fake, sandbox) = world_with_keys();
    if let Some(trace) = trace(&sandbox, "get", HOST) {
        for call in ["socket", "connect", "epoll_create1"] {
            assert!(
                trace.lines().filter_map(name).any(|name| name == call),
                "{call}\n{trace}"
            );
        }
    }
}
