//! Every source of AWS credentials: the right identity reaches ECR in the registry's region, and
//! the second `get` asks nobody. And what must not happen: the node's role for a profile that is missing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod netns;
mod support;

use sha2::{Digest, Sha256};
use std::fs;
use std::process::Command;
use std::time::Duration;
use support::{FakeAws, Output, Reply, Sandbox, decode_password, world};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const REGION: &str = "eu-central-1";

const ECR: &str = "ecr:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";
const WEB: &str = "sts:AssumeRoleWithWebIdentity";
const SSO: &str = "sso:GetRoleCredentials";
const OIDC: &str = "sso-oidc:CreateToken";
const SIGNIN: &str = "signin:CreateOAuth2Token";
const CONTAINER: &str = "container:credentials";
const IMDS: [&str; 3] = ["imds:token", "imds:roles", "imds:credentials"];

const ROLE: &str = "arn:aws:iam::123456789012:role/pull";

/// SHA-1 of `corp` and of the start URL: the names of their token files.
const CORP_TOKEN: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const START_URL_TOKEN: &str = ".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";

const SSO_CONFIG: &str = "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\n\
    sso_role_name = Pull\n\
    [sso-session corp]\nsso_region = us-east-2\nsso_start_url = https://corp.awsapps.com/start\n\
    sso_registration_scopes = sso:account:access\n";

const LOGIN_SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Admin/me";

/// What a program of this kind may read, apart from what every run needs.
const VARIABLES: &str = "AWS_ACCESS_KEY_ID AWS_ACCESS_KEY AWS_SECRET_ACCESS_KEY AWS_SECRET_KEY \
    AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE \
    AWS_REGION AWS_DEFAULT_REGION AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME \
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI \
    AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE \
    AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_SERVICE_ENDPOINT \
    AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE AWS_EC2_METADATA_V1_DISABLED \
    AWS_LOGIN_CACHE_DIRECTORY AWS_VAULT AWS_ENDPOINT_URL AWS_ENDPOINT_URL_ECR \
    AWS_ENDPOINT_URL_ECR_PUBLIC AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_SSO \
    AWS_ENDPOINT_URL_SSO_OIDC AWS_ENDPOINT_URL_SIGNIN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS \
    AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR \
    HTTPS_PROXY https_proxy HTTP_PROXY http_proxy NO_PROXY no_proxy ALL_PROXY all_proxy \
    AWS_RETRY_MODE AWS_MAX_ATTEMPTS AWS_DEFAULTS_MODE AWS_SDK_UA_APP_ID AWS_SDK_LOAD_CONFIG \
    AWS_STS_REGIONAL_ENDPOINTS AWS_SIGV4A_SIGNING_REGION_SET AWS_AUTH_SCHEME_PREFERENCE \
    AWS_ACCOUNT_ID AWS_ACCOUNT_ID_ENDPOINT_MODE AWS_REQUEST_CHECKSUM_CALCULATION \
    AWS_RESPONSE_CHECKSUM_VALIDATION AWS_DISABLE_REQUEST_COMPRESSION \
    AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES AWS_ECR_CACHE_DIR AWS_ECR_DISABLE_CACHE \
    AWS_ECR_IGNORE_CREDS_STORAGE AWS_ECR_LOG AWS_ECR_STRICT AWS_ECR_TIMEOUT AWS_ECR_CONFIG_FILE \
    XDG_CACHE_HOME XDG_CONFIG_HOME";

fn empty_the_rest(command: &mut Command) {
    for name in VARIABLES.split_whitespace() {
        if !command.get_envs().any(|(known, _)| known == name) {
            command.env(name, "");
        }
    }
}

