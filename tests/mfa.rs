//! Roles that want the code of an MFA device: it is asked for on the terminal, once for as long as its token lives, and
//! nobody is made to wait for the person. Where there is no terminal, the error says how to get there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{FakeAws, OnTerminal, Output, Reply, Running, STATIC_KEY_ID, Sandbox, decode_password, world};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const SAME_REGION: &str = "210987654321.dkr.ecr.eu-central-1.amazonaws.com";

const ECR: &str = "ecr:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";
const SSO: &str = "sso:GetRoleCredentials";

const ROLE: &str = "arn:aws:iam::123456789012:role/pull";
const DEVICE: &str = "arn:aws:iam::123456789012:mfa/me";

const CODE: &str = "135790";

/// SHA-1 of `corp`: the name of its token file.
const CORP_TOKEN: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// A home whose default profile wants a code for its role, on top of a user's keys.
fn world_with_mfa() -> (FakeAws, Sandbox) {
    let (fake, sandbox) = world();
    sandbox.aws_credentials(&keys("user", "AKIAUSER"));
    sandbox.aws_config(&format!("[default]\n{}", mfa("user")));
    (fake, sandbox)
}

fn keys(profile: &str, key_id: &str) -> String {
    format!("[{profile}]\naws_access_key_id = {key_id}\naws_secret_access_key = secret-of-{key_id}\n")
}

/// The settings of a role that wants a code.
fn mfa(source_profile: &str) -> String {
    format!("role_arn = {ROLE}\nsource_profile = {source_profile}\nmfa_serial = {DEVICE}\n")
}

/// Where nobody can be asked: in a session without a terminal, whatever terminal the tests are run on.
fn without_terminal(mut command: Command, stdin: &str) -> Output {
    if Command::new("setsid").arg("--version").output().is_ok() {
        let mut session = Command::new("setsid");
        session
            .arg("--wait")
            .arg(command.get_program())
            .args(command.get_args());
        session.env_clear();
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command = session;
    }
    Running::start(command, stdin, Duration::from_secs(60)).wait()
}

fn get_without_terminal(sandbox: &Sandbox, host: &str) -> Output {
    without_terminal(sandbox.command("get"), host)
}

/// The answer to a `get`, with the code typed once it is asked for.
fn get_with_code(sandbox: &Sandbox) -> (String, String) {
    let mut terminal = sandbox.on_terminal("get", HOST);
    terminal.wait_for("MFA code for ");
    terminal.wait_for(": ");
    terminal.press(&format!("{CODE}\r"));
    let seen = terminal.wait();
    assert_eq!(seen.answer().code, 0, "{seen:?}");
    (password(&seen.answer().stdout), seen.terminal)
}

fn password(stdout: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(stdout).expect("an answer");
    answer["Secret"].as_str().expect("a password").to_owned()
}

fn assert_explains(output: &Output, words: &[&str]) {
    output.assert_not_found();
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    for word in words {
        assert!(output.stderr.contains(word), "{word:?} is not in: {output}");
    }
}

#[test]
fn the_code_is_asked_for_on_the_terminal_and_never_shown() {
    let (fake, mut sandbox) = world_with_mfa();
    sandbox.env("AWS_ECR_LOG", "trace");
    let mut terminal = sandbox.on_terminal("get", HOST);
    let question = terminal.wait_for(": ");
    for word in ["MFA code", DEVICE, "profile \"default\"", HOST] {
        assert!(question.contains(word), "{question}");
    }
    assert!(!terminal.echoes());
    assert_eq!(fake.total(), 0, "AWS is asked when there is a code");
    terminal.press(&format!("{CODE}\r"));
    let seen = terminal.wait();
    assert_eq!(seen.answer().code, 0);
    assert!(seen.echoes);
    assert_eq!(seen.terminal, format!("{question}\r\n"));

    let assumed = fake.requests_to(STS);
    assert_eq!((assumed.len(), fake.total()), (1, 2));
    assert_eq!(assumed[0].access_key_id.as_deref(), Some("AKIAUSER"));
    let form = assumed[0].form();
    assert_eq!(
        (form["RoleArn"].as_str(), form["SerialNumber"].as_str()),
        (ROLE, DEVICE)
    );
    assert_eq!(form["TokenCode"], CODE);
    let token = decode_password(&password(&seen.answer().stdout));
    assert_eq!(token.access_key_id, assumed[0].issued_access_key_id().unwrap());
    assert_eq!(token.region, "eu-central-1");

    let log = fs::read_to_string(sandbox.cache_dir().join("helper.log")).unwrap();
    assert!(log.contains("assuming the role") && !log.contains(CODE), "{log}");
    for path in fs::read_dir(sandbox.cache_dir()).unwrap() {
        let contents = fs::read_to_string(path.unwrap().path()).unwrap();
        assert!(!contents.contains(CODE));
    }
}

