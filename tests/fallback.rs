//! The fallback: another credential helper answers for what is not ECR, with the client's bytes and its own exit code,
//! and what must not be it is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{FakeAws, Output, Sandbox, decode_password, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const ALIAS: &str = "registry.corp.example";

/// Writes down how it was called, each call to files of its own name: verb, input and environment.
const NOTES: &str = "cat >\"$0.$1.input\"; env >\"$0.$1.env\"; echo \"$#\" >\"$0.$1.count\"\n";

/// A home whose fallback is a shell script, first in PATH.
fn world_with_fallback(script: &str) -> (FakeAws, Sandbox, PathBuf) {
    let (fake, mut sandbox) = world_with_keys();
    let program = install(&mut sandbox, script);
    sandbox.configure("fallback = \"store-of-mine\"\n");
    (fake, sandbox, program)
}

/// Puts a shell script into a directory that is first in PATH. Its path.
fn install(sandbox: &mut Sandbox, script: &str) -> PathBuf {
    let program = sandbox.write("bin/docker-credential-store-of-mine", format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let directory = program.parent().unwrap().to_owned();
    path_with(sandbox, directory);
    program
}

/// Makes PATH begin with that directory.
fn path_with(sandbox: &mut Sandbox, directory: PathBuf) {
    let rest = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let path = env::join_paths([directory].into_iter().chain(env::split_paths(&rest))).unwrap();
    sandbox.env("PATH", path);
}

/// What a script with `NOTES` wrote down of a verb.
fn note(program: &Path, verb: &str, what: &str) -> Option<Vec<u8>> {
    fs::read(format!("{}.{verb}.{what}", program.display())).ok()
}

fn listed(output: &Output) -> BTreeMap<String, String> {
    assert_eq!(output.code, Some(0), "{output}");
    serde_json::from_str(&output.stdout).expect("a list")
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(server, user)| ((*server).to_owned(), (*user).to_owned()))
        .collect()
}

fn assert_refused(output: &Output, words: &[&str]) {
    output.assert_not_found();
    for word in words {
        assert!(output.stderr.contains(word), "{word:?} is not in: {output}");
    }
}

