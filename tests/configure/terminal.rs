//! A person at a terminal: colours.

use std::process::Command;
use std::time::Duration;

use super::support::{Running, Sandbox};
use super::{PUBLIC, sandbox};

/// What is seen on a terminal; none where there is no `script` to make one.
fn on_a_terminal(sandbox: &Sandbox, args: &str) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no script(1)");
        return None;
    }
    let configure = sandbox.command("configure");
    let command = format!("{} configure {args}", configure.get_program().to_str().unwrap());
    let mut script = Command::new("script");
    script
        .env_clear()
        .envs(configure.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .args(["-qec", &command, "/dev/null"]);
    Some(Running::start(script, "", Duration::from_secs(30)).wait().stdout)
}

#[test]
fn colours_are_seen_on_a_terminal_that_wants_them() {
    for (term, no_color, coloured) in [("xterm", "", true), ("dumb", "", false), ("xterm", "1", false)] {
        let mut sandbox = sandbox();
        sandbox.env("TERM", term).env("NO_COLOR", no_color);
        if let Some(seen) = on_a_terminal(&sandbox, PUBLIC) {
            assert_eq!(seen.contains("\x1b[32m+ public.ecr.aws"), coloured, "{seen:?}");
            assert!(seen.contains("+ public.ecr.aws   ecr-login"), "{seen:?}");
        }
    }
}