/// Gets twice, and a third time past the cache, both later times with every other variable empty. The operations
/// are those of the first `get`; the second may make none. Returns the access key id that reached ECR.
fn gets(fake: &FakeAws, sandbox: &Sandbox, operations: &[&str]) -> String {
    let first = sandbox.get(HOST);
    let token = decode_password(&first.password());
    assert_eq!((&*token.region, &*token.service), (REGION, "ecr"));
    assert_eq!(first.server_url(), HOST);
    assert_eq!(first.stderr, "");
    let asked: Vec<_> = fake.requests().into_iter().map(|r| r.operation).collect();
    assert_eq!(asked, operations);
    if let Some(key) = expected_key(fake, operations) {
        assert_eq!(token.access_key_id, key);
    }
    for request in fake.requests() {
        let region = request.region.as_deref().unwrap_or(REGION);
        assert_eq!(region, REGION, "{}", request.operation);
    }
    let second = sandbox.run_with("get", HOST, empty_the_rest);
    assert_eq!(second.password(), first.password());
    assert_eq!(fake.total(), operations.len(), "the second get asked");
    let third = sandbox.run_with("get", HOST, |command| {
        empty_the_rest(command);
        command.env("AWS_ECR_DISABLE_CACHE", "true");
    });
    let again = decode_password(&third.password());
    assert!(again.serial > token.serial, "past the cache");
    let expected = expected_key(fake, operations).unwrap_or(token.access_key_id.clone());
    assert_eq!(again.access_key_id, expected);
    token.access_key_id
}

/// The key that was given last before ECR was asked, where one was given.
fn expected_key(fake: &FakeAws, operations: &[&str]) -> Option<String> {
    let [.., giver, _ecr] = operations else {
        return None;
    };
    Some(issued(fake, giver))
}

/// The key that the fake gave in answer to the last of these requests.
fn issued(fake: &FakeAws, operation: &str) -> String {
    let last = fake.requests_to(operation).pop().expect(operation);
    last.issued_access_key_id().unwrap()
}

fn security_token(fake: &FakeAws) -> Option<String> {
    let request = fake.requests_to(ECR).pop().unwrap();
    request.header("x-amz-security-token").map(str::to_owned)
}

/// The line for a person of a `get` that failed as an ECR host's does.
fn reason(output: &Output) -> &str {
    output.assert_not_found();
    let line = output.stderr.trim_end_matches('\n');
    assert!(!line.is_empty() && !line.contains('\n'), "{output}");
    assert!(line.len() < 500, "{output}");
    line
}

fn assert_says(output: &Output, parts: &[&str]) {
    let line = reason(output);
    for part in parts {
        assert!(line.contains(part), "no {part:?} in {line:?}");
    }
}

/// Where a container and an instance would give credentials, if they were asked.
fn offer_the_nodes_role(fake: &FakeAws, sandbox: &mut Sandbox) {
    let container = format!("{}/container-credentials/node", fake.url());
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url())
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container);
}

fn sso_token(access_token: &str, expires: &str) -> String {
    format!(
        r#"{{"startUrl":"https://corp.awsapps.com/start","region":"us-east-2",
        "accessToken":"{access_token}","expiresAt":"{expires}","clientId":"client",
        "clientSecret":"secret","registrationExpiresAt":"2099-01-01T00:00:00Z",
        "refreshToken":"refresh-{access_token}"}}"#
    )
}

fn write_login_session(sandbox: &Sandbox, below_home: &str, expires: &str) {
    let name: String = Sha256::digest(LOGIN_SESSION)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // The key of the SDK's own tests.
    let key = "-----BEGIN EC PRIVATE KEY-----\\n\
        MHcCAQEEIBMB/RwQERsVoqWRQG4zK8CnaAa5dfrpbm+9tFdBh3z4oAoGCCqGSM49\\n\
        AwEHoUQDQgAEWb1VLi1EA2hJaTz4yYuxSELvY+1GAfL+8rUTCAdiFid87Bf6GY+s\\n\
        2+1RpqDv0RpZiDIMCrZrsAh+RK9S3QCaGA==\\n-----END EC PRIVATE KEY-----\\n";
    sandbox.write(
        format!("{below_home}/{name}.json"),
        format!(
            r#"{{"accessToken":{{"accessKeyId":"ASIALOGIN","secretAccessKey":"s","sessionToken":"t",
            "accountId":"111122223333","expiresAt":"{expires}"}},"tokenType":"aws_sigv4",
            "refreshToken":"refresh","idToken":"e30.e30.e30",
            "clientId":"arn:aws:signin:::devtools/same-device","dpopKey":"{key}"}}"#
        ),
    );
}

