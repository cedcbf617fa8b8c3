//! The log: none by default; on demand a private, capped file that says what happened and why, and
//! at no level, from no source of credentials, a secret.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{FakeAws, Output, Reply, Sandbox, TlsProxy};

const ECR: &str = "ecr:GetAuthorizationToken";
const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "IQoJb3JpZ2luX2VjEXAMPLEsessionTOKEN//////////wEaCXVz";
const MIB: u64 = 1 << 20;

/// What is done to the log, and its name.
type Damage = (&'static str, fn(&Path));

fn logging(fake: &FakeAws, level: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(fake);
    sandbox.env("AWS_ECR_LOG", level);
    sandbox
}

/// Every file of the log, the present one first.
fn log_files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.cache_dir()).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains("log"))
        .filter(|path| path.extension().unwrap() != "login")
        .collect();
    paths.sort();
    paths
}

fn log(sandbox: &Sandbox) -> String {
    let files = log_files(sandbox);
    let read = |path: &PathBuf| String::from_utf8(fs::read(path).unwrap()).unwrap();
    files.iter().map(read).collect()
}

fn clear(sandbox: &Sandbox) {
    for file in log_files(sandbox) {
        fs::remove_file(file).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A line begins with its time, and its level comes before the event.
fn is_whole(line: &str) -> bool {
    let levels = ["error", "warn", "info", "debug", "trace"];
    let words: Vec<_> = line.splitn(4, ' ').collect();
    line.starts_with(|c: char| c.is_ascii_digit()) && words.len() == 4 && levels.contains(&words[2])
}

#[track_caller]
fn assert_holds(log: &str, words: &[&str]) {
    for word in words {
        assert!(log.contains(word), "{word:?} is missing in the log:\n{log}");
    }
}

#[test]
fn there_is_no_log_unless_one_is_asked_for() {
    let fake = FakeAws::start();
    for level in [None, Some("")] {
        let mut sandbox = logging(&fake, "");
        if level.is_none() {
            sandbox.unset("AWS_ECR_LOG");
        }
        sandbox.get(HOST).password();
        sandbox.get(HOST).password();
        fake.next(ECR, Reply::aws_error(400, "AccessDeniedException", "no"));
        sandbox.get(&HOST.replace("east", "west")).assert_not_found();
        sandbox.run("list", "");
        sandbox.run("erase", HOST);
        assert_eq!(log(&sandbox), "");
        assert_eq!(log_files(&sandbox), Vec::<PathBuf>::new());
        let below_home = fs::read_dir(sandbox.home()).unwrap().count();
        assert_eq!(below_home, 1, "nothing but .cache");
    }
}

#[test]
fn the_log_is_private_whatever_the_umask() {
    let fake = FakeAws::start();
    for umask in ["000", "777"] {
        let sandbox = logging(&fake, "debug");
        let output = sandbox.run_with("get", HOST, |command| {
            let envs: Vec<_> = command
                .get_envs()
                .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
                .collect();
            let program = command.get_program().to_owned();
            *command = Command::new("sh");
            command.args(["-c", &format!("umask {umask}; exec \"$0\" get")]);
            command.arg(program).env_clear().envs(envs);
        });
        output.password();
        let files = log_files(&sandbox);
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(mode(&files[0]), 0o600, "umask {umask}");
        assert_eq!(mode(&sandbox.cache_dir()), 0o700, "umask {umask}");
    }
}

#[test]
fn it_says_hit_or_miss_and_why_and_from_where_and_how_long() {
    let fake = FakeAws::start();
    let sandbox = logging(&fake, "debug");
    sandbox.get(HOST).password();
    let cold = log(&sandbox);
    let words = [HOST, "miss", "AWS_ACCESS_KEY_ID", &fake.url(), "200", " ms"];
    assert_holds(&cold, &words);
    assert!(!cold.contains("cache hit"), "{cold}");

    clear(&sandbox);
    sandbox.get(HOST).password();
    let warm = log(&sandbox);
    assert_holds(&warm, &[HOST, "hit"]);
    assert!(!warm.contains("miss") && !warm.contains(&fake.url()), "{warm}");
}

#[test]
fn it_gives_each_kind_of_miss_a_reason_of_its_own() {
    let fake = FakeAws::start();
    let sandbox = logging(&fake, "debug");
    let miss = || {
        clear(&sandbox);
        sandbox.get(HOST).password();
        let log = log(&sandbox);
        let line = log.lines().find(|line| line.contains("miss"));
        let line = line.unwrap_or_else(|| panic!("no miss:\n{log}"));
        line.split_once("miss").unwrap().1.to_owned()
    };
    let entry = || {
        let names = fs::read_dir(sandbox.cache_dir()).unwrap();
        let mut paths = names.map(|entry| entry.unwrap().path());
        paths.find(|path| path.extension().unwrap() == "json").unwrap()
    };
    let absent = miss();
    fs::write(entry(), "{").unwrap();
    let damaged = miss();
    fs::set_permissions(entry(), fs::Permissions::from_mode(0o664)).unwrap();
    let loose = miss();
    fs::hard_link(entry(), sandbox.home().join("link")).unwrap();
    let linked = miss();
    let mut reasons = vec![absent, damaged, loose, linked];
    assert!(reasons.iter().all(|reason| reason.len() > 4), "{reasons:?}");
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
}

#[test]
fn it_names_the_profile_and_the_kind_of_source() {
    let fake = FakeAws::start();
    let mut sandbox = logging(&fake, "debug");
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .env("AWS_PROFILE", "team-a");
    sandbox.aws_config(&format!(
        "[profile team-a]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
         [profile base]\naws_access_key_id = A\naws_secret_access_key = {SECRET}\n"
    ));
    sandbox.get(HOST).password();
    assert_holds(&log(&sandbox), &["team-a", "POST", &fake.url(), " ms"]);
    assert_eq!(log(&sandbox).matches("POST").count(), 2, "STS and ECR");
}

#[test]
fn it_shows_retries_and_what_they_were_for() {
    let fake = FakeAws::start();
    let sandbox = logging(&fake, "debug");
    fake.next(ECR, Reply::aws_error(500, "ServerException", "sorry"));
    sandbox.get(HOST).password();
    let log = log(&sandbox);
    assert_holds(&log, &["500", "200"]);
    assert!(log.find("500") < log.find(": 200"), "{log}");
}

#[test]
fn it_shows_failures_at_every_level() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", "not for you"));
    for level in ["error", "warn", "info", "debug", "trace"] {
        let sandbox = logging(&fake, level);
        let output = sandbox.get(HOST);
        output.assert_not_found();
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
        let log = log(&sandbox);
        assert!(log.contains("not for you") && log.contains(HOST), "{level}: {log:?}");
    }
}

#[test]
fn a_higher_level_says_no_less() {
    let fake = FakeAws::start();
    let mut lengths = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        let sandbox = logging(&fake, level);
        sandbox.get(HOST).password();
        sandbox.get(HOST).password();
        lengths.push(log(&sandbox).lines().count());
    }
    assert!(lengths.is_sorted(), "{lengths:?}");
    assert_eq!(lengths[0], 0, "nothing failed");
    assert!(lengths[3] > lengths[2], "{lengths:?}");
}

