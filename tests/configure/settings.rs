//! `--profile` and `--store`, which also write our own config.toml.

use std::fs;

use super::support::mode;
use super::{DOCKER, HOST, PUBLIC, all_files, config, configure, done, read, refused, sandbox, with_config};

const TOML: &str = ".config/docker-credential-ecr-login/config.toml";
const LOGIN: &str = r#"{"auths":{"h.example":{"auth":"YTpi"},"empty.example":{}}}"#;

#[test]
fn a_profile_is_mapped_in_our_own_file() {
    let sandbox = sandbox();
    let report = done(&sandbox, &["--profile", "dev", PUBLIC]);
    assert_eq!(
        read(&sandbox, TOML),
        "[[registry]]\nmatch = \"public.ecr.aws\"\nprofile = \"dev\"\n"
    );
    assert!(report.contains("+ public.ecr.aws   profile dev\n"), "{report}");
    assert!(report.contains("+ public.ecr.aws   ecr-login\n"), "{report}");
    let path = sandbox.home().join(TOML);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert!(done(&sandbox, &["--profile", "dev", PUBLIC]).starts_with("nothing to do"));
    let report = done(&sandbox, &["--profile", "prod", PUBLIC]);
    assert!(report.contains("~ public.ecr.aws   profile prod (was dev)"), "{report}");
    assert!(
        report.contains("= public.ecr.aws   ecr-login (was there already)"),
        "{report}"
    );
}

#[test]
fn the_file_is_the_one_that_a_variable_names() {
    let mut sandbox = sandbox();
    sandbox.env("AWS_ECR_CONFIG_FILE", "~/mine.toml");
    done(&sandbox, &["--profile", "dev", PUBLIC]);
    assert!(read(&sandbox, "mine.toml").contains("dev"));
    assert!(!sandbox.home().join(".config").exists());
}

#[test]
fn a_new_entry_is_in_front_of_those_that_would_match_first() {
    let sandbox = sandbox();
    sandbox.write(
        TOML,
        "timeout = 5 # s\n\n# all\n[[registry]]\nmatch = \"*\" # any\nprofile = 'x'\n",
    );
    done(&sandbox, &["--profile", "dev", &format!("{PUBLIC}:5000")]);
    assert_eq!(
        read(&sandbox, TOML),
        "timeout = 5 # s\n\n[[registry]]\nmatch = \"public.ecr.aws\"\nprofile = \"dev\"\n\n# all\n[[registry]]\n\
         match = \"*\" # any\nprofile = 'x'\n"
    );
}

const BEHIND: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

#[test]
fn another_name_for_a_registry_stays_one() {
    let glob = format!("[[registry]]\nmatch = \"*.corp.example\"\necr = \"{BEHIND}\"\n");
    let sandbox = sandbox();
    sandbox.write(TOML, &glob);
    done(&sandbox, &["--profile", "other", "r.corp.example:5000"]);
    let entry = format!("[[registry]]\nmatch = \"r.corp.example\"\necr = \"{BEHIND}\"\nprofile = \"other\"\n\n");
    assert_eq!(read(&sandbox, TOML), format!("{entry}{glob}"));
    let report = done(&sandbox, &["--profile", "other", "r.corp.example:5000"]);
    assert!(report.starts_with("nothing to do"), "{report}");
    done(&sandbox, &["--profile", "third", "r.corp.example:5000"]);
    assert_eq!(
        read(&sandbox, TOML),
        format!("{}{glob}", entry.replace("other", "third"))
    );
    done(&sandbox, &["--remove", "r.corp.example:5000"]);
    assert_eq!(read(&sandbox, TOML), glob, "what was copied goes too");
}