/// A program that prints keys and leaves a mark at each run.
fn write_process(sandbox: &Sandbox) -> String {
    let script = sandbox.write(
        "process",
        "#!/bin/sh\nprintf x >> \"$HOME/runs\"\n\
         echo '{\"Version\":1,\"AccessKeyId\":\"ASIAPROCESS\",\"SecretAccessKey\":\"s\",\
         \"SessionToken\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n",
    );
    format!("/bin/sh {}", script.display())
}

fn process_runs(sandbox: &Sandbox) -> usize {
    fs::read(sandbox.home().join("runs")).map_or(0, |marks| marks.len())
}

#[test]
fn keys_in_the_environment() {
    let (fake, mut sandbox) = world();
    sandbox.use_static_keys().env("AWS_SESSION_TOKEN", "session");
    sandbox.aws_config("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), support::STATIC_KEY_ID);
    assert_eq!(security_token(&fake).as_deref(), Some("session"));
}

#[test]
fn keys_in_the_environment_under_their_other_names() {
    for (key, secret) in [
        ("AWS_ACCESS_KEY", "AWS_SECRET_KEY"),
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_KEY"),
        ("AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
    ] {
        let (fake, mut sandbox) = world();
        sandbox.env(key, "AKIAOTHERNAME").env(secret, "s");
        assert_eq!(gets(&fake, &sandbox, &[ECR]), "AKIAOTHERNAME");
        assert_eq!(security_token(&fake), None);
    }
}

#[test]
fn static_keys_in_the_credentials_file() {
    let (fake, sandbox) = world();
    sandbox
        .aws_credentials("[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\naws_session_token = t\n");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "AKIAFILE");
    assert_eq!(security_token(&fake).as_deref(), Some("t"));
}

#[test]
fn static_keys_in_files_that_variables_name() {
    let (fake, mut sandbox) = world();
    let config = sandbox.write("a", "[profile x]\nregion = us-west-1\n");
    let keys = sandbox.write("b", "[x]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n");
    sandbox
        .env("AWS_CONFIG_FILE", config)
        .env("AWS_SHARED_CREDENTIALS_FILE", keys)
        .env("AWS_PROFILE", "x");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "AKIAX");
}

#[test]
fn static_keys_in_files_below_the_home_that_variables_name_with_a_tilde() {
    let (fake, mut sandbox) = world();
    sandbox.write(
        "keys",
        "[default]\naws_access_key_id = AKIATILDE\naws_secret_access_key = s\n",
    );
    sandbox.env("AWS_SHARED_CREDENTIALS_FILE", "~/keys");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "AKIATILDE");
}

#[test]
fn aws_default_profile_names_the_profile_and_aws_profile_wins_over_it() {
    let (fake, mut sandbox) = world();
    sandbox.aws_credentials(
        "[a]\naws_access_key_id = AKIAA\naws_secret_access_key = s\n\
         [b]\naws_access_key_id = AKIAB\naws_secret_access_key = s\n",
    );
    sandbox.env("AWS_DEFAULT_PROFILE", "a");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "AKIAA");
    sandbox.env("AWS_PROFILE", "b");
    fake.clear();
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "AKIAB");
}

#[test]
fn a_role_with_a_source_profile() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[profile dev]\nrole_arn = {ROLE}\nsource_profile = base\nregion = us-west-1\n\
         external_id = outside\nrole_session_name = me\n\
         [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\nregion = us-west-2\n"
    ));
    sandbox.env("AWS_PROFILE", "dev");
    gets(&fake, &sandbox, &[STS, ECR]);
    let request = &fake.requests_to(STS)[0];
    let form = request.form();
    assert_eq!(request.access_key_id.as_deref(), Some("AKIABASE"));
    assert_eq!((&*form["RoleArn"], &*form["RoleSessionName"]), (ROLE, "me"));
    assert_eq!(form["ExternalId"], "outside");
    let session = format!("session-of-{}", issued(&fake, STS));
    assert_eq!(security_token(&fake), Some(session));
}

#[test]
fn a_role_whose_source_profile_is_itself() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[profile dev]\nrole_arn = {ROLE}\nsource_profile = dev\n\
         aws_access_key_id = AKIASELF\naws_secret_access_key = s\n"
    ));
    sandbox.env("AWS_PROFILE", "dev");
    gets(&fake, &sandbox, &[STS, ECR]);
}

