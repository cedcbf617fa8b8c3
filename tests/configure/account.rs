//! `configure` without a registry: AWS is asked whose the credentials are, and the account's own registry is offered.

use serde_json::{Value, json};

use super::support::{FakeAws, OnTerminal, Reply, STATIC_KEY_ID, Sandbox, Seen};
use super::{DOCKER, HOST, PUBLIC, all_files, config, configure, done, read, refused, sandbox};

const IDENTITY: &str = "sts:GetCallerIdentity";
const TOML: &str = ".config/docker-credential-ecr-login/config.toml";

/// A home with keys and a region, whose calls to AWS go to a fake.
fn world() -> (FakeAws, Sandbox) {
    let (fake, mut sandbox) = (FakeAws::start(), sandbox());
    sandbox.point_at(&fake).use_static_keys().env("AWS_REGION", "us-east-1");
    (fake, sandbox)
}

/// STS's answer to the question who one is.
fn identity(arn: &str) -> Reply {
    let text = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>"
    );
    Reply::raw(200, "text/xml", text)
}

/// The registries that docker's file names this helper for.
fn named(sandbox: &Sandbox) -> Vec<String> {
    let json: Value = serde_json::from_str(&config(sandbox)).unwrap();
    let helpers = json["credHelpers"].as_object().unwrap();
    assert!(helpers.values().all(|helper| helper == "ecr-login"), "{json}");
    helpers.keys().cloned().collect()
}

#[test]
fn the_accounts_own_registry_and_the_public_gallery_are_named() {
    let (fake, sandbox) = world();
    let report = done(&sandbox, &[]);
    assert_eq!(named(&sandbox), [HOST, PUBLIC]);
    assert!(report.contains(&format!("+ {HOST}   ecr-login\n")), "{report}");
    assert!(report.contains(&format!("+ {PUBLIC:44}   ecr-login\n")), "{report}");
    let asked: Vec<_> = fake.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(asked, [IDENTITY]);
    assert!(done(&sandbox, &[]).starts_with("nothing to do"));
}

#[test]
fn the_region_is_the_one_that_aws_tools_would_take() {
    let in_region = |region: &str| format!("123456789012.dkr.ecr.{region}.amazonaws.com");
    let (_fake, mut sandbox) = world();
    sandbox
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_DEFAULT_REGION", "eu-west-2");
    sandbox.aws_config("[default]\nregion = eu-west-3\n");
    for (variable, region) in [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-2"),
        ("", "eu-west-3"),
    ] {
        let report = done(&sandbox, &["--dry-run"]);
        assert!(report.contains(&in_region(region)), "{report}");
        sandbox.unset(variable);
    }
}

#[test]
fn a_profile_is_asked_with_and_mapped() {
    let (fake, mut sandbox) = world();
    sandbox.unset("AWS_REGION");
    sandbox.aws_config(
        "[default]\nregion = us-west-1\n[profile dev]\nregion = us-east-1\naws_access_key_id = AKIADEV\n\
         aws_secret_access_key = s\n",
    );
    let report = done(&sandbox, &["--profile", "dev"]);
    assert_eq!(named(&sandbox), [HOST, PUBLIC]);
    assert_eq!(
        fake.requests()[0].access_key_id.as_deref(),
        Some("AKIADEV"),
        "not {STATIC_KEY_ID}"
    );
    assert!(report.contains("profile dev"), "{report}");
    assert_eq!(read(&sandbox, TOML).matches("profile = \"dev\"").count(), 2);
}

#[test]
fn without_a_region_it_says_where_one_may_come_from() {
    let (fake, mut sandbox) = world();
    sandbox.unset("AWS_REGION");
    let why = refused(&sandbox, &[]);
    for part in ["no region is configured", "name a registry", "AWS_REGION", "profile"] {
        assert!(why.contains(part), "{why}");
    }
    assert!(!why.contains("--region"), "there is no such option: {why}");
    sandbox.env("AWS_REGION", "Europe");
    let why = refused(&sandbox, &[]);
    assert!(why.contains("\"Europe\" is not the name of an AWS region"), "{why}");
    assert_eq!(fake.total(), 0);
    assert!(all_files(&sandbox).is_empty());
}

#[test]
fn where_aws_does_not_say_who_asks_nothing_is_written() {
    for (reply, parts) in [
        (
            Reply::aws_error(403, "InvalidClientTokenId", "The security token is invalid"),
            ["AWS_ACCESS_KEY_ID", "does not accept"],
        ),
        (
            Reply::aws_error(403, "ExpiredToken", "The security token is expired"),
            ["expired", "set new"],
        ),
        (
            Reply::aws_error(403, "AccessDenied", "an explicit deny"),
            ["an explicit deny", "policies"],
        ),
        (
            Reply::raw(200, "text/html", "<html>log in here</html>"),
            ["127.0.0.1", "check"],
        ),
        (
            identity("arn:aws-moon:iam::123456789012:user/dev"),
            ["arn:aws-moon", "name the registry"],
        ),
    ] {
        let (fake, sandbox) = world();
        fake.on(IDENTITY, reply);
        for args in [&[][..], &["--dry-run"], &["--yes"]] {
            let why = refused(&sandbox, args);
            assert!(parts.iter().all(|part| why.contains(part)), "{parts:?}: {why}");
            assert!(all_files(&sandbox).is_empty());
        }
    }
}