#[test]
fn an_entry_that_another_comes_before_is_moved_in_front() {
    for (pattern, ecr) in [
        ("*.corp.example", format!("ecr = \"{BEHIND}\"\n")),
        ("*.aws", String::new()),
    ] {
        let host = if ecr.is_empty() { PUBLIC } else { "r.corp.example" };
        let glob = format!("# all\n[[registry]]\nmatch = \"{pattern}\"\n{ecr}profile = \"x\"\n");
        // With a name as people write it, and with the profile that is asked for or another.
        for (name, profile) in [(host.to_owned(), "old"), (host.to_uppercase(), "dev")] {
            let sandbox = sandbox();
            let toml =
                format!("timeout = 5\n\n{glob}\n[[registry]]\nmatch = \"{name}\"\n{ecr}profile = \"{profile}\"\n");
            sandbox.write(TOML, &toml);
            let report = done(&sandbox, &["--profile", "dev", host]);
            let entry = format!("[[registry]]\nmatch = \"{host}\"\n{ecr}profile = \"dev\"\n");
            assert_eq!(read(&sandbox, TOML), format!("timeout = 5\n\n{entry}\n{glob}"));
            assert!(
                report.contains(&format!("~ {host}   profile dev (moved in front of line 4")),
                "{report}"
            );
            let report = done(&sandbox, &["--profile", "dev", host]);
            assert!(report.starts_with("nothing to do"), "{report}");
        }
    }
}