#[test]
fn a_chain_of_roles() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[profile c]\nrole_arn = {ROLE}-c\nsource_profile = b\n\
         [profile b]\nrole_arn = {ROLE}-b\nsource_profile = a\n\
         [profile a]\nrole_arn = {ROLE}-a\nsource_profile = base\n"
    ));
    sandbox.aws_credentials("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n");
    sandbox.env("AWS_PROFILE", "c");
    gets(&fake, &sandbox, &[STS, STS, STS, ECR]);
    let roles: Vec<_> = fake
        .requests_to(STS)
        .iter()
        .map(|r| r.form()["RoleArn"].clone())
        .collect();
    assert_eq!(roles[..3], ["a", "b", "c"].map(|x| format!("{ROLE}-{x}")));
}

#[test]
fn a_role_from_the_environments_keys_is_not_assumed_since_the_keys_themselves_come_first() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[default]\nrole_arn = {ROLE}\ncredential_source = Environment\n"
    ));
    sandbox.use_static_keys();
    assert_eq!(gets(&fake, &sandbox, &[ECR]), support::STATIC_KEY_ID);
}

#[test]
fn a_role_from_the_environments_keys_without_such_keys_is_an_error_and_not_the_nodes_role() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[default]\nrole_arn = {ROLE}\ncredential_source = Environment\n"
    ));
    offer_the_nodes_role(&fake, &mut sandbox);
    reason(&sandbox.get(HOST));
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_role_from_the_containers_credentials() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[default]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n"
    ));
    let url = format!("{}/container-credentials/task", fake.url());
    sandbox
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "who");
    gets(&fake, &sandbox, &[CONTAINER, STS, ECR]);
    let base = fake.requests_to(STS)[0].access_key_id.clone();
    assert_eq!(base, Some(issued(&fake, CONTAINER)));
}

#[test]
fn a_role_from_the_instances_credentials() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[default]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n"
    ));
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    gets(&fake, &sandbox, &[&IMDS[..], &[STS, ECR]].concat());
    let base = fake.requests_to(STS)[0].access_key_id.clone();
    assert_eq!(base, Some(issued(&fake, "imds:credentials")));
}

#[test]
fn an_sso_session() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(SSO_CONFIG);
    sandbox.write(CORP_TOKEN, sso_token("user", "2099-01-01T00:00:00Z"));
    sandbox.env("AWS_PROFILE", "dev");
    gets(&fake, &sandbox, &[SSO, ECR]);
    let request = &fake.requests_to(SSO)[0];
    assert_eq!(request.header("x-amz-sso_bearer_token"), Some("user"));
    assert_eq!(request.query()["account_id"], "111122223333");
    assert_eq!(request.query()["role_name"], "Pull");
}

#[test]
fn an_sso_session_whose_token_is_refreshed_on_the_way() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(SSO_CONFIG);
    let file = sandbox.write(CORP_TOKEN, sso_token("old", "2020-01-01T00:00:00Z"));
    sandbox.env("AWS_PROFILE", "dev");
    gets(&fake, &sandbox, &[OIDC, SSO, ECR]);
    assert_eq!(fake.requests_to(OIDC)[0].json()["refreshToken"], "refresh-old");
    assert!(fs::read_to_string(file).unwrap().contains("sso-access-token-"));
}

#[test]
fn a_role_on_top_of_an_sso_session() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "{SSO_CONFIG}[profile top]\nrole_arn = {ROLE}\nsource_profile = dev\n"
    ));
    sandbox.write(CORP_TOKEN, sso_token("user", "2099-01-01T00:00:00Z"));
    sandbox.env("AWS_PROFILE", "top");
    gets(&fake, &sandbox, &[SSO, STS, ECR]);
}

#[test]
fn a_legacy_sso_login() {
    let (fake, sandbox) = world();
    sandbox.aws_config(
        "[default]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-2\n\
         sso_account_id = 111122223333\nsso_role_name = Pull\n",
    );
    sandbox.write(START_URL_TOKEN, sso_token("user", "2099-01-01T00:00:00Z"));
    gets(&fake, &sandbox, &[SSO, ECR]);
}

