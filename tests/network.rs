//! Where the calls go and how: the endpoint of each kind of registry host, overrides, proxies and
//! trusted certificates. The expected hosts are those of
//! botocore's endpoint rules (1.44.5), not of the Rust SDK's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod netns;
mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;
use support::{FakeAws, HangingServer, Output, Sandbox, TlsProxy, TlsServer, refused_url};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const US_FIPS: &str = "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com";
const US_BOTH: &str = "123456789012.dkr-ecr-fips.us-east-1.on.aws";

const ECR: &str = "ecr:GetAuthorizationToken";
const PUBLIC: &str = "ecr-public:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";

const ROLE: &str = "arn:aws:iam::123456789012:role/pull";

/// A sandbox with keys that reaches every host of AWS through the proxy, and has no cache.
fn behind(proxy: &TlsProxy) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let ca = sandbox.write("ca.pem", proxy.ca_pem());
    sandbox
        .use_static_keys()
        .env("AWS_ECR_DISABLE_CACHE", "true")
        .env("HTTPS_PROXY", proxy.url())
        .env("AWS_CA_BUNDLE", ca);
    sandbox
}

/// Keys, no cache, and that endpoint.
fn facing(url: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox
        .use_static_keys()
        .env("AWS_ECR_DISABLE_CACHE", "true")
        .env("AWS_ENDPOINT_URL", url);
    sandbox
}

fn world() -> (FakeAws, TlsProxy, Sandbox) {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    let sandbox = behind(&proxy);
    (fake, proxy, sandbox)
}

/// Keys in a profile and a role to assume with them, in place of those in the environment.
fn use_role(sandbox: &mut Sandbox) {
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .aws_config(&format!(
            "[default]\nrole_arn = {ROLE}\nsource_profile = base\n\
             [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
        ));
}

/// The same address as a proxy's or server's on 127.0.0.1, by a name that nobody takes for loopback.
fn not_loopback(url: &str) -> String {
    url.replace("127.0.0.1", "0.0.0.0")
}

/// The hosts that were asked through a tunnel, which must all be of port 443.
fn tunnels(proxy: &TlsProxy) -> Vec<String> {
    let host = |target: String| target.strip_suffix(":443").expect("port 443").to_owned();
    proxy.connects().into_iter().map(host).collect()
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

/// Registry host, region of the signature, API host.
const ENDPOINTS: &str = "
123456789012.dkr.ecr.us-east-1.amazonaws.com us-east-1 api.ecr.us-east-1.amazonaws.com
123456789012.dkr.ecr.eu-west-1.amazonaws.com eu-west-1 api.ecr.eu-west-1.amazonaws.com
123456789012.dkr.ecr.mx-central-1.amazonaws.com mx-central-1 api.ecr.mx-central-1.amazonaws.com
123456789012.dkr.ecr.xx-new-9.amazonaws.com xx-new-9 api.ecr.xx-new-9.amazonaws.com
123456789012.dkr.ecr-fips.us-east-1.amazonaws.com us-east-1 api.ecr-fips.us-east-1.amazonaws.com
123456789012.dkr.ecr-fips.us-east-2.amazonaws.com us-east-2 api.ecr-fips.us-east-2.amazonaws.com
123456789012.dkr.ecr-fips.us-west-1.amazonaws.com us-west-1 api.ecr-fips.us-west-1.amazonaws.com
123456789012.dkr.ecr-fips.us-west-2.amazonaws.com us-west-2 api.ecr-fips.us-west-2.amazonaws.com
123456789012.dkr-ecr.us-west-2.on.aws us-west-2 ecr.us-west-2.api.aws
123456789012.dkr-ecr.eu-west-1.on.aws eu-west-1 ecr.eu-west-1.api.aws
123456789012.dkr-ecr-fips.us-east-1.on.aws us-east-1 ecr-fips.us-east-1.api.aws
123456789012.dkr-ecr-fips.us-gov-east-1.on.aws us-gov-east-1 ecr-fips.us-gov-east-1.api.aws
123456789012.dkr.ecr.us-gov-west-1.amazonaws.com us-gov-west-1 api.ecr.us-gov-west-1.amazonaws.com
123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com us-gov-west-1 api.ecr-fips.us-gov-west-1.amazonaws.com
123456789012.dkr-ecr.us-gov-west-1.on.aws us-gov-west-1 ecr.us-gov-west-1.api.aws
123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn cn-north-1 api.ecr.cn-north-1.amazonaws.com.cn
123456789012.dkr.ecr.cn-northwest-1.amazonaws.com.cn cn-northwest-1 api.ecr.cn-northwest-1.amazonaws.com.cn
123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn cn-north-1 ecr.cn-north-1.api.amazonwebservices.com.cn
123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov us-iso-east-1 api.ecr.us-iso-east-1.c2s.ic.gov
123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov us-isob-east-1 api.ecr.us-isob-east-1.sc2s.sgov.gov
123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk eu-isoe-west-1 api.ecr.eu-isoe-west-1.cloud.adc-e.uk
123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov us-isof-south-1 api.ecr.us-isof-south-1.csp.hci.ic.gov
123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu eusc-de-east-1 api.ecr.eusc-de-east-1.amazonaws.eu
public.ecr.aws us-east-1 api.ecr-public.us-east-1.amazonaws.com
ecr-public.aws.com us-east-1 ecr-public.us-east-1.api.aws
";

#[test]
fn the_api_host_follows_the_registry_host() {
    let (fake, proxy, mut sandbox) = world();
    sandbox.env("AWS_REGION", "ap-south-1");
    let mut asked = Vec::new();
    for row in ENDPOINTS.trim().lines() {
        let [host, region, api] = row.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        asked.push(api.to_owned());
        assert_eq!(sandbox.get(host).server_url(), host);
        assert_eq!(tunnels(&proxy), asked, "{host}");
        let request = fake.requests().pop().unwrap();
        assert_eq!(request.region.as_deref(), Some(region), "{host}");
        assert_eq!(request.host, api);
        let service = request.signing_service.unwrap();
        assert_eq!(service == "ecr-public", !host.contains("dkr"), "{host}");
    }
}

#[test]
fn the_credential_chain_asks_the_partition_and_region_of_the_registry_without_its_fips_or_dual_stack() {
    for (host, sts, ecr) in [
        (
            HOST,
            "sts.eu-central-1.amazonaws.com",
            "api.ecr.eu-central-1.amazonaws.com",
        ),
        (
            US_FIPS,
            "sts.us-east-1.amazonaws.com",
            "api.ecr-fips.us-east-1.amazonaws.com",
        ),
        (US_BOTH, "sts.us-east-1.amazonaws.com", "ecr-fips.us-east-1.api.aws"),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com.cn",
            "api.ecr.cn-north-1.amazonaws.com.cn",
        ),
        (
            "public.ecr.aws",
            "sts.us-east-1.amazonaws.com",
            "api.ecr-public.us-east-1.amazonaws.com",
        ),
    ] {
        let (_fake, proxy, mut sandbox) = world();
        use_role(&mut sandbox);
        sandbox.env("AWS_REGION", "ap-south-1").get(host).password();
        assert_eq!(tunnels(&proxy), [sts, ecr], "{host}");
    }
}