#[test]
fn the_token_is_cached_for_everybody_and_every_registry_of_the_region() {
    let (fake, sandbox) = world_with_mfa();
    let (first, _) = get_with_code(&sandbox);
    // On a terminal, without one, and for another registry: nobody is asked.
    let again = sandbox.on_terminal("get", HOST).wait();
    assert_eq!(password(&again.answer().stdout), first);
    assert_eq!(again.terminal, "");
    for host in [HOST, SAME_REGION] {
        let output = get_without_terminal(&sandbox, host);
        assert_eq!(output.password(), first);
        assert_eq!(output.stderr, "");
    }
    assert_eq!(fake.total(), 2);
}

#[test]
fn a_token_is_served_to_its_end_before_a_person_is_asked_again() {
    let (fake, mut sandbox) = world_with_mfa();
    sandbox.env("AWS_ECR_LOG", "warn");
    let (first, _) = get_with_code(&sandbox);
    // Older than half its life, when another token would be refreshed; and an hour before its end.
    for hours in [7, 4] {
        sandbox.age_entry(hours * 3600);
        let seen = sandbox.on_terminal("get", HOST).wait();
        assert_eq!(password(&seen.answer().stdout), first);
        assert_eq!(seen.terminal, "");
    }
    assert_eq!(fake.total(), 2);
    let log = fs::read_to_string(sandbox.cache_dir().join("helper.log")).unwrap_or_default();
    assert_eq!(log, "", "nor was a refresh tried");
    sandbox.age_entry(3600);
    let (second, _) = get_with_code(&sandbox);
    assert_ne!(second, first);
    assert_eq!(fake.count(STS), 2);
}

#[test]
fn two_helpers_on_one_terminal_ask_once() {
    let (fake, sandbox) = world_with_mfa();
    let mut terminal = sandbox.each_on_terminal("get", &[HOST, SAME_REGION, HOST]);
    terminal.wait_for(": ");
    terminal.press(&format!("{CODE}\r"));
    let seen = terminal.wait();
    let passwords: Vec<_> = seen.answers.iter().map(|answer| password(&answer.stdout)).collect();
    assert_eq!(passwords.len(), 3);
    assert!(passwords.iter().all(|one| *one == passwords[0]));
    assert_eq!(seen.terminal.matches("MFA code").count(), 1, "{seen:?}");
    assert_eq!((fake.count(STS), fake.count(ECR)), (1, 1));
}

#[test]
fn nobody_waits_for_a_person() {
    let (fake, sandbox) = world_with_mfa();
    let mut terminal = sandbox.on_terminal("get", HOST);
    terminal.wait_for(": ");
    // For the same token, with the question still open.
    let started = Instant::now();
    assert_explains(&get_without_terminal(&sandbox, HOST), &["no terminal"]);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let locks = support::files_ending(&sandbox.cache_dir(), ".lock");
    assert!(locks.is_empty(), "{locks:?}");
    // On a terminal of their own, they are asked of their own accord.
    let mut other = sandbox.on_terminal("get", SAME_REGION);
    other.wait_for(": ");
    other.press("246801\r");
    assert_eq!(other.wait().answer().code, 0);
    terminal.press(&format!("{CODE}\r"));
    assert_eq!(terminal.wait().answer().code, 0);
    assert_eq!(fake.count(STS), 2);
}

