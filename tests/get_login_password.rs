//! `get-login-password`: the password alone, from the cache that docker is answered from, and errors on stderr alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::process::Command;
use support::{FakeAws, Output, Reply, Running, STATIC_KEY_ID, Sandbox, decode_password, world, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const OTHER_ACCOUNT: &str = "210987654321.dkr.ecr.eu-central-1.amazonaws.com";
const REGION: &str = "eu-central-1";
const ALIAS: &str = "registry.corp.example";

const ECR: &str = "ecr:GetAuthorizationToken";
const PUBLIC: &str = "ecr-public:GetAuthorizationToken";

fn run(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.run_args(&[&["get-login-password"], args].concat())
}

/// The password that is printed, as `$(…)` and `--password-stdin` read it.
fn password(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = run(sandbox, args);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
    let password = output.stdout.strip_suffix('\n').expect("the end of the line");
    assert!(!password.contains(char::is_whitespace), "{output}");
    password.to_owned()
}

fn key(sandbox: &Sandbox, args: &[&str]) -> String {
    decode_password(&password(sandbox, args)).access_key_id
}

/// One line on stderr with all of these words, and nothing for whoever reads stdout.
fn assert_fails(output: &Output, words: &[&str]) {
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    for word in words {
        assert!(output.stderr.contains(word), "{word:?} is not in: {output}");
    }
}

fn keys(profile: &str, key_id: &str) -> String {
    format!("[{profile}]\naws_access_key_id = {key_id}\naws_secret_access_key = secret-of-{key_id}\n")
}

#[test]
fn the_password_alone_is_printed() {
    let (fake, sandbox) = world_with_keys();
    fake.on(ECR, Reply::password("the-password"));
    assert_eq!(run(&sandbox, &["--region", REGION]).stdout, "the-password\n");
    assert_eq!(run(&sandbox, &["--registry", HOST]).stdout, "the-password\n");
}

#[test]
fn docker_and_people_share_one_token() {
    let (fake, sandbox) = world_with_keys();
    let first = sandbox.get(HOST).password();
    assert_eq!(password(&sandbox, &["--region", REGION]), first);
    assert_eq!(password(&sandbox, &["--registry", HOST]), first);
    assert_eq!(password(&sandbox, &["--registry", OTHER_ACCOUNT]), first);
    assert_eq!(fake.total(), 1);
    assert_eq!(sandbox.run("erase", HOST).code, Some(0));
    // And the other way round: what a person gets, docker finds.
    let second = password(&sandbox, &["--region", REGION]);
    assert_ne!(second, first);
    assert_eq!(sandbox.get(HOST).password(), second);
    assert_eq!(sandbox.get(OTHER_ACCOUNT).password(), second);
    assert_eq!(fake.total(), 2);
}

#[test]
fn nothing_is_listed_that_nobody_named() {
    let (_fake, sandbox) = world_with_keys();
    password(&sandbox, &["--region", REGION]);
    assert_eq!(sandbox.run("list", "").stdout.trim(), "{}");
    password(&sandbox, &["--registry", HOST]);
    assert_eq!(sandbox.run("list", "").stdout.trim(), format!("{{\"{HOST}\":\"AWS\"}}"));
}

#[test]
fn a_login_made_by_docker_login_is_not_what_is_printed() {
    let (_fake, sandbox) = world_with_keys();
    let login = format!("{{\"ServerURL\":\"{HOST}\",\"Username\":\"AWS\",\"Secret\":\"typed\"}}");
    assert_eq!(sandbox.run("store", login).code, Some(0));
    assert_eq!(key(&sandbox, &["--registry", HOST]), STATIC_KEY_ID);
}

#[test]
fn the_profile_on_the_command_line_goes_before_everything() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.aws_credentials(&(keys("prod", "AKIAPROD") + &keys("dev", "AKIADEV") + &keys("other", "AKIAOTHER")));
    sandbox.configure("[[registry]]\nmatch = \"123456789012.*\"\nprofile = \"prod\"\n");
    sandbox.env("AWS_PROFILE", "other");
    assert_eq!(key(&sandbox, &["--region", REGION]), STATIC_KEY_ID);
    assert_eq!(key(&sandbox, &["--region", REGION, "--profile", "dev"]), "AKIADEV");
    assert_eq!(key(&sandbox, &["--registry", HOST]), "AKIAPROD");
    assert_eq!(key(&sandbox, &["--registry", HOST, "--profile", "dev"]), "AKIADEV");
    assert_eq!(
        key(&sandbox, &["--profile=dev", &format!("--registry={OTHER_ACCOUNT}")]),
        "AKIADEV"
    );
    assert_eq!(fake.total(), 3, "one for each identity");
}