#[test]
fn sso_asks_the_region_of_the_session_and_not_of_the_registry() {
    let (_fake, proxy, mut sandbox) = world();
    sandbox.unset("AWS_ACCESS_KEY_ID").aws_config(
        "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Pull\n\
         [sso-session corp]\nsso_region = us-east-2\nsso_start_url = https://corp.awsapps.com/start\n",
    );
    sandbox.write(
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
        r#"{"accessToken":"old","expiresAt":"2020-01-01T00:00:00Z","clientId":"c","clientSecret":"s",
           "registrationExpiresAt":"2099-01-01T00:00:00Z","refreshToken":"r"}"#,
    );
    sandbox.get(HOST).password();
    let expected = [
        "oidc.us-east-2.amazonaws.com",
        "portal.sso.us-east-2.amazonaws.com",
        "api.ecr.eu-central-1.amazonaws.com",
    ];
    assert_eq!(tunnels(&proxy), expected);
}

/// Which of FIPS and dual-stack are asked for, registry host, STS host, API host.
const FLAGS: &str = "
F 123456789012.dkr.ecr.us-east-1.amazonaws.com sts-fips.us-east-1.amazonaws.com api.ecr-fips.us-east-1.amazonaws.com
D 123456789012.dkr.ecr.us-east-1.amazonaws.com sts.us-east-1.api.aws ecr.us-east-1.api.aws
FD 123456789012.dkr.ecr.us-east-1.amazonaws.com sts-fips.us-east-1.api.aws ecr-fips.us-east-1.api.aws
D 123456789012.dkr.ecr-fips.us-east-1.amazonaws.com sts.us-east-1.api.aws ecr-fips.us-east-1.api.aws
F 123456789012.dkr-ecr.us-east-1.on.aws sts-fips.us-east-1.amazonaws.com ecr-fips.us-east-1.api.aws
F 123456789012.dkr.ecr.us-gov-west-1.amazonaws.com sts.us-gov-west-1.amazonaws.com api.ecr-fips.us-gov-west-1.amazonaws.com
D 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn sts.cn-north-1.api.amazonwebservices.com.cn ecr.cn-north-1.api.amazonwebservices.com.cn
D public.ecr.aws sts.us-east-1.api.aws ecr-public.us-east-1.api.aws
F public.ecr.aws sts-fips.us-east-1.amazonaws.com api.ecr-public-fips.us-east-1.amazonaws.com
";