#[test]
fn every_verb_passes_through_to_the_byte() {
    let script = format!("{NOTES}printf 'answer \\377\\n\\n to %s' \"$1\"; echo words >&2; exit 3");
    let (fake, sandbox, program) = world_with_fallback(&script);
    let login = "{ \"Username\":\"me\",\n\"Secret\" : \"p\\u00e4ss\", \
        \"ServerURL\":\"https://index.docker.io/v1/\",\"More\":1}\r\n\n";
    for (verb, input) in [
        ("get", "https://index.docker.io/v1/"),
        ("get", "  HTTPS://Ghcr.IO:443/v2/ \n\n"),
        ("store", login),
        ("erase", "docker.io\n"),
    ] {
        let mut child = sandbox
            .command(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let expected = [b"answer \xff\n\n to ".as_slice(), verb.as_bytes()].concat();
        assert_eq!(output.stdout, expected);
        assert_eq!(output.stderr, b"words\n");
        assert_eq!(note(&program, verb, "input").unwrap(), input.as_bytes());
        assert_eq!(note(&program, verb, "count").unwrap(), b"1\n");
    }
    assert_eq!(fake.total(), 0);
    assert!(!sandbox.cache_dir().exists(), "nothing of it is ours");
}

#[test]
fn every_exit_code_is_the_helpers() {
    let (_fake, sandbox, program) = world_with_fallback("");
    for (ending, code) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 255", 255),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ] {
        fs::write(
            &program,
            format!("#!/bin/sh\necho credentials not found in native keychain\n{ending}\n"),
        )
        .unwrap();
        let output = sandbox.get("docker.io");
        assert_eq!(output.code, Some(code), "{output}");
        assert_eq!(output.stdout, "credentials not found in native keychain\n");
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn large_input_passes_and_an_unread_one_is_no_error() {
    let (_fake, sandbox, program) = world_with_fallback(NOTES);
    let secret = "x".repeat(500_000);
    let login = format!("{{\"ServerURL\":\"docker.io\",\"Username\":\"me\",\"Secret\":\"{secret}\"}}");
    assert_eq!(sandbox.run("store", &login).code, Some(0));
    assert_eq!(note(&program, "store", "input").unwrap(), login.as_bytes());
    fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
    let output = sandbox.run("store", &login);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
}

#[test]
fn ecr_never_reaches_the_fallback() {
    let (fake, sandbox, program) = world_with_fallback(NOTES);
    sandbox.configure(format!(
        "fallback = \"store-of-mine\"\n[[registry]]\nmatch = \"{ALIAS}\"\necr = \"{HOST}\"\n"
    ));
    let shouted = format!("https://{}:443/v2/", HOST.to_uppercase());
    for host in [HOST, &shouted, ALIAS, "public.ecr.aws"] {
        sandbox.get(host).password();
        let login = format!("{{\"ServerURL\":\"{host}\",\"Username\":\"AWS\",\"Secret\":\"password\"}}");
        assert_eq!(sandbox.run("store", login).code, Some(0));
        assert_eq!(sandbox.run("erase", host).code, Some(0));
    }
    // Also where there is no token to be had.
    fake.on(
        "ecr:GetAuthorizationToken",
        support::Reply::aws_error(403, "AccessDeniedException", "no"),
    );
    sandbox.get(HOST).assert_not_found();
    for verb in ["get", "store", "erase"] {
        assert_eq!(note(&program, verb, "input"), None, "{verb}");
    }
    sandbox.get("docker.io");
    assert!(note(&program, "get", "input").is_some());
}

#[test]
fn look_alikes_of_ecr_are_the_fallbacks_and_get_no_token() {
    let (fake, sandbox, program) = world_with_fallback(&format!("{NOTES}exit 7"));
    for host in [
        format!("{HOST}.evil.example"),
        format!("me@{HOST}"),
        format!("ftp://{HOST}"),
    ] {
        assert_eq!(sandbox.get(&host).code, Some(7), "{host}");
        assert_eq!(note(&program, "get", "input").unwrap(), host.as_bytes());
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn what_is_no_request_at_all_is_not_passed_on() {
    let (_fake, sandbox, program) = world_with_fallback(NOTES);
    for (verb, input) in [
        ("get", ""),
        ("get", "docker io"),
        ("store", "{}"),
        ("store", "nonsense"),
        ("erase", "\n"),
    ] {
        assert_eq!(sandbox.run(verb, input).code, Some(1), "{verb} {input}");
        assert_eq!(note(&program, verb, "input"), None, "{verb} {input}");
    }
}

#[test]
fn the_two_lists_are_one() {
    let theirs = format!(
        "{{\"https://index.docker.io/v1/\":\"me\",\"{HOST}\":\"AWS\",\
         \"https://{ALIAS}\":\"AWS\",\"public.ecr.aws\":\"AWS\"}}"
    );
    let (_fake, sandbox, program) = world_with_fallback(&format!("{NOTES}echo '{theirs}'"));
    sandbox.configure(format!(
        "fallback = \"store-of-mine\"\n[[registry]]\nmatch = \"{ALIAS}\"\necr = \"{HOST}\"\n"
    ));
    let hub = ("https://index.docker.io/v1/", "me");
    let output = sandbox.run("list", "");
    assert_eq!(listed(&output), map(&[hub]));
    assert_eq!(output.stderr, "");
    assert_eq!(note(&program, "list", "count").unwrap(), b"1\n");
    sandbox.get(HOST).password();
    sandbox.get(ALIAS).password();
    assert_eq!(
        listed(&sandbox.run("list", "")),
        map(&[hub, (HOST, "AWS"), (ALIAS, "AWS")])
    );
    fs::write(&program, "#!/bin/sh\necho null\n").unwrap();
    assert_eq!(listed(&sandbox.run("list", "")), map(&[(HOST, "AWS"), (ALIAS, "AWS")]));
}

#[test]
fn a_fallback_that_cannot_list_leaves_ours() {
    let (_fake, sandbox, program) = world_with_fallback("");
    sandbox.get(HOST).password();
    for (script, word) in [
        ("echo 'no keychain here'; exit 1", "no keychain here"),
        ("echo nonsense", "no list"),
        ("kill -9 $$", "signal"),
    ] {
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        let output = sandbox.run("list", "");
        assert_eq!(listed(&output), map(&[(HOST, "AWS")]));
        assert!(
            output.stderr.contains("docker-credential-store-of-mine") && output.stderr.contains(word),
            "{output}"
        );
    }
    fs::remove_file(&program).unwrap();
    let output = sandbox.run("list", "");
    assert_eq!(listed(&output), map(&[(HOST, "AWS")]));
    assert!(output.stderr.contains("in no directory of PATH"), "{output}");
}

#[test]
fn aws_secrets_are_not_in_its_environment_and_the_rest_is() {
    let (_fake, mut sandbox, program) = world_with_fallback(NOTES);
    let secret = "the-secret-of-somebody";
    let secrets = [
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
    ];
    for name in secrets {
        sandbox.env(name, secret);
    }
    sandbox
        .env("AWS_PROFILE", "dev")
        .env("DISPLAY", ":0")
        .env("PASSWORD_STORE_DIR", "/store");
    sandbox.get("docker.io");
    sandbox.run("list", "");
    for verb in ["get", "list"] {
        let seen = String::from_utf8(note(&program, verb, "env").unwrap()).unwrap();
        assert!(!seen.contains(secret), "{seen}");
        for name in secrets {
            assert!(
                !seen.lines().any(|line| line.starts_with(&format!("{name}="))),
                "{name}: {seen}"
            );
        }
        for kept in ["AWS_PROFILE=dev", "DISPLAY=:0", "PASSWORD_STORE_DIR=/store"] {
            assert!(seen.lines().any(|line| line == kept), "{kept}: {seen}");
        }
        let home = format!("HOME={}", sandbox.home().display());
        assert!(seen.lines().any(|line| line == home), "{seen}");
    }
}

#[test]
fn a_fallback_that_is_this_program_is_refused() {
    let (_fake, mut sandbox) = world_with_keys();
    let own = sandbox.command("get").get_program().to_owned();
    let bin = sandbox.home().join("bin");
    fs::create_dir(&bin).unwrap();
    path_with(&mut sandbox, bin.clone());
    for name in ["ecr-login", "other"] {
        sandbox.configure(format!("fallback = \"{name}\"\n"));
        let link = bin.join(format!("docker-credential-{name}"));
        symlink(&own, &link).unwrap();
        for (verb, input) in [("get", "docker.io"), ("erase", "docker.io")] {
            assert_refused(&sandbox.run(verb, input), &[link.to_str().unwrap(), "itself"]);
        }
        fs::remove_file(&link).unwrap();
        if fs::hard_link(&own, &link).is_ok() {
            assert_refused(&sandbox.get("docker.io"), &["itself"]);
            fs::remove_file(&link).unwrap();
        }
    }
    // ECR itself needs no fallback.
    sandbox.get(HOST).password();
}

#[test]
fn a_fallback_that_leads_back_is_refused() {
    let (_fake, sandbox, program) = world_with_fallback("");
    let own = sandbox.command("get").get_program().to_owned();
    let script = format!("echo call >>\"$0.calls\"; exec '{}' \"$@\"", own.display());
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    let calls = || {
        fs::read_to_string(format!("{}.calls", program.display()))
            .unwrap()
            .lines()
            .count()
    };
    assert_refused(
        &sandbox.get("docker.io"),
        &["docker-credential-store-of-mine leads back"],
    );
    assert_eq!(calls(), 1);
    let output = sandbox.run("list", "");
    assert_eq!(listed(&output), map(&[]));
    assert!(output.stderr.contains("leads back"), "{output}");
    assert_eq!(calls(), 2);
    // A copy of this program under the fallback's name is another file, and ends the same way.
    fs::remove_file(&program).unwrap();
    fs::copy(&own, &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    assert_refused(&sandbox.get("docker.io"), &["leads back"]);
}

#[test]
fn a_fallback_by_way_of_a_relative_path_is_refused() {
    let (_fake, mut sandbox, program) = world_with_fallback(NOTES);
    let home = sandbox.home().to_owned();
    for (path, directory) in [
        ("bin:/usr/bin:/bin", &home),
        ("./bin:/usr/bin:/bin", &home),
        (":/usr/bin:/bin", &home.join("bin")),
        (".:/usr/bin:/bin", &home.join("bin")),
        ("/usr/bin:/bin:", &home.join("bin")),
    ] {
        sandbox.env("PATH", path);
        let output = sandbox.run_with("get", "docker.io", |command| {
            command.current_dir(directory);
        });
        assert_refused(&output, &["docker-credential-store-of-mine", "not a full path"]);
        assert_eq!(note(&program, "get", "input"), None, "{path}");
    }
    // A full path before it is what counts.
    sandbox.env("PATH", format!("{}:.:/usr/bin:/bin", home.join("bin").display()));
    let output = sandbox.run_with("get", "docker.io", |command| {
        command.current_dir(home.join("bin"));
    });
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn a_fallback_that_is_nowhere_or_no_program_is_refused() {
    let (_fake, mut sandbox, program) = world_with_fallback("exit 0");
    let says = |sandbox: &Sandbox| assert_refused(&sandbox.get("docker.io"), &["docker-credential-store-of-mine"]);
    fs::set_permissions(&program, Permissions::from_mode(0o644)).unwrap();
    says(&sandbox);
    fs::remove_file(&program).unwrap();
    says(&sandbox);
    fs::create_dir(&program).unwrap();
    says(&sandbox);
    sandbox.env("PATH", "");
    says(&sandbox);
    sandbox.unset("PATH");
    says(&sandbox);
    let login = r#"{"ServerURL":"docker.io","Username":"me","Secret":"the-password-of-me"}"#;
    let stored = sandbox.run("store", login);
    assert_ne!(stored.code, Some(0), "a login that nobody keeps is not a success");
    assert!(!stored.stderr.contains("the-password-of-me"));
}

#[test]
fn a_name_that_is_not_plain_is_refused_before_anything_is_looked_for() {
    let (fake, sandbox, _program) = world_with_fallback("exit 0");
    for name in [
        "../store-of-mine",
        "/bin/sh",
        "",
        "a b",
        "-x",
        ".hidden",
        "a;b",
        "$(id)",
        "a\\u0000b",
        "ä",
    ] {
        let path = sandbox.configure(format!("fallback = \"{name}\"\n"));
        let place = format!("{} line 1: fallback: ", path.display());
        assert_refused(&sandbox.get("docker.io"), &[&place]);
        // It is a fault of the file, whoever asks.
        assert_refused(&sandbox.get(HOST), &[&place]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn strict_says_why_the_fallback_did_not_answer() {
    let (_fake, mut sandbox) = world_with_keys();
    sandbox.configure("fallback = \"store-of-mine\"\nstrict = true\n");
    let output = sandbox.get("docker.io");
    assert_eq!(output.code, Some(1));
    assert!(
        output
            .stdout
            .contains("docker-credential-store-of-mine is in no directory of PATH"),
        "{output}"
    );
    // What it answers itself is its own, strict or not.
    install(&mut sandbox, "echo credentials not found in native keychain; exit 1");
    sandbox.get("docker.io").assert_not_found();
}

#[test]
fn a_login_that_is_not_kept_here_still_reaches_the_fallback() {
    let (_fake, mut sandbox, program) = world_with_fallback(NOTES);
    sandbox
        .env("AWS_ECR_IGNORE_CREDS_STORAGE", "true")
        .env("AWS_ECR_DISABLE_CACHE", "true");
    let login = r#"{"ServerURL":"docker.io","Username":"me","Secret":"password"}"#;
    assert_eq!(sandbox.run("store", login).code, Some(0));
    assert_eq!(note(&program, "store", "input").unwrap(), login.as_bytes());
}

#[test]
fn a_slow_fallback_is_waited_for_as_docker_would() {
    let (_fake, mut sandbox, program) = world_with_fallback("exec 3<&0; read word <\"$0.fifo\"; echo \"$word\"");
    sandbox.env("AWS_ECR_TIMEOUT", "0.1");
    let fifo = format!("{}.fifo", program.display());
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let running = sandbox.spawn("get", "docker.io");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!running.is_finished());
    fs::write(&fifo, "unlocked\n").unwrap();
    assert_eq!(running.wait().stdout, "unlocked\n");
}

#[test]
fn without_a_fallback_other_hosts_are_as_they_ever_were() {
    let (_fake, mut sandbox) = world_with_keys();
    let program = install(&mut sandbox, NOTES);
    sandbox.configure("");
    let output = sandbox.get("docker.io");
    output.assert_not_found();
    assert_eq!(output.stderr, "");
    assert_eq!(sandbox.run("erase", "docker.io").code, Some(1));
    assert_eq!(note(&program, "get", "input"), None);
    assert_eq!(decode_password(&sandbox.get(HOST).password()).region, "eu-central-1");
}

#[test]
fn a_list_that_never_comes_to_an_end_is_left_out() {
    // Somebody keeps its stdout open.
    let (_fake, mut sandbox, _) = world_with_fallback("sleep 100 2>/dev/null & echo '{}'");
    sandbox.env("AWS_ECR_TIMEOUT", "0.5");
    sandbox.get(HOST).password();
    let output = sandbox.run("list", "unused");
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(listed(&output).keys().collect::<Vec<_>>(), [HOST]);
    assert!(output.stderr.contains("docker-credential-store-of-mine"), "{output}");
    assert!(output.elapsed < Duration::from_secs(30), "{output}");
}

#[test]
fn a_name_that_is_in_front_of_ecr_no_more_is_the_fallbacks_and_its_login_goes() {
    let (_fake, sandbox, program) = world_with_fallback(&format!("{NOTES}echo '{{}}'"));
    let entry = format!("[[registry]]\nmatch = \"{ALIAS}\"\necr = \"{HOST}\"\n");
    sandbox.configure(format!("fallback = \"store-of-mine\"\n{entry}"));
    let login = format!(r#"{{"ServerURL":"{ALIAS}","Username":"AWS","Secret":"a-login"}}"#);
    assert_eq!(sandbox.run("store", login).code, Some(0));
    assert!(listed(&sandbox.run("list", "")).contains_key(ALIAS));
    sandbox.configure("fallback = \"store-of-mine\"\n");
    assert!(!listed(&sandbox.run("list", "")).contains_key(ALIAS));
    assert_eq!(sandbox.run("erase", ALIAS).code, Some(0));
    assert_eq!(note(&program, "erase", "input").unwrap(), ALIAS.as_bytes());
    assert_eq!(support::files_ending(&sandbox.cache_dir(), ".login").len(), 0);
}
