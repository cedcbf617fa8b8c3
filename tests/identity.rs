//! Who a cached token belongs to: two identities never share one, one identity asks AWS once for
//! a whole region, and what changes during the call, or cannot be read twice, is not kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod netns;
mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use support::{FakeAws, Reply, Sandbox, decode_password, world, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

const ECR: &str = "ecr:GetAuthorizationToken";
const WEB: &str = "sts:AssumeRoleWithWebIdentity";

const ROLE: &str = "arn:aws:iam::123456789012:role/pull";

/// SHA-1 of `corp`, `other` and the start URL: the names of their token files.
const CORP_TOKEN: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const OTHER_TOKEN: &str = ".aws/sso/cache/d0941e68da8f38151ff86a61fc59f7c5cf9fcaa2.json";
const START_URL_TOKEN: &str = ".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";

const SSO_CONFIG: &str = "[default]\nsso_session = corp\nsso_account_id = 111122223333\n\
    sso_role_name = Pull\n\
    [sso-session corp]\nsso_region = us-east-2\nsso_start_url = https://corp.awsapps.com/start\n\
    [profile legacy]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-2\n\
    sso_account_id = 111122223333\nsso_role_name = Pull\n";

const FAR: &str = "2099-01-01T00:00:00Z";

/// Gets a password, and tells whether the fake was asked for it.
fn get(fake: &FakeAws, sandbox: &Sandbox) -> (String, bool) {
    let before = fake.total();
    let password = sandbox.get(HOST).password();
    (password, fake.total() > before)
}

/// Gets a token that AWS is asked for, and once more from the cache. Returns the key it was asked with.
fn fetched(fake: &FakeAws, sandbox: &Sandbox) -> String {
    let (password, asked) = get(fake, sandbox);
    assert!(asked, "served from another identity's entry");
    assert_eq!(get(fake, sandbox), (password.clone(), false), "not kept");
    decode_password(&password).access_key_id
}

/// Gets a token from the cache. Returns the key it was once asked with.
fn cached(fake: &FakeAws, sandbox: &Sandbox) -> String {
    let (password, asked) = get(fake, sandbox);
    assert!(!asked, "the identity is the same and was asked for again");
    decode_password(&password).access_key_id
}

fn assert_nothing_served(sandbox: &Sandbox) {
    let output = sandbox.get(HOST);
    assert_eq!(output.code, Some(1), "a token was served");
    output.assert_not_found();
}

fn keys(profile: &str, key_id: &str) -> String {
    format!("[{profile}]\naws_access_key_id = {key_id}\naws_secret_access_key = s\n")
}

fn sso_token(access_token: &str, expires: &str) -> String {
    format!(
        r#"{{"accessToken":"{access_token}","expiresAt":"{expires}","clientId":"client",
        "clientSecret":"secret","registrationExpiresAt":"{FAR}","refreshToken":"r"}}"#
    )
}

/// A `credential_process` that runs `first` and then prints keys.
fn process(sandbox: &Sandbox, first: &str) -> String {
    let script = sandbox.write(
        "process",
        format!(
            "{first}\necho '{{\"Version\":1,\"AccessKeyId\":\"ASIAPROCESS\",\
             \"SecretAccessKey\":\"s\",\"SessionToken\":\"t\",\"Expiration\":\"{FAR}\"}}'\n"
        ),
    );
    format!("/bin/sh {}", script.display())
}

fn mkfifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
}

/// Gets a password while somebody writes to a pipe, once.
fn get_feeding(fake: &FakeAws, sandbox: &Sandbox, pipe: &Path, contents: &str) -> (String, bool) {
    let (pipe, contents) = (pipe.to_owned(), contents.to_owned());
    let writer = thread::spawn(move || fs::write(pipe, contents));
    let result = get(fake, sandbox);
    // Had nobody read, it would write for ever; else it is about to end.
    let patience = Instant::now() + Duration::from_secs(10);
    while !writer.is_finished() {
        assert!(Instant::now() < patience, "the pipe was not read");
        thread::sleep(Duration::from_millis(1));
    }
    result
}