#[test]
fn fips_and_dual_stack_by_variables_or_the_profile_add_to_what_the_host_asks_for() {
    for row in FLAGS.trim().lines() {
        let [flags, host, sts, ecr] = row.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        for by_variable in [true, false] {
            let (_fake, proxy, mut sandbox) = world();
            use_role(&mut sandbox);
            let config = sandbox.home().join(".aws/config");
            let mut lines = fs::read_to_string(&config).unwrap();
            for (flag, name) in [("F", "use_fips_endpoint"), ("D", "use_dualstack_endpoint")] {
                if flags.contains(flag) && by_variable {
                    sandbox.env(&format!("AWS_{}", name.to_uppercase()), "True");
                } else if flags.contains(flag) {
                    lines = lines.replacen("]\n", &format!("]\n{name} = true\n"), 1);
                }
            }
            fs::write(config, lines).unwrap();
            sandbox.get(host).password();
            assert_eq!(tunnels(&proxy), [sts, ecr], "{row}, variable: {by_variable}");
        }
    }
}

#[test]
fn a_false_or_empty_flag_is_no_flag_and_does_not_take_away_what_the_host_asks_for() {
    let (_fake, proxy, mut sandbox) = world();
    for value in ["false", ""] {
        sandbox
            .env("AWS_USE_FIPS_ENDPOINT", value)
            .env("AWS_USE_DUALSTACK_ENDPOINT", value);
        sandbox.get(HOST).password();
        sandbox.get(US_BOTH).password();
    }
    let pair = ["api.ecr.eu-central-1.amazonaws.com", "ecr-fips.us-east-1.api.aws"];
    assert_eq!(tunnels(&proxy), [pair, pair].concat());
}

#[test]
fn an_override_for_all_services_wins_over_fips_and_dual_stack() {
    let fake = FakeAws::start();
    for host in [HOST, US_FIPS, US_BOTH, "public.ecr.aws", "ecr-public.aws.com"] {
        for flags in [false, true] {
            let mut sandbox = facing(&fake.url());
            use_role(&mut sandbox);
            if flags {
                sandbox
                    .env("AWS_USE_FIPS_ENDPOINT", "true")
                    .env("AWS_USE_DUALSTACK_ENDPOINT", "true");
            }
            fake.clear();
            sandbox.get(host).password();
            let asked: Vec<_> = fake.requests().into_iter().map(|r| r.operation).collect();
            let last = if host.contains("dkr") { ECR } else { PUBLIC };
            assert_eq!(asked, [STS, last], "{host}");
        }
    }
}

/// How an override is written: by a variable, or as a line of the profile.
fn override_for(sandbox: &mut Sandbox, service: &str, url: &str, by_variable: bool) {
    if by_variable {
        sandbox.env(&format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()), url);
        return;
    }
    let path = sandbox.home().join(".aws/config");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| "[default]\n".to_owned());
    let text = text.replacen("[default]\n", "[default]\nservices = mine\n", 1);
    sandbox.aws_config(&format!("{text}[services mine]\n{service} =\n  endpoint_url = {url}\n"));
}

#[test]
fn an_override_of_ecr_is_for_ecr_alone() {
    for by_variable in [true, false] {
        for (host, sts, flags) in [
            (HOST, "sts.eu-central-1.amazonaws.com", false),
            (US_BOTH, "sts.us-east-1.amazonaws.com", false),
            (US_BOTH, "sts-fips.us-east-1.api.aws", true),
        ] {
            let (fake, proxy, mut sandbox) = world();
            use_role(&mut sandbox);
            override_for(&mut sandbox, "ecr", &fake.url(), by_variable);
            if flags {
                sandbox
                    .env("AWS_USE_FIPS_ENDPOINT", "true")
                    .env("AWS_USE_DUALSTACK_ENDPOINT", "true");
            }
            sandbox.get(host).password();
            assert_eq!(tunnels(&proxy), [sts], "{host}, variable: {by_variable}");
            assert!(!fake.requests_to(ECR)[0].over_tls);
            sandbox.get("public.ecr.aws").password();
            assert_eq!(tunnels(&proxy).len(), 3, "ECR Public is another service");
        }
    }
}

#[test]
fn an_override_of_ecr_public_is_for_ecr_public_alone() {
    for by_variable in [true, false] {
        let (fake, proxy, mut sandbox) = world();
        override_for(&mut sandbox, "ecr_public", &fake.url(), by_variable);
        sandbox.get("public.ecr.aws").password();
        sandbox.get("ecr-public.aws.com").password();
        assert!(proxy.connects().is_empty(), "variable: {by_variable}");
        assert_eq!(fake.count(PUBLIC), 2);
        sandbox.get(HOST).password();
        assert_eq!(tunnels(&proxy), ["api.ecr.eu-central-1.amazonaws.com"]);
    }
}

