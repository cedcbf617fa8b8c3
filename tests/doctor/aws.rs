//! What is found on the way to AWS and to the registry.

use serde_json::Value;

use super::support::{FakeAws, OnTerminal, STATIC_KEY_ID, Seen, refused_url};
use super::{
    ARN, ASSUME_ROLE, ECR, HOST, IDENTITY, PROXY_PASSWORD, REGISTRY, Reply, SESSION_TOKEN, World,
    assert_shows_no_secret, date, examine, examine_as, identity, world,
};

/// What is left of the way where there is no token. The clock is compared where AWS answered.
const UP_TO_TOKEN: [&str; 9] = [
    "program",
    "docker",
    "host",
    "configuration",
    "network",
    "credentials",
    "identity",
    "token",
    "clock",
];

#[test]
fn a_proxy_is_shown_without_its_password() {
    let mut world = world();
    world.proxy.require_auth("user", PROXY_PASSWORD);
    let address = world.proxy.url().replace("http://", "");
    world
        .sandbox
        .env("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@{address}"));
    world.sandbox.env("NO_PROXY", "10.0.0.0/8");
    examine(&world).only_failures(&[]).assert(
        "network",
        "ok",
        &[&format!("HTTPS_PROXY http://{address}"), "NO_PROXY 10.0.0.0/8"],
    );
    world
        .sandbox
        .env("HTTPS_PROXY", format!("http://user:not-{PROXY_PASSWORD}@{address}"));
    let seen = examine(&world);
    seen.assert("token", "failure", &["proxy", "user name and password"]);
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_failure() {
    for url in [
        "socks5://user:hunter2-of-the-proxy@127.0.0.1:1",
        "http://user:hunter2-of-the-proxy@",
    ] {
        let mut world = world();
        world.sandbox.env("HTTPS_PROXY", url);
        let seen = examine(&world);
        seen.only_failures(&["network"])
            .assert("network", "failure", &["HTTPS_PROXY", "http://"]);
        assert_eq!(seen.steps().last(), Some(&"cache"));
        assert!(!seen.steps().contains(&"credentials"), "{seen}");
    }
}

#[test]
fn certificates_that_cannot_be_used_are_a_failure() {
    let mut world = world();
    let missing = world.sandbox.home().join("missing.pem");
    let empty = world.sandbox.write("empty.pem", "");
    for (path, why) in [(&missing, "cannot be read"), (&empty, "holds no usable certificate")] {
        world.sandbox.env("AWS_CA_BUNDLE", path);
        examine(&world).only_failures(&["network"]).assert(
            "network",
            "failure",
            &["AWS_CA_BUNDLE", path.to_str().unwrap(), why, "PEM"],
        );
    }
    world.sandbox.unset("AWS_CA_BUNDLE").env("SSL_CERT_FILE", &missing);
    let words = ["SSL_CERT_FILE", missing.to_str().unwrap(), "correct or unset"];
    examine(&world)
        .assert("network", "warning", &words)
        .assert("token", "failure", &words);
    assert_eq!(world.fake.total(), 0);
}

#[test]
fn the_certificates_of_the_system_may_be_named_and_a_foreign_ca_is_told_of() {
    let mut world = world();
    let ca = world.sandbox.home().join("ca.pem");
    world.sandbox.unset("AWS_CA_BUNDLE").env("SSL_CERT_FILE", &ca);
    examine(&world)
        .only_failures(&[])
        .assert("network", "ok", &["SSL_CERT_FILE", ca.to_str().unwrap()]);
    let other = FakeAws::start();
    let other = super::TlsProxy::start(&other);
    world.sandbox.write("ca.pem", other.ca_pem());
    let seen = examine(&world);
    seen.assert("identity", "warning", &["not trusted"]).assert(
        "token",
        "failure",
        &["not trusted", "unknown CA", "AWS_CA_BUNDLE"],
    );
}

#[test]
fn a_denied_identity_is_told_what_to_be_allowed() {
    let world = world();
    let reply = Reply::aws_error(400, "AccessDeniedException", "User is not authorized");
    world.fake.on(ECR, reply.header("Date", &date(0)));
    let seen = examine(&world);
    seen.only_failures(&["token"])
        .assert(
            "token",
            "failure",
            &["access denied", "User is not authorized", "ecr:GetAuthorizationToken"],
        )
        .assert("identity", "ok", &[ARN])
        .assert("clock", "ok", &[])
        .assert("cache", "ok", &[]);
    assert_eq!(seen.steps(), [&UP_TO_TOKEN[..], &["cache"]].concat());
    assert_eq!(world.fake.count(REGISTRY), 0);
}