fn entries(sandbox: &Sandbox) -> Vec<PathBuf> {
    let Ok(directory) = fs::read_dir(sandbox.cache_dir()) else {
        return Vec::new();
    };
    directory
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect()
}

/// Makes the only entry of the cache that many minutes older.
fn age(sandbox: &Sandbox, minutes: u64) {
    let paths = entries(sandbox);
    assert_eq!(paths.len(), 1);
    let mut entry: Value = serde_json::from_slice(&fs::read(&paths[0]).unwrap()).unwrap();
    for name in ["requested_at", "expires_at"] {
        entry[name] = (entry[name].as_u64().expect(name) - minutes * 60).into();
    }
    fs::write(&paths[0], entry.to_string()).unwrap();
}

#[test]
fn each_profile_has_its_own_token() {
    let (fake, mut sandbox) = world();
    sandbox.aws_credentials(&(keys("default", "AKIAD") + &keys("a", "AKIAA") + &keys("b", "AKIAA")));
    assert_eq!(fetched(&fake, &sandbox), "AKIAD");
    sandbox.env("AWS_PROFILE", "a");
    assert_eq!(fetched(&fake, &sandbox), "AKIAA");
    sandbox.env("AWS_PROFILE", "b");
    assert_eq!(fetched(&fake, &sandbox), "AKIAA");
    sandbox.unset("AWS_PROFILE").env("AWS_DEFAULT_PROFILE", "a");
    assert_eq!(cached(&fake, &sandbox), "AKIAA");
    sandbox.unset("AWS_DEFAULT_PROFILE");
    assert_eq!(cached(&fake, &sandbox), "AKIAD");
}

#[test]
fn each_access_key_has_its_own_token_and_a_rotated_session_token_asks_nobody() {
    let (fake, mut sandbox) = world_with_keys();
    assert_eq!(fetched(&fake, &sandbox), support::STATIC_KEY_ID);
    sandbox.env("AWS_ACCESS_KEY_ID", "AKIAB");
    assert_eq!(fetched(&fake, &sandbox), "AKIAB");
    sandbox.env("AWS_SESSION_TOKEN", "t");
    assert_eq!(cached(&fake, &sandbox), "AKIAB");
}

#[test]
fn a_key_id_that_lost_its_secret_is_not_served_what_it_had() {
    let (fake, mut sandbox) = world_with_keys();
    fetched(&fake, &sandbox);
    for secret in ["", " ", "\t"] {
        sandbox.env("AWS_SECRET_ACCESS_KEY", secret);
        assert_nothing_served(&sandbox);
    }
    sandbox.unset("AWS_SECRET_ACCESS_KEY");
    assert_nothing_served(&sandbox);
    sandbox.aws_credentials(&keys("default", "AKIAFILE"));
    assert_eq!(fetched(&fake, &sandbox), "AKIAFILE");
    sandbox.unset("AWS_ACCESS_KEY_ID");
    assert_eq!(fetched(&fake, &sandbox), "AKIAFILE");
}

#[test]
fn an_edited_file_is_another_identity_even_of_the_same_size_and_time() {
    let (fake, sandbox) = world();
    let path = sandbox.aws_credentials(&keys("default", "AKIAA"));
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(fetched(&fake, &sandbox), "AKIAA");
    sandbox.aws_credentials(&keys("default", "AKIAB"));
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(time).unwrap();
    assert_eq!(fetched(&fake, &sandbox), "AKIAB");
    sandbox.aws_credentials(&keys("default", "AKIAA"));
    assert_eq!(cached(&fake, &sandbox), "AKIAA");
}

