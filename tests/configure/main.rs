//! `configure`: what it does to the files of docker, of podman, and to our own, and what it leaves as it is.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod account;
mod files;
mod removal;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

use std::env;
use std::fs;
use std::path::PathBuf;

use support::{Output, Sandbox};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const PUBLIC: &str = "public.ecr.aws";
const DOCKER: &str = ".docker/config.json";

/// A home, and a PATH on which docker would find the program.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let program = PathBuf::from(sandbox.command("version").get_program());
    let directories = [program.parent().unwrap().to_owned()];
    let path = env::join_paths(
        directories
            .into_iter()
            .chain(env::split_paths(&env::var_os("PATH").unwrap())),
    )
    .unwrap();
    sandbox.env("PATH", path);
    sandbox
}

fn with_config(text: &str) -> Sandbox {
    let sandbox = sandbox();
    sandbox.write(DOCKER, text);
    sandbox
}

fn read(sandbox: &Sandbox, below_home: &str) -> String {
    let path = sandbox.home().join(below_home);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn config(sandbox: &Sandbox) -> String {
    read(sandbox, DOCKER)
}

fn configure(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.run_args(&[&["configure"], args].concat())
}

/// Runs it, and checks that it succeeds and warns of nothing.
fn done(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = configure(sandbox, args);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
    output.stdout
}

/// Runs it, and checks that it fails with one line; without the program's name in front.
fn refused(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = configure(sandbox, args);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    let line = output.stderr.strip_prefix("docker-credential-ecr-login: ");
    line.unwrap_or_else(|| panic!("{output}")).trim_end().to_owned()
}

/// The names of all files and directories in the home.
fn all_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![sandbox.home().to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                left.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_file_is_as_docker_writes_it() {
    let sandbox = sandbox();
    let report = done(&sandbox, &[HOST, PUBLIC]);
    let expected =
        format!("{{\n\t\"credHelpers\": {{\n\t\t\"{HOST}\": \"ecr-login\",\n\t\t\"{PUBLIC}\": \"ecr-login\"\n\t}}\n}}");
    assert_eq!(config(&sandbox), expected);
    let path = sandbox.home().join(DOCKER);
    assert_eq!(
        report,
        format!(
            "{}\n  + {HOST}   ecr-login\n  + {PUBLIC:44}   ecr-login\n",
            path.display()
        )
    );
    assert_eq!(support::mode(&path), 0o600);
    assert_eq!(support::mode(path.parent().unwrap()), 0o700);
}

#[test]
fn an_empty_file_counts_as_an_empty_object() {
    for text in ["", "\n", " \r\n", "{}\n"] {
        let sandbox = with_config(text);
        done(&sandbox, &[PUBLIC]);
        let json: serde_json::Value = serde_json::from_str(&config(&sandbox)).unwrap();
        assert_eq!(json["credHelpers"][PUBLIC], "ecr-login", "{text:?}");
        assert_eq!(config(&sandbox).ends_with('\n'), text.ends_with('\n'), "{text:?}");
    }
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let sandbox = sandbox();
    done(&sandbox, &[PUBLIC]);
    let modified = || fs::metadata(sandbox.home().join(DOCKER)).unwrap().modified().unwrap();
    let (text, time) = (config(&sandbox), modified());
    let report = done(&sandbox, &[PUBLIC]);
    assert!(report.starts_with("nothing to do"), "{report}");
    assert!(
        report.contains("= public.ecr.aws   ecr-login (was there already)"),
        "{report}"
    );
    assert_eq!((config(&sandbox), modified()), (text, time));
}

#[test]
fn everything_else_stays_as_it_is_to_the_byte() {
    // Odd and big numbers, escapes, order, white space: each between its own ends of lines and indentation.
    let odd =
        r#""n": [1e400, 1.0, -0, 12345678901234567890, 1E+2], "e": "\u00e9\/\ud83d\ude00", "z" :{"b": 1,"a" :null }"#;
    for (before, after) in [
        (
            format!("{{{odd}}}"),
            format!("{{{odd}, \"credHelpers\": {{\"{PUBLIC}\": \"ecr-login\"}}}}"),
        ),
        (
            format!("{{\n  {odd}\n}}\n"),
            format!("{{\n  {odd},\n  \"credHelpers\": {{\n    \"{PUBLIC}\": \"ecr-login\"\n  }}\n}}\n"),
        ),
        (
            format!("{{\n    {odd}\n}}"),
            format!("{{\n    {odd},\n    \"credHelpers\": {{\n        \"{PUBLIC}\": \"ecr-login\"\n    }}\n}}"),
        ),
        (
            format!("{{\r\n\t{odd}\r\n}}\r\n"),
            format!("{{\r\n\t{odd},\r\n\t\"credHelpers\": {{\r\n\t\t\"{PUBLIC}\": \"ecr-login\"\r\n\t}}\r\n}}\r\n"),
        ),
        (
            format!("{{\n\t\"credHelpers\": {{\n\t\t\"x\": \"y\"\n\t}},\n\t{odd}\n}}"),
            format!(
                "{{\n\t\"credHelpers\": {{\n\t\t\"x\": \"y\",\n\t\t\"{PUBLIC}\": \"ecr-login\"\n\t}},\n\t{odd}\n}}"
            ),
        ),
    ] {
        let sandbox = with_config(&before);
        done(&sandbox, &[PUBLIC]);
        assert_eq!(config(&sandbox), after);
        done(&sandbox, &["--remove", PUBLIC]);
        assert_eq!(config(&sandbox), before);
    }
}

#[test]
fn a_deep_file_is_no_trouble() {
    let deep = format!("{{\"deep\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let sandbox = with_config(&deep);
    done(&sandbox, &[PUBLIC]);
    assert!(config(&sandbox).starts_with(deep.trim_end_matches('}')));
    done(&sandbox, &["--remove"]);
    assert_eq!(config(&sandbox), deep);
}

#[test]
fn another_helper_is_replaced_and_named() {
    let sandbox = with_config(r#"{"CredHelpers":{"public.ecr.aws":"gcr"}}"#);
    let report = done(&sandbox, &[PUBLIC]);
    assert!(report.contains("~ public.ecr.aws   ecr-login (was gcr)"), "{report}");
    assert_eq!(config(&sandbox), r#"{"CredHelpers":{"public.ecr.aws":"ecr-login"}}"#);
}

#[test]
fn names_from_a_file_cannot_move_the_cursor() {
    let text =
        r#"{"credHelpers":{"public.ecr.aws":"g\u001b[2Jc\nr\u202e"},"credsStore":"d\u001b]0;x\u0007\r\n= fake"}"#;
    for args in [&[PUBLIC, "--store"][..], &["--remove", PUBLIC, "--store"]] {
        let sandbox = with_config(text);
        let report = done(&sandbox, args);
        assert!(
            !report.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'),
            "{report:?}"
        );
        assert!(
            report.contains("g [2Jc r") && report.contains("d ]0;x = fake"),
            "{report:?}"
        );
    }
    let mut sandbox = sandbox();
    sandbox.env("DOCKER_CONFIG", sandbox.home().join("a\x1b[2J\nb"));
    let report = done(&sandbox, &["--remove"]);
    assert_eq!(
        (report.lines().count(), report.contains('\x1b')),
        (1, false),
        "{report:?}"
    );
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_refused_and_stays() {
    for (text, named) in [
        ("{\"a\": 1,}", "line 1"),
        ("{\"a\": 1", "not valid JSON"),
        ("// mine\n{}", "not valid JSON"),
        ("\u{feff}{}", "not valid JSON"),
        ("[]", "not an object"),
        ("null", "not an object"),
        ("{\"credHelpers\": []}", "credHelpers"),
        ("{\"credHelpers\": {}, \"credHelpers\": {}}", "credHelpers"),
        ("{\"credHelpers\": {}, \"credhelpers\": {}}", "credHelpers"),
        (
            "{\"credHelpers\": {\"public.ecr.aws\": \"a\", \"public.ecr.aws\": \"b\"}}",
            PUBLIC,
        ),
        ("{\"credHelpers\": {\"x\": 1}}", "\"x\""),
        ("{\"credsStore\": 1}", "credsStore"),
    ] {
        let sandbox = with_config(text);
        let before = all_files(&sandbox);
        for args in [
            &[PUBLIC][..],
            &["--remove", PUBLIC],
            &["--store"],
            &["--dry-run", PUBLIC],
        ] {
            let why = refused(&sandbox, args);
            assert!(why.contains(named), "{text}: {why}");
            assert!(why.contains(sandbox.home().join(DOCKER).to_str().unwrap()), "{why}");
            assert_eq!(config(&sandbox), text);
            assert_eq!(all_files(&sandbox), before);
        }
    }
    let sandbox = sandbox();
    let path = sandbox.write(DOCKER, b"{\"a\": \"\xff\"}");
    assert!(refused(&sandbox, &[PUBLIC]).contains("UTF-8"));
    assert_eq!(fs::read(path).unwrap(), b"{\"a\": \"\xff\"}");
}

#[test]
fn a_registry_that_is_not_ecr_is_refused_before_anything_is_written() {
    let sandbox = sandbox();
    for wrong in [
        "ghcr.io",
        "docker.io/library/alpine",
        "public.ecr.aws.evil.example",
        "https://ghcr.io",
        "",
    ] {
        let why = refused(&sandbox, &[PUBLIC, wrong]);
        let host = wrong.trim_start_matches("https://").split('/').next().unwrap();
        assert!(why.contains(host), "{why}");
        assert!(all_files(&sandbox).is_empty());
    }
    let why = refused(&sandbox, &["https://AWS:password@public.ecr.aws"]);
    assert!(!why.contains("password"), "{why}");
}

#[test]
fn registries_are_understood_in_every_form_and_written_once() {
    let sandbox = sandbox();
    done(
        &sandbox,
        &[
            "https://PUBLIC.ecr.aws/x/y",
            "public.ecr.aws.",
            "https://public.ecr.aws:443",
            "public.ecr.aws:5000/x",
        ],
    );
    let json: serde_json::Value = serde_json::from_str(&config(&sandbox)).unwrap();
    let expected =
        serde_json::json!({"credHelpers": {"public.ecr.aws": "ecr-login", "public.ecr.aws:5000": "ecr-login"}});
    assert_eq!(json, expected);
}

#[test]
fn without_a_registry_it_says_what_to_name() {
    let sandbox = sandbox();
    let why = refused(&sandbox, &[]);
    assert!(why.contains("name"), "{why}");
    assert!(all_files(&sandbox).is_empty());
}

#[test]
fn wrong_usage_is_on_stderr() {
    let sandbox = sandbox();
    for args in [&["--client", "helm"][..], &["--profile"], &["--what"]] {
        let output = configure(&sandbox, args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
}

#[test]
fn podman_has_its_own_file() {
    let mut sandbox = sandbox();
    done(&sandbox, &["--client", "podman", PUBLIC]);
    assert!(read(&sandbox, ".config/containers/auth.json").contains("\"public.ecr.aws\": \"ecr-login\""));
    assert!(!sandbox.home().join(DOCKER).exists());
    let named = sandbox.write("named.json", r#"{"auths": {"h": {"auth": "YTpi"}}}"#);
    sandbox.env("REGISTRY_AUTH_FILE", &named);
    done(&sandbox, &["--client", "podman", PUBLIC]);
    let expected = r#"{"auths": {"h": {"auth": "YTpi"}}, "credHelpers": {"public.ecr.aws": "ecr-login"}}"#;
    assert_eq!(read(&sandbox, "named.json"), expected);
    let why = refused(&sandbox, &["--client", "podman", "--store"]);
    assert!(why.contains("credsStore") && why.contains("registries.conf"), "{why}");
}

#[test]
fn docker_config_names_the_directory() {
    let mut sandbox = sandbox();
    let directory = sandbox.home().join("elsewhere");
    sandbox.env("DOCKER_CONFIG", &directory);
    done(&sandbox, &[PUBLIC]);
    assert!(directory.join("config.json").exists() && !sandbox.home().join(".docker").exists());
    sandbox.unset("DOCKER_CONFIG").unset("HOME");
    assert!(refused(&sandbox, &[PUBLIC]).contains("DOCKER_CONFIG"));
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let sandbox = sandbox();
    let path = sandbox.home().join(DOCKER);
    let report = done(&sandbox, &["--dry-run", "--profile", "dev", PUBLIC]);
    assert!(all_files(&sandbox).is_empty(), "{:?}", all_files(&sandbox));
    assert!(report.contains(&format!("+++ {}\n", path.display())), "{report}");
    assert!(report.contains("+\t\t\"public.ecr.aws\": \"ecr-login\"\n"), "{report}");
    assert!(report.contains("docker-credential-ecr-login/config.toml\n"), "{report}");
    assert!(report.contains("+profile = \"dev\"\n"), "{report}");

    sandbox.write(DOCKER, "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
    let report = done(&sandbox, &["--dry-run", PUBLIC]);
    let name = path.display();
    let expected = format!(
        "--- {name}\n+++ {name}\n@@ -3,1 +3,4 @@\n-  \"b\": 2\n+  \"b\": 2,\n+  \"credHelpers\": {{\n\
         +    \"public.ecr.aws\": \"ecr-login\"\n+  }}\n"
    );
    assert_eq!(report, expected);
    done(&sandbox, &[PUBLIC]);
    assert!(done(&sandbox, &["--dry-run", PUBLIC]).starts_with("nothing to do"));
}

#[test]
fn a_dry_run_shows_no_secret() {
    let secrets = r#""auths": {"h": {"auth": "secret1", "Password": "secret2", "identitytoken": "sec\"ret3", "registrytoken": "secret4"}}"#;
    let headers = r#""HttpHeaders": {"X-Token": "secret5"}"#;
    for text in [
        format!("{{{secrets}, {headers}}}"),
        format!("{{\n  {headers},\n  {secrets}\n}}\n"),
    ] {
        let sandbox = with_config(&text);
        for args in [&["--dry-run", PUBLIC][..], &["--dry-run", "--store"]] {
            let output = configure(&sandbox, args);
            assert!(
                !output.stdout.contains("secret") && !output.stdout.contains("ret3"),
                "{output}"
            );
            assert!(output.stdout.contains("\"auth\": \"…\""), "{output}");
            assert!(output.stdout.contains("\"ecr-login\""), "{output}");
        }
        let output = configure(&sandbox, &["--store", PUBLIC]);
        assert!(!format!("{output}").contains("secret"), "{output}");
    }
}

#[test]
fn a_program_that_docker_would_not_find_is_worth_a_warning() {
    let mut sandbox = sandbox();
    sandbox.env("PATH", "/nowhere");
    let output = configure(&sandbox, &[PUBLIC]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stderr.contains("not found on PATH"), "{output}");
    assert!(done(&sandbox, &["--remove"]).contains("- public.ecr.aws   ecr-login"));
}