#[test]
fn expired_credentials_are_told_how_to_be_renewed() {
    let mut world = world();
    world.sandbox.env("AWS_SESSION_TOKEN", SESSION_TOKEN);
    for operation in [IDENTITY, ECR] {
        let code = if operation == ECR {
            "ExpiredTokenException"
        } else {
            "ExpiredToken"
        };
        let sentence = format!("The security token {SESSION_TOKEN} is expired");
        world.fake.on(
            operation,
            Reply::aws_error(403, code, &sentence).header("Date", &date(0)),
        );
    }
    let seen = examine(&world);
    seen.assert("credentials", "ok", &["****MPLE"])
        .assert("identity", "warning", &["expired"])
        .assert("token", "failure", &["expired", "[left out]", "AWS_SESSION_TOKEN"])
        .assert("clock", "ok", &[])
        .assert("cache", "ok", &[]);
}

#[test]
fn without_credentials_it_says_where_they_may_come_from() {
    let mut world = world();
    world.sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    let seen = examine(&world);
    seen.only_failures(&["credentials"])
        .assert(
            "credentials",
            "failure",
            &["no AWS credentials were found", "AWS_PROFILE"],
        )
        .assert("cache", "ok", &[]);
    assert_eq!(world.fake.total(), 0);
    world.sandbox.env("AWS_PROFILE", "nosuch");
    examine(&world)
        .only_failures(&["credentials"])
        .assert("credentials", "failure", &["nosuch"]);
}

#[test]
fn where_credentials_come_from_is_said_once() {
    let world = world();
    let keys = format!(
        "aws_access_key_id = {STATIC_KEY_ID}\naws_secret_access_key = {}\n",
        super::SECRET_KEY
    );
    let role = "arn:aws:iam::123456789012:role/pull";
    world.sandbox.aws_credentials(&format!(
        "[dev]\n{keys}[top]\nrole_arn = {role}\nsource_profile = dev\n"
    ));
    let found = |world: &World| examine(world).step("credentials")["found"].as_str().unwrap().to_owned();
    assert_eq!(found(&world), "the keys in AWS_ACCESS_KEY_ID, key ****MPLE");
    world.sandbox.write(
        super::TOML,
        format!("[[registry]]\nmatch = \"*\"\nrole_arn = \"{role}\"\n"),
    );
    let of_role = found(&world);
    assert!(
        of_role.starts_with(&format!("the role {role}, from keys in the environment, key ****")),
        "{of_role}"
    );
    world
        .sandbox
        .write(super::TOML, "[[registry]]\nmatch = \"*\"\nprofile = \"dev\"\n");
    assert_eq!(found(&world), "profile \"dev\", from keys in a file, key ****MPLE");
    world
        .sandbox
        .write(super::TOML, "[[registry]]\nmatch = \"*\"\nprofile = \"top\"\n");
    let of_role = found(&world);
    assert!(
        of_role.starts_with("profile \"top\", from keys in a file, key ****"),
        "{of_role}"
    );
    assert!(
        !of_role.ends_with("MPLE"),
        "the role's keys are those that are used: {of_role}"
    );
}

#[test]
fn an_sso_login_that_has_ended_is_to_be_renewed() {
    let mut world = world();
    world
        .sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .env("AWS_PROFILE", "dev");
    world.sandbox.aws_config(
        "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Pull\n\
         [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n",
    );
    let advice = ["corp", "run `aws sso login --sso-session corp`"];
    examine(&world)
        .only_failures(&["credentials"])
        .assert("credentials", "failure", &advice);
    let token = serde_json::json!({
        "accessToken": SESSION_TOKEN, "expiresAt": "2020-01-01T00:00:00Z", "region": "us-east-1",
        "startUrl": "https://corp.awsapps.com/start",
    });
    world.sandbox.write(
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
        token.to_string(),
    );
    examine(&world)
        .only_failures(&["credentials"])
        .assert("credentials", "failure", &[&advice[..], &["expired"]].concat())
        .assert("cache", "ok", &[]);
}