#[test]
fn a_file_that_comes_or_goes_is_another_identity() {
    let (fake, sandbox) = world();
    sandbox.aws_credentials(&keys("default", "AKIAA"));
    fetched(&fake, &sandbox);
    let config = sandbox.aws_config("");
    assert_eq!(fetched(&fake, &sandbox), "AKIAA");
    sandbox.aws_config("[default]\nregion = x\n");
    assert_eq!(fetched(&fake, &sandbox), "AKIAA");
    fs::remove_file(config).unwrap();
    assert_eq!(cached(&fake, &sandbox), "AKIAA");
    fs::remove_file(sandbox.home().join(".aws/credentials")).unwrap();
    assert_nothing_served(&sandbox);
}

#[test]
fn another_file_with_the_same_contents_is_another_identity() {
    let (fake, mut sandbox) = world();
    for name in ["one", "two"] {
        let path = sandbox.write(name, keys("default", "AKIAA"));
        sandbox.env("AWS_SHARED_CREDENTIALS_FILE", path);
        fetched(&fake, &sandbox);
    }
}

#[test]
fn another_web_identity_token_of_the_environment_is_another_identity() {
    let (fake, mut sandbox) = world();
    let file = sandbox.write("token", "jwt-a");
    sandbox
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
        .env("AWS_ROLE_ARN", ROLE);
    fetched(&fake, &sandbox);
    sandbox.write("token", "jwt-b");
    fetched(&fake, &sandbox);
    assert_eq!(fake.requests_to(WEB)[1].form()["WebIdentityToken"], "jwt-b");
    sandbox.env("AWS_ROLE_ARN", format!("{ROLE}-other"));
    fetched(&fake, &sandbox);
    sandbox.env("AWS_ROLE_SESSION_NAME", "me");
    fetched(&fake, &sandbox);
    fs::remove_file(file).unwrap();
    assert_nothing_served(&sandbox);
}

#[test]
fn another_web_identity_token_of_a_profile_is_another_identity_however_it_is_written() {
    for (name, line) in [
        // A name in which a comment could be thought to begin.
        ("to#k;en", "web_identity_token_file = FILE"),
        ("token", "Web_Identity_Token_File=FILE"),
        ("token", "web_identity_token_file\t=\tFILE\t# comment"),
        ("token", "web_identity_token_file = FILE ; comment"),
        ("token", "web_identity_token_file = FILE\r"),
        // What the SDK takes for white space before a comment, and not for white space to cut off.
        ("token\u{a0}", "web_identity_token_file = FILE# comment"),
        ("token\x0b", "web_identity_token_file = FILE; comment"),
    ] {
        let (fake, sandbox) = world();
        let file = sandbox.write(name, "jwt-a");
        let line = line.replace("FILE", file.to_str().unwrap());
        sandbox.aws_config(&format!(
            "[default]\nrole_arn = {ROLE}\nsource_profile = pod\n\
             [profile pod]\nrole_arn = {ROLE}\n{line}\n"
        ));
        let (first, _) = get(&fake, &sandbox);
        sandbox.write(name, "jwt-b");
        let (second, asked) = get(&fake, &sandbox);
        assert!(asked && first != second, "{line:?}");
        assert_eq!(fake.requests_to(WEB)[1].form()["WebIdentityToken"], "jwt-b");
    }
}

#[test]
fn another_token_of_a_container_is_another_identity() {
    let (fake, mut sandbox) = world();
    let endpoint = format!("{}/container-credentials/a", fake.url());
    sandbox
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &endpoint)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a");
    fetched(&fake, &sandbox);
    sandbox.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "b");
    fetched(&fake, &sandbox);
    for token in ["c", "d"] {
        let file = sandbox.write("token", token);
        sandbox.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
        fetched(&fake, &sandbox);
    }
    let elsewhere = format!("{}/container-credentials/b", fake.url());
    sandbox.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere);
    fetched(&fake, &sandbox);
}