#[test]
fn where_aws_refuses_a_profile_it_is_not_mapped_either() {
    let (fake, sandbox) = world();
    sandbox.aws_credentials("[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n");
    fake.on(IDENTITY, Reply::aws_error(403, "AccessDenied", "an explicit deny"));
    let before = all_files(&sandbox);
    let why = refused(&sandbox, &["--profile", "dev"]);
    assert!(
        why.starts_with("with profile \"dev\": access denied: an explicit deny"),
        "{why}"
    );
    assert_eq!(all_files(&sandbox), before);
}

#[test]
fn without_credentials_it_says_so_and_writes_nothing() {
    let (fake, mut sandbox) = world();
    sandbox.unset("AWS_ACCESS_KEY_ID");
    sandbox.unset("AWS_SECRET_ACCESS_KEY");
    let why = refused(&sandbox, &[]);
    assert!(why.contains("no AWS credentials were found"), "{why}");
    assert!(refused(&sandbox, &["--profile", "nosuch"]).contains("nosuch"));
    assert_eq!(fake.total(), 0);
    assert!(all_files(&sandbox).is_empty());
}

#[test]
fn each_partition_has_its_own_hosts() {
    for (partition, region, host) in [
        (
            "aws-cn",
            "cn-north-1",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        ),
        (
            "aws-us-gov",
            "us-gov-west-1",
            "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
        ),
    ] {
        let (fake, mut sandbox) = world();
        fake.on(
            IDENTITY,
            identity(&format!("arn:{partition}:sts::123456789012:assumed-role/a/b")),
        );
        sandbox.env("AWS_REGION", region);
        done(&sandbox, &[]);
        assert_eq!(named(&sandbox), [host], "the public gallery is of partition aws alone");
    }
}

/// What a person sees who is asked, and presses these keys.
fn asked(sandbox: &Sandbox, keys: &str) -> Seen {
    let mut terminal: OnTerminal = sandbox.at_terminal(&["configure"]);
    terminal.wait_for("Add them? [Y/n] ");
    terminal.press(keys);
    terminal.wait()
}

#[test]
fn a_person_is_shown_what_would_be_written_and_may_say_no() {
    for keys in ["n\r", "no\r", "what?\r", "\u{4}"] {
        let (_fake, sandbox) = world();
        let seen = asked(&sandbox, keys);
        assert_eq!(seen.answer().code, 1, "{seen:?}");
        let (question, answer) = seen.terminal.split_once("Add them?").unwrap();
        assert!(
            question.contains(&format!("+ {HOST}   ecr-login")) && question.contains(PUBLIC),
            "{seen:?}"
        );
        assert!(
            answer.contains("docker-credential-ecr-login: nothing was changed"),
            "{seen:?}"
        );
        assert!(all_files(&sandbox).is_empty(), "{keys:?}");
    }
}

#[test]
fn enter_is_yes() {
    for keys in ["\r", "y\r", "YES\r"] {
        let (_fake, sandbox) = world();
        let seen = asked(&sandbox, keys);
        assert_eq!(seen.answer().code, 0, "{seen:?}");
        assert_eq!(named(&sandbox), [HOST, PUBLIC], "{keys:?}");
        let (_, answer) = seen.terminal.split_once("Add them?").unwrap();
        assert!(
            answer.contains(&format!("+ {HOST}   ecr-login")),
            "what was changed is said: {seen:?}"
        );
    }
}

#[test]
fn nobody_is_asked_who_has_said_yes_or_where_nothing_is_written() {
    for (args, is_written) in [
        (&["configure", "--yes"][..], true),
        (&["configure", "-y"], true),
        (&["configure", "--dry-run"], false),
        (&["configure", PUBLIC], true),
    ] {
        let (_fake, sandbox) = world();
        let seen = sandbox.at_terminal(args).wait();
        assert_eq!(seen.answer().code, 0, "{seen:?}");
        assert!(!seen.terminal.contains('?'), "{seen:?}");
        assert!(seen.terminal.contains(PUBLIC), "{seen:?}");
        assert_eq!(sandbox.home().join(DOCKER).exists(), is_written, "{args:?}");
    }
    let (_fake, sandbox) = world();
    done(&sandbox, &[]);
    let seen = sandbox.at_terminal(&["configure"]).wait();
    assert!(
        seen.terminal.starts_with("nothing to do") && !seen.terminal.contains('?'),
        "{seen:?}"
    );
}

#[test]
fn what_needs_no_aws_asks_none() {
    let (fake, sandbox) = world();
    for args in [&[PUBLIC][..], &["--store"], &["--remove"], &["--remove", "--store"]] {
        done(&sandbox, args);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn another_name_for_a_registry_is_accepted() {
    let sandbox = sandbox();
    sandbox.write(
        TOML,
        format!("[[registry]]\nmatch = \"mirror.example\"\necr = \"{HOST}\"\n"),
    );
    done(&sandbox, &["mirror.example:5000"]);
    let json: Value = serde_json::from_str(&config(&sandbox)).unwrap();
    assert_eq!(json, json!({"credHelpers": {"mirror.example:5000": "ecr-login"}}));
    assert!(refused(&sandbox, &["other.example"]).contains("other.example"));
}

#[test]
fn a_configuration_of_our_own_that_is_broken_stops_everything() {
    let (fake, sandbox) = world();
    let path = sandbox.write(TOML, "# mine\ntimeout = []\n");
    sandbox.write(DOCKER, "{}");
    for args in [&[][..], &[PUBLIC], &["--store"], &["--remove"], &["--dry-run", PUBLIC]] {
        let output = configure(&sandbox, args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
        for part in [path.to_str().unwrap(), "line 2", "timeout"] {
            assert!(output.stderr.contains(part), "{output}");
        }
        assert_eq!(config(&sandbox), "{}");
    }
    assert_eq!(fake.total(), 0);
}