#[test]
fn where_sts_refuses_and_ecr_does_not_a_get_works() {
    let world = world();
    world
        .fake
        .on(IDENTITY, Reply::aws_error(403, "AccessDenied", "an explicit deny"));
    let seen = examine(&world);
    seen.only_warnings(&["identity"])
        .assert("identity", "warning", &["an explicit deny"]);
    assert_eq!(seen.steps(), super::STEPS);
    world
        .fake
        .on(IDENTITY, Reply::raw(200, "text/html", "<html>log in here</html>"));
    let words = ["https://sts.us-east-1.amazonaws.com makes no sense", "portal"];
    examine(&world)
        .only_warnings(&["identity"])
        .assert("identity", "warning", &words);
}

#[test]
fn an_sts_that_never_answers_leaves_time_for_ecr() {
    let world = world();
    world.fake.on(IDENTITY, Reply::hang());
    let seen = examine(&world);
    seen.only_warnings(&["identity"])
        .assert("identity", "warning", &["STS", "within 5 s", "endpoint for STS"])
        .assert("registry", "ok", &[]);
}

#[test]
fn the_clock_is_compared_with_awss() {
    for (seconds, state, words) in [
        (-600, "failure", &["ahead of AWS's", "set the clock"][..]),
        (600, "failure", &["behind AWS's", "set the clock"]),
        (-60, "warning", &["ahead of AWS's", "set the clock"]),
        (60, "warning", &["behind AWS's", "set the clock"]),
    ] {
        let world = world();
        world.fake.on(ECR, Reply::normal().header("Date", &date(seconds)));
        examine(&world).assert("clock", state, words);
    }
}

#[test]
fn a_clock_that_nothing_was_said_of_is_not_compared() {
    let world = world();
    world.fake.on(ECR, Reply::normal()).on(IDENTITY, identity(ARN));
    examine(&world).only_warnings(&["clock"]);
    world.fake.on(ECR, Reply::normal().header("Date", "yesterday"));
    examine(&world).only_warnings(&["clock"]);
}

#[test]
fn the_clock_of_the_registry_is_not_awss() {
    let world = world();
    world.fake.on(REGISTRY, Reply::normal().header("Date", &date(3600)));
    examine(&world).only_failures(&[]);
}

#[test]
fn a_token_that_has_ended_already_is_worth_a_warning() {
    let world = world();
    world
        .fake
        .on(ECR, Reply::token_expires_in(-60).header("Date", &date(0)));
    examine(&world)
        .only_warnings(&["token"])
        .assert("token", "warning", &["ended", "clock"]);
}

#[test]
fn an_aws_that_cannot_be_reached_is_a_failure() {
    let mut world = world();
    world.sandbox.env("HTTPS_PROXY", refused_url());
    let seen = examine(&world);
    seen.assert("identity", "warning", &["cannot be reached", "refused"])
        .assert("token", "failure", &["cannot be reached", "refused", "proxy"])
        .assert("clock", "warning", &["not compared"])
        .assert("cache", "ok", &[]);
    assert_eq!(seen.steps(), [&UP_TO_TOKEN[..], &["cache"]].concat());
}

/// Credentials that need the code of an MFA device.
fn with_mfa() -> World {
    let mut world = world();
    world
        .sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .env("AWS_PROFILE", "dev");
    world.sandbox.aws_config(&format!(
        "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/pull\nsource_profile = base\n\
         mfa_serial = arn:aws:iam::123456789012:mfa/mary\n\
         [profile base]\naws_access_key_id = {STATIC_KEY_ID}\naws_secret_access_key = {}\n",
        super::SECRET_KEY
    ));
    world
}

#[test]
fn where_nobody_can_be_asked_for_an_mfa_code_it_says_what_to_do() {
    let world = with_mfa();
    let seen = examine(&world);
    let advice =
        format!("`AWS_PROFILE=dev docker-credential-ecr-login get-login-password --registry {HOST}` in a terminal");
    seen.only_failures(&["credentials"])
        .assert("credentials", "failure", &["profile \"dev\"", "mfa/mary", &advice])
        .assert("cache", "ok", &[]);
    assert_eq!(world.fake.total(), 0);
}

