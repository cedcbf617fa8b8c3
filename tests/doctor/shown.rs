//! The report as a person sees it.

use std::io::Read;
use std::process::Stdio;

use super::{HOST, IDENTITY, Reply, STEPS, assert_shows_no_secret, examine, world};

#[test]
fn each_step_is_a_line_of_columns_without_colours_where_nobody_sees_them() {
    let mut world = world();
    world.sandbox.env("TERM", "xterm");
    world.fake.on(IDENTITY, Reply::aws_error(403, "AccessDenied", "no"));
    let output = world.sandbox.run_args(&["doctor", HOST]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
    assert_shows_no_secret(&output.stdout);
    assert!(!output.stdout.contains('\x1b'), "{output}");
    let mut steps = Vec::new();
    for line in output.stdout.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with(' ') {
            assert!(line.starts_with(&format!("{:24}-> ", "")), "{line:?}");
            continue;
        }
        let (state, rest) = line.split_at(9);
        assert!(["ok       ", "warning  ", "failure  "].contains(&state), "{line:?}");
        let (step, found) = rest.split_at(15);
        assert!(step.ends_with("  ") && !found.starts_with(' '), "{line:?}");
        assert!(found.ends_with(" ms)"), "{line:?}");
        steps.push(step.trim_end().to_owned());
    }
    assert_eq!(steps, STEPS);
    assert!(output.stdout.ends_with("\n\n1 warning.\n"), "{output}");
}

#[test]
fn the_last_line_says_what_it_comes_down_to() {
    let mut world = world();
    let last = |args: &[&str], world: &super::World| {
        let output = world.sandbox.run_args(&[&["doctor"], args].concat());
        output.stdout.lines().last().unwrap().to_owned()
    };
    assert_eq!(last(&[HOST], &world), "Nothing is wrong.");
    world
        .sandbox
        .env("AWS_ECR_TIMEOUT", "soon")
        .env("AWS_ECR_DISABLE_CACHE", "1");
    world.sandbox.write(super::DOCKER, "{");
    assert_eq!(last(&[HOST], &world), "2 failures, 1 warning.");
}

#[test]
fn colours_are_seen_on_a_terminal_that_wants_them() {
    for (term, no_color, coloured) in [("xterm", "", true), ("dumb", "", false), ("xterm", "1", false)] {
        let mut world = world();
        world.sandbox.env("TERM", term).env("NO_COLOR", no_color);
        let seen = world.sandbox.at_terminal(&["doctor", HOST]).wait();
        assert_eq!(seen.answer().code, 0, "{seen:?}");
        assert_eq!(
            seen.terminal.contains("\x1b[32mok     \x1b[0m  host"),
            coloured,
            "{seen:?}"
        );
        assert_eq!(seen.terminal.contains('\x1b'), coloured, "{seen:?}");
        assert!(seen.terminal.contains("host           123456789012"), "{seen:?}");
    }
}

#[test]
fn json_is_never_coloured_and_ends_with_its_line() {
    let mut world = world();
    world.sandbox.env("TERM", "xterm");
    let seen = world.sandbox.at_terminal(&["doctor", "--json", HOST]).wait();
    assert!(
        !seen.terminal.contains('\x1b') && seen.terminal.ends_with("}\r\n"),
        "{seen:?}"
    );
}

#[test]
fn times_are_those_of_the_steps() {
    let world = world();
    let delay = std::time::Duration::from_millis(150);
    world.fake.on(IDENTITY, super::identity(super::ARN).after(delay));
    let seen = examine(&world);
    let took = |step: &str| seen.step(step)["milliseconds"].as_f64().unwrap();
    assert!(took("identity") >= 150.0, "{seen}");
    assert!(took("host") < 150.0, "{seen}");
}

#[test]
fn whoever_reads_no_further_is_no_reason_to_hang_or_panic() {
    let world = world();
    let mut command = world.sandbox.command("doctor");
    command
        .arg(HOST)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(first, *b"o");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.code().is_some(), "{output:?}");
}

#[test]
fn wrong_usage_is_on_stderr() {
    let world = world();
    for args in [&["doctor", "--what"][..], &["doctor", HOST, HOST]] {
        let output = world.sandbox.run_args(args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
        assert!(output.stderr.contains("doctor"), "{output}");
    }
}