#[test]
fn after_aws_sso_logout_nothing_is_served() {
    for (profile, token) in [("default", CORP_TOKEN), ("legacy", START_URL_TOKEN)] {
        let (fake, mut sandbox) = world();
        sandbox.env("AWS_PROFILE", profile).aws_config(SSO_CONFIG);
        let file = sandbox.write(token, sso_token("user-a", FAR));
        fetched(&fake, &sandbox);
        fs::remove_file(file).unwrap();
        assert_nothing_served(&sandbox);
        assert_eq!(fake.total(), 2);
    }
}

#[test]
fn another_user_in_the_same_sso_session_is_another_identity() {
    for (profile, token) in [("default", CORP_TOKEN), ("legacy", START_URL_TOKEN)] {
        let (fake, mut sandbox) = world();
        sandbox.env("AWS_PROFILE", profile).aws_config(SSO_CONFIG);
        sandbox.write(token, sso_token("user-a", FAR));
        let a = fetched(&fake, &sandbox);
        sandbox.write(token, sso_token("user-b", FAR));
        let b = fetched(&fake, &sandbox);
        assert_ne!(a, b);
        // Their login in another session, too, may be the one that counts.
        sandbox.write(OTHER_TOKEN, sso_token("user-a", FAR));
        sandbox.write(token, sso_token("user-a", FAR));
        assert_ne!(fetched(&fake, &sandbox), b);
    }
}

#[test]
fn a_client_registration_beside_the_sso_tokens_does_not_matter() {
    let (fake, sandbox) = world();
    sandbox.aws_config(SSO_CONFIG);
    sandbox.write(CORP_TOKEN, sso_token("user-a", FAR));
    fetched(&fake, &sandbox);
    sandbox.write(".aws/sso/cache/botocore-client-id-us-east-2.json", "{}");
    cached(&fake, &sandbox);
}

#[test]
fn a_new_or_removed_login_session_is_another_identity() {
    let (fake, mut sandbox) = world();
    sandbox.aws_credentials(&keys("default", "AKIAA"));
    fetched(&fake, &sandbox);
    let file = sandbox.write(".aws/login/cache/session.json", "{}");
    fetched(&fake, &sandbox);
    sandbox.write(".aws/login/cache/session.json", "{\"refreshed\":1}");
    cached(&fake, &sandbox);
    fs::remove_file(file).unwrap();
    cached(&fake, &sandbox);
    let elsewhere = sandbox.write("elsewhere/session.json", "{}");
    sandbox.env("AWS_LOGIN_CACHE_DIRECTORY", elsewhere.parent().unwrap());
    fetched(&fake, &sandbox);
}

#[test]
fn another_endpoint_is_another_identity() {
    let (fake, mut sandbox) = world_with_keys();
    let other = FakeAws::start();
    fetched(&fake, &sandbox);
    sandbox.env("AWS_ENDPOINT_URL_ECR", other.url());
    fetched(&other, &sandbox);
    sandbox.env("AWS_ENDPOINT_URL_STS", other.url());
    fetched(&other, &sandbox);
    sandbox
        .unset("AWS_ENDPOINT_URL_ECR")
        .unset("AWS_ENDPOINT_URL_STS")
        .env("AWS_ENDPOINT_URL", other.url());
    fetched(&other, &sandbox);
    sandbox.aws_config(&format!("[default]\nendpoint_url = {}\n", fake.url()));
    fetched(&other, &sandbox);
    sandbox.unset("AWS_ENDPOINT_URL");
    fetched(&fake, &sandbox);
    sandbox.env("AWS_ENDPOINT_URL", "");
    cached(&fake, &sandbox);
    assert_eq!((fake.count(ECR), other.count(ECR)), (2, 4));
}

#[test]
fn ignoring_configured_endpoints_is_another_identity() {
    let (fake, mut sandbox) = world_with_keys();
    fetched(&fake, &sandbox);
    // AWS itself would be asked: through a proxy that refuses.
    sandbox
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        .env("HTTPS_PROXY", support::refused_url());
    assert_nothing_served(&sandbox);
}