#[test]
fn the_time_for_the_call_begins_when_the_code_is_typed() {
    let (fake, mut sandbox) = world_with_mfa();
    sandbox.env("AWS_ECR_TIMEOUT", "3");
    fake.on(STS, Reply::normal().after(Duration::from_millis(1500)));
    let mut terminal = sandbox.on_terminal("get", HOST);
    terminal.wait_for(": ");
    // With the time that AWS takes it is more than is allowed for the call.
    std::thread::sleep(Duration::from_secs(2));
    terminal.press(&format!("{CODE}\r"));
    assert_eq!(terminal.wait().answer().code, 0);
}

#[test]
fn what_is_no_code_is_asked_for_again_and_not_sent() {
    let (fake, sandbox) = world_with_mfa();
    let mut terminal = sandbox.on_terminal("get", HOST);
    for nonsense in ["12345\r", "abcdef\r"] {
        terminal.wait_for(": ");
        terminal.press(nonsense);
    }
    terminal.wait_for(": ");
    terminal.press(&format!("{CODE}\r"));
    let seen = terminal.wait();
    assert_eq!(seen.answer().code, 0);
    assert_eq!(seen.terminal.matches("MFA code").count(), 3);
    let codes: Vec<_> = fake
        .requests_to(STS)
        .iter()
        .map(|hop| hop.form()["TokenCode"].clone())
        .collect();
    assert_eq!(codes, [CODE]);
}

#[test]
fn a_person_who_types_no_code_three_times_is_told_so() {
    let (fake, sandbox) = world_with_mfa();
    let mut terminal = sandbox.on_terminal("get", HOST);
    for _ in 0..3 {
        terminal.wait_for(": ");
        terminal.press("7654321\r");
    }
    let seen = terminal.wait();
    let answer = seen.answer();
    assert_eq!(
        (answer.code, answer.stdout.trim()),
        (1, "credentials not found in native keychain")
    );
    assert!(seen.terminal.contains("no MFA code, which has six digits"), "{seen:?}");
    assert!(!seen.terminal.contains("7654321"));
    assert_eq!(fake.total(), 0);
}

#[test]
fn ctrl_c_ends_the_question_and_leaves_the_terminal_as_it_was() {
    let (fake, sandbox) = world_with_mfa();
    for key in ["\x03", "12\x03", "\x04"] {
        let mut terminal = sandbox.on_terminal("get", HOST);
        terminal.wait_for(": ");
        assert!(!terminal.echoes());
        terminal.press(key);
        let seen = terminal.wait();
        let answer = seen.answer();
        assert_eq!(
            (answer.code, answer.stdout.trim()),
            (1, "credentials not found in native keychain")
        );
        assert!(seen.terminal.contains("no MFA code was typed"), "{seen:?}");
        assert!(seen.echoes);
    }
    assert_eq!(fake.total(), 0);
    assert!(sandbox.entries().is_empty());
}

#[test]
fn a_wrong_code_is_awss_to_refuse_and_nothing_is_kept() {
    let (fake, sandbox) = world_with_mfa();
    let words = format!("MultiFactorAuthentication failed with invalid MFA one time pass code {CODE}.");
    fake.next(STS, Reply::aws_error(403, "AccessDenied", &words));
    let mut terminal = sandbox.on_terminal("get", HOST);
    terminal.wait_for(": ");
    terminal.press(&format!("{CODE}\r"));
    let seen = terminal.wait();
    assert_eq!(seen.answer().code, 1);
    assert!(seen.terminal.contains("MultiFactorAuthentication failed"), "{seen:?}");
    assert!(!seen.terminal.contains(CODE), "a code is not repeated: {seen:?}");
    assert_eq!(fake.count(STS), 1, "a code is good for one try");
    get_with_code(&sandbox);
}