#[test]
fn an_aws_login_session() {
    let (fake, sandbox) = world();
    sandbox.aws_config(&format!("[default]\nlogin_session = {LOGIN_SESSION}\n"));
    write_login_session(&sandbox, ".aws/login/cache", "2099-01-01T00:00:00Z");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "ASIALOGIN");
}

#[test]
fn an_aws_login_session_that_is_refreshed_on_the_way_and_kept_elsewhere() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!("[default]\nlogin_session = {LOGIN_SESSION}\n"));
    write_login_session(&sandbox, "elsewhere", "2020-01-01T00:00:00Z");
    let elsewhere = sandbox.home().join("elsewhere");
    sandbox.env("AWS_LOGIN_CACHE_DIRECTORY", elsewhere);
    gets(&fake, &sandbox, &[SIGNIN, ECR]);
}

#[test]
fn web_identity_by_the_environment() {
    let (fake, mut sandbox) = world();
    let file = sandbox.write("token", "jwt-of-the-pod");
    sandbox
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", file)
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_ROLE_SESSION_NAME", "pod");
    offer_the_nodes_role(&fake, &mut sandbox);
    gets(&fake, &sandbox, &[WEB, ECR]);
    let form = fake.requests_to(WEB)[0].form();
    assert_eq!(
        (&*form["WebIdentityToken"], &*form["RoleSessionName"]),
        ("jwt-of-the-pod", "pod")
    );
}

#[test]
fn web_identity_by_a_profile_and_a_role_on_top_of_it() {
    for (profile, operations) in [("pod", &[WEB, ECR][..]), ("top", &[WEB, STS, ECR])] {
        let (fake, mut sandbox) = world();
        let file = sandbox.write("token", "jwt-of-the-pod");
        sandbox.aws_config(&format!(
            "[profile pod]\nrole_arn = {ROLE}\nweb_identity_token_file = {}\n\
             [profile top]\nrole_arn = {ROLE}-top\nsource_profile = pod\n",
            file.display()
        ));
        sandbox.env("AWS_PROFILE", profile);
        gets(&fake, &sandbox, operations);
    }
}

#[test]
fn a_credential_process_which_a_hit_does_not_run() {
    let (fake, sandbox) = world();
    let process = write_process(&sandbox);
    sandbox.aws_config(&format!("[default]\ncredential_process = {process}\n"));
    assert_eq!(gets(&fake, &sandbox, &[ECR]), "ASIAPROCESS");
    assert_eq!(process_runs(&sandbox), 2, "the first and the third get");
}

#[test]
fn a_role_on_top_of_a_credential_process() {
    let (fake, mut sandbox) = world();
    let process = write_process(&sandbox);
    sandbox.aws_config(&format!(
        "[profile base]\ncredential_process = {process}\n\
         [profile top]\nrole_arn = {ROLE}\nsource_profile = base\n"
    ));
    sandbox.env("AWS_PROFILE", "top");
    gets(&fake, &sandbox, &[STS, ECR]);
    assert_eq!(process_runs(&sandbox), 2, "the first and the third get");
}

#[test]
fn an_ecs_container_by_a_full_uri_with_a_token() {
    let (fake, mut sandbox) = world();
    let url = format!("{}/container-credentials/task", fake.url());
    sandbox
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic who");
    gets(&fake, &sandbox, &[CONTAINER, ECR]);
    let request = &fake.requests_to(CONTAINER)[0];
    assert_eq!(request.header("authorization"), Some("Basic who"));
}

#[test]
fn an_eks_pod_identity_by_a_full_uri_with_a_token_file() {
    let (fake, mut sandbox) = world();
    let file = sandbox.write("eks-pod-identity-token", "jwt-of-the-pod");
    let url = format!("{}/container-credentials/v1/credentials", fake.url());
    sandbox
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "ignored")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
    gets(&fake, &sandbox, &[CONTAINER, ECR]);
    let request = &fake.requests_to(CONTAINER)[0];
    assert_eq!(request.header("authorization"), Some("jwt-of-the-pod"));
}

#[test]
fn an_ecs_container_by_a_relative_uri() {
    if !netns::entered("an_ecs_container_by_a_relative_uri", &[]) {
        return;
    }
    let (fake, mut sandbox) = world();
    assert!(netns::relay("169.254.170.2:80", &fake.url()));
    sandbox.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/container-credentials/task");
    gets(&fake, &sandbox, &[CONTAINER, ECR]);
    assert_eq!(fake.requests_to(CONTAINER)[0].host, "169.254.170.2");
}

