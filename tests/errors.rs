//! Every failure of an ECR host: stdout keeps the words that clients understand, stderr says in one
//! line what failed, for which registry and profile, and what to do, and no secret is anywhere.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::time::Duration;
use support::{FakeAws, Output, Reply, Sandbox, TlsProxy, TlsServer, decode_password, refused_url};

const ECR: &str = "ecr:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";
const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const PROFILE: &str = "team-a-prod";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "IQoJb3JpZ2luX2VjEXAMPLEsessionTOKEN//////////wEaCXVz";
const DENIED: &str = "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: \
    ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the \
    ecr:GetAuthorizationToken action";

/// A sandbox whose environment names `PROFILE`, with these settings.
fn with_profile(fake: &FakeAws, settings: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.point_at(fake).env("AWS_PROFILE", PROFILE);
    sandbox.aws_config(&format!("[profile {PROFILE}]\n{settings}\n"));
    sandbox
}

fn with_keys(fake: &FakeAws) -> Sandbox {
    with_profile(fake, &keys())
}

fn keys() -> String {
    format!(
        "aws_access_key_id = AKIAPROFILE\naws_secret_access_key = {SECRET}\n\
         aws_session_token = {SESSION}\n"
    )
}

fn assert_no_secret(output: &Output, more: &[&str]) {
    let shown = format!("{output}");
    for secret in [SECRET, SESSION].iter().chain(more) {
        assert!(!shown.contains(secret), "{secret} in\n{output}");
    }
}

/// Checks for an explained failure, and gives the line.
#[track_caller]
fn line(output: &Output) -> &str {
    let stdout = (output.code, &*output.stdout);
    let expected = "credentials not found in native keychain\n";
    assert_eq!(stdout, (Some(1), expected), "{output}");
    let line = output.stderr.strip_suffix('\n').unwrap_or_default();
    assert_eq!(line.lines().count(), 1, "{output}");
    assert!(line.len() < 500, "{} bytes: {output}", line.len());
    assert!(!line.chars().any(char::is_control), "{output:?}");
    assert!(line.contains(HOST), "no registry: {output}");
    assert!(!line.contains("please report"), "{output}");
    assert_no_secret(output, &[]);
    line
}

#[track_caller]
fn assert_says(output: &Output, words: &[&str]) {
    let line = line(output);
    for word in words {
        assert!(line.contains(word), "{word:?} is missing: {output}");
    }
}

/// As `assert_says`, and the profile is named.
#[track_caller]
fn assert_explains(output: &Output, words: &[&str]) {
    assert_says(output, words);
    assert!(line(output).contains(PROFILE), "no profile: {output}");
}

#[test]
fn access_denied_comes_in_awss_own_sentence() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", DENIED));
    let output = with_keys(&fake).get(HOST);
    assert_explains(&output, &["denied", DENIED, "AccessDeniedException", "allow"]);
    assert_eq!(fake.count(ECR), 1, "a no is not asked for twice");
}

#[test]
fn a_role_that_may_not_be_assumed_is_a_denial_of_sts() {
    let fake = FakeAws::start();
    let sentence = "User: arn:aws:iam::1:user/dev is not authorized to perform: sts:AssumeRole on \
                    resource: arn:aws:iam::123456789012:role/r";
    fake.on(STS, Reply::aws_error(403, "AccessDenied", sentence));
    let settings = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n";
    let sandbox = with_profile(&fake, &format!("{settings}[profile base]\n{}", keys()));
    assert_explains(&sandbox.get(HOST), &["denied", sentence, "role"]);
    assert_eq!((fake.count(STS), fake.count(ECR)), (1, 0));
}

#[test]
fn long_sentences_and_terminal_codes_are_tamed_and_the_advice_survives() {
    let fake = FakeAws::start();
    let wild = format!("{DENIED}\r\n\x1b[2J\x1b]0;owned\x07\u{9b}31m {}", "é\n".repeat(3000));
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", &wild));
    let output = with_keys(&fake).get(HOST);
    assert_explains(&output, &["denied", "is not authorized", "allow"]);
}