#[test]
fn another_home_or_vault_is_another_identity_in_a_cache_that_both_share() {
    let (fake, mut sandbox) = world();
    let cache = sandbox.home().join("shared-cache");
    sandbox.env("AWS_ECR_CACHE_DIR", cache);
    for home in ["alice", "bob"] {
        sandbox.write(format!("{home}/.aws/credentials"), keys("default", "AKIAA"));
        let home = sandbox.home().join(home);
        sandbox.env("HOME", home);
        fetched(&fake, &sandbox);
    }
    sandbox.env("AWS_VAULT", "prod");
    fetched(&fake, &sandbox);
    // The same files for both: a program that they name may still look at the home.
    let config = sandbox.home().join("bob/.aws/credentials");
    sandbox
        .env("AWS_CONFIG_FILE", &config)
        .env("AWS_SHARED_CREDENTIALS_FILE", &config);
    for home in ["alice", "bob"] {
        let home = sandbox.home().join(home);
        sandbox.env("HOME", home);
        fetched(&fake, &sandbox);
    }
}

#[test]
fn another_metadata_service_is_another_identity() {
    let (fake, mut sandbox) = world();
    let other = FakeAws::start();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    fetched(&fake, &sandbox);
    sandbox.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", other.url());
    assert!(get(&fake, &sandbox).1);
    assert_eq!(other.count("imds:credentials"), 1);
    sandbox.env("AWS_EC2_METADATA_DISABLED", "true");
    assert_nothing_served(&sandbox);
}