#[test]
fn an_override_of_sts_is_for_sts_alone_and_leaves_ecr_its_fips_and_dual_stack() {
    for by_variable in [true, false] {
        for flags in [true, false] {
            let (fake, proxy, mut sandbox) = world();
            use_role(&mut sandbox);
            override_for(&mut sandbox, "sts", &fake.url(), by_variable);
            if flags {
                sandbox
                    .env("AWS_USE_FIPS_ENDPOINT", "true")
                    .env("AWS_USE_DUALSTACK_ENDPOINT", "true");
            }
            sandbox.get(US_BOTH).password();
            assert_eq!(tunnels(&proxy), ["ecr-fips.us-east-1.api.aws"]);
            assert_eq!(fake.count(STS), 1);
        }
    }
}

#[test]
fn an_override_of_a_service_that_is_not_asked_leaves_the_others_their_fips() {
    let (_fake, proxy, mut sandbox) = world();
    use_role(&mut sandbox);
    sandbox
        .env("AWS_ENDPOINT_URL_SSO", refused_url())
        .env("AWS_USE_FIPS_ENDPOINT", "true");
    sandbox.get(US_FIPS).password();
    let expected = [
        "sts-fips.us-east-1.amazonaws.com",
        "api.ecr-fips.us-east-1.amazonaws.com",
    ];
    assert_eq!(tunnels(&proxy), expected);
}

#[test]
fn the_more_particular_override_wins_and_a_variable_over_the_profile() {
    let (right, wrong) = (FakeAws::start(), refused_url());
    let section = |url: &str| format!("services = s\n[services s]\necr =\n  endpoint_url = {url}\n");
    let good = right.url();
    for (variable, all, config) in [
        (
            good.as_str(),
            wrong.as_str(),
            format!("endpoint_url = {wrong}\n{}", section(&wrong)),
        ),
        (
            "",
            good.as_str(),
            format!("endpoint_url = {wrong}\n{}", section(&wrong)),
        ),
        ("", "", format!("endpoint_url = {wrong}\n{}", section(&good))),
        ("", "", format!("endpoint_url = {good}\n")),
    ] {
        let mut sandbox = facing(all);
        sandbox.env("AWS_ENDPOINT_URL_ECR", variable);
        sandbox.aws_config(&format!("[default]\n{config}"));
        sandbox.get(US_BOTH).password();
    }
    assert_eq!(right.count(ECR), 4);
}

#[test]
fn overrides_can_be_ignored_by_a_variable_or_in_the_profile() {
    for (variable, setting) in [("true", ""), ("", "ignore_configured_endpoint_urls = true\n")] {
        let (_fake, proxy, mut sandbox) = world();
        let wrong = refused_url();
        sandbox
            .unset("AWS_ACCESS_KEY_ID")
            .env("AWS_ENDPOINT_URL", &wrong)
            .env("AWS_ENDPOINT_URL_STS", &wrong)
            .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", variable);
        sandbox.aws_config(&format!(
            "[default]\nrole_arn = {ROLE}\nsource_profile = base\nendpoint_url = {wrong}\n{setting}services = s\n\
             [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n\
             [services s]\necr =\n  endpoint_url = {wrong}\nsts =\n  endpoint_url = {wrong}\n"
        ));
        sandbox.get(US_FIPS).password();
        let expected = ["sts.us-east-1.amazonaws.com", "api.ecr-fips.us-east-1.amazonaws.com"];
        assert_eq!(tunnels(&proxy), expected, "{setting}");
    }
}

#[test]
fn an_override_with_a_path_keeps_it_and_one_that_is_no_url_is_an_error() {
    let fake = FakeAws::start();
    facing(&format!("{}/", fake.url())).get(HOST).password();
    facing(&format!("{}/prefix/", fake.url())).get(HOST).password();
    assert!(fake.requests()[1].path.starts_with("/prefix"));
    for wrong in [
        "ecr.example",
        "ftp://ecr.example",
        "http://",
        "http://[::1",
        "http://a b/",
    ] {
        reason(&facing(wrong).get(HOST));
    }
}

#[test]
fn the_user_agent_names_the_helper_and_its_version_in_every_call() {
    let fake = FakeAws::start();
    let mut sandbox = facing(&fake.url());
    use_role(&mut sandbox);
    sandbox.env("AWS_SDK_UA_APP_ID", "something-else").get(HOST).password();
    assert_eq!(fake.total(), 2);
    for request in fake.requests() {
        let agent = request.header("user-agent").unwrap();
        let all = format!("{agent} {}", request.header("x-amz-user-agent").unwrap_or_default());
        let ours = format!("docker-credential-ecr-login-{}", env!("CARGO_PKG_VERSION"));
        assert!(
            all.contains(&ours) || all.contains(&ours.replace("login-", "login/")),
            "{all}"
        );
    }
}

