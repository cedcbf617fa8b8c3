//! Docker's credential helper protocol at the process's edge: verbs, versions, forms of input and
//! their limits, and that stdout carries the answer and nothing else.

// clippy.toml lets off functions marked #[test], not the helpers between them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{FakeAws, Output, Sandbox};

const ECR: &str = "ecr:GetAuthorizationToken";
const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const NAME: &str = "docker-credential-ecr-login";
const NOT_FOUND: &str = "credentials not found in native keychain";

fn ready(fake: &FakeAws) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(fake);
    sandbox
}

/// Checks for a refusal: exit code 1, one line on stdout, nothing of a panic.
fn refusal(output: &Output) -> &str {
    assert_eq!(output.code, Some(1), "{output}");
    assert!(!output.stderr.contains("panicked"), "{output}");
    assert!(!output.stderr.contains("please report"), "{output}");
    let line = output.stdout.trim();
    assert!(
        !line.is_empty() && line.lines().count() == 1 && line.len() < 1000,
        "{output}"
    );
    line
}

/// Waits for a program that nobody feeds or reads.
fn exit_code(mut child: Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

#[test]
fn the_answer_is_one_line_of_json_and_nothing_else() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for round in ["cold", "cached"] {
        let output = sandbox.get(HOST);
        assert_eq!(output.server_url(), HOST, "{round}");
        assert!(!output.password().is_empty());
        assert!(output.stdout.starts_with('{'), "{output}");
        assert_eq!(output.stdout.trim_end().lines().count(), 1, "{output}");
        assert_eq!(output.stderr, "", "{round}");
    }
}