#[test]
fn another_network_namespace_in_front_of_the_metadata_service_is_another_identity() {
    if !netns::is_possible() {
        eprintln!("skipped: needs root and unshare");
        return;
    }
    let (fake, mut sandbox) = world();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    fetched(&fake, &sandbox);
    // The same program and environment; where the fake is not, nor anything else.
    let elsewhere = |sandbox: &Sandbox| {
        let here = sandbox.command("get");
        let mut there = Command::new("unshare");
        there.arg("--net").arg(here.get_program()).args(here.get_args());
        there.env_clear();
        there.envs(here.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let limit = Duration::from_secs(30);
        support::Running::start(there, HOST, limit).wait()
    };
    elsewhere(&sandbox).assert_not_found();
    cached(&fake, &sandbox);
    // Static keys are the same wherever one is.
    sandbox.use_static_keys();
    fetched(&fake, &sandbox);
    let total = fake.total();
    elsewhere(&sandbox).password();
    assert_eq!(fake.total(), total);
}

#[test]
fn one_token_opens_every_account_of_a_region_and_no_other_region_or_service() {
    let (fake, sandbox) = world_with_keys();
    let ask = |host: &str| {
        let before = fake.total();
        let password = sandbox.get(host).password();
        (password, fake.total() - before)
    };
    let (password, _) = ask(HOST);
    for host in [
        "999999999999.dkr.ecr.eu-central-1.amazonaws.com",
        "https://000000000000.DKR.ecr.eu-central-1.amazonaws.com:443/repository",
    ] {
        assert_eq!(ask(host), (password.clone(), 0), "{host}");
    }
    let mut passwords = vec![password];
    for host in [
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
        "123456789012.dkr-ecr.us-east-1.on.aws",
        "123456789012.dkr-ecr-fips.us-east-1.on.aws",
        "public.ecr.aws",
        "ecr-public.aws.com",
    ] {
        let (password, requests) = ask(host);
        assert_eq!(requests, 1, "{host}");
        assert!(!passwords.contains(&password), "{host}");
        assert_eq!(ask(host), (password.clone(), 0), "{host}");
        passwords.push(password);
    }
}

#[test]
fn asking_for_fips_by_a_variable_or_in_the_profile_is_not_served_the_plain_endpoints_token() {
    let (fake, mut sandbox) = world_with_keys();
    fetched(&fake, &sandbox);
    sandbox.env("AWS_USE_FIPS_ENDPOINT", "true");
    fetched(&fake, &sandbox);
    sandbox.env("AWS_USE_DUALSTACK_ENDPOINT", "true");
    fetched(&fake, &sandbox);
    sandbox
        .unset("AWS_USE_FIPS_ENDPOINT")
        .unset("AWS_USE_DUALSTACK_ENDPOINT");
    cached(&fake, &sandbox);
    sandbox.aws_config("[default]\nuse_fips_endpoint = true\n");
    fetched(&fake, &sandbox);
}

#[test]
fn what_a_file_becomes_during_the_call_is_not_what_the_token_is_kept_for() {
    for changed in [".aws/config", ".aws/credentials", "token"] {
        let (fake, sandbox) = world();
        sandbox.write("token", "jwt-a");
        sandbox.aws_credentials("");
        // At its first run, and with that during the first call, the program changes the file.
        let program = process(
            &sandbox,
            &format!("test -e \"$HOME/ran\" || echo '# changed' >> \"$HOME/{changed}\"\n: > \"$HOME/ran\""),
        );
        sandbox.aws_config(&format!(
            "[default]\ncredential_process = {program}\n\
             [profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {}\n",
            sandbox.home().join("token").display()
        ));
        assert!(get(&fake, &sandbox).1);
        assert!(entries(&sandbox).is_empty(), "{changed}");
        fetched(&fake, &sandbox);
    }
}

#[test]
fn what_a_file_was_before_the_call_gets_no_token_of_what_it_became() {
    let (fake, sandbox) = world();
    let old = |program: &str| format!("[default]\ncredential_process = {program}\n");
    let program = process(
        &sandbox,
        "printf '[default]\\naws_access_key_id = AKIANEW\\naws_secret_access_key = s\\n' \
         > \"$HOME/.aws/config\"",
    );
    sandbox.aws_config(&old(&program));
    let (password, _) = get(&fake, &sandbox);
    assert_eq!(decode_password(&password).access_key_id, "ASIAPROCESS");
    assert_eq!(fetched(&fake, &sandbox), "AKIANEW");
    sandbox.aws_config(&old("/nowhere"));
    assert_nothing_served(&sandbox);
}

#[test]
fn an_sso_token_that_the_sdk_refreshes_during_the_call_is_kept_under_what_it_became() {
    let (fake, sandbox) = world();
    sandbox.aws_config(SSO_CONFIG);
    sandbox.write(CORP_TOKEN, sso_token("old", "2020-01-01T00:00:00Z"));
    fetched(&fake, &sandbox);
    assert_eq!(fake.count("sso-oidc:CreateToken"), 1);
    assert_eq!(entries(&sandbox).len(), 1);
    // The session before the refresh is nobody's any more.
    sandbox.write(CORP_TOKEN, sso_token("old", "2020-01-01T00:00:00Z"));
    let (_, asked) = get(&fake, &sandbox);
    assert!(asked);
}

#[test]
fn an_sso_logout_during_the_call_keeps_nothing_that_is_served_afterwards() {
    let (fake, sandbox) = world();
    let program = process(&sandbox, &format!("rm \"$HOME/{CORP_TOKEN}\""));
    // The configuration mentions SSO, so the tokens count whatever the profile is.
    sandbox.aws_config(&format!(
        "{}[default]\ncredential_process = {program}\n",
        SSO_CONFIG.replace("[default]", "[profile sso]")
    ));
    let file = sandbox.write(CORP_TOKEN, sso_token("user-a", FAR));
    get(&fake, &sandbox);
    fs::write(file, sso_token("user-b", FAR)).unwrap();
    assert!(get(&fake, &sandbox).1);
}

/// Gets, and has the SSO token file changed while ECR is thinking. Whoever is late here only makes the
/// test easier to pass.
fn get_while_sso_changes(fake: &FakeAws, sandbox: &Sandbox, change: impl FnOnce()) {
    let thinking = Duration::from_millis(400);
    fake.next(ECR, Reply::normal().after(thinking));
    let running = sandbox.spawn("get", HOST);
    while fake.count(ECR) == 0 && !running.is_finished() {
        thread::sleep(Duration::from_millis(1));
    }
    change();
    running.wait().password();
    fake.clear();
}

#[test]
fn an_sso_login_of_another_user_during_the_call_is_not_served_the_first_users_token() {
    // Whether or not the SDK refreshes the first user's token on the way.
    for expires in [FAR, "2020-01-01T00:00:00Z"] {
        let (fake, sandbox) = world();
        sandbox.aws_config(SSO_CONFIG);
        sandbox.write(CORP_TOKEN, sso_token("user-a", expires));
        get_while_sso_changes(&fake, &sandbox, || {
            sandbox.write(CORP_TOKEN, sso_token("user-b", FAR));
        });
        assert!(get(&fake, &sandbox).1, "user-a's token for user-b");
        let bearer = fake.requests()[0].header("x-amz-sso_bearer_token").map(str::to_owned);
        assert_eq!(bearer.as_deref(), Some("user-b"));
    }
}

#[test]
fn after_an_sso_logout_during_the_call_nothing_is_served() {
    for expires in [FAR, "2020-01-01T00:00:00Z"] {
        let (fake, sandbox) = world();
        sandbox.aws_config(SSO_CONFIG);
        let file = sandbox.write(CORP_TOKEN, sso_token("user-a", expires));
        get_while_sso_changes(&fake, &sandbox, || fs::remove_file(file).unwrap());
        assert_nothing_served(&sandbox);
    }
}

#[test]
fn keys_in_the_environment_are_cached_whatever_pipes_other_sources_name() {
    let (fake, mut sandbox) = world_with_keys();
    let pipe = sandbox.home().join("pipe");
    mkfifo(&pipe);
    sandbox
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &pipe)
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &pipe);
    fetched(&fake, &sandbox);
}