#[test]
fn it_says_why_a_token_that_came_expired_is_not_cached() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::token_expires_in(-3600));
    let sandbox = logging(&fake, "debug");
    sandbox.get(HOST).password();
    assert_holds(&log(&sandbox), &["not cached", "expired", "clock"]);
    sandbox.get(HOST).password();
    assert_eq!(fake.count(ECR), 2);
}

#[test]
fn it_says_why_there_is_no_cache() {
    let fake = FakeAws::start();
    let mut sandbox = logging(&fake, "debug");
    sandbox.env("AWS_ECR_DISABLE_CACHE", "1");
    sandbox.get(HOST).password();
    assert_holds(&log(&sandbox), &["AWS_ECR_DISABLE_CACHE"]);
}

#[test]
fn it_says_that_a_login_answered() {
    let fake = FakeAws::start();
    let sandbox = logging(&fake, "debug");
    let request = json!({"ServerURL": HOST, "Username": "AWS", "Secret": "hunter2-login"});
    sandbox.run("store", request.to_string());
    assert_eq!(sandbox.get(HOST).password(), "hunter2-login");
    sandbox.run("erase", HOST);
    let log = log(&sandbox);
    assert_holds(&log, &["login", "erased"]);
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn a_bad_level_is_told_and_the_answer_comes_all_the_same() {
    let fake = FakeAws::start();
    for level in ["verbose", "7", "debug,trace", "\u{1b}[31m"] {
        let sandbox = logging(&fake, level);
        let output = sandbox.get(HOST);
        output.password();
        let stderr = output.stderr.trim_end();
        assert_eq!(stderr.lines().count(), 1, "{output}");
        for word in ["AWS_ECR_LOG", "error", "warn", "info", "debug", "trace"] {
            assert!(stderr.contains(word), "{word}: {output}");
        }
        assert!(!stderr.contains('\u{1b}'), "{output:?}");
        assert_eq!(log_files(&sandbox), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_log_that_cannot_be_written_is_told_and_the_answer_comes_all_the_same() {
    let fake = FakeAws::start();
    let mut sandbox = logging(&fake, "debug");
    let blocked = sandbox.write("file", "").join("cache");
    sandbox.env("AWS_ECR_CACHE_DIR", blocked);
    for _ in 0..2 {
        let output = sandbox.get(HOST);
        output.password();
        assert_eq!(output.stderr.trim_end().lines().count(), 1, "{output}");
        assert!(output.stderr.contains("log"), "{output}");
    }
    sandbox.unset("AWS_ECR_CACHE_DIR").unset("HOME");
    sandbox.get(HOST).password();
}

#[test]
fn a_full_log_becomes_the_one_predecessor_and_both_stay_private_and_capped() {
    let fake = FakeAws::start();
    let sandbox = logging(&fake, "debug");
    sandbox.get(HOST).password();
    let current = log_files(&sandbox).remove(0);
    for round in ["first", "second"] {
        let mut filler = format!("{round}\n").into_bytes();
        filler.resize(usize::try_from(MIB).unwrap() - 10, b'x');
        fs::write(&current, filler).unwrap();
        sandbox.get(HOST).password();
        let files = log_files(&sandbox);
        assert_eq!(files.len(), 2, "{files:?}");
        for file in &files {
            assert!(fs::metadata(file).unwrap().len() <= MIB, "{file:?}");
            assert_eq!(mode(file), 0o600, "{file:?}");
        }
        let new = fs::read_to_string(&files[0]).unwrap();
        assert!(new.contains("hit") && !new.contains("xxx"), "{round}");
        assert!(fs::read_to_string(&files[1]).unwrap().starts_with(round));
    }
}

#[test]
fn many_at_once_keep_to_the_cap_and_to_whole_lines() {
    let fake = FakeAws::start();
    let sandbox = logging(&fake, "trace");
    sandbox.get(HOST).password();
    let current = log_files(&sandbox).remove(0);
    let line = "2025-01-01T00:00:00.000000Z 1 debug filler\n";
    let almost = usize::try_from(MIB).unwrap() / line.len() - 1;
    fs::write(&current, line.repeat(almost)).unwrap();
    let running: Vec<_> = (0..20).map(|_| sandbox.spawn("get", HOST)).collect();
    for run in running {
        run.wait().password();
    }
    let files = log_files(&sandbox);
    assert!(files.len() <= 2, "{files:?}");
    for file in files {
        assert!(fs::metadata(&file).unwrap().len() <= MIB, "{file:?}");
        let text = fs::read_to_string(file).unwrap();
        assert!(text.ends_with('\n'));
        assert!(text.lines().all(is_whole), "{text:.2000}");
    }
    assert_eq!(log(&sandbox).matches("hit").count(), 20);
}

#[test]
fn a_log_that_is_a_link_a_pipe_or_open_to_others_is_not_written_through() {
    let fake = FakeAws::start();
    let damages: [Damage; 4] = [
        ("symbolic link", |file| {
            fs::write(file.with_file_name("victim"), "untouched").unwrap();
            symlink(file.with_file_name("victim"), file).unwrap();
        }),
        ("hard link", |file| {
            fs::write(file.with_file_name("victim"), "untouched").unwrap();
            fs::hard_link(file.with_file_name("victim"), file).unwrap();
        }),
        ("pipe", |file| {
            assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
        }),
        ("loose", |file| {
            fs::write(file, "old").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
        }),
    ];
    for (kind, damage) in damages {
        let sandbox = logging(&fake, "debug");
        sandbox.get(HOST).password();
        let file = log_files(&sandbox).remove(0);
        fs::remove_file(&file).unwrap();
        damage(&file);
        let output = sandbox.get(HOST);
        output.password();
        assert_eq!(output.stderr, "", "{kind}");
        assert!(fs::symlink_metadata(&file).unwrap().is_file(), "{kind}");
        assert_eq!(mode(&file), 0o600, "{kind}");
        assert!(fs::read_to_string(&file).unwrap().contains("hit"), "{kind}");
        if let Ok(victim) = fs::read_to_string(file.with_file_name("victim")) {
            assert_eq!(victim, "untouched", "{kind}");
        }
    }
}

#[test]
fn nothing_that_came_from_outside_begins_a_line_of_its_own() {
    let fake = FakeAws::start();
    let wild = "no\n1700000000.000 1 error forged\r\x1b[2Jforged\u{2028}forged";
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", wild));
    let mut sandbox = logging(&fake, "trace");
    sandbox.get(HOST).assert_not_found();
    sandbox.env("AWS_PROFILE", "x\nforged").unset("AWS_ACCESS_KEY_ID");
    sandbox.get(HOST).assert_not_found();
    let log = log(&sandbox);
    assert!(!log.contains('\x1b') && !log.contains('\r'), "{log:?}");
    for line in log.lines() {
        assert!(is_whole(line) && !line.starts_with("1700000000"), "{log}");
    }
}

/// A sandbox for each source of credentials, and the secrets that its settings hold.
fn sources(fake: &FakeAws) -> Vec<(&'static str, Sandbox, Vec<&'static str>)> {
    let fresh = |profile: &str| {
        let mut sandbox = Sandbox::new();
        sandbox.point_at(fake).env("AWS_PROFILE", "p");
        sandbox.aws_config(&format!("[profile p]\n{profile}"));
        sandbox
    };
    // A session that is always named alike gets the same keys from the fake each time.
    let role = "role_arn = arn:aws:iam::1:role/r\nrole_session_name = s\n";
    let mut environment = fresh("");
    environment
        .env("AWS_ACCESS_KEY_ID", "AKIAENV")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", SESSION);
    let keys = format!("aws_access_key_id = A\naws_secret_access_key = {SECRET}\naws_session_token = {SESSION}\n");
    let assumed = fresh(&format!(
        "{role}source_profile = b\nexternal_id = ext-hunter2\n[profile b]\n{keys}"
    ));
    let sso = fresh(
        "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n\
         [sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n",
    );
    let token = json!({
        "accessToken": "sso-access-hunter2", "expiresAt": "2020-01-01T00:00:00Z",
        "refreshToken": "sso-refresh-hunter2", "clientId": "client", "region": "us-east-1",
        "clientSecret": "sso-client-hunter2", "registrationExpiresAt": "2099-01-01T00:00:00Z",
        "startUrl": "https://corp.example/start",
    });
    // Named by the SHA-1 of `corp`.
    let name = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    sso.write(name, token.to_string());
    let mut web = fresh("");
    let file = web.write("token", "web-identity-hunter2");
    web.unset("AWS_PROFILE")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", file)
        .env("AWS_ROLE_SESSION_NAME", "s")
        .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
    let mut container = fresh("");
    let url = format!("{}/container-credentials/path-hunter2", fake.url());
    container
        .unset("AWS_PROFILE")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-hunter2")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    let mut instance = fresh("");
    instance
        .unset("AWS_PROFILE")
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    let answer = json!({
        "Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": SECRET, "SessionToken": SESSION,
    });
    let process = fresh(&format!("credential_process = echo '{answer}' #argument-hunter2\n"));
    vec![
        ("environment", environment, vec![]),
        ("assumed role", assumed, vec!["ext-hunter2"]),
        (
            "SSO",
            sso,
            vec!["sso-access-hunter2", "sso-refresh-hunter2", "sso-client-hunter2"],
        ),
        ("web identity", web, vec!["web-identity-hunter2"]),
        ("container", container, vec!["container-hunter2", "path-hunter2"]),
        ("instance", instance, vec!["AQAEAfake-imds-token"]),
        ("process", process, vec!["argument-hunter2"]),
    ]
}

/// Every secret that the fake gave or got so far, and the passwords among them in both forms.
fn secrets_of(fake: &FakeAws, passwords: &[String]) -> Vec<String> {
    let mut secrets = vec![SECRET.to_owned(), SESSION.to_owned()];
    for request in fake.requests() {
        if let Some(key) = request.issued_access_key_id() {
            secrets.push(format!("secret-of-{key}"));
            secrets.push(format!("session-of-{key}"));
        }
        for name in ["x-amz-sso_bearer_token", "x-amz-security-token", "authorization"] {
            secrets.extend(request.header(name).map(str::to_owned));
        }
        if request.operation == "sso-oidc:CreateToken" {
            secrets.push("sso-access-token-".to_owned());
            secrets.push("sso-refresh-token-".to_owned());
        }
    }
    for password in passwords {
        secrets.push(password.clone());
        secrets.push(STANDARD.encode(format!("AWS:{password}")));
        // Nor any part of it that is long enough to be of use.
        secrets.push(password.get(..40).unwrap_or(password).to_owned());
    }
    secrets
}

#[track_caller]
fn assert_no_secret(what: &str, sandbox: &Sandbox, outputs: &[&Output], secrets: &[String]) {
    let mut shown = log(sandbox);
    assert!(!shown.is_empty(), "{what}: no log");
    for output in outputs {
        shown.push_str(&output.stderr);
    }
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        assert!(!shown.contains(secret), "{what}: {secret} in\n{shown}");
    }
}

#[test]
fn no_secret_of_any_source_is_in_it_at_any_level() {
    for level in ["info", "debug", "trace"] {
        let fake = FakeAws::start();
        for (source, mut sandbox, secrets) in sources(&fake) {
            sandbox.env("AWS_ECR_LOG", level);
            let outputs = [sandbox.get(HOST), sandbox.get(HOST)];
            let passwords = outputs.each_ref().map(Output::password);
            let mut all = secrets_of(&fake, &passwords);
            all.extend(secrets.iter().map(|&secret| secret.to_owned()));
            let what = format!("{source} at {level}");
            assert_no_secret(&what, &sandbox, &outputs.each_ref(), &all);
        }
        assert!(fake.count(ECR) >= 7, "each source gave a token");
    }
}

#[test]
fn no_secret_is_in_it_when_the_api_fails() {
    for reply in [
        Reply::aws_error(400, "AccessDeniedException", "no"),
        Reply::aws_error(400, "ExpiredTokenException", "over"),
        Reply::raw(
            200,
            "application/json",
            "{\"authorizationData\":[{\"authorizationToken\":\"aHVudGVyMg==\"}]}",
        ),
    ] {
        let fake = FakeAws::start();
        fake.on(ECR, reply);
        for (source, mut sandbox, secrets) in sources(&fake) {
            sandbox.env("AWS_ECR_LOG", "trace");
            let output = sandbox.get(HOST);
            output.assert_not_found();
            let mut all = secrets_of(&fake, &["aHVudGVyMg".to_owned()]);
            all.extend(secrets.iter().map(|&secret| secret.to_owned()));
            assert_no_secret(source, &sandbox, &[&output], &all);
        }
    }
}

#[test]
fn no_secret_that_a_refusal_quotes_is_in_it_or_beside_it() {
    let fake = FakeAws::start();
    let quoting = format!("The Canonical String should have been 'x-amz-security-token:{SESSION}' {SECRET}");
    fake.on(ECR, Reply::aws_error(403, "InvalidSignatureException", &quoting));
    let mut sandbox = logging(&fake, "trace");
    sandbox
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", SESSION);
    let output = sandbox.get(HOST);
    output.assert_not_found();
    let secrets = [SECRET.to_owned(), SESSION.to_owned()];
    assert_no_secret("quoted", &sandbox, &[&output], &secrets);
    for entry in fs::read_dir(sandbox.cache_dir()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(SESSION) && !text.contains(SECRET), "{path:?}");
    }
}

#[test]
fn no_secret_is_in_it_when_a_service_repeats_what_it_was_sent() {
    let fake = FakeAws::start();
    for at in 0..sources(&fake).len() {
        let logging = || {
            let (source, mut sandbox, settings) = sources(&fake).remove(at);
            sandbox.env("AWS_ECR_LOG", "trace");
            (source, sandbox, settings)
        };
        fake.clear();
        let (source, sandbox, settings) = logging();
        sandbox.get(HOST).password();
        let mut secrets = secrets_of(&fake, &[]);
        secrets.extend(settings.iter().map(|&secret| secret.to_owned()));
        // No secret: an external id, a signature, the beginning of a token.
        secrets.retain(|secret| secret != "ext-hunter2" && !secret.starts_with("AWS4") && !secret.ends_with('-'));
        for request in fake.requests() {
            if request.operation.starts_with("imds:") {
                continue; // Its refusals have no words.
            }
            let mut sent = String::from_utf8_lossy(&request.body).into_owned();
            for (_, value) in &request.headers {
                sent.push_str(value);
            }
            let repeated: Vec<_> = secrets.iter().filter(|s| sent.contains(*s)).cloned().collect();
            let quoting = format!("I was sent '{}'.", repeated.join("', '"));
            let refusal = Reply::aws_error(403, "SignatureDoesNotMatch", &quoting);
            fake.on(&request.operation, refusal);
            let (_, sandbox, _) = logging();
            // Most fail now; where a refresh is refused, the SDK may get by without it.
            let output = sandbox.get(HOST);
            let what = format!("{source}: {}", request.operation);
            assert_no_secret(&what, &sandbox, &[&output], &repeated);
            fake.on(&request.operation, Reply::normal());
        }
    }
}

#[test]
fn no_secret_is_in_it_when_the_source_fails() {
    let fake = FakeAws::start();
    for operation in [
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
        "sso:GetRoleCredentials",
        "sso-oidc:CreateToken",
        "container:credentials",
        "imds:credentials",
    ] {
        fake.on(operation, Reply::aws_error(400, "AccessDenied", "no"));
    }
    for (source, mut sandbox, secrets) in sources(&fake) {
        if ["environment", "process"].contains(&source) {
            continue;
        }
        sandbox.env("AWS_ECR_LOG", "trace");
        let output = sandbox.get(HOST);
        output.assert_not_found();
        let mut all = secrets_of(&fake, &[]);
        all.extend(secrets.iter().map(|&secret| secret.to_owned()));
        assert_no_secret(source, &sandbox, &[&output], &all);
    }
    assert_eq!(fake.count(ECR), 0);
}

#[test]
fn no_half_of_a_credential_document_that_makes_no_sense_is_in_it() {
    let fake = FakeAws::start();
    let broken = format!("{{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"{SECRET}\",\"Token\":\"{SESSION}\",,");
    for operation in [
        "container:credentials",
        "imds:credentials",
        "sso:GetRoleCredentials",
        "sts:AssumeRole",
    ] {
        fake.on(operation, Reply::raw(200, "application/json", broken.clone()));
    }
    for (source, mut sandbox, _) in sources(&fake) {
        if ["environment", "web identity", "process"].contains(&source) {
            continue;
        }
        sandbox.env("AWS_ECR_LOG", "trace");
        let output = sandbox.get(HOST);
        output.assert_not_found();
        let secrets = [SECRET.to_owned(), SESSION.to_owned()];
        assert_no_secret(source, &sandbox, &[&output], &secrets);
    }
    let sandbox = logging(&fake, "trace");
    let mut sandbox = sandbox;
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .aws_config(&format!("[default]\ncredential_process = echo '{broken}'\n"));
    let output = sandbox.get(HOST);
    output.assert_not_found();
    assert_no_secret(
        "process",
        &sandbox,
        &[&output],
        &[SECRET.to_owned(), SESSION.to_owned()],
    );
}

#[test]
fn no_password_of_a_proxy_or_in_an_endpoint_is_in_it() {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    proxy.require_auth("us3r", "hunter2");
    for password in ["hunter2", "wrong-hunter2"] {
        let mut sandbox = logging(&fake, "trace");
        let ca = sandbox.write("ca.pem", proxy.ca_pem());
        let url = proxy.url().replace("http://", &format!("http://us3r:{password}@"));
        sandbox
            .unset("AWS_ENDPOINT_URL")
            .env("AWS_CA_BUNDLE", ca)
            .env("HTTPS_PROXY", url);
        let output = sandbox.get(HOST);
        assert_eq!(output.code == Some(0), password == "hunter2", "{output}");
        let mut secrets = vec!["hunter2".to_owned()];
        secrets.extend(proxy.proxy_authorizations());
        assert_no_secret("proxy", &sandbox, &[&output], &secrets);
        assert_holds(&log(&sandbox), &["https://api.ecr.us-east-1.amazonaws.com"]);
    }
    let mut sandbox = logging(&fake, "trace");
    let url = fake.url().replace("http://", "http://us3r:hunter2@");
    sandbox.env("AWS_ENDPOINT_URL", format!("{url}/?key=hunter2"));
    let output = sandbox.get(HOST);
    assert_no_secret("endpoint", &sandbox, &[&output], &["hunter2".to_owned()]);
}
