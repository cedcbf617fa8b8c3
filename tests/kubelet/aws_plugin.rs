//! The cases of the tables in cloud-provider-aws's own tests of its ecr-credential-provider (1.37), by what it does with
//! them: Test_runPlugin, Test_GetCredentials_Private, _PrivateForServiceAccount, _Public, Test_parseHostFromImageReference,
//! Test_parseRegionFromECRPrivateHost, TestRegistryPatternMatch, Test_getCacheDuration. Where this program differs on
//! purpose, the case says so.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::node::{
    Account, ECR, ECR_PUBLIC, ROLE, WEB_IDENTITY, answer, ask, assert_without_auth, complaint, node_with_keys,
    password, request, request_of,
};
use crate::support::{Reply, decode_password};

const PRIVATE: &str = "123456789123.dkr.ecr.us-west-2.amazonaws.com";
const SERVICES: [(&str, &str); 3] = [
    (PRIVATE, ECR),
    ("public.ecr.aws", ECR_PUBLIC),
    ("ecr-public.aws.com", ECR_PUBLIC),
];

/// An answer with that data, in the form of its service.
fn with_data(operation: &str, data: serde_json::Value) -> Reply {
    let data = match operation {
        ECR => json!([data]),
        _ => data,
    };
    let body = json!({ "authorizationData": data }).to_string();
    Reply::raw(200, "application/x-amz-json-1.1", body)
}

#[test]
fn an_answer_has_the_form_of_gos_to_the_byte_and_another_kind_or_version_is_an_error() {
    let (_fake, sandbox) = node_with_keys();
    let mut asked = request(PRIVATE);
    let output = ask(&sandbox, &asked);
    let (duration, password) = (answer(&output).cache_duration, password(&output, PRIVATE));
    let form = format!(
        r#"{{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Registry","cacheDuration":"{duration}","auth":{{"{PRIVATE}":{{"username":"AWS","password":"{password}"}}}}}}"#
    );
    assert_eq!(output.stdout, form + "\n");
    asked["kind"] = "CredentialProviderFoo".into();
    complaint(&ask(&sandbox, &asked));
    asked = request(PRIVATE);
    asked["apiVersion"] = "foo.k8s.io/v1".into();
    complaint(&ask(&sandbox, &asked));
}

#[test]
fn success_without_an_end_is_not_kept_by_the_kubelet() {
    for (host, operation) in SERVICES {
        for image in [host.to_owned(), format!("{host}/public.ecr.aws/foo:latest")] {
            let (fake, sandbox) = node_with_keys();
            let token = BASE64_STANDARD.encode("user:pass");
            fake.on(operation, with_data(operation, json!({ "authorizationToken": token })));
            let output = ask(&sandbox, &request(&image));
            let answer = answer(&output);
            let auth = &answer.auth[host];
            assert_eq!(
                (auth.username.as_str(), auth.password.as_str()),
                ("user", "pass"),
                "{image}"
            );
            assert_eq!(
                (answer.auth.len(), answer.cache_duration.as_str()),
                (1, "0s"),
                "{image}"
            );
        }
    }
}

#[test]
fn an_answer_of_ecr_without_a_token_is_a_failure() {
    for (host, operation) in SERVICES {
        for reply in [
            Reply::raw(200, "application/x-amz-json-1.1", "{}"),
            Reply::raw(200, "application/x-amz-json-1.1", "null"),
            Reply::raw(200, "application/x-amz-json-1.1", ""),
            with_data(operation, json!({})),
            with_data(
                operation,
                json!({ "authorizationToken": BASE64_STANDARD.encode("foo") }),
            ),
            with_data(operation, json!({ "authorizationToken": "!" })),
            Reply::aws_error(400, "SomethingException", "getAuthorizationToken failed"),
        ] {
            let (fake, sandbox) = node_with_keys();
            fake.on(operation, reply);
            complaint(&ask(&sandbox, &request(host)));
        }
    }
}