#[test]
fn instance_metadata_version_2() {
    let (fake, mut sandbox) = world();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    gets(&fake, &sandbox, &[&IMDS[..], &[ECR]].concat());
}

#[test]
fn instance_metadata_where_the_profile_says_it_is() {
    let (fake, mut sandbox) = world();
    sandbox.unset("AWS_EC2_METADATA_DISABLED");
    sandbox.aws_config(&format!("[default]\nec2_metadata_service_endpoint = {}\n", fake.url()));
    gets(&fake, &sandbox, &[&IMDS[..], &[ECR]].concat());
}

#[test]
fn empty_variables_lead_to_the_last_source_as_unset_ones_do() {
    let (fake, mut sandbox) = world();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url());
    let output = sandbox.run_with("get", HOST, empty_the_rest);
    let key = decode_password(&output.password()).access_key_id;
    assert_eq!(key, issued(&fake, "imds:credentials"));
    let total = fake.total();
    assert_eq!(sandbox.get(HOST).password(), output.password());
    assert_eq!(fake.total(), total);
}

#[test]
fn settings_that_make_the_sdk_panic_or_that_nobody_knows_do_no_harm() {
    let long = "x".repeat(300);
    for (name, value) in [
        ("AWS_RETRY_MODE", "legacy"),
        ("AWS_RETRY_MODE", "bogus"),
        ("AWS_RETRY_MODE", ""),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_MAX_ATTEMPTS", ""),
        ("AWS_MAX_ATTEMPTS", "abc"),
        ("AWS_MAX_ATTEMPTS", "-1"),
        ("AWS_MAX_ATTEMPTS", "99999999999999999999"),
        ("AWS_DEFAULTS_MODE", "bogus"),
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "bogus"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "bogus"),
        ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "abc"),
        ("AWS_SIGV4A_SIGNING_REGION_SET", "*,"),
        ("AWS_AUTH_SCHEME_PREFERENCE", "bogus"),
        ("AWS_SDK_UA_APP_ID", "with/slash and \u{e9}"),
        ("AWS_SDK_UA_APP_ID", &long),
        ("AWS_STS_REGIONAL_ENDPOINTS", "bogus"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"),
        ("AWS_ENDPOINT_URL_STS", ""),
        ("AWS_REGION", "not a region"),
    ] {
        let (fake, mut sandbox) = world();
        sandbox.use_static_keys().env(name, value);
        let output = sandbox.get(HOST);
        assert_eq!(output.code, Some(0), "{name}={value}: {output}");
        assert_eq!((fake.count(ECR), &*output.stderr), (1, ""), "{name}={value}");
    }
    for setting in [
        "retry_mode = legacy",
        "retry_mode = ",
        "max_attempts = 0",
        "max_attempts = abc",
        "defaults_mode = bogus",
        "sdk_ua_app_id = with/slash",
        "region = not a region",
        "request_min_compression_size_bytes = abc",
        "duration_seconds = 0",
    ] {
        let (fake, sandbox) = world();
        sandbox.aws_config(&format!(
            "[default]\n{setting}\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n"
        ));
        let output = sandbox.get(HOST);
        assert_eq!(output.code, Some(0), "{setting}: {output}");
        assert_eq!(fake.count(ECR), 1, "{setting}");
    }
}

#[test]
fn an_empty_endpoint_url_is_none_at_all() {
    let (fake, mut sandbox) = world();
    sandbox
        .use_static_keys()
        .env("AWS_ENDPOINT_URL", "")
        .env("AWS_ENDPOINT_URL_ECR", fake.url());
    assert_eq!(gets(&fake, &sandbox, &[ECR]), support::STATIC_KEY_ID);
}

#[test]
fn retries_are_made_whatever_aws_max_attempts_says() {
    for attempts in ["1", "0", "abc"] {
        let (fake, mut sandbox) = world();
        sandbox.use_static_keys().env("AWS_MAX_ATTEMPTS", attempts);
        fake.next(ECR, Reply::aws_error(500, "ServerException", "once"));
        sandbox.get(HOST).password();
        assert_eq!(fake.count(ECR), 2);
    }
}