#[test]
fn without_a_terminal_the_error_says_how_to_get_there_and_that_works() {
    let (fake, mut sandbox) = world_with_mfa();
    let output = get_without_terminal(&sandbox, HOST);
    let command = format!("docker-credential-ecr-login get-login-password --registry {HOST}");
    assert_explains(
        &output,
        &[
            DEVICE,
            "profile \"default\"",
            "no terminal",
            &format!("`{command}`"),
            "once",
        ],
    );
    assert_eq!(fake.total(), 0);
    // Stdin being at hand is not enough: it is the client's.
    sandbox.env("AWS_ECR_STRICT", "true");
    let strict = get_without_terminal(&sandbox, HOST);
    assert_eq!(strict.code, Some(1));
    assert!(strict.stdout.contains(&command), "{strict}");

    let mut person = sandbox.command("get-login-password");
    person.args(["--registry", HOST]);
    let mut terminal = OnTerminal::start(&person, "");
    terminal.wait_for(": ");
    terminal.press(&format!("{CODE}\r"));
    let seen = terminal.wait();
    let printed = seen.answer().stdout.strip_suffix('\n').unwrap();
    assert_eq!(get_without_terminal(&sandbox, HOST).password(), printed);
    assert_eq!(fake.total(), 2);
}

#[test]
fn the_advice_chooses_the_same_profile_in_the_same_way() {
    let (_fake, mut sandbox) = world_with_mfa();
    let config = fs::read_to_string(sandbox.home().join(".aws/config")).unwrap();
    sandbox.aws_config(&config.replace("[default]", "[profile dev]"));
    let mut command = sandbox.command("get-login-password");
    command.args(["--region", "eu-central-1", "--profile", "dev"]);
    let output = without_terminal(command, "");
    assert!(
        output.stderr.contains("--region eu-central-1 --profile dev`"),
        "{output}"
    );
    sandbox.env("AWS_PROFILE", "dev");
    let output = get_without_terminal(&sandbox, HOST);
    let advice = format!("`AWS_PROFILE=dev docker-credential-ecr-login get-login-password --registry {HOST}`");
    assert!(output.stderr.contains(&advice), "{output}");
}

#[test]
fn get_login_password_for_a_region_says_how_to_get_there_too() {
    let (_fake, sandbox) = world_with_mfa();
    let mut command = sandbox.command("get-login-password");
    command.args(["--region", "eu-central-1"]);
    let output = without_terminal(command, "");
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    let advice = "`docker-credential-ecr-login get-login-password --region eu-central-1`";
    assert!(output.stderr.contains(advice), "{output}");
}

#[test]
fn an_entrys_role_can_want_a_code() {
    let (fake, mut sandbox) = world();
    sandbox.use_static_keys();
    let role = format!("[[registry]]\nmatch = \"*\"\nrole_arn = \"{ROLE}\"\nmfa_serial = \"{DEVICE}\"\n");
    sandbox.configure(format!("{role}external_id = \"third party\"\n"));
    let output = get_without_terminal(&sandbox, HOST);
    assert_explains(
        &output,
        &[DEVICE, ROLE, &format!("get-login-password --registry {HOST}")],
    );
    let (_, seen) = get_with_code(&sandbox);
    assert!(seen.contains(ROLE), "{seen}");
    let form = fake.requests_to(STS)[0].form();
    assert_eq!(fake.requests_to(STS)[0].access_key_id.as_deref(), Some(STATIC_KEY_ID));
    assert_eq!(
        (form["TokenCode"].as_str(), form["SerialNumber"].as_str()),
        (CODE, DEVICE)
    );
    assert_eq!(form["ExternalId"], "third party");
    get_without_terminal(&sandbox, HOST).password();
    // With another source, it is another token.
    sandbox.aws_credentials(&keys("user", "AKIAUSER"));
    sandbox.configure(format!("{role}source_profile = \"user\"\n"));
    assert_explains(&get_without_terminal(&sandbox, HOST), &[DEVICE]);
    get_with_code(&sandbox);
    assert_eq!(fake.requests_to(STS)[1].access_key_id.as_deref(), Some("AKIAUSER"));
}