#[test]
fn a_host_that_is_not_ecr_gets_nothing_where_aws_sends_it_a_token() {
    let (fake, sandbox) = node_with_keys();
    for image in ["registry.k8s.io/foo:latest", "foobar", "http://foobar"] {
        assert_without_auth(&ask(&sandbox, &request(image)));
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn an_empty_image_and_one_that_is_none_are_failures() {
    let (_fake, sandbox) = node_with_keys();
    for image in ["", "foobar  "] {
        complaint(&ask(&sandbox, &request(image)));
    }
}

#[test]
fn a_service_accounts_role_is_assumed_and_an_error_of_that_is_one() {
    let (fake, sandbox) = node_with_keys();
    let token = Account::new("default", "default").token("pod");
    password(&ask(&sandbox, &request_of(PRIVATE, &token, Some(ROLE))), PRIVATE);
    // Differs: AWS's session is always called ecr-credential-provider.
    assert_eq!(
        fake.requests_to(WEB_IDENTITY)[0].form()["RoleSessionName"],
        "default@default"
    );
    // Without an ARN, both ask with the node's credentials. Differs: "arn:expected" is no ARN, and STS is not asked.
    password(&ask(&sandbox, &request_of(PRIVATE, "DEADBEEF=", None)), PRIVATE);
    complaint(&ask(&sandbox, &request_of(PRIVATE, "DEADBEEF=", Some("arn:expected"))));
    assert_eq!(fake.count(WEB_IDENTITY), 1);
    fake.on(WEB_IDENTITY, Reply::aws_error(400, "Injected", "injected error"));
    let line = complaint(&ask(&sandbox, &request_of(PRIVATE, "DEADBEEF=", Some(ROLE))));
    assert!(line.contains("injected error"), "{line}");
}

#[test]
fn the_region_is_in_the_hosts_name() {
    let (_fake, sandbox) = node_with_keys();
    for (host, region) in [
        (PRIVATE, "us-west-2"),
        ("123456789123.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("123456789123.dkr.ecr.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
        ("123456789123.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        ("123456789123.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("123456789123.dkr-ecr.us-west-2.on.aws", "us-west-2"),
        ("123456789123.dkr-ecr-fips.us-west-2.on.aws", "us-west-2"),
        (
            "123456789123.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            "cn-north-1",
        ),
        ("123456789123.dkr-ecr.us-gov-east-1.on.aws", "us-gov-east-1"),
        ("123456789123.dkr-ecr-fips.us-gov-east-1.on.aws", "us-gov-east-1"),
    ] {
        let output = ask(&sandbox, &request(&format!("{host}/foo/bar:1.0")));
        assert_eq!(decode_password(&password(&output, host)).region, region, "{host}");
    }
}

#[test]
fn the_pattern_of_registries_is_the_same() {
    let (_fake, sandbox) = node_with_keys();
    for host in [
        "123456789012.dkr.ecr.lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr-fips.lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr.lala-land-1.amazonaws.com.cn",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "123456789012.dkr.ecr-fips.eusc-de-east-1.amazonaws.eu",
        "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
        "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
        "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
        "123456789012.dkr.ecr.us-isof-east-1.csp.hci.ic.gov",
        "123456789012.dkr-ecr.lala-land-1.on.aws",
        "123456789012.dkr-ecr-fips.lala-land-1.on.aws",
        "123456789012.dkr-ecr.lala-land-1.on.amazonwebservices.com.cn",
    ] {
        password(&ask(&sandbox, &request(host)), host);
    }
    for host in [
        "1234567890123.dkr.ecr.lala-land-1.amazonaws.com",
        "12345678901.dkr.ecr.lala-land-1.amazonaws.com",
        "12345678901A.dkr.ecr.lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr.lala-land-1.amazonaws.hacker.com",
        "123456789012.dkr.ecr.lala-land-1.hacker.com",
        "123456789012.dkr.ecr.lala-land-1.amazonaws.lol",
        "123456789012.dog.ecr.lala-land-1.amazonaws.com",
        "123456789012.dkr.cat.lala-land-1.amazonaws.com",
        "123456789012.dkr.cat.lala-land-1.awsamazon.com",
        "123456789012.lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr.us-iso-east-1.amazonaws.gov",
    ] {
        assert_without_auth(&ask(&sandbox, &request(host)));
    }
    // No host's name at all.
    for host in [
        "123456789012.dkr.ecr.lala-land-1!.amazonaws.com",
        "123456789012.dkr.ecr.#lala-land-1.amazonaws.com",
    ] {
        complaint(&ask(&sandbox, &request(host)));
    }
}

#[test]
fn half_of_twelve_hours_are_six() {
    let (_fake, sandbox) = node_with_keys();
    let duration = answer(&ask(&sandbox, &request(PRIVATE))).cache_duration;
    assert!(["6h0m0s", "5h59m59s"].contains(&duration.as_str()), "{duration}");
}