/// Runs `doctor` with stdout as a pipe, where a person types such a code.
fn with_code(world: &World, args: &[&str]) -> Seen {
    let mut command = world.sandbox.command("doctor");
    command.args(args);
    let mut terminal = OnTerminal::start(&command, "");
    terminal.wait_for("MFA code for arn:aws:iam::123456789012:mfa/mary");
    terminal.press("123456\r");
    let seen = terminal.wait();
    assert_shows_no_secret(&seen.answer().stdout);
    assert_shows_no_secret(&seen.terminal);
    assert!(!seen.terminal.contains("123456\r"), "{seen:?}");
    seen
}

#[test]
fn an_mfa_code_is_asked_for_once() {
    let world = with_mfa();
    let seen = with_code(&world, &[HOST]);
    let answer = seen.answer();
    assert_eq!(answer.code, 0, "{seen:?}");
    assert!(answer.stdout.ends_with("\nNothing is wrong.\n"), "{answer:?}");
    assert_eq!(world.fake.count(ASSUME_ROLE), 1);
    let form = world.fake.requests_to(ASSUME_ROLE)[0].form();
    assert_eq!(form.get("TokenCode").map(String::as_str), Some("123456"));
}

#[test]
fn no_mfa_code_is_spent_on_finding_out_which_registry_is_meant() {
    let mut world = with_mfa();
    world.sandbox.write(super::DOCKER, "{}");
    world.sandbox.env("AWS_REGION", "us-east-1");
    let seen = world.sandbox.at_terminal(&["doctor"]).wait();
    assert_eq!(seen.answer().code, 1, "{seen:?}");
    assert!(!seen.terminal.contains("MFA code for arn:"), "{seen:?}");
    examine_as(&world, &[]).only_failures(&["host"]).assert(
        "host",
        "failure",
        &["profile \"dev\"", "MFA code", "name a registry"],
    );
    assert_eq!(world.fake.total(), 0);
}

#[test]
fn the_question_for_an_mfa_code_is_not_among_the_json() {
    let world = with_mfa();
    let seen = with_code(&world, &["--json", HOST]);
    let json: Value = serde_json::from_str(&seen.answer().stdout).unwrap();
    assert_eq!((seen.answer().code, &json["ok"]), (0, &Value::Bool(true)));
}

#[test]
fn a_wrong_mfa_code_is_a_failure_of_the_credentials() {
    let world = with_mfa();
    let said = "MultiFactorAuthentication failed with invalid MFA one time pass code";
    world.fake.on(ASSUME_ROLE, Reply::aws_error(403, "AccessDenied", said));
    let seen = with_code(&world, &[HOST]);
    let answer = seen.answer();
    assert_eq!(answer.code, 1, "{seen:?}");
    let found = format!("\nfailure  credentials    with profile \"dev\": access denied: {said}");
    assert!(answer.stdout.contains(&found), "{answer:?}");
    assert!(answer.stdout.contains("check the code"), "{answer:?}");
}

#[test]
fn no_secret_is_shown_at_any_step() {
    let mut world = world();
    world.proxy.require_auth("user", PROXY_PASSWORD);
    let address = world.proxy.url().replace("http://", "");
    world
        .sandbox
        .env("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@{address}"))
        .env("AWS_SESSION_TOKEN", SESSION_TOKEN);
    let quoted = format!("{} {SESSION_TOKEN}", super::SECRET_KEY);
    let refusal = Reply::aws_error(403, "SignatureDoesNotMatch", &quoted);
    let quoted = format!("{quoted} {} {PROXY_PASSWORD}", super::PASSWORD);
    for (operation, reply) in [
        (IDENTITY, Some(refusal.clone())),
        (REGISTRY, Some(Reply::raw(401, "text/plain", quoted.clone()))),
        (REGISTRY, Some(Reply::raw(500, "text/plain", quoted))),
        (ECR, Some(refusal)),
        (ECR, None),
    ] {
        world.fake.on(operation, reply.unwrap_or_else(Reply::normal));
        let output = world.sandbox.run_args(&["doctor", HOST]);
        assert_shows_no_secret(&output.stdout);
        assert_shows_no_secret(&output.stderr);
        assert_ne!(examine(&world).json["steps"], Value::Null);
    }
}