#[test]
fn a_host_as_long_as_hosts_can_be_leaves_room_for_the_reason() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", DENIED));
    let region = "x-".repeat(30) + "1";
    let host = format!("123456789012.dkr.ecr-fips.{region}.csp.hci.ic.gov");
    let output = with_keys(&fake).get(&host);
    output.assert_not_found();
    for word in [host.as_str(), PROFILE, "denied", "is not authorized", "allow"] {
        assert!(output.stderr.contains(word), "{word}: {output}");
    }
    assert!(output.stderr.len() < 500, "{output}");
}

#[test]
fn a_refusal_in_whatever_form_is_one_line() {
    let fake = FakeAws::start();
    for body in [
        &b""[..],
        b"null",
        b"[]",
        b"{\"__type\":5,\"message\":{\"a\":1}}",
        b"{\"__type\":\"\",\"message\":\"\"}",
        b"{\"__type\":\"AccessDeniedException\"}",
        b"{\"message\":\"\\u0000\\u001b[31m\\ud83d\"}",
        b"\xff\xfe\x00",
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>",
        &[b'x'; 1 << 20],
    ] {
        for status in [400, 403, 418] {
            fake.on(ECR, Reply::raw(status, "application/x-amz-json-1.1", body));
            assert_says(&with_keys(&fake).get(HOST), &["; "]);
        }
    }
}

#[test]
fn expired_credentials_are_to_be_renewed() {
    let fake = FakeAws::start();
    let sentence = "The security token included in the request is expired";
    fake.on(ECR, Reply::aws_error(400, "ExpiredTokenException", sentence));
    assert_explains(&with_keys(&fake).get(HOST), &["expired", sentence, "renew"]);
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(&fake);
    assert_says(&sandbox.get(HOST), &["expired", "AWS_SESSION_TOKEN"]);
}