#[test]
fn a_pipe_as_the_web_identity_token_is_read_and_nothing_is_kept() {
    let (fake, mut sandbox) = world();
    let pipe = sandbox.home().join("pipe");
    mkfifo(&pipe);
    sandbox
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &pipe)
        .env("AWS_ROLE_ARN", ROLE);
    for token in ["jwt-of-the-pipe", "another"] {
        assert!(get_feeding(&fake, &sandbox, &pipe, token).1);
        let form = fake.requests_to(WEB).pop().unwrap().form();
        assert_eq!(form["WebIdentityToken"], token);
    }
    assert!(entries(&sandbox).is_empty());
}

#[test]
fn a_pipe_as_the_containers_token_is_read_and_nothing_is_kept() {
    let (fake, mut sandbox) = world();
    let pipe = sandbox.home().join("pipe");
    mkfifo(&pipe);
    let endpoint = format!("{}/container-credentials/a", fake.url());
    sandbox
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &pipe);
    for _ in 0..2 {
        assert!(get_feeding(&fake, &sandbox, &pipe, "who").1);
    }
    assert!(entries(&sandbox).is_empty());
}

#[test]
fn a_pipe_as_the_config_file_is_read_and_nothing_is_kept() {
    let (fake, mut sandbox) = world();
    let pipe = sandbox.home().join("pipe");
    mkfifo(&pipe);
    sandbox.env("AWS_CONFIG_FILE", &pipe);
    for _ in 0..2 {
        let config = keys("default", "AKIAPIPE");
        let (password, asked) = get_feeding(&fake, &sandbox, &pipe, &config);
        assert!(asked);
        assert_eq!(decode_password(&password).access_key_id, "AKIAPIPE");
    }
    assert!(entries(&sandbox).is_empty());
}

