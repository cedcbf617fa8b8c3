//! `--remove`: only what is ours goes.

use super::{DOCKER, HOST, PUBLIC, all_files, config, done, read, sandbox, with_config};

const TOML: &str = ".config/docker-credential-ecr-login/config.toml";

#[test]
fn what_was_added_is_taken_back_to_the_byte() {
    for text in [
        "{\n\t\"auths\": {},\n\t\"credHelpers\": {\n\t\t\"x\": \"y\"\n\t}\n}\n",
        "{\"credHelpers\": {\"x\": \"y\"}, \"a\": 1}",
        "{ \"a\": 1 }",
        "{}",
    ] {
        let sandbox = with_config(text);
        done(&sandbox, &[HOST, PUBLIC]);
        let report = done(&sandbox, &["--remove", PUBLIC]);
        assert!(report.contains("- public.ecr.aws   ecr-login"), "{report}");
        assert!(config(&sandbox).contains(HOST) && !config(&sandbox).contains(PUBLIC));
        done(&sandbox, &["--remove", HOST]);
        assert_eq!(config(&sandbox), text);
    }
}

#[test]
fn without_a_registry_all_of_ours_go() {
    let text = r#"{"credHelpers":{"public.ecr.aws":"ecr-login","gcr.io":"gcr","my.example:5000":"ecr-login"}}"#;
    let sandbox = with_config(text);
    let report = done(&sandbox, &["--remove"]);
    assert_eq!(config(&sandbox), r#"{"credHelpers":{"gcr.io":"gcr"}}"#);
    assert_eq!(report.matches("  - ").count(), 2, "{report}");
    let report = done(&sandbox, &["--remove"]);
    assert!(report.starts_with("nothing to do"), "{report}");
}

#[test]
fn another_helpers_entry_is_left_and_said_so() {
    let text = r#"{"credHelpers":{"public.ecr.aws":"gcr"}}"#;
    let sandbox = with_config(text);
    let report = done(&sandbox, &["--remove", PUBLIC, HOST]);
    assert!(report.starts_with("nothing to do"), "{report}");
    assert!(
        report.contains("gcr (left as it is)") && report.contains("was not there"),
        "{report}"
    );
    assert_eq!(config(&sandbox), text);
}

#[test]
fn where_there_is_nothing_nothing_is_made() {
    let sandbox = sandbox();
    for args in [&["--remove"][..], &["--remove", PUBLIC], &["--remove", "--store"]] {
        assert!(done(&sandbox, args).starts_with("nothing to do"));
        assert!(all_files(&sandbox).is_empty());
    }
}

#[test]
fn the_profile_goes_too_unless_more_is_said() {
    let sandbox = sandbox();
    let toml = "[[registry]]\nmatch = \"h.example\"\nprofile = \"x\"\n";
    sandbox.write(TOML, toml);
    done(&sandbox, &["--profile", "dev", PUBLIC]);
    let report = done(&sandbox, &["--remove", PUBLIC]);
    assert!(report.contains("- public.ecr.aws   profile dev"), "{report}");
    assert_eq!(read(&sandbox, TOML), toml);

    done(&sandbox, &["--profile", "dev", PUBLIC]);
    let both = read(&sandbox, TOML);
    let report = done(&sandbox, &["--remove", "--profile", "other", PUBLIC]);
    assert!(report.contains("profile dev (left as it is)"), "{report}");
    assert_eq!(read(&sandbox, TOML), both);

    let more = "[[registry]]\nmatch = \"mirror.example\"\nprofile = \"dev\"\necr = \"public.ecr.aws\"\n";
    sandbox.write(TOML, more);
    sandbox.write(DOCKER, r#"{"credHelpers":{"mirror.example":"ecr-login"}}"#);
    let report = done(&sandbox, &["--remove", "mirror.example"]);
    assert!(report.contains("line 1 says more than that"), "{report}");
    assert_eq!(read(&sandbox, TOML), more);
    assert_eq!(config(&sandbox), "{}");
}

#[test]
fn the_profile_stays_while_another_key_or_client_uses_it() {
    let port = "public.ecr.aws:5000";
    let mut sandbox = sandbox();
    done(&sandbox, &["--profile", "dev", PUBLIC, port]);
    let toml = read(&sandbox, TOML);
    let report = done(&sandbox, &["--remove", PUBLIC]);
    let docker = sandbox.home().join(DOCKER);
    let note = format!(
        "profile dev (left as it is: {port} in {} still uses it)",
        docker.display()
    );
    assert!(report.contains(&note), "{report}");
    assert_eq!(read(&sandbox, TOML), toml);

    done(&sandbox, &["--client", "podman", PUBLIC]);
    let podman = sandbox.home().join(".config/containers/auth.json");
    for args in [&["--remove", port][..], &["--remove"]] {
        done(&sandbox, &[port]);
        let report = done(&sandbox, args);
        let note = format!("left as it is: {PUBLIC} in {} still uses it", podman.display());
        assert!(report.contains(&note), "{report}");
        assert_eq!(
            (read(&sandbox, TOML), config(&sandbox)),
            (toml.clone(), "{}".to_owned())
        );
    }

    // The other way round; and one file is not two.
    done(&sandbox, &[PUBLIC]);
    assert!(done(&sandbox, &["--client", "podman", "--remove", PUBLIC]).contains("still uses it"));
    sandbox.env("REGISTRY_AUTH_FILE", &docker);
    let report = done(&sandbox, &["--remove", PUBLIC]);
    assert!(report.contains("- public.ecr.aws   profile dev"), "{report}");
    assert_eq!(read(&sandbox, TOML), "");
}

#[test]
fn the_profile_stays_where_the_other_clients_file_makes_no_sense() {
    let sandbox = sandbox();
    done(&sandbox, &["--profile", "dev", PUBLIC]);
    let path = sandbox.write(".config/containers/auth.json", "{");
    let toml = read(&sandbox, TOML);
    let report = done(&sandbox, &["--remove", PUBLIC]);
    for part in ["left as it is: ", path.to_str().unwrap(), "not valid JSON"] {
        assert!(report.contains(part), "{report}");
    }
    assert_eq!((read(&sandbox, TOML), config(&sandbox)), (toml, "{}".to_owned()));
}

#[test]
fn an_entry_with_a_comment_in_it_stays() {
    for toml in [
        "[[registry]]\nmatch = \"public.ecr.aws\" # ours\nprofile = \"dev\"\n",
        "[[registry]]\nmatch = \"public.ecr.aws\"\n# ours\nprofile = \"dev\"\n",
    ] {
        let sandbox = with_config(r#"{"credHelpers":{"public.ecr.aws":"ecr-login"}}"#);
        sandbox.write(TOML, toml);
        let report = done(&sandbox, &["--remove"]);
        assert!(
            report.contains("= public.ecr.aws   profile dev (left as it is: line 1 has a comment; edit it by hand)"),
            "{report}"
        );
        assert_eq!(
            (read(&sandbox, TOML), config(&sandbox)),
            (toml.to_owned(), "{}".to_owned())
        );
    }
}

#[test]
fn a_dry_run_of_it_removes_nothing() {
    let text = r#"{"credHelpers":{"public.ecr.aws":"ecr-login"}}"#;
    let sandbox = with_config(text);
    let report = done(&sandbox, &["--remove", "--dry-run"]);
    assert!(report.contains(&format!("-{text}\n+{{}}\n")), "{report}");
    assert_eq!(config(&sandbox), text);
}