#[test]
fn an_entry_that_says_more_is_not_moved() {
    let pattern = "[[registry]]\nmatch = \"*.aws\"\nprofile = \"x\"\n\n";
    for more in [
        "role_arn = \"arn:aws:iam::123456789012:role/r\"\n",
        "profile = \"a\" # mine\n",
        "# mine\nprofile = \"a\"\n",
        &format!("ecr = \"{BEHIND}\"\n"),
    ] {
        let sandbox = sandbox();
        let toml = format!("{pattern}[[registry]]\nmatch = \"public.ecr.aws\"\n{more}");
        let path = sandbox.write(TOML, &toml);
        let why = refused(&sandbox, &["--profile", "dev", HOST, PUBLIC]);
        for part in [path.to_str().unwrap(), "line 5", "line 1", "by hand"] {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert_eq!(read(&sandbox, TOML), toml);
        assert!(!sandbox.home().join(DOCKER).exists());
    }
}

#[test]
fn an_entry_behind_others_that_do_not_match_stays_where_it_is() {
    let sandbox = sandbox();
    let toml =
        "[[registry]]\nmatch = \"*.example\"\n\n[[registry]]\nmatch = \"public.ecr.aws\" # mine\nprofile = \"a\"\n";
    sandbox.write(TOML, toml);
    done(&sandbox, &["--profile", "dev", PUBLIC]);
    assert_eq!(read(&sandbox, TOML), toml.replace("\"a\"", "\"dev\""));
}

#[test]
fn a_name_that_would_be_a_pattern_is_refused() {
    let sandbox = sandbox();
    let toml = format!("[[registry]]\nmatch = \"*.corp.example\"\necr = \"{BEHIND}\"\n");
    sandbox.write(TOML, &toml);
    for host in ["*.corp.example", "a*b.corp.example", "a[b.corp.example"] {
        let why = refused(&sandbox, &["--profile", "dev", host]);
        assert!(why.contains(host) && why.contains("no registry's name"), "{why}");
        assert_eq!(read(&sandbox, TOML), toml);
    }
}

#[test]
fn several_registries_stand_in_the_order_in_which_they_were_named() {
    for toml in ["", "[[registry]]\nmatch = \"*\"\n"] {
        let sandbox = sandbox();
        sandbox.write(TOML, toml);
        let report = done(&sandbox, &["--profile", "dev", PUBLIC, HOST]);
        for text in [&config(&sandbox), &read(&sandbox, TOML), &report] {
            assert!(text.find(PUBLIC) < text.find(HOST), "{text}");
        }
    }
}

#[test]
fn our_file_is_refused_where_it_cannot_be_changed_and_docker_s_stays() {
    let entry = "[[registry]]\nmatch = \"public.ecr.aws\"\nrole_arn = \"arn:aws:iam::123456789012:role/r\"\n";
    for (text, named) in [
        ("a = 1\nb =\n", "line 2"),
        (entry, "role_arn for public.ecr.aws in line 1; edit it by hand"),
        ("registry = [{ match = \"public.ecr.aws\" }]\n", "[[registry]]"),
    ] {
        let sandbox = sandbox();
        let path = sandbox.write(TOML, text);
        let why = refused(&sandbox, &["--profile", "dev", PUBLIC]);
        assert!(why.contains(named) && why.contains(path.to_str().unwrap()), "{why}");
        assert_eq!(read(&sandbox, TOML), text);
        assert!(!sandbox.home().join(DOCKER).exists());
    }
    for name in ["", "a\nb"] {
        assert!(refused(&sandbox(), &["--profile", name, PUBLIC]).contains("profile"));
    }
    assert!(refused(&sandbox(), &["--profile", "dev", "--store"]).contains("--profile"));
}

#[test]
fn a_store_is_set_without_asking_anybody() {
    let sandbox = with_config("{\n  \"a\": 1\n}\n");
    let report = done(&sandbox, &["--store"]);
    assert_eq!(config(&sandbox), "{\n  \"a\": 1,\n  \"credsStore\": \"ecr-login\"\n}\n");
    assert!(report.contains("+ credsStore   ecr-login"), "{report}");
    assert!(done(&sandbox, &["--store"]).starts_with("nothing to do"));
    assert!(!sandbox.home().join(TOML).exists());
    done(&sandbox, &["--remove", "--store"]);
    assert_eq!(config(&sandbox), "{\n  \"a\": 1\n}\n");
}

#[test]
fn the_store_before_becomes_the_fallback_and_comes_back() {
    let text = r#"{"credsStore":"desktop","credHelpers":{"gcr.io":"gcr"}}"#;
    let sandbox = with_config(text);
    let toml = "# mine\n[[registry]]\nmatch = \"*\"\nprofile = \"x\"\n";
    sandbox.write(TOML, toml);
    let report = done(&sandbox, &["--store", HOST]);
    assert_eq!(read(&sandbox, TOML), format!("fallback = \"desktop\"\n\n{toml}"));
    let expected = format!(r#"{{"credsStore":"ecr-login","credHelpers":{{"gcr.io":"gcr","{HOST}":"ecr-login"}}}}"#);
    assert_eq!(config(&sandbox), expected);
    assert!(report.contains("+ fallback   desktop"), "{report}");
    assert!(report.contains("ecr-login (was desktop)"), "{report}");
    let report = done(&sandbox, &["--remove", "--store", HOST]);
    assert_eq!((config(&sandbox).as_str(), read(&sandbox, TOML).as_str()), (text, toml));
    assert!(
        report.contains("desktop (was ecr-login)") && report.contains("- fallback   desktop"),
        "{report}"
    );
}

#[test]
fn removing_the_store_alone_leaves_the_registries() {
    let sandbox = with_config("{}");
    done(&sandbox, &["--store", PUBLIC]);
    done(&sandbox, &["--remove", "--store"]);
    assert!(config(&sandbox).contains(PUBLIC) && !config(&sandbox).contains("credsStore"));
    sandbox.write(DOCKER, r#"{"credsStore":"pass"}"#);
    let report = done(&sandbox, &["--remove", "--store"]);
    assert!(report.contains("credsStore   pass (left as it is)"), "{report}");
}

#[test]
fn two_fallbacks_are_one_too_many() {
    let sandbox = with_config(r#"{"credsStore":"desktop"}"#);
    sandbox.write(TOML, "fallback = \"pass\"\n");
    let before = all_files(&sandbox);
    let why = refused(&sandbox, &["--store"]);
    assert!(why.contains("desktop") && why.contains("pass"), "{why}");
    assert_eq!(all_files(&sandbox), before);
    assert_eq!(config(&sandbox), r#"{"credsStore":"desktop"}"#);
    sandbox.write(TOML, "fallback = \"desktop\"\n");
    done(&sandbox, &["--store"]);
    assert_eq!(read(&sandbox, TOML), "fallback = \"desktop\"\n");
}

#[test]
fn logins_that_docker_will_not_find_any_more_are_named() {
    let sandbox = with_config(LOGIN);
    let output = configure(&sandbox, &["--store"]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(
        output.stderr.contains("h.example") && !output.stderr.contains("empty.example"),
        "{output}"
    );
    assert!(!output.stderr.contains("YTpi"), "{output}");
    assert_eq!(
        fs::read_to_string(sandbox.home().join(DOCKER)).unwrap(),
        LOGIN.replace("}}}", "}},\"credsStore\":\"ecr-login\"}")
    );
}