#[test]
fn the_https_proxy_is_found_in_either_case_and_an_empty_one_is_none() {
    let (_fake, proxy, mut sandbox) = world();
    sandbox.unset("HTTPS_PROXY");
    let right = proxy.url();
    let bare = right.replace("http://", "");
    for (upper, lower) in [
        (Some(&*right), None),
        (None, Some(&*right)),
        (Some(&*right), Some("http://127.0.0.1:1")),
        (Some(""), Some(&*right)),
        (Some(&*bare), None),
    ] {
        let output = sandbox.run_with("get", HOST, |command| {
            command.envs(upper.map(|value| ("HTTPS_PROXY", value)));
            command.envs(lower.map(|value| ("https_proxy", value)));
        });
        output.password();
    }
    assert_eq!(proxy.connects().len(), 5);
}

#[test]
fn the_http_proxy_is_for_http_endpoints_alone_and_found_in_either_case() {
    for name in ["HTTP_PROXY", "http_proxy"] {
        let fake = FakeAws::start();
        let proxy = TlsProxy::start(&fake);
        let mut sandbox = facing("http://ecr.example");
        sandbox.env(name, proxy.url()).env("HTTPS_PROXY", refused_url());
        sandbox.get(HOST).password();
        let request = fake.requests().pop().unwrap();
        assert!(request.absolute_form && proxy.connects().is_empty());
        assert_eq!(request.host, "ecr.example");
    }
    let (fake, proxy, mut sandbox) = world();
    sandbox.env("HTTP_PROXY", refused_url()).get(HOST).password();
    assert_eq!((fake.total(), proxy.connects().len()), (1, 1));
}

#[test]
fn all_proxy_is_not_read_as_the_go_helper_does_not() {
    let fake = FakeAws::start();
    for name in ["ALL_PROXY", "all_proxy"] {
        let mut sandbox = facing(&not_loopback(&fake.url()));
        sandbox.env(name, "socks5://127.0.0.1:1").get(HOST).password();
    }
    assert_eq!(fake.total(), 2);
}

#[test]
fn a_proxy_gets_user_and_password_and_a_proxy_that_refuses_them_is_named_without_them() {
    let (_fake, proxy, mut sandbox) = world();
    let with = |user_info: &str| proxy.url().replace("//", &format!("//{user_info}@"));
    proxy.require_auth("us@er", "p:ss w%rd");
    sandbox.env("HTTPS_PROXY", with("us%40er:p%3Ass%20w%25rd"));
    sandbox.get(HOST).password();
    for wrong in [with("somebody:secret-word"), proxy.url()] {
        let output = sandbox.env("HTTPS_PROXY", wrong).get(HOST);
        let line = reason(&output);
        let port = proxy.url().rsplit(':').next().unwrap().to_owned();
        assert!(line.contains("proxy") && line.contains(&port), "{line}");
        assert!(!line.contains("secret-word") && !line.contains("somebody"), "{line}");
        assert!(output.elapsed < Duration::from_secs(15), "{output}");
    }
}

