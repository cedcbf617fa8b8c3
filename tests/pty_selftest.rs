//! The pseudo-terminal of the tests, tested by itself: with shells, and nothing of the program.

#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;

use support::OnTerminal;

fn shell(script: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script]).env("PATH", "/usr/bin:/bin");
    shell
}

#[test]
fn stdin_and_stdout_are_pipes_and_stderr_is_the_terminal() {
    let script = "cat; test -t 0 || test -t 1 || echo no terminal; test -t 2 && echo a terminal >&2; exit 3";
    let seen = OnTerminal::start(&shell(script), "input\n").wait();
    let answer = seen.answer();
    assert_eq!((answer.code, answer.stdout.as_str()), (3, "input\nno terminal\n"));
    assert_eq!(seen.terminal, "a terminal\r\n");
    assert!(seen.echoes);
}

#[test]
fn a_person_reads_and_types_on_the_terminal_that_no_pipe_leads_to() {
    let script = "stty -echo </dev/tty; printf 'code: ' >/dev/tty; read code </dev/tty; echo \"got $code\"";
    let mut terminal = OnTerminal::start(&shell(script), "");
    assert_eq!(terminal.wait_for("code: "), "code: ");
    assert!(!terminal.echoes());
    terminal.press("123456\r");
    let seen = terminal.wait();
    assert_eq!(seen.answer().stdout, "got 123456\n");
    assert!(!seen.terminal.contains("123456"), "{seen:?}");
    assert!(!seen.echoes, "what a program leaves behind is seen");
}

/// A terminal whose first process has ended loses what nobody read; many times, for it is a race.
#[test]
fn the_last_words_are_always_seen() {
    for _ in 0..50 {
        let seen = OnTerminal::start(&shell("echo last words >&2"), "").wait();
        assert_eq!(seen.terminal, "last words\r\n");
    }
}

#[test]
fn a_signal_is_told_as_a_shell_tells_it() {
    let seen = OnTerminal::start(&shell("kill -9 $$"), "").wait();
    assert_eq!(seen.answer().code, 128 + 9);
    let mut terminal = OnTerminal::start(&shell("printf ready >&2; exec sleep 60"), "");
    terminal.wait_for("ready");
    terminal.press("\x03");
    assert_eq!(terminal.wait().answer().code, 128 + 2);
}

#[test]
fn programs_on_one_terminal_each_have_an_answer() {
    let directory = tempfile::tempdir().unwrap();
    // Only one of them reads: a shell reads byte by byte, and two would share a line.
    let script = "read name; printf \"$name? \" >/dev/tty; test $name = a || exit 3; read word </dev/tty; echo $word";
    let mut terminal = OnTerminal::start_each(&shell(script), &["a\n", "b\n"], directory.path());
    terminal.wait_for("a? ");
    terminal.press("word\r");
    let seen = terminal.wait();
    assert!(seen.terminal.contains("b? "), "{seen:?}");
    let answers = seen.answers.iter().map(|one| (one.code, one.stdout.as_str()));
    assert_eq!(answers.collect::<Vec<_>>(), [(0, "word\n"), (3, "")]);
}