#[test]
fn a_named_profile_that_is_missing_is_an_error_and_never_the_nodes_role() {
    for (variable, name, config) in [
        ("AWS_PROFILE", "nosuch", "[default]\nregion = x\n"),
        ("AWS_PROFILE", "nosuch", "[nosuch]\nregion = x\n"),
        ("AWS_PROFILE", "NoSuch", "[profile nosuch]\nregion = x\n"),
        ("AWS_PROFILE", "nosuch", ""),
        ("AWS_DEFAULT_PROFILE", "nosuch", "[default]\nregion = x\n"),
        ("AWS_PROFILE", "default", ""),
        ("AWS_PROFILE", " ", ""),
    ] {
        let (fake, mut sandbox) = world();
        let path = sandbox.aws_config(config);
        sandbox.env(variable, name);
        offer_the_nodes_role(&fake, &mut sandbox);
        let token = sandbox.write("token", "jwt");
        sandbox
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
            .env("AWS_ROLE_ARN", ROLE);
        let output = sandbox.get(HOST);
        assert_says(&output, &[name, path.to_str().unwrap()]);
        assert_eq!(fake.total(), 0, "{variable}={name}");
        assert!(output.elapsed < Duration::from_secs(2), "{output}");
    }
}

#[test]
fn a_missing_profile_does_not_matter_beside_keys_in_the_environment() {
    let (fake, mut sandbox) = world();
    sandbox.use_static_keys().env("AWS_PROFILE", "nosuch");
    assert_eq!(gets(&fake, &sandbox, &[ECR]), support::STATIC_KEY_ID);
}

#[test]
fn a_source_profile_that_is_missing_or_empty_is_an_error_and_never_the_nodes_role() {
    for config in [
        "[default]\nrole_arn = R\nsource_profile = nosuch\n".to_owned(),
        "[default]\nsource_profile = nosuch\nregion = x\n".to_owned(),
        "[default]\nrole_arn = R\nsource_profile = mid\n\
         [profile mid]\nrole_arn = R\nsource_profile = nosuch\n"
            .to_owned(),
        // There, and with nothing in it that could assume a role.
        "[default]\nrole_arn = R\nsource_profile = nosuch\n[profile nosuch]\nregion = x\n".to_owned(),
    ] {
        let (fake, mut sandbox) = world();
        sandbox.aws_config(&config.replace("= R\n", &format!("= {ROLE}\n")));
        offer_the_nodes_role(&fake, &mut sandbox);
        let output = sandbox.get(HOST);
        assert_eq!(fake.total(), 0, "{config}\n{output}");
        assert_says(&output, &["nosuch"]);
    }
}

#[test]
fn a_profile_that_only_half_says_what_it_means_is_an_error_and_never_the_nodes_role() {
    for config in [
        format!("[default]\nrole_arn = {ROLE}\n"),
        "[default]\naws_access_key_id = AKIAHALF\n".to_owned(),
        "[default]\nweb_identity_token_file = /nowhere\n".to_owned(),
        "[default]\nsso_session = nosuch\nsso_account_id = 1\nsso_role_name = r\n".to_owned(),
        "[default]\nlogin_session = nosuch\n".to_owned(),
        "[default]\ncredential_process = /nowhere/at/all\n".to_owned(),
        format!("[default]\nrole_arn = {ROLE}\ncredential_source = Bogus\n"),
        format!(
            "[profile b]\nrole_arn = {ROLE}\nsource_profile = default\n\
             [default]\nrole_arn = {ROLE}\nsource_profile = b\n"
        ),
    ] {
        let (fake, mut sandbox) = world();
        sandbox.aws_config(&config);
        offer_the_nodes_role(&fake, &mut sandbox);
        let output = sandbox.get(HOST);
        reason(&output);
        assert_eq!(fake.total(), 0, "{config}\n{output}");
    }
}