#[test]
fn an_entrys_profile_can_want_a_code_whatever_keys_the_environment_has() {
    let (fake, mut sandbox) = world_with_mfa();
    sandbox.use_static_keys();
    sandbox.aws_config(&format!(
        "[profile dev]\n{}external_id = third party\nrole_session_name = me\nduration_seconds = 3600\n",
        mfa("user")
    ));
    // Keys in the environment are what is used, and nobody is asked.
    get_without_terminal(&sandbox, HOST).password();
    assert_eq!(fake.count(STS), 0);
    sandbox.configure("[[registry]]\nmatch = \"*\"\nprofile = \"dev\"\n");
    assert_explains(&get_without_terminal(&sandbox, HOST), &["profile \"dev\"", DEVICE]);
    get_with_code(&sandbox);
    let assumed = &fake.requests_to(STS)[0];
    assert_eq!(assumed.access_key_id.as_deref(), Some("AKIAUSER"));
    let form = assumed.form();
    assert_eq!(form["ExternalId"], "third party");
    assert_eq!(form["RoleSessionName"], "me");
    assert_eq!(form["DurationSeconds"], "3600");
}

#[test]
fn a_profile_can_be_its_own_source() {
    let (fake, sandbox) = world();
    sandbox.aws_credentials(&keys("default", "AKIAOWN"));
    sandbox.aws_config(&format!("[default]\n{}", mfa("default")));
    let (answer, _) = get_with_code(&sandbox);
    let assumed = fake.requests_to(STS);
    assert_eq!(assumed.len(), 1);
    assert_eq!(assumed[0].access_key_id.as_deref(), Some("AKIAOWN"));
    assert_eq!(
        decode_password(&answer).access_key_id,
        assumed[0].issued_access_key_id().unwrap()
    );
}