/// Sandboxes whose credentials come from where nobody sees them change.
fn unseen_sources(fake: &FakeAws) -> Vec<(&'static str, Sandbox)> {
    let sandbox = || {
        let mut sandbox = Sandbox::new();
        sandbox.point_at(fake);
        sandbox
    };
    let container = format!("{}/container-credentials/a", fake.url());
    let role = |source: &str| format!("[default]\nrole_arn = {ROLE}\n{source}\n");
    let mut all = Vec::new();
    for (name, config) in [
        ("process", "[default]\ncredential_process = PROGRAM\n".to_owned()),
        (
            "role over process",
            role("source_profile = p\n[profile p]\ncredential_process = PROGRAM"),
        ),
        ("container", String::new()),
        ("role over container", role("credential_source = EcsContainer")),
        (
            "chain over container",
            role(&format!(
                "source_profile = p\n[profile p]\nrole_arn = {ROLE}\ncredential_source = EcsContainer"
            )),
        ),
        ("metadata", String::new()),
        ("role over metadata", role("credential_source = Ec2InstanceMetadata")),
        ("empty profile over metadata", "[default]\nregion = x\n".to_owned()),
    ] {
        let mut sandbox = sandbox();
        let program = process(&sandbox, "");
        sandbox.aws_config(&config.replace("PROGRAM", &program));
        if name.ends_with("container") {
            sandbox.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container);
        }
        if name.ends_with("metadata") {
            sandbox
                .unset("AWS_EC2_METADATA_DISABLED")
                .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
        }
        all.push((name, sandbox));
    }
    all
}

#[test]
fn tokens_of_sources_that_change_unseen_are_fresh_for_an_hour_and_usable_as_long_as_any() {
    let fake = FakeAws::start();
    for (name, sandbox) in unseen_sources(&fake) {
        let (first, _) = get(&fake, &sandbox);
        age(&sandbox, 59);
        assert_eq!(get(&fake, &sandbox), (first.clone(), false), "{name}");
        age(&sandbox, 2);
        let (second, asked) = get(&fake, &sandbox);
        assert!(asked && second != first, "{name}");
        assert_eq!(get(&fake, &sandbox), (second.clone(), false), "{name}");

        age(&sandbox, 11 * 60);
        fake.on(ECR, Reply::aws_error(400, "ExpiredTokenException", "over"));
        assert_eq!(get(&fake, &sandbox), (second, true), "{name}");
        fake.on(ECR, Reply::normal());
    }
}

#[test]
fn tokens_of_other_sources_are_fresh_for_half_their_life() {
    let (fake, sandbox) = world_with_keys();
    let files = Sandbox::new();
    files.aws_credentials(&keys("default", "AKIAA"));
    let mut web = Sandbox::new();
    let token = web.write("token", "jwt");
    web.env("AWS_WEB_IDENTITY_TOKEN_FILE", token).env("AWS_ROLE_ARN", ROLE);
    let sso = Sandbox::new();
    sso.aws_config(SSO_CONFIG);
    sso.write(CORP_TOKEN, sso_token("user", FAR));
    for mut sandbox in [sandbox, files, web, sso] {
        sandbox.point_at(&fake);
        let (first, _) = get(&fake, &sandbox);
        age(&sandbox, 359);
        assert_eq!(get(&fake, &sandbox), (first.clone(), false));
        age(&sandbox, 2);
        let (second, asked) = get(&fake, &sandbox);
        assert!(asked && second != first);
    }
}

#[test]
fn another_home_is_another_identity_also_with_keys_and_every_file_named() {
    let (fake, mut sandbox) = world_with_keys();
    let config = sandbox.aws_config("");
    let credentials = sandbox.aws_credentials("");
    let cache = sandbox.home().join("cache");
    sandbox
        .env("AWS_CONFIG_FILE", config)
        .env("AWS_SHARED_CREDENTIALS_FILE", credentials)
        .env("AWS_ECR_CACHE_DIR", cache);
    get(&fake, &sandbox);
    assert!(!get(&fake, &sandbox).1);
    let other = sandbox.home().join("other");
    fs::create_dir(&other).unwrap();
    sandbox.env("HOME", other);
    assert!(get(&fake, &sandbox).1);
}