#[test]
fn files_that_cannot_be_read_are_an_error_and_never_the_nodes_role() {
    for broken in [&b"[default\n"[..], b"no section = 1\n", b"[default]\nx = \xff\xfe\n"] {
        let (fake, mut sandbox) = world();
        let path = sandbox.write(".aws/config", broken);
        offer_the_nodes_role(&fake, &mut sandbox);
        let output = sandbox.get(HOST);
        assert_says(&output, &[path.to_str().unwrap()]);
        assert_eq!(fake.total(), 0);
    }
    // A directory where the file should be.
    let (fake, mut sandbox) = world();
    fs::create_dir_all(sandbox.home().join(".aws/credentials")).unwrap();
    offer_the_nodes_role(&fake, &mut sandbox);
    assert_says(&sandbox.get(HOST), &[".aws/credentials"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn without_a_home_no_aws_file_is_read() {
    let (fake, mut sandbox) = world();
    let keys = "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = s\n";
    for place in ["cwd/~/.aws", "cwd/.aws", "cwd"] {
        sandbox.write(format!("{place}/config"), keys);
        sandbox.write(format!("{place}/credentials"), keys);
    }
    let cwd = sandbox.home().join("cwd");
    for home in [None, Some("")] {
        sandbox.unset("HOME");
        if let Some(home) = home {
            sandbox.env("HOME", home);
        }
        let output = sandbox.run_with("get", HOST, |command| {
            command.current_dir(&cwd);
        });
        reason(&output);
        // Nor does a variable that needs a home lead anywhere.
        let output = sandbox.run_with("get", HOST, |command| {
            command.current_dir(&cwd).env("AWS_CONFIG_FILE", "~/.aws/config");
        });
        reason(&output);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn without_a_home_no_sso_or_login_session_is_read() {
    let (fake, mut sandbox) = world();
    let config = sandbox.write(
        "config",
        format!("{SSO_CONFIG}[profile login]\nlogin_session = {LOGIN_SESSION}\n"),
    );
    for place in ["cwd/~", "cwd"] {
        let token = sso_token("wrong", "2099-01-01T00:00:00Z");
        sandbox.write(format!("{place}/{CORP_TOKEN}"), token);
        let sessions = format!("{place}/.aws/login/cache");
        write_login_session(&sandbox, &sessions, "2099-01-01T00:00:00Z");
    }
    let cwd = sandbox.home().join("cwd");
    sandbox.unset("HOME").env("AWS_CONFIG_FILE", config);
    for profile in ["dev", "login"] {
        let output = sandbox.run_with("get", HOST, |command| {
            command.current_dir(&cwd).env("AWS_PROFILE", profile);
        });
        reason(&output);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn without_a_home_keys_and_named_files_still_work() {
    let (fake, mut sandbox) = world();
    let keys = sandbox.write(
        "keys",
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n",
    );
    sandbox.unset("HOME").env("AWS_SHARED_CREDENTIALS_FILE", keys);
    let token = decode_password(&sandbox.get(HOST).password());
    assert_eq!(token.access_key_id, "AKIAFILE");
    sandbox.use_static_keys();
    let token = decode_password(&sandbox.get(HOST).password());
    assert_eq!(token.access_key_id, support::STATIC_KEY_ID);
    assert_eq!(fake.total(), 2);
}

#[test]
fn with_no_credentials_anywhere_it_says_what_was_tried() {
    let (fake, sandbox) = world();
    let output = sandbox.get(HOST);
    let tried = [
        "AWS_ACCESS_KEY_ID",
        "default",
        "web identity",
        "container",
        "instance metadata",
    ];
    assert_says(&output, &tried);
    assert!(output.elapsed < Duration::from_secs(3));
    assert_eq!(fake.total(), 0);
}

#[test]
fn the_public_gallery_asks_us_east_1_from_anywhere() {
    let (fake, mut sandbox) = world();
    sandbox.aws_config(&format!(
        "[default]\nrole_arn = {ROLE}\nsource_profile = base\n\
         [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
    ));
    for host in ["public.ecr.aws", "ecr-public.aws.com"] {
        fake.clear();
        let token = decode_password(&sandbox.get(host).password());
        assert_eq!((&*token.region, &*token.service), ("us-east-1", "ecr-public"));
        assert_eq!(fake.requests_to(STS)[0].region.as_deref(), Some("us-east-1"));
        let total = fake.total();
        sandbox.env("AWS_REGION", "eu-north-1").get(host).password();
        assert_eq!(fake.total(), total);
    }
}