#[test]
fn a_profile_that_is_its_own_source_and_has_no_keys_is_an_error() {
    let (fake, sandbox) = world();
    for source in ["default", "gone", "empty"] {
        sandbox.aws_config(&format!(
            "[profile empty]\nregion = eu-west-1\n[default]\n{}",
            mfa(source)
        ));
        let seen = sandbox.on_terminal("get", HOST).wait();
        assert_eq!(seen.answer().code, 1);
        assert!(!seen.terminal.contains("MFA code for"), "{seen:?}");
        assert!(seen.terminal.contains(&format!("\"{source}\"")), "{seen:?}");
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn the_source_can_be_a_role_without_mfa() {
    let (fake, sandbox) = world();
    sandbox.aws_credentials(&keys("user", "AKIAUSER"));
    sandbox.aws_config(&format!(
        "[profile middle]\nrole_arn = {ROLE}-middle\nsource_profile = user\n[default]\n{}",
        mfa("middle")
    ));
    get_with_code(&sandbox);
    let assumed = fake.requests_to(STS);
    let arns: Vec<_> = assumed.iter().map(|hop| hop.form()["RoleArn"].clone()).collect();
    assert_eq!(arns, [format!("{ROLE}-middle"), ROLE.to_owned()]);
    assert!(!assumed[0].form().contains_key("TokenCode"));
    assert_eq!(assumed[1].form()["TokenCode"], CODE);
    assert_eq!(assumed[1].access_key_id, assumed[0].issued_access_key_id());
}

#[test]
fn the_source_can_be_an_sso_login() {
    let (fake, sandbox) = world();
    sandbox.aws_config(&format!(
        "[profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Pull\n\
         [sso-session corp]\nsso_region = us-east-2\nsso_start_url = https://corp.awsapps.com/start\n\
         [default]\n{}",
        mfa("sso")
    ));
    let token = r#"{"accessToken":"sso-access","expiresAt":"2099-01-01T00:00:00Z","startUrl":"https://corp"}"#;
    sandbox.write(CORP_TOKEN, token);
    get_with_code(&sandbox);
    let asked: Vec<_> = fake.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(asked, [SSO, STS, ECR]);
    let assumed = &fake.requests_to(STS)[0];
    assert_eq!(assumed.form()["TokenCode"], CODE);
    assert_eq!(assumed.access_key_id, fake.requests_to(SSO)[0].issued_access_key_id());
    get_without_terminal(&sandbox, HOST).password();
    assert_eq!(fake.total(), 3);
}

#[test]
fn the_source_can_be_the_environments_keys_where_the_profile_says_so() {
    let (fake, mut sandbox) = world();
    sandbox.use_static_keys();
    let config = format!("[profile dev]\nrole_arn = {ROLE}\ncredential_source = Environment\nmfa_serial = {DEVICE}\n");
    sandbox.aws_config(&config);
    sandbox.configure("[[registry]]\nmatch = \"*\"\nprofile = \"dev\"\n");
    get_with_code(&sandbox);
    assert_eq!(fake.requests_to(STS)[0].access_key_id.as_deref(), Some(STATIC_KEY_ID));
    sandbox.env("AWS_ACCESS_KEY_ID", "AKIASECOND");
    assert_explains(&get_without_terminal(&sandbox, HOST), &[DEVICE]);
}

#[test]
fn mfa_deeper_in_a_chain_is_refused_with_a_way_out() {
    let (fake, mut sandbox) = world();
    sandbox.aws_credentials(&keys("user", "AKIAUSER"));
    let middle = format!("[profile middle]\n{}", mfa("user"));
    let top = format!("role_arn = {ROLE}-top\nsource_profile = middle\n");
    for config in [
        format!("{middle}[default]\n{top}"),
        format!("{middle}[default]\n{top}mfa_serial = {DEVICE}-top\n"),
    ] {
        sandbox.aws_config(&config);
        let seen = sandbox.on_terminal("get", HOST).wait();
        assert_eq!(seen.answer().stdout.trim(), "credentials not found in native keychain");
        assert!(!seen.terminal.contains("MFA code for"), "{seen:?}");
        assert_explains(
            &get_without_terminal(&sandbox, HOST),
            &["\"middle\"", "mfa_serial", "last role", "aws-vault"],
        );
    }
    // A role of our own on top of a profile that wants a code.
    sandbox.aws_config(&middle);
    sandbox.configure(format!(
        "[[registry]]\nmatch = \"*\"\nrole_arn = \"{ROLE}-top\"\nsource_profile = \"middle\"\n"
    ));
    assert_explains(
        &get_without_terminal(&sandbox, HOST),
        &["\"middle\"", "mfa_serial", "aws-vault"],
    );
    sandbox.configure(format!("[[registry]]\nmatch = \"*\"\nrole_arn = \"{ROLE}-top\"\n"));
    sandbox.env("AWS_PROFILE", "middle");
    assert_explains(
        &get_without_terminal(&sandbox, HOST),
        &["\"middle\"", "mfa_serial", "aws-vault"],
    );
    assert_eq!(fake.total(), 0);
    // Keys of its own end the chain there: its role is not assumed.
    sandbox.unset("AWS_PROFILE").configure("");
    sandbox.aws_credentials(&keys("middle", "AKIAMIDDLE"));
    sandbox.aws_config(&format!("{middle}[default]\n{top}"));
    get_without_terminal(&sandbox, HOST).password();
    assert_eq!(fake.requests_to(STS)[0].access_key_id.as_deref(), Some("AKIAMIDDLE"));
}

#[test]
fn settings_are_read_in_any_case() {
    let (_fake, sandbox) = world_with_mfa();
    sandbox.aws_config(&format!(
        "[default]\n{}",
        mfa("user").replace("mfa_serial", "MFA_Serial")
    ));
    get_with_code(&sandbox);
}

#[test]
fn a_device_without_a_role_is_not_asked_for() {
    let (fake, sandbox) = world();
    sandbox.aws_credentials(&keys("default", "AKIAOWN"));
    sandbox.aws_config(&format!(
        "[default]\nmfa_serial = {DEVICE}\n[profile other]\n{}",
        mfa("default")
    ));
    let output = get_without_terminal(&sandbox, HOST);
    assert_eq!(decode_password(&output.password()).access_key_id, "AKIAOWN");
    assert_eq!(fake.count(STS), 0);
}

#[test]
fn without_a_cache_every_get_asks() {
    let (fake, mut sandbox) = world_with_mfa();
    sandbox.env("AWS_ECR_DISABLE_CACHE", "true");
    get_with_code(&sandbox);
    get_with_code(&sandbox);
    assert_explains(&get_without_terminal(&sandbox, HOST), &["no terminal"]);
    assert_eq!(fake.count(STS), 2);
}