#[test]
fn an_http_proxy_gets_user_and_password_too() {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    proxy.require_auth("user", "pass");
    let mut sandbox = facing("http://ecr.example");
    sandbox.env("HTTP_PROXY", proxy.url().replace("//", "//user:pass@"));
    sandbox.get(HOST).password();
    sandbox.env("HTTP_PROXY", proxy.url().replace("//", "//user:wrong@"));
    let output = sandbox.get(HOST);
    assert!(
        reason(&output).contains("407") || reason(&output).contains("proxy"),
        "{output}"
    );
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named() {
    let (_fake, _proxy, mut sandbox) = world();
    let output = sandbox.env("HTTPS_PROXY", refused_url()).get(HOST);
    assert_says(&output, &["api.ecr.eu-central-1.amazonaws.com", "127.0.0.1:1"]);
    let hanging = HangingServer::start();
    let url = hanging.url();
    sandbox.env("HTTPS_PROXY", &url).env("AWS_ECR_TIMEOUT", "1");
    let output = sandbox.get(HOST);
    reason(&output);
    assert!(output.elapsed < Duration::from_secs(3), "{output}");
}

#[test]
fn a_proxy_of_a_kind_that_is_not_supported_is_an_error_that_says_so() {
    let (fake, _proxy, mut sandbox) = world();
    for wrong in ["socks5://127.0.0.1:1", "bogus://127.0.0.1:1", "http://", "http://[::1"] {
        let output = sandbox.env("HTTPS_PROXY", wrong).get(HOST);
        assert_says(&output, &["HTTPS_PROXY"]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn no_proxy_lets_addresses_and_networks_past_the_proxy() {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    let url = not_loopback(&fake.url());
    let address = url.strip_prefix("http://").unwrap().to_owned();
    for (value, direct) in [
        ("0.0.0.0", true),
        ("10.0.0.0/8, 0.0.0.0/8", true),
        (" , example.com ,,0.0.0.0 ", true),
        ("*", true),
        (&*address, true),
        ("0.0.0.0:1", false),
        ("0.0.0.1", false),
        ("1.0.0.0/8", false),
        ("0.0.0.0/33", false),
        ("", false),
    ] {
        for name in ["NO_PROXY", "no_proxy"] {
            fake.clear();
            let mut sandbox = facing(&url);
            sandbox.env("HTTP_PROXY", proxy.url()).env(name, value);
            sandbox.get(HOST).password();
            assert_eq!(!fake.requests()[0].absolute_form, direct, "{name}={value}");
        }
    }
    // The upper case wins, unless it is empty.
    for (upper, lower, direct) in [("x", "*", false), ("", "*", true), ("*", "x", true)] {
        fake.clear();
        let mut sandbox = facing(&url);
        sandbox
            .env("HTTP_PROXY", proxy.url())
            .env("NO_PROXY", upper)
            .env("no_proxy", lower);
        sandbox.get(HOST).password();
        assert_eq!(!fake.requests()[0].absolute_form, direct, "{upper:?} {lower:?}");
    }
}

#[test]
fn no_proxy_lets_names_and_patterns_past_the_proxy() {
    let name = "no_proxy_lets_names_and_patterns_past_the_proxy";
    if !netns::entered(name, &["api.ecr.example", "ecr.example"]) {
        return;
    }
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    assert!(netns::relay("10.9.8.7:80", &fake.url()));
    // What golang.org/x/net/http/httpproxy says of each.
    for (value, api, apex) in [
        ("api.ecr.example", true, false),
        ("API.ECR.Example", true, false),
        ("ecr.example", true, true),
        (".ecr.example", true, false),
        ("*.ecr.example", true, false),
        (".example", true, true),
        ("example", true, true),
        ("api.ecr.example:80", true, false),
        ("api.ecr.example:443", false, false),
        ("pi.ecr.example", false, false),
        ("cr.example", false, false),
        ("ecr.example.", false, false),
        ("api.*.example", false, false),
        ("10.9.8.7", false, false),
    ] {
        for (host, direct) in [("api.ecr.example", api), ("ecr.example", apex)] {
            fake.clear();
            let mut sandbox = facing(&format!("http://{host}"));
            sandbox.env("HTTP_PROXY", proxy.url()).env("NO_PROXY", value);
            sandbox.get(HOST).password();
            assert_eq!(!fake.requests()[0].absolute_form, direct, "{value} for {host}");
        }
    }
}

#[test]
fn loopback_goes_past_the_proxy_as_in_the_go_helper() {
    let fake = FakeAws::start();
    let url = fake.url();
    for url in [&url, &url.replace("127.0.0.1", "localhost")] {
        facing(url).env("HTTP_PROXY", refused_url()).get(HOST).password();
    }
    assert_eq!(fake.total(), 2);
}

#[test]
fn metadata_at_an_address_of_ones_own_is_never_asked_through_a_proxy() {
    for by_variable in [true, false] {
        let fake = FakeAws::start();
        let proxy = TlsProxy::start(&fake);
        let mut sandbox = facing(&fake.url());
        let metadata = not_loopback(&fake.url());
        sandbox
            .unset("AWS_ACCESS_KEY_ID")
            .unset("AWS_EC2_METADATA_DISABLED")
            .env("HTTP_PROXY", proxy.url());
        if by_variable {
            sandbox.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata);
        } else {
            sandbox.aws_config(&format!("[default]\nec2_metadata_service_endpoint = {metadata}\n"));
        }
        sandbox.get(HOST).password();
        assert!(fake.requests().iter().all(|request| !request.absolute_form));
        assert_eq!(fake.total(), 4);
    }
}

#[test]
fn metadata_and_container_endpoints_at_their_real_addresses_are_never_asked_through_a_proxy() {
    let name = "metadata_and_container_endpoints_at_their_real_addresses_are_never_asked_through_a_proxy";
    if !netns::entered(name, &[]) {
        return;
    }
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    let sandbox = || {
        let mut sandbox = facing(&fake.url());
        sandbox
            .unset("AWS_ACCESS_KEY_ID")
            .unset("AWS_EC2_METADATA_DISABLED")
            .env("HTTP_PROXY", proxy.url())
            .env("HTTPS_PROXY", proxy.url());
        sandbox
    };
    let (uri, path) = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/container-credentials/v1");
    for (address, variable, value) in [
        (
            "169.254.170.2",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            path.to_owned(),
        ),
        ("169.254.170.23", uri, format!("http://169.254.170.23{path}")),
        ("[fd00:ec2::23]", uri, format!("http://[fd00:ec2::23]{path}")),
        (
            "169.254.169.254",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
            "IPv4".to_owned(),
        ),
        (
            "[fd00:ec2::254]",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
            "IPv6".to_owned(),
        ),
    ] {
        if !netns::relay(&format!("{address}:80"), &fake.url()) {
            eprintln!("skipped: no {address} here");
            continue;
        }
        fake.clear();
        sandbox().env(variable, value).get(HOST).password();
        let first = fake.requests().remove(0);
        assert_eq!(first.host, address);
        assert!(fake.requests().iter().all(|request| !request.absolute_form));
    }
    assert!(proxy.connects().is_empty());
}

#[test]
fn a_container_endpoint_with_tls_is_not_asked_through_a_proxy_either() {
    let (fake, proxy, mut sandbox) = world();
    let server = TlsServer::start(&fake, &["0.0.0.0"]);
    let both = format!("{}{}", proxy.ca_pem(), server.ca_pem());
    let bundle = sandbox.write("both.pem", both);
    let url = server.url().replace("localhost", "0.0.0.0");
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .env("AWS_CA_BUNDLE", bundle)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url + "/container-credentials/x");
    sandbox.get(HOST).password();
    assert_eq!(tunnels(&proxy), ["api.ecr.eu-central-1.amazonaws.com"]);
    assert_eq!(fake.count("container:credentials"), 1);
}

/// What a CA bundle may look like and still be one; `@` stands for the certificate that is needed.
const USABLE_BUNDLES: [&str; 7] = [
    "@",
    "a comment\n\n@",
    "GARBAGE\n@",
    "BROKEN\n@",
    "@\nBROKEN GARBAGE",
    "-----BEGIN CERTIFICATE-----\n@",
    "@-----BEGIN CERTIFICATE-----\nMIIB",
];

/// A bundle with base64 that is no certificate, and with what is no base64.
fn bundle(form: &str, ca: &str) -> String {
    let section = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    form.replace("GARBAGE", &section("AAAA"))
        .replace("BROKEN", &section("!!!!"))
        .replace('@', ca)
}

#[test]
fn a_ca_bundle_by_the_variable_or_the_profile_with_bad_certificates_in_it_still_serves_the_good() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let crlf = server.ca_pem().replace('\n', "\r\n");
    let mut bundles: Vec<_> = USABLE_BUNDLES
        .iter()
        .map(|form| bundle(form, server.ca_pem()))
        .collect();
    bundles.extend([crlf, format!("\u{feff}{}", server.ca_pem())]);
    for (number, text) in bundles.iter().enumerate() {
        let mut sandbox = facing(&server.url());
        let path = sandbox.write("ca.pem", text);
        sandbox.env("AWS_CA_BUNDLE", path);
        let output = sandbox.get(HOST);
        assert_eq!(output.code, Some(0), "bundle {number}: {output}");
        sandbox.unset("AWS_CA_BUNDLE");
        for path in [sandbox.home().join("ca.pem").to_str().unwrap(), "~/ca.pem"] {
            sandbox.aws_config(&format!("[default]\nca_bundle = {path}\n"));
            sandbox.get(HOST).password();
        }
    }
    assert!(fake.requests().iter().all(|request| request.over_tls));
}

#[test]
fn a_ca_bundle_without_a_usable_certificate_is_an_error_that_names_the_file() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let home = Sandbox::new();
    let path = home.home().join("ca.pem");
    let name = path.to_str().unwrap();
    let private_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for contents in [
        None,
        Some(String::new()),
        Some("\0\0\0".to_owned()),
        Some(bundle("GARBAGE", "")),
        Some(bundle("BROKEN", "")),
        Some(private_key.to_owned()),
        Some(server.ca_pem().replace("END", "DNE")),
    ] {
        if let Some(contents) = &contents {
            home.write("ca.pem", contents);
        }
        let mut sandbox = facing(&server.url());
        assert_says(&sandbox.env("AWS_CA_BUNDLE", name).get(HOST), &[name]);
        sandbox.unset("AWS_CA_BUNDLE");
        sandbox.aws_config(&format!("[default]\nca_bundle = {name}\n"));
        assert_says(&sandbox.get(HOST), &[name]);
    }
    // A directory, and a file nobody may name by mistake.
    let mut sandbox = facing(&server.url());
    for wrong in [home.home(), Path::new("/dev/null")] {
        let output = sandbox.env("AWS_CA_BUNDLE", wrong).get(HOST);
        assert_says(&output, &[wrong.to_str().unwrap()]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn the_bundle_replaces_other_roots_and_the_variable_wins_over_the_profile() {
    let fake = FakeAws::start();
    let (server, other) = (TlsServer::start(&fake, &[]), TlsServer::start(&fake, &[]));
    let mut sandbox = facing(&server.url());
    let right = sandbox.write("right.pem", server.ca_pem());
    let wrong = sandbox.write("wrong.pem", other.ca_pem());
    sandbox.env("SSL_CERT_FILE", &right).env("AWS_CA_BUNDLE", &wrong);
    assert_says(&sandbox.get(HOST), &["localhost"]);
    sandbox.env("SSL_CERT_FILE", &wrong).env("AWS_CA_BUNDLE", &right);
    sandbox.aws_config(&format!("[default]\nca_bundle = {}\n", wrong.display()));
    sandbox.get(HOST).password();
    sandbox.env("AWS_CA_BUNDLE", "");
    assert_says(&sandbox.get(HOST), &["localhost"]);
}

#[test]
fn ssl_cert_file_and_ssl_cert_dir_are_trusted_in_place_of_the_systems_roots() {
    let fake = FakeAws::start();
    let (server, other) = (TlsServer::start(&fake, &[]), TlsServer::start(&fake, &[]));
    let mut sandbox = facing(&server.url());
    let file = sandbox.write("one.pem", bundle("GARBAGE@", server.ca_pem()));
    let wrong = sandbox.write("wrong/wrong.pem", other.ca_pem());
    sandbox.env("SSL_CERT_FILE", &file).get(HOST).password();
    // With the name that c_rehash gives, or any.
    for name in ["0a1b2c3d.0", "ca.pem"] {
        let directory = sandbox.write(format!("{name}.d/{name}"), server.ca_pem());
        let directory = directory.parent().unwrap().to_str().unwrap().to_owned();
        sandbox.write(format!("{name}.d/zz.pem"), bundle("BROKEN GARBAGE", ""));
        sandbox.unset("SSL_CERT_FILE").env("SSL_CERT_DIR", &directory);
        sandbox.get(HOST).password();
        sandbox.env("SSL_CERT_DIR", format!("/nowhere:{directory}"));
        sandbox.get(HOST).password();
        sandbox.env("SSL_CERT_FILE", &wrong).get(HOST).password();
    }
    sandbox.env("SSL_CERT_DIR", wrong.parent().unwrap());
    reason(&sandbox.get(HOST));
    sandbox.unset("SSL_CERT_DIR").env("SSL_CERT_FILE", "/nowhere/ca.pem");
    assert_says(&sandbox.get(HOST), &["/nowhere/ca.pem"]);
}

#[test]
fn a_certificate_that_is_not_trusted_is_an_error_that_says_whose_and_what_to_do() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let output = facing(&server.url()).get(HOST);
    let line = reason(&output);
    assert!(line.contains(&server.url()) && line.contains("AWS_CA_BUNDLE"), "{line}");
    assert!(
        output.elapsed < Duration::from_secs(3),
        "an untrusted one stays so: {output}"
    );

    let (fake, _proxy, mut sandbox) = world();
    sandbox.unset("AWS_CA_BUNDLE");
    let api = "api.ecr.eu-central-1.amazonaws.com";
    assert_says(&sandbox.get(HOST), &[api, "AWS_CA_BUNDLE"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_certificate_for_another_name_is_an_error() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let mut sandbox = facing(&server.url().replace("localhost", "0.0.0.0"));
    let ca = sandbox.write("ca.pem", server.ca_pem());
    let output = sandbox.env("AWS_CA_BUNDLE", ca).get(HOST);
    assert_says(&output, &["0.0.0.0", "certificate"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_hit_needs_neither_bundle_nor_proxy_nor_endpoint() {
    let (fake, _proxy, mut sandbox) = world();
    sandbox.unset("AWS_ECR_DISABLE_CACHE");
    let password = sandbox.get(HOST).password();
    sandbox.env("AWS_CA_BUNDLE", "/nowhere").env("HTTPS_PROXY", "bogus://");
    assert_eq!(sandbox.get(HOST).password(), password);
    assert_eq!(fake.total(), 1);
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_named() {
    let output = facing(&refused_url()).get(HOST);
    assert_says(&output, &["http://127.0.0.1:1"]);
    let fake = FakeAws::start();
    // TLS to a server that speaks none.
    let url = fake.url().replace("http:", "https:");
    assert_says(&facing(&url).get(HOST), &[&url]);
}

#[test]
fn a_flag_that_is_neither_true_nor_false_is_an_error_and_not_the_other_endpoint() {
    for (variable, setting) in [
        ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    ] {
        let fake = FakeAws::start();
        let mut sandbox = Sandbox::new();
        sandbox.use_static_keys().point_at(&fake).env(variable, "1");
        let output = sandbox.get("123456789012.dkr.ecr.us-east-1.amazonaws.com");
        output.assert_not_found();
        assert!(output.stderr.contains(variable), "{output}");
        sandbox.unset(variable);
        sandbox.aws_config(&format!("[default]\n{setting} = yes\n"));
        let output = sandbox.get("123456789012.dkr.ecr.us-east-1.amazonaws.com");
        assert!(output.stderr.contains(setting), "{output}");
        assert_eq!(fake.total(), 0);
    }
}
