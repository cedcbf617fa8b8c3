//! What a helper is given and what comes of it, with shell scripts for helpers.

use std::fs::{self, create_dir};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn desktop() -> Fallback {
    Fallback::parse("desktop").unwrap()
}

/// Runs a script of the shell with arguments.
fn shell(script: &str, arguments: &[&OsStr]) {
    let status = Command::new("sh").args(["-c", script, "sh"]).args(arguments).status();
    assert!(status.unwrap().success(), "{script}");
}

/// Makes docker-credential-desktop of a script. Another process writes it: a program that is open for writing, if only
/// in a child that some other test starts at that moment, cannot be run.
fn make(directory: &Path, script: &str) -> PathBuf {
    let program = directory.join("docker-credential-desktop");
    let script = format!("#!/bin/sh\n{script}\n");
    shell(
        "printf %s \"$1\" >\"$2\"; chmod 755 \"$2\"",
        &[script.as_ref(), program.as_ref()],
    );
    program
}

fn helper(script: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let program = make(directory.path(), script);
    (directory, program)
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |&(server, user): &(&str, &str)| (server.to_owned(), user.to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn a_name_is_plain() {
    for name in ["desktop", "osxkeychain", "gcr", "a-b_c.d", "1"] {
        assert_eq!(
            Fallback::parse(name).unwrap().program(),
            format!("docker-credential-{name}")
        );
    }
    let long = "x".repeat(NAME_LIMIT + 1);
    for name in ["", "-x", ".", "..", "a/b", "/bin/sh", "a b", "a;b", "dé", "a\n", &long] {
        let why = Fallback::parse(name).unwrap_err();
        assert!(why.contains(name.trim_end()), "{why}");
    }
}

#[test]
fn the_first_program_in_path_is_found() {
    let (one, _) = helper("exit");
    let (two, second) = helper("exit");
    shell("chmod 644 \"$1\"/*", &[one.path().as_ref()]);
    let three = tempfile::tempdir().unwrap();
    create_dir(three.path().join("docker-credential-desktop")).unwrap();
    let nowhere = Path::new("/nonexistent");
    let find = |entries: &[&Path]| desktop().find_in(Some(&std::env::join_paths(entries).unwrap()), None);
    assert_eq!(find(&[nowhere, one.path(), three.path(), two.path()]).unwrap(), second);
    // Neither is one that is not there found by way of the current directory.
    assert_eq!(find(&[Path::new(""), Path::new("bin"), two.path()]).unwrap(), second);
    for failure in [find(&[nowhere, one.path()]), desktop().find_in(None, None)] {
        let failure = failure.unwrap_err();
        assert_eq!(failure.reason, Reason::Configuration);
        assert_eq!(
            failure.what,
            "the fallback docker-credential-desktop is in no directory of PATH"
        );
    }
}

#[test]
fn a_program_in_a_relative_entry_of_path_is_refused() {
    let (directory, _) = helper("exit");
    let (other, _) = helper("exit");
    // From wherever the tests run.
    let up: PathBuf = std::env::current_dir()
        .unwrap()
        .components()
        .skip(1)
        .map(|_| "..")
        .collect();
    let relative = up.join(directory.path().strip_prefix("/").unwrap());
    let path = std::env::join_paths([relative.as_path(), other.path()]).unwrap();
    let failure = desktop().find_in(Some(&path), None).unwrap_err();
    assert_eq!(failure.reason, Reason::Configuration);
    assert!(failure.what.contains(relative.to_str().unwrap()), "{failure}");
}

#[test]
fn this_very_program_is_refused_by_whatever_name() {
    let own = tempfile::tempdir().unwrap();
    let program = own.path().join("program");
    shell("echo >\"$1\"; chmod 755 \"$1\"", &[program.as_ref()]);
    for link in ["ln", "ln -s"] {
        let directory = tempfile::tempdir_in(own.path()).unwrap();
        let named = directory.path().join("docker-credential-desktop");
        shell(&format!("{link} \"$1\" \"$2\""), &[program.as_ref(), named.as_ref()]);
        let path = directory.path().as_os_str();
        let failure = desktop().find_in(Some(path), Some(&program)).unwrap_err();
        assert!(
            failure.what.ends_with("is docker-credential-ecr-login itself"),
            "{link}: {failure}"
        );
        assert_eq!(
            desktop().find_in(Some(path), Some(Path::new("/bin/sh"))).unwrap(),
            named
        );
    }
}

#[test]
fn the_input_arrives_to_the_byte_and_the_exit_code_comes_back() {
    let (directory, program) = helper("cat >\"${0%/*}/$1\"; exit 7");
    let input = b"\xff{\"a\": 1}\r\n\0\n";
    assert_eq!(desktop().run(&program, "store", input).unwrap(), 7);
    assert_eq!(fs::read(directory.path().join("store")).unwrap(), input);
    for (script, code) in [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", 128 + 9)] {
        let (_directory, program) = helper(script);
        // More than a pipe holds, and nobody reads it.
        assert_eq!(
            desktop().run(&program, "get", &vec![b'x'; 1 << 20]).unwrap(),
            code,
            "{script}"
        );
    }
}

#[test]
fn a_stdin_that_somebody_keeps_open_is_not_waited_for() {
    let (directory, program) = helper("exec 3<&0; sleep 60 0<&3 >/dev/null 2>&1 & echo $! >\"${0%/*}/pid\"; exit 4");
    let start = Instant::now();
    assert_eq!(desktop().run(&program, "get", &vec![b'x'; 1 << 20]).unwrap(), 4);
    assert!(
        start.elapsed() < Duration::from_secs(50),
        "the other program was waited for"
    );
    let pid = fs::read_to_string(directory.path().join("pid")).unwrap();
    shell("kill \"$1\"", &[pid.trim().as_ref()]);
}

#[test]
fn a_program_that_cannot_be_started_is_a_failure() {
    let (directory, program) = helper("exit");
    shell("echo '#!/nonexistent' >\"$1\"", &[program.as_ref()]);
    let failure = desktop().run(&program, "get", b"host").unwrap_err();
    assert_eq!(failure.reason, Reason::Process);
    assert!(
        failure.what.contains("docker-credential-desktop cannot be started"),
        "{failure}"
    );
    drop(directory);
}

#[test]
fn a_list_is_read() {
    for (script, expected) in [
        (
            "test $1 = list && test $(cat) = unused && echo '{\"https://h/v1/\":\"me\",\"i\":\"\"}'",
            map(&[("https://h/v1/", "me"), ("i", "")]),
        ),
        ("echo null", map(&[])),
        ("echo '{}'", map(&[])),
    ] {
        let (_directory, program) = helper(script);
        assert_eq!(desktop().list_of(&program, LONG).unwrap(), expected, "{script}");
    }
}

#[test]
fn what_is_no_list_is_a_failure() {
    for (script, why) in [
        ("printf 'no\\033[31m keychain\\nmore'; exit 1", "no [31m keychain"),
        ("exit 3", "it ended with exit status: 3"),
        ("kill -9 $$", "it ended with signal: 9"),
        ("echo '{\"host\":1}'", "its answer is no list"),
        ("echo", "its answer is no list"),
        ("head -c 2000000 /dev/zero; sleep 30", "larger than 1 MiB"),
    ] {
        let (_directory, program) = helper(script);
        let failure = desktop().list_of(&program, LONG).unwrap_err();
        assert_eq!(failure.reason, Reason::Process);
        assert!(failure.what.contains(why), "{failure}");
        assert!(!failure.what.contains("more"), "{failure}");
    }
}

#[test]
fn servers_that_are_ours_are_ours_to_list() {
    let ours = map(&[("one.ecr", "AWS"), ("both", "AWS")]);
    let theirs = map(&[("two.ecr", "AWS"), ("both", "me"), ("hub", "me")]);
    let both = merge(ours, theirs, |server| server.ends_with(".ecr"));
    assert_eq!(both, map(&[("one.ecr", "AWS"), ("both", "AWS"), ("hub", "me")]));
}

#[test]
fn a_fallback_that_leads_back_is_refused() {
    let env = Env::from_vars([(env::AWS_ECR_FALLBACK_CALLER, "1")]);
    for failure in [
        desktop().list(&env, LONG).unwrap_err(),
        desktop().pass(&env, "get", b"").unwrap_err(),
    ] {
        assert_eq!(failure.reason, Reason::Configuration);
        assert!(
            failure
                .what
                .ends_with("docker-credential-desktop leads back to docker-credential-ecr-login"),
            "{failure}"
        );
    }
}

#[test]
fn aws_credentials_are_told_from_other_variables() {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
        "aws_secret_access_key",
    ] {
        assert!(is_secret(name.as_ref()), "{name}");
    }
    for name in [
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONFIG_FILE",
        env::AWS_ECR_FALLBACK_CALLER,
        "GITHUB_TOKEN",
        "MY_AWS_SECRET",
    ] {
        assert!(!is_secret(name.as_ref()), "{name}");
    }
}

/// In another process, since the environment is the process's: this test again, with a helper in its PATH.
#[test]
fn a_helper_has_our_stdout_and_our_environment_but_no_secrets() {
    const PASSED_ON: &str = "FALLBACK_IS_TESTED";
    if std::env::var_os(PASSED_ON).is_some() {
        assert_eq!(
            desktop().pass(&Env::from_process(), "get", b"the input").unwrap(),
            ExitCode::from(7)
        );
        return;
    }
    let script = "echo \"verb $1, input $(cat)\"; env; echo said >&2; grep SigIgn /proc/self/status; exit 7";
    let (directory, _program) = helper(script);
    let test = "fallback::tests::a_helper_has_our_stdout_and_our_environment_but_no_secrets";
    let path = std::env::join_paths([directory.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env("PATH", path)
        .env(PASSED_ON, "yes")
        .env("AWS_SECRET_ACCESS_KEY", "hunter2")
        .env("AWS_PROFILE", "dev")
        .output()
        .unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{seen}");
    assert!(seen.contains("verb get, input the input\n"), "{seen}");
    assert!(
        seen.contains("AWS_PROFILE=dev\n") && seen.contains("AWS_ECR_FALLBACK_CALLER=1\n"),
        "{seen}"
    );
    assert!(
        !seen.contains("AWS_SECRET_ACCESS_KEY") && !seen.contains("hunter2"),
        "{seen}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("said\n"));
    if let Some((_, ignored)) = seen.split_once("SigIgn:\t") {
        const SIGPIPE: u64 = 1 << 12;
        let ignored = u64::from_str_radix(ignored.lines().next().unwrap(), 16).unwrap();
        assert_eq!(ignored & SIGPIPE, 0, "what writes to nobody ends");
    }
}