#[test]
fn every_form_that_clients_send_gets_the_same_password_and_its_own_form_back() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    let password = sandbox.get(HOST).password();
    for form in [
        format!("{HOST}\n"),
        format!("{HOST}\r\n"),
        format!("{HOST} \r\n"),
        format!("\t {HOST}\n\n"),
        format!("{HOST}:443"),
        format!("https://{HOST}"),
        format!("http://{HOST}"),
        format!("https://{HOST}:443"),
        format!("http://{HOST}:443"),
        format!("{HOST}/repository"),
        format!("{HOST}/team/repository:tag@sha256:00"),
        format!("HTTPS://{HOST}/v2/?n=1#part"),
        format!("{HOST}?service=x"),
        format!("{HOST}."),
        format!("https://{HOST}.:443/"),
        HOST.to_uppercase(),
        HOST.replace("dkr", "DkR"),
    ] {
        let output = sandbox.get(&form);
        assert_eq!(output.password(), password, "{form:?}");
        assert_eq!(output.server_url(), form.trim(), "{form:?}");
    }
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn nothing_on_stdin_is_told_in_the_words_that_clients_compare() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for verb in ["get", "erase"] {
        for input in ["", "\n", " \r\n\t "] {
            let output = sandbox.run(verb, input);
            assert_eq!(refusal(&output), "no credentials server URL", "{verb} {input:?}");
            assert_eq!(output.stderr, "", "{verb} {input:?}");
        }
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn incomplete_logins_are_told_in_the_words_that_clients_compare() {
    let sandbox = Sandbox::new();
    for (input, words) in [
        (r#"{"Username":"AWS","Secret":"hunter2"}"#, "no credentials server URL"),
        (
            r#"{"ServerURL":" ","Username":"AWS","Secret":"hunter2"}"#,
            "no credentials server URL",
        ),
        (
            r#"{"ServerURL":"123456789012.dkr.ecr.us-east-1.amazonaws.com","Secret":"hunter2"}"#,
            "no credentials username",
        ),
        (
            r#"{"ServerURL":"123456789012.dkr.ecr.us-east-1.amazonaws.com","Username":"","Secret":"hunter2"}"#,
            "no credentials username",
        ),
    ] {
        assert_eq!(refusal(&sandbox.run("store", input)), words, "{input}");
    }
}

#[test]
fn a_login_that_makes_no_sense_is_refused_without_being_quoted() {
    let sandbox = Sandbox::new();
    for input in [
        "",
        "hunter2",
        "[]",
        "null",
        r#""hunter2""#,
        r#"{"ServerURL":"h","Username":"AWS","Secret":"hunter2""#,
        r#"{"ServerURL":"h","Username":"AWS","Secret":["hunter2"]}"#,
        r#"{"ServerURL":"h","Username":null,"Secret":{"hunter2":1}}"#,
        r#"{"ServerURL":"https://u:hunter2@h:port","Username":"AWS","Secret":"hunter2"}"#,
        r#"{"ServerURL":"h","Username":"AWS","Secret":"hunter2"} hunter2"#,
    ] {
        let output = sandbox.run("store", input);
        refusal(&output);
        assert!(!format!("{output}").contains("hunter2"), "{input}\n{output}");
    }
    let bytes: &[u8] = b"{\"ServerURL\":\"h\",\"Username\":\"AWS\",\"Secret\":\"hunter2\xff\"}";
    assert!(!refusal(&sandbox.run("store", bytes)).contains("hunter2"));
}

#[test]
fn wrong_input_is_an_error_and_never_a_panic() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    let inputs: [Vec<u8>; 11] = [
        b"\xff\xfe\x00".to_vec(),
        [HOST.as_bytes(), b"\xc3\x28"].concat(),
        [HOST.as_bytes(), b"\0"].concat(),
        [b"\0".as_slice(), HOST.as_bytes()].concat(),
        format!("{HOST}\nother").into_bytes(),
        format!("{HOST} other").into_bytes(),
        format!("{HOST}\x1b[2J").into_bytes(),
        b"https://[::1".to_vec(),
        format!("[{HOST}").into_bytes(),
        vec![b'a'; 4 << 20],
        vec![b'\n'; 4 << 20],
    ];
    for verb in ["get", "erase", "store"] {
        for input in &inputs {
            let output = sandbox.run(verb, input);
            let shown = String::from_utf8_lossy(input.get(..60.min(input.len())).unwrap());
            let line = refusal(&output);
            assert_ne!(line, NOT_FOUND, "{verb} {shown:?}");
            assert!(!line.contains('\x1b'), "{verb} {shown:?}");
        }
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn input_is_read_up_to_one_mebibyte() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    let padded = |length: usize| format!("{HOST}{}", " ".repeat(length - HOST.len()));
    assert_eq!(sandbox.get(&padded(1 << 20)).server_url(), HOST);
    fake.clear();
    refusal(&sandbox.get(&padded((1 << 20) + 1)));
    assert_eq!(fake.total(), 0);
}

#[test]
fn endless_input_is_not_waited_out() {
    let mut command = Sandbox::new().command("get");
    let zeros = File::open("/dev/zero").unwrap();
    let child = command.stdin(zeros).stdout(Stdio::null()).spawn().unwrap();
    assert_eq!(exit_code(child), Some(1));
}

#[test]
fn a_missing_or_unreadable_stdin_is_an_error() {
    let sandbox = Sandbox::new();
    let with_stdin = |script: &str| {
        let command = sandbox.command("get");
        let program = command.get_program().to_owned();
        sandbox.run_with("get", "", |command| {
            let envs: Vec<_> = command
                .get_envs()
                .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
                .collect();
            *command = Command::new("sh");
            command.args(["-c", script]).arg(&program).env_clear();
            command.envs(envs);
        })
    };
    refusal(&with_stdin(r#"exec "$0" get <&-"#));
    refusal(&with_stdin(r#"exec "$0" get </"#));
}

#[test]
fn no_verb_or_too_many_is_answered_with_the_usage_and_a_hint() {
    let sandbox = Sandbox::new();
    let usage = format!("Usage: {NAME} <store|get|erase|list|version>\n");
    let help = format!("For more information, try '{NAME} --help'.\n");
    let stdin =
        |verb| format!("The server is read from stdin, not from the arguments: printf SERVER | {NAME} {verb}\n");
    for (args, hint) in [
        (&[][..], &help),
        (&["get", "get"], &stdin("get")),
        (&["get", "https://user:hunter2@host"], &stdin("get")),
        (&["erase", HOST], &stdin("erase")),
        (&["list", "unused"], &help),
        (&["store", "hunter2"], &help),
        (&["frobnicate", HOST], &help),
        (&["--", "get"], &help),
    ] {
        let output = sandbox.run_args(args);
        assert_eq!(output.code, Some(1), "{args:?} {output}");
        assert_eq!((&output.stdout, &output.stderr), (&usage, hint), "{args:?}");
    }
}

#[test]
fn help_is_given_wherever_it_is_asked_for() {
    let sandbox = Sandbox::new();
    for args in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["get", "--help"],
        &["help", "get"],
        &["help", "--help"],
        &["help", "-h"],
        &["--help", "get"],
        &["completions", "--help"],
    ] {
        let output = sandbox.run_args(args);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(output.stdout.contains("Usage: "), "{args:?} {output}");
    }
    for args in [&["get", "-h"][..], &["help", "get"]] {
        let output = sandbox.run_args(args);
        let example = format!("printf {HOST} | {NAME} get");
        assert!(output.stdout.contains(&example), "{args:?} {output}");
    }
}

#[test]
fn a_wrong_command_line_of_a_command_that_is_not_dockers_is_explained_on_stderr() {
    let sandbox = Sandbox::new();
    for (args, words) in [
        (&["completions"][..], "<SHELL>"),
        (&["completions", "tcsh"], "'tcsh'"),
        (&["completions", "\x1b[31mred"], "[31mred"),
        (&["completions", "bash", "zsh"], "'zsh'"),
        (&["completions", "--bash"], "'--bash'"),
        (&["help", "frobnicate"], "'frobnicate'"),
    ] {
        let output = sandbox.run_args(args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(output.stderr.starts_with("error: "), "{args:?} {output}");
        assert!(output.stderr.contains(words), "{args:?} {output}");
        assert!(!output.stderr.contains('\x1b'), "{args:?} {output}");
        assert!(!output.stderr.ends_with("\n\n"), "{args:?} {output}");
    }
}

#[test]
fn an_unknown_verb_is_named() {
    let sandbox = Sandbox::new();
    for verb in ["frobnicate", "GET", "get ", "-x", "--versio", ""] {
        let output = sandbox.run(verb, HOST);
        assert_eq!(output.code, Some(1), "{verb:?} {output}");
        let expected = format!("{NAME}: unknown action: {verb}");
        assert_eq!(output.stdout.trim_end(), expected.trim_end(), "{verb:?}");
        let hint = format!("For more information, try '{NAME} --help'.\n");
        assert_eq!(output.stderr, hint, "{verb:?}");
    }
    let output = sandbox.run_with("x", "", |command| {
        use std::os::unix::ffi::OsStrExt;
        let program = command.get_program().to_owned();
        *command = Command::new(program);
        command
            .arg(std::ffi::OsStr::from_bytes(b"g\xff\x1b[31m\nt"))
            .env_clear();
    });
    let line = refusal(&output);
    assert!(line.starts_with(&format!("{NAME}: unknown action: g")));
    assert!(!line.contains('\x1b'), "{line:?}");
}

#[test]
fn the_version_is_printed_in_dockers_form() {
    let sandbox = Sandbox::new();
    let expected = format!("{NAME} ({NAME}) {}\n", env!("CARGO_PKG_VERSION"));
    for verb in ["version", "--version", "-v"] {
        let output = sandbox.run(verb, "unused");
        let (code, stdout) = (output.code, output.stdout.as_str());
        assert_eq!((code, stdout), (Some(0), expected.as_str()), "{verb}");
        assert_eq!(output.stderr, "", "{verb}");
    }
}

#[test]
fn verbs_that_ignore_stdin_do_not_wait_for_it() {
    let sandbox = Sandbox::new();
    for verb in ["version", "--version", "--help", "list"] {
        let (_kept_open, stdin) = {
            let (reader, writer) = std::io::pipe().unwrap();
            (writer, reader)
        };
        let mut command = sandbox.command(verb);
        let child = command.stdin(stdin).stdout(Stdio::null()).spawn().unwrap();
        assert_eq!(exit_code(child), Some(0), "{verb}");
    }
}

#[test]
fn the_input_of_list_is_ignored_whatever_it_is() {
    let sandbox = Sandbox::new();
    for input in [&b""[..], b"unused", b"\xff\0", &[b'x'; 2 << 20]] {
        let output = sandbox.run("list", input);
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), "{}\n"));
    }
}

#[test]
fn a_stdout_that_takes_nothing_is_a_failure_and_no_panic() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    sandbox.get(HOST).password();
    let server = sandbox.write("server", HOST);
    for verb in ["get", "list", "version", "--help", "frobnicate"] {
        for kind in ["full", "broken"] {
            let stdout: Stdio = match kind {
                "full" => File::options().write(true).open("/dev/full").unwrap().into(),
                _ => {
                    let (reader, writer) = std::io::pipe().unwrap();
                    drop(reader);
                    writer.into()
                }
            };
            let mut command = sandbox.command(verb);
            command.stdin(File::open(&server).unwrap()).stdout(stdout);
            let output = command.stderr(Stdio::piped()).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{verb} {kind}: {stderr}");
            match kind {
                "full" => assert!(stderr.contains("cannot be written: no space left"), "{stderr}"),
                _ => assert!(!stderr.contains("cannot be written"), "{verb}: {stderr}"),
            }
        }
    }
}

#[test]
fn a_closed_stdout_or_stderr_is_no_panic() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    let mut nobody = Sandbox::new();
    nobody.point_at(&fake);
    for (sandbox, script, code) in [
        (&sandbox, r#""$0" get >&-; echo "code=$?" >&2"#, None),
        (&nobody, r#""$0" get 2>&-; echo "code=$?" >&2"#, Some(1)),
        (&nobody, r#""$0" get 2>/dev/full; echo "code=$?" >&2"#, Some(1)),
        (&nobody, r#""$0" get >&- 2>&-; echo "code=$?" >&2"#, Some(1)),
    ] {
        let output = sandbox.run_with("get", HOST, |command| {
            let envs: Vec<_> = command
                .get_envs()
                .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
                .collect();
            let program = command.get_program().to_owned();
            *command = Command::new("sh");
            command.args(["-c", script]).arg(program).env_clear();
            command.envs(envs);
        });
        // std opens /dev/null in place of a closed stream, so a get into nothing may succeed.
        let codes = code.map_or(vec![0, 1], |code| vec![code]);
        let last = output.stderr.lines().last().unwrap_or_default();
        let expected: Vec<_> = codes.iter().map(|code| format!("code={code}")).collect();
        assert!(expected.iter().any(|line| line == last), "{script} {output}");
        assert!(!output.stderr.contains("panicked"), "{script} {output}");
        if !output.stdout.is_empty() {
            assert_eq!(output.stdout.trim(), NOT_FOUND, "{script}");
        }
    }
}