#[test]
fn invalid_credentials_are_to_be_checked() {
    let fake = FakeAws::start();
    for (status, code) in [
        (400, "UnrecognizedClientException"),
        (403, "InvalidClientTokenId"),
        (403, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
    ] {
        let sentence = "The security token included in the request is invalid.";
        fake.on(ECR, Reply::aws_error(status, code, sentence));
        assert_explains(&with_keys(&fake).get(HOST), &[sentence, code, "check", "key"]);
    }
}

#[test]
fn a_refusal_that_quotes_the_request_shows_no_secret_of_it() {
    let fake = FakeAws::start();
    let quoting = format!(
        "The request signature we calculated does not match. The Canonical String should have been \
         'POST / x-amz-date:20250101T000000Z x-amz-security-token:{SESSION} ' and {SECRET}"
    );
    fake.on(ECR, Reply::aws_error(403, "InvalidSignatureException", &quoting));
    assert_explains(&with_keys(&fake).get(HOST), &["signature"]);
}

const SSO_PROFILE: &str = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n\
    [sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n";
const LEGACY_SSO_PROFILE: &str = "sso_start_url = https://corp.example/start\n\
    sso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
/// Named by the SHA-1 of `corp`.
const SSO_TOKEN: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
/// Named by the SHA-1 of the start URL.
const LEGACY_SSO_TOKEN: &str = ".aws/sso/cache/f7c9b39d0b4c7a7d82c79307585f77e1c5e74378.json";

fn sso_token(expires: &str) -> String {
    format!(
        r#"{{"accessToken":"{SESSION}","expiresAt":"{expires}","region":"us-east-1","startUrl":"https://corp.example/start"}}"#
    )
}

#[test]
fn an_sso_session_that_is_absent_or_over_says_how_to_begin_it() {
    let fake = FakeAws::start();
    for (settings, file, advice) in [
        (SSO_PROFILE, SSO_TOKEN, "aws sso login --sso-session corp"),
        (
            LEGACY_SSO_PROFILE,
            LEGACY_SSO_TOKEN,
            "aws sso login --profile team-a-prod",
        ),
    ] {
        let sandbox = with_profile(&fake, settings);
        let refusal = Reply::aws_error(401, "UnauthorizedException", "Session token not found");
        fake.on("sso:GetRoleCredentials", refusal);
        assert_explains(&sandbox.get(HOST), &["SSO", advice]);
        sandbox.write(file, "{\"accessToken\":");
        assert_explains(&sandbox.get(HOST), &["SSO", advice]);
        assert_eq!(fake.total(), 0);
        for end in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
            sandbox.write(file, sso_token(end));
            assert_explains(&sandbox.get(HOST), &["SSO", "expired", advice]);
        }
        assert_eq!(fake.count(ECR), 0);
        fake.on("sso:GetRoleCredentials", Reply::normal());
        sandbox.get(HOST).password();
        fake.clear();
    }
}

#[test]
fn an_sso_role_that_is_not_assigned_is_no_expired_session() {
    let fake = FakeAws::start();
    fake.on(
        "sso:GetRoleCredentials",
        Reply::aws_error(403, "ForbiddenException", "No access"),
    );
    let sandbox = with_profile(&fake, SSO_PROFILE);
    sandbox.write(SSO_TOKEN, sso_token("2099-01-01T00:00:00Z"));
    let output = sandbox.get(HOST);
    assert_explains(&output, &["No access", "role"]);
    assert!(!output.stderr.contains("aws sso login"), "{output}");
}

#[test]
fn an_sso_profile_behind_a_role_is_the_one_to_log_in_to() {
    let fake = FakeAws::start();
    let settings = format!(
        "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base-sso\n\
         [profile base-sso]\n{LEGACY_SSO_PROFILE}"
    );
    let output = with_profile(&fake, &settings).get(HOST);
    assert_says(&output, &["SSO", "aws sso login --profile base-sso"]);
}

#[test]
fn a_login_session_that_is_absent_says_how_to_begin_it() {
    let fake = FakeAws::start();
    let settings = "login_session = arn:aws:iam::123456789012:user/dev";
    let output = with_profile(&fake, settings).get(HOST);
    assert_explains(&output, &["login", "aws login --profile team-a-prod"]);
}

#[test]
fn no_credentials_anywhere_says_what_was_tried() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.point_at(&fake);
    let tried = [
        "no AWS credentials",
        "AWS_ACCESS_KEY_ID",
        "\"default\"",
        ".aws/config",
        "web identity",
        "container",
        "instance metadata",
        "AWS_PROFILE",
    ];
    assert_says(&sandbox.get(HOST), &tried);
    sandbox.env("AWS_ACCESS_KEY_ID", "AKIAHALF");
    assert_says(&sandbox.get(HOST), &["no AWS credentials", "AWS_SECRET_ACCESS_KEY"]);
    sandbox.unset("HOME");
    assert_says(&sandbox.get(HOST), &["no AWS credentials", "HOME"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn an_unknown_profile_is_named_with_the_files_that_were_read() {
    let fake = FakeAws::start();
    let mut sandbox = with_keys(&fake);
    sandbox.env("AWS_EC2_METADATA_DISABLED", "false");
    sandbox.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    let files = [".aws/config", ".aws/credentials"].map(|file| sandbox.home().join(file));
    let files = files.each_ref().map(|file| file.to_str().unwrap());
    for variable in ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"] {
        sandbox.unset("AWS_PROFILE").env(variable, "typo");
        assert_says(&sandbox.get(HOST), &["\"typo\"", files[0], files[1]]);
    }
    sandbox.env("AWS_CONFIG_FILE", "/nowhere/else");
    assert_says(&sandbox.get(HOST), &["\"typo\"", "/nowhere/else", files[1]]);
    assert_eq!(fake.total(), 0, "the node's role is not used in its place");
}

#[test]
fn a_source_profile_that_is_missing_is_named_and_nothing_else_is_used() {
    let fake = FakeAws::start();
    let settings = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = gone\n";
    let mut sandbox = with_profile(&fake, settings);
    sandbox
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    assert_explains(&sandbox.get(HOST), &["\"gone\"", "source_profile", ".aws/config"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_profile_that_goes_round_in_circles_or_lacks_a_half_is_an_error() {
    let fake = FakeAws::start();
    for settings in [
        "role_arn = arn:aws:iam::1:role/r\nsource_profile = b\n[profile b]\n\
         role_arn = arn:aws:iam::1:role/s\nsource_profile = team-a-prod\n",
        "role_arn = arn:aws:iam::1:role/r\n",
        "aws_access_key_id = AKIAHALF\n",
        "role_arn = arn:aws:iam::1:role/r\ncredential_source = Nonsense\n",
        "sso_session = corp\n",
        "web_identity_token_file = /nowhere\n",
    ] {
        let mut sandbox = with_profile(&fake, settings);
        sandbox
            .env("AWS_EC2_METADATA_DISABLED", "false")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
        assert_explains(&sandbox.get(HOST), &[]);
        assert_eq!(fake.total(), 0, "{settings}");
    }
}

#[test]
fn configuration_that_cannot_be_read_is_named() {
    let fake = FakeAws::start();
    for file in [".aws/config", ".aws/credentials"] {
        let sandbox = with_keys(&fake);
        let path = sandbox.home().join(file);
        let shown = path.to_str().unwrap();
        for (contents, words) in [
            (&b"[profile x\naws_secret_access_key = hunter2\n"[..], "line 1"),
            (b"[default]\nhunter2\n", "line 2"),
            (b"[default]\naws_session_token = \xff\xfe\n", "UTF-8"),
        ] {
            sandbox.write(file, contents);
            let output = sandbox.get(HOST);
            assert_says(&output, &[shown, words, "correct"]);
            assert_no_secret(&output, &["hunter2"]);
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_says(&sandbox.get(HOST), &[shown, "directory"]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn configuration_without_permission_is_unreadable_and_not_missing() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        return; // Permissions do not stop root.
    }
    let fake = FakeAws::start();
    let sandbox = with_keys(&fake);
    let path = sandbox.home().join(".aws/config");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    assert_says(&sandbox.get(HOST), &[path.to_str().unwrap(), "permission denied"]);
}

#[test]
fn an_endpoint_out_of_reach_is_shown_by_its_url() {
    let fake = FakeAws::start();
    let mut sandbox = with_keys(&fake);
    sandbox.env("AWS_ENDPOINT_URL", format!("{}/some/path?key={SECRET}", refused_url()));
    let output = sandbox.get(HOST);
    assert_explains(&output, &[&refused_url(), "refused", "check"]);
}

#[test]
fn an_endpoint_that_hangs_up_or_fails_is_out_of_reach() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::close());
    assert_explains(&with_keys(&fake).get(HOST), &[&fake.url(), "check"]);
    fake.on(ECR, Reply::aws_error(500, "ServerException", "sorry"));
    assert_explains(&with_keys(&fake).get(HOST), &[&fake.url(), "500", "sorry"]);
    fake.on(ECR, Reply::raw(503, "text/html", "<html>no</html>"));
    assert_explains(&with_keys(&fake).get(HOST), &[&fake.url(), "503"]);
}

#[test]
fn a_proxy_out_of_reach_or_that_refuses_is_named_without_its_password() {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    proxy.require_auth("user", "right");
    let at = |url: &str| url.replace("http://", "http://us3r:hunter2@");
    for (url, words) in [
        (refused_url(), "https://api.ecr.us-east-1.amazonaws.com"),
        (proxy.url(), "proxy"),
    ] {
        let mut sandbox = with_keys(&fake);
        sandbox.unset("AWS_ENDPOINT_URL").env("HTTPS_PROXY", at(&url));
        let output = sandbox.get(HOST);
        assert_explains(&output, &[&url, words, "HTTPS_PROXY"]);
        assert_no_secret(&output, &["hunter2", "us3r"]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_proxy_url_that_makes_no_sense_is_told_without_its_password() {
    let fake = FakeAws::start();
    for url in [
        "http://u:hunter2@",
        "socks4://u:hunter2@127.0.0.1:1",
        "http://u:hunter2@h:port",
    ] {
        let mut sandbox = with_keys(&fake);
        sandbox.unset("AWS_ENDPOINT_URL").env("HTTPS_PROXY", url);
        let output = sandbox.get(HOST);
        assert_says(&output, &["HTTPS_PROXY"]);
        assert_no_secret(&output, &["hunter2"]);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_points_at_the_ca_bundle() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let mut sandbox = with_keys(&fake);
    sandbox.env("AWS_ENDPOINT_URL", server.url());
    assert_explains(&sandbox.get(HOST), &[&server.url(), "not trusted", "AWS_CA_BUNDLE"]);
    let another = sandbox.write("another.pem", TlsServer::start(&fake, &[]).ca_pem());
    sandbox.env("AWS_CA_BUNDLE", another);
    assert_explains(&sandbox.get(HOST), &[&server.url(), "not trusted", "AWS_CA_BUNDLE"]);
    let right = sandbox.write("right.pem", server.ca_pem());
    sandbox.env("AWS_CA_BUNDLE", right);
    sandbox.get(HOST).password();
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let mut sandbox = with_keys(&fake);
    let pem = sandbox.write("ca.pem", server.ca_pem());
    // The way to itself, and not a name in the certificate.
    let url = server.url().replace("localhost", "0.0.0.0");
    sandbox.env("AWS_CA_BUNDLE", pem).env("AWS_ENDPOINT_URL", &url);
    assert_explains(&sandbox.get(HOST), &[&url, "not trusted"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_ca_bundle_without_a_usable_certificate_is_named() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let broken = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
    for (variable, config) in [(true, false), (false, true)] {
        let mut sandbox = with_keys(&fake);
        sandbox.env("AWS_ENDPOINT_URL", server.url());
        let path = sandbox.home().join("bundle.pem");
        let shown = path.to_str().unwrap().to_owned();
        if variable {
            sandbox.env("AWS_CA_BUNDLE", &path);
        }
        if config {
            sandbox.aws_config(&format!("[profile {PROFILE}]\nca_bundle = {shown}\n{}", keys()));
        }
        assert_says(&sandbox.get(HOST), &[&shown, "PEM"]);
        for contents in ["", "hunter2", broken] {
            sandbox.write("bundle.pem", contents);
            let output = sandbox.get(HOST);
            assert_says(&output, &[&shown, "no usable certificate"]);
            assert_no_secret(&output, &["hunter2"]);
        }
        sandbox.write("bundle.pem", format!("{broken}# note\n{}{broken}", server.ca_pem()));
        sandbox.get(HOST).password();
    }
}

#[test]
fn throttling_is_named_after_it_was_retried() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::aws_error(400, "ThrottlingException", "Rate exceeded"));
    let output = with_keys(&fake).get(HOST);
    assert_explains(&output, &["throttle", "Rate exceeded", "again"]);
    assert!(fake.count(ECR) > 1, "{}", fake.count(ECR));
    assert!(output.elapsed < Duration::from_secs(10), "{output}");
}

#[test]
fn what_passes_is_retried_and_no_failure() {
    let fake = FakeAws::start();
    for reply in [
        Reply::aws_error(500, "ServerException", "sorry"),
        Reply::aws_error(400, "ThrottlingException", "Rate exceeded"),
        Reply::raw(502, "text/html", "<html>"),
        Reply::close(),
    ] {
        fake.next(ECR, reply);
        let output = with_keys(&fake).get(HOST);
        assert_eq!(decode_password(&output.password()).access_key_id, "AKIAPROFILE");
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn a_wrong_clock_is_named() {
    let fake = FakeAws::start();
    let sentence = "Signature expired: 20250101T000000Z is now earlier than 20250101T010000Z \
                    (20250101T011500Z - 15 min.)";
    fake.on(ECR, Reply::aws_error(403, "InvalidSignatureException", sentence));
    assert_explains(&with_keys(&fake).get(HOST), &["clock", sentence, "set"]);
    let skewed = Reply::aws_error(403, "RequestTimeTooSkewed", "The difference is too large.");
    fake.on(ECR, skewed);
    assert_explains(&with_keys(&fake).get(HOST), &["clock", "set"]);
}

#[test]
fn an_answer_that_makes_no_sense_is_shown_as_that() {
    let fake = FakeAws::start();
    let answer =
        |token: &str| format!(r#"{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":4e9}}]}}"#);
    for (status, body) in [
        (200, String::new()),
        (200, "<html>Sign in to the hotel's network</html>".to_owned()),
        (200, "{}".to_owned()),
        (200, "[]".to_owned()),
        (200, r#"{"authorizationData":[]}"#.to_owned()),
        (200, r#"{"authorizationData":[{}]}"#.to_owned()),
        (200, answer("")),
        (200, answer("!hunter2!")),
        (200, answer("aHVudGVyMg==")),     // hunter2
        (200, answer("QVdTOg==")),         // AWS: and nothing behind it
        (200, answer("Omh1bnRlcjI=")),     // :hunter2
        (200, answer("QVdTOmh1bnRlcjL/")), // no UTF-8
        (302, "moved".to_owned()),
        (404, "<html>hunter2</html>".to_owned()),
    ] {
        fake.on(ECR, Reply::raw(status, "text/html", body.clone()));
        let output = with_keys(&fake).get(HOST);
        assert_explains(&output, &[&fake.url(), "makes no sense", "check"]);
        assert_no_secret(&output, &["hunter2", "aHVudGVyMg", "Omh1bnRlcjI"]);
    }
}

#[test]
fn an_answer_that_makes_no_sense_is_not_cached() {
    let fake = FakeAws::start();
    let sandbox = with_keys(&fake);
    fake.next(ECR, Reply::raw(200, "text/html", "{}"));
    line(&sandbox.get(HOST));
    sandbox.get(HOST).password();
}

#[test]
fn web_identity_that_is_missing_or_refused_names_what_is_wrong() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    let file = sandbox.home().join("token");
    sandbox.point_at(&fake).env("AWS_WEB_IDENTITY_TOKEN_FILE", &file);
    assert_says(&sandbox.get(HOST), &["AWS_ROLE_ARN"]);
    sandbox.env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod");
    assert_says(&sandbox.get(HOST), &["AWS_WEB_IDENTITY_TOKEN_FILE"]);
    sandbox.write("token", SESSION);
    for (code, sentence) in [
        (
            "ExpiredTokenException",
            "Token expired: current date/time must be before the expiration",
        ),
        (
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account",
        ),
        (
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
    ] {
        let reply = Reply::aws_error(400, code, sentence);
        fake.on("sts:AssumeRoleWithWebIdentity", reply);
        assert_says(&sandbox.get(HOST), &[sentence, "token"]);
    }
    assert_eq!(fake.count(ECR), 0);
}

#[test]
fn container_and_instance_credentials_that_fail_name_where() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.point_at(&fake).env(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        format!("{}/container-credentials/x", fake.url()),
    );
    sandbox.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", SESSION);
    fake.on(
        "container:credentials",
        Reply::aws_error(403, "AccessDenied", "wrong token"),
    );
    assert_says(&sandbox.get(HOST), &["container", "wrong token"]);

    let mut sandbox = Sandbox::new();
    sandbox
        .point_at(&fake)
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    fake.on("imds:roles", Reply::raw(404, "text/plain", "Not Found"));
    assert_says(&sandbox.get(HOST), &["no AWS credentials", "instance", "role"]);
    fake.on("imds:token", Reply::raw(403, "text/plain", "Forbidden"));
    assert_says(&sandbox.get(HOST), &["metadata", &fake.url()]);
    assert_eq!(fake.count(ECR), 0);
}

#[test]
fn a_credential_process_that_fails_says_so_without_its_arguments() {
    let fake = FakeAws::start();
    for (command, words) in [
        ("echo 'session over, run: vault login' >&2; exit 3", "session over"),
        ("exit 3", "failed"),
        ("echo hunter2", "JSON"),
        ("echo '{\"Version\":2,\"AccessKeyId\":\"hunter2\"}'", "JSON"),
        ("echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'", "JSON"),
        ("true", "JSON"),
    ] {
        let settings = "credential_process = sh \"./helper\" --password hunter2\n";
        let sandbox = with_profile(&fake, settings);
        sandbox.write("helper", command);
        let output = sandbox.run_with("get", HOST, |run| {
            run.current_dir(sandbox.home());
        });
        assert_explains(&output, &["credential_process", words]);
        assert_no_secret(&output, &["hunter2"]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn arguments_that_a_credential_process_repeats_are_not_shown() {
    let fake = FakeAws::start();
    let settings = "credential_process = sh ./helper --password hunter2 --token t0ken\n";
    for script in [
        "echo \"bad arguments: $*\" >&2; exit 2",
        "echo \"token=$4 is wrong\" >&2; exit 2",
        "set -x; false \"$@\"; exit 2",
    ] {
        let sandbox = with_profile(&fake, settings);
        sandbox.write("helper", script);
        let output = sandbox.run_with("get", HOST, |run| {
            run.current_dir(sandbox.home());
        });
        assert_explains(&output, &["credential_process"]);
        assert_no_secret(&output, &["hunter2", "t0ken"]);
    }
}

#[test]
fn a_credential_process_that_does_not_exist_is_told_of() {
    let fake = FakeAws::start();
    let settings = "credential_process = /nowhere/helper --password hunter2\n";
    let output = with_profile(&fake, settings).get(HOST);
    assert_explains(&output, &["credential_process"]);
    assert_no_secret(&output, &["hunter2"]);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let fake = FakeAws::start();
    for (variable, value) in [
        ("AWS_ECR_TIMEOUT", "soon"),
        ("AWS_ECR_TIMEOUT", "-1"),
        ("AWS_ENDPOINT_URL", "localhost:4566"),
        ("AWS_ENDPOINT_URL_ECR", "ftp://127.0.0.1"),
    ] {
        let mut sandbox = with_keys(&fake);
        sandbox.env(variable, value);
        assert_says(&sandbox.get(HOST), &["AWS_E", variable.get(..12).unwrap()]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn values_that_the_sdk_would_panic_on_do_no_harm() {
    let fake = FakeAws::start();
    for (variable, value) in [
        ("AWS_RETRY_MODE", "legacy"),
        ("AWS_RETRY_MODE", ""),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_MAX_ATTEMPTS", "abc"),
        ("AWS_MAX_ATTEMPTS", ""),
        ("AWS_ENDPOINT_URL_ECR", ""),
        ("AWS_REGION", "not a region"),
        ("AWS_DEFAULTS_MODE", "nonsense"),
    ] {
        let mut sandbox = with_keys(&fake);
        sandbox.env(variable, value);
        let output = sandbox.get(HOST);
        output.password();
        assert_eq!(output.stderr, "", "{variable}={value}");
    }
    let panicking = "retry_mode = legacy\nmax_attempts = 0\ndefaults_mode = x\n";
    with_profile(&fake, &format!("{panicking}{}", keys()))
        .get(HOST)
        .password();
}

#[test]
fn the_public_gallery_explains_a_refusal_too() {
    let fake = FakeAws::start();
    let denied = Reply::aws_error(400, "AccessDeniedException", "not sts:GetServiceBearerToken");
    fake.on("ecr-public:GetAuthorizationToken", denied);
    let output = with_keys(&fake).get("public.ecr.aws");
    output.assert_not_found();
    for word in ["public.ecr.aws", PROFILE, "denied", "sts:GetServiceBearerToken"] {
        assert!(output.stderr.contains(word), "{word}: {output}");
    }
}

#[test]
fn strict_puts_the_line_on_stdout_in_place_of_not_found() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", DENIED));
    let mut sandbox = with_keys(&fake);
    let usual = line(&sandbox.get(HOST)).to_owned();
    for yes in ["true", "TRUE", "1"] {
        sandbox.env("AWS_ECR_STRICT", yes);
        let output = sandbox.get(HOST);
        let got = (output.code, &*output.stdout, &*output.stderr);
        let line = &*format!("{usual}\n");
        // On stderr too: docker 28 and nerdctl show nothing of a helper's stdout.
        assert_eq!(got, (Some(1), line, line), "{yes}");
    }
    for no in ["", "0", "false"] {
        sandbox.env("AWS_ECR_STRICT", no);
        assert_eq!(line(&sandbox.get(HOST)), usual, "{no:?}");
    }
}

#[test]
fn one_failure_makes_no_other() {
    let fake = FakeAws::start();
    let sandbox = with_keys(&fake);
    fake.next(ECR, Reply::aws_error(400, "AccessDeniedException", DENIED));
    line(&sandbox.get(HOST));
    sandbox.get(HOST).password();
    assert_eq!(fake.count(ECR), 2);
}

#[test]
fn a_source_profile_without_credentials_is_named() {
    let fake = FakeAws::start();
    let role = "role_arn = arn:aws:iam::123456789012:role/dev\nsource_profile = bare\n[profile bare]\nregion = x\n";
    let sandbox = with_profile(&fake, role);
    let output = sandbox.get(HOST);
    assert_says(&output, &["\"bare\"", "holds no credentials", PROFILE]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn an_answer_that_makes_no_sense_is_not_blamed_on_a_login_or_a_file() {
    let fake = FakeAws::start();
    fake.on(STS, Reply::raw(200, "text/html", "<html>please log in</html>"));
    let role = format!(
        "{}role_arn = arn:aws:iam::1:role/r\nsource_profile = {PROFILE}\n",
        keys()
    );
    let output = with_profile(&fake, &role).get(HOST);
    assert_says(&output, &["makes no sense", &fake.url()]);
}