#[test]
fn a_profile_that_is_not_there_is_an_error_whatever_the_environment_has() {
    let (fake, sandbox) = world_with_keys();
    for args in [
        &["--region", REGION, "--profile", "prod"][..],
        &["--registry", HOST, "--profile", "prod"],
        &["--profile", "prod"],
    ] {
        assert_fails(&run(&sandbox, args), &["\"prod\"", "does not exist"]);
    }
    assert_fails(&run(&sandbox, &["--region", REGION, "--profile", ""]), &[]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn the_region_is_the_environments_or_the_profiles() {
    let (_fake, mut sandbox) = world_with_keys();
    sandbox.aws_config("[default]\nregion = us-west-1\n[profile dev]\nregion = ap-south-1\n");
    let profiles = keys("default", "AKIAD") + &keys("dev", "AKIADEV");
    sandbox.aws_credentials(&profiles);
    let region = |sandbox: &Sandbox, args: &[&str]| decode_password(&password(sandbox, args)).region;
    assert_eq!(region(&sandbox, &["--profile", "dev"]), "ap-south-1");
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    assert_eq!(region(&sandbox, &[]), "us-west-1");
    sandbox.env("AWS_PROFILE", "dev");
    assert_eq!(region(&sandbox, &[]), "ap-south-1");
    sandbox.env("AWS_DEFAULT_REGION", "eu-north-1");
    assert_eq!(region(&sandbox, &[]), "eu-north-1");
    sandbox.env("AWS_REGION", "eu-west-3");
    assert_eq!(region(&sandbox, &[]), "eu-west-3");
    sandbox.env("AWS_REGION", "");
    assert_eq!(region(&sandbox, &[]), "eu-north-1");
    assert_eq!(region(&sandbox, &["--region", REGION]), REGION);
    assert_eq!(region(&sandbox, &["--registry", HOST]), REGION);
}

#[test]
fn the_region_is_the_profiles_also_where_the_keys_are_the_environments() {
    let (_fake, sandbox) = world_with_keys();
    sandbox.aws_config("[default]\nregion = us-west-1\n");
    let token = decode_password(&password(&sandbox, &[]));
    assert_eq!(
        (token.region.as_str(), token.access_key_id.as_str()),
        ("us-west-1", STATIC_KEY_ID)
    );
}

#[test]
fn without_a_region_the_error_says_where_to_name_it() {
    let (fake, sandbox) = world_with_keys();
    assert_fails(&run(&sandbox, &[]), &["no region", "--region", "AWS_REGION"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn what_is_no_region_or_no_registry_is_refused() {
    let (fake, sandbox) = world_with_keys();
    for region in [
        "",
        "eu central 1",
        "EU-CENTRAL-1.evil.example",
        "a/b",
        "eu_central_1",
        "-",
    ] {
        assert_fails(
            &run(&sandbox, &["--region", region]),
            &["not the name of an AWS region"],
        );
    }
    for host in [
        "docker.io",
        "https://index.docker.io/v1/",
        &format!("{HOST}.evil.example"),
        &format!("me@{HOST}"),
    ] {
        assert_fails(
            &run(&sandbox, &["--registry", host]),
            &["not an Amazon ECR registry", "public.ecr.aws"],
        );
    }
    for nonsense in ["", "a b", "["] {
        assert_fails(&run(&sandbox, &["--registry", nonsense]), &[]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let (fake, sandbox) = world_with_keys();
    for args in [
        &["--region", REGION, "--registry", HOST][..],
        &["--region"],
        &["--nonsense"],
        &[HOST],
        &["--region", REGION, "--region", REGION],
    ] {
        let output = run(&sandbox, args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_registry_is_named_in_any_form_that_clients_know() {
    let (fake, sandbox) = world_with_keys();
    sandbox.configure(format!("[[registry]]\nmatch = \"{ALIAS}\"\necr = \"{HOST}\"\n"));
    let first = password(&sandbox, &["--registry", HOST]);
    for same in [format!("https://{HOST}/v2/"), format!("{}:443", HOST.to_uppercase())] {
        assert_eq!(password(&sandbox, &["--registry", &same]), first);
    }
    assert_eq!(fake.total(), 1);
    let alias = password(&sandbox, &["--registry", ALIAS]);
    assert_eq!(decode_password(&alias).region, REGION);
    assert_eq!(sandbox.get(ALIAS).password(), alias);
    assert_eq!(fake.total(), 2);
}

#[test]
fn public_ecr_has_a_password_too_and_says_why_where_it_has_none() {
    let (fake, mut sandbox) = world_with_keys();
    let token = decode_password(&password(&sandbox, &["--registry", "public.ecr.aws"]));
    assert_eq!(
        (token.service.as_str(), token.region.as_str()),
        ("ecr-public", "us-east-1")
    );
    assert_eq!((fake.count(PUBLIC), fake.total()), (1, 1));
    // docker goes on without one. A person who asked for it is told.
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    assert_fails(
        &run(&sandbox, &["--registry", "public.ecr.aws"]),
        &["no AWS credentials"],
    );
}

#[test]
fn an_error_is_told_on_stderr_and_stdout_stays_empty() {
    let (fake, mut sandbox) = world_with_keys();
    fake.on(ECR, Reply::aws_error(403, "AccessDeniedException", "you may not"));
    // Not even where docker would be told on stdout.
    sandbox.env("AWS_ECR_STRICT", "true");
    assert_fails(&run(&sandbox, &["--registry", HOST]), &[HOST, "you may not"]);
    assert_fails(&run(&sandbox, &["--region", REGION]), &[REGION, "you may not"]);
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    assert_fails(&run(&sandbox, &["--region", REGION]), &["no AWS credentials"]);
    sandbox.use_static_keys().env("AWS_ECR_TIMEOUT", "0.2");
    fake.on(ECR, Reply::hang());
    assert_fails(&run(&sandbox, &["--region", REGION]), &["no token after 0.2 seconds"]);
    sandbox.env("AWS_ECR_TIMEOUT", "soon");
    assert_fails(&run(&sandbox, &["--region", REGION]), &["AWS_ECR_TIMEOUT"]);
}

#[test]
fn stdin_is_nobodys() {
    let (_fake, sandbox) = world_with_keys();
    // An open stdin that says nothing, as in a script: it must not be waited for.
    let mut command = Command::new("sh");
    let own = sandbox.command("get-login-password");
    command
        .args([
            "-c",
            "mkfifo \"$HOME/fifo\"; exec 3<>\"$HOME/fifo\"; exec \"$0\" \"$@\" <&3",
        ])
        .arg(own.get_program())
        .args(["get-login-password", "--region", REGION])
        .env_clear()
        .envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = Running::start(command, "", std::time::Duration::from_secs(30)).wait();
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn without_a_cache_it_still_prints_one() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.env("AWS_ECR_DISABLE_CACHE", "true");
    password(&sandbox, &["--region", REGION]);
    password(&sandbox, &["--region", REGION]);
    assert_eq!(fake.total(), 2);
    assert!(sandbox.entries().is_empty());
}

/// `get-login-password | docker login --username AWS --password-stdin`, with this program as docker's store: a shell
/// stands for docker, which reads the password to its end and takes one line end off.
#[test]
fn the_line_of_every_tutorial_works() {
    let (fake, sandbox) = world_with_keys();
    const LINE: &str = "set -e; printf '{\"ServerURL\":\"%s\",\"Username\":\"AWS\",\"Secret\":\"%s\"}' \
        \"$1\" \"$(\"$0\" get-login-password --region eu-central-1)\" | \"$0\" store; printf %s \"$1\" | \"$0\" get";
    let own = sandbox.command("get");
    let mut shell = Command::new("sh");
    shell.args(["-c", LINE]).arg(own.get_program()).arg(HOST).env_clear();
    shell.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = Running::start(shell, "", std::time::Duration::from_secs(30)).wait();
    assert_eq!(decode_password(&output.password()).region, REGION);
    assert_eq!(fake.total(), 1);
}

#[test]
fn other_sources_fill_the_cache_too() {
    let (fake, sandbox): (FakeAws, Sandbox) = world();
    sandbox.aws_credentials(&keys("base", "AKIABASE"));
    let role = "arn:aws:iam::123456789012:role/pull";
    sandbox.aws_config(&format!(
        "[default]\nrole_arn = {role}\nsource_profile = base\nregion = {REGION}\n"
    ));
    let first = password(&sandbox, &[]);
    assert_eq!(password(&sandbox, &[]), first);
    assert_eq!(sandbox.get(HOST).password(), first);
    assert_eq!(fake.total(), 2);
}

#[test]
fn a_config_file_that_is_a_pipe_is_not_waited_for_to_find_a_region() {
    let (_fake, mut sandbox) = world_with_keys();
    let pipe = sandbox.home().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    sandbox.env("AWS_CONFIG_FILE", pipe);
    let output = sandbox.run_args(&["get-login-password"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    assert!(output.stderr.contains("no region is configured"), "{output}");
}
