//! What is asked and answered: versions, images, registries, requests that are none.

use serde_json::{Value, json};

use crate::node::{
    ECR, ECR_PUBLIC, HOST, ROLE, answer, ask, assert_without_auth, complaint, node, node_with_keys, password,
    reach_by_names, request,
};
use crate::support::decode_password;

#[test]
fn every_version_is_answered_in_itself() {
    let (_fake, sandbox) = node_with_keys();
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let mut request = request(&format!("{HOST}/app"));
        request["apiVersion"] = format!("credentialprovider.kubelet.k8s.io/{version}").into();
        let output = ask(&sandbox, &request);
        assert_eq!(answer(&output).api_version, request["apiVersion"]);
        password(&output, HOST);
    }
}

#[test]
fn a_token_is_for_the_region_and_service_of_the_image() {
    let (_fake, sandbox) = node_with_keys();
    for (host, service, region) in [
        (HOST, "ecr", "us-east-1"),
        (
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "ecr",
            "us-gov-west-1",
        ),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "ecr", "eu-west-1"),
        ("123456789012.dkr-ecr-fips.us-east-2.on.aws", "ecr", "us-east-2"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr", "cn-north-1"),
        (
            "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            "ecr",
            "cn-north-1",
        ),
        (
            "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            "ecr",
            "eusc-de-east-1",
        ),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "ecr", "us-iso-east-1"),
        (
            "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
            "ecr",
            "us-isob-east-1",
        ),
        (
            "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
            "ecr",
            "eu-isoe-west-1",
        ),
        (
            "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
            "ecr",
            "us-isof-south-1",
        ),
        ("public.ecr.aws", "ecr-public", "us-east-1"),
        ("ecr-public.aws.com", "ecr-public", "us-east-1"),
    ] {
        let output = ask(&sandbox, &request(&format!("{host}/some/app")));
        let token = decode_password(&password(&output, host));
        assert_eq!(
            (token.service.as_str(), token.region.as_str()),
            (service, region),
            "{host}"
        );
    }
}

#[test]
fn the_endpoint_follows_the_host() {
    let (fake, mut sandbox) = node_with_keys();
    let proxy = reach_by_names(&mut sandbox, &fake);
    for (host, endpoint) in [
        (HOST, "api.ecr.us-east-1.amazonaws.com"),
        (
            "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
            "api.ecr-fips.us-east-1.amazonaws.com",
        ),
        ("123456789012.dkr-ecr.us-east-1.on.aws", "ecr.us-east-1.api.aws"),
        (
            "123456789012.dkr-ecr-fips.us-east-1.on.aws",
            "ecr-fips.us-east-1.api.aws",
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "api.ecr.cn-north-1.amazonaws.com.cn",
        ),
        ("public.ecr.aws", "api.ecr-public.us-east-1.amazonaws.com"),
        ("ecr-public.aws.com", "ecr-public.us-east-1.api.aws"),
    ] {
        password(&ask(&sandbox, &request(&format!("{host}/app"))), host);
        assert_eq!(proxy.connects().pop(), Some(format!("{endpoint}:443")), "{host}");
    }
}

#[test]
fn the_key_is_the_registry_as_the_image_names_it() {
    let (fake, sandbox) = node_with_keys();
    for registry in [
        HOST.to_owned(),
        format!("{HOST}:443"),
        format!("{HOST}:8443"),
        HOST.to_uppercase(),
        "public.ecr.aws:443".to_owned(),
    ] {
        for rest in [
            "/app",
            "/a/b/c",
            "/app:1.0",
            "/app@sha256:0000",
            "/public.ecr.aws/app:latest",
            "",
        ] {
            password(&ask(&sandbox, &request(&format!("{registry}{rest}"))), &registry);
        }
    }
    assert_eq!((fake.count(ECR), fake.count(ECR_PUBLIC)), (1, 1), "all else is cached");
}

#[test]
fn an_image_from_elsewhere_is_answered_without_auth_and_without_a_request() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_ROLE_ARN", ROLE);
    for image in [
        "registry.k8s.io/foo:latest",
        "docker.io/library/nginx",
        "nginx",
        "nginx:latest",
        "localhost:5000/app",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example/app",
        "evil.example/123456789012.dkr.ecr.us-east-1.amazonaws.com/app",
        "123456789012.dkr.ecr.us-east-1.amazonaws.hacker.com/app",
        "12345678901.dkr.ecr.us-east-1.amazonaws.com/app",
        "public.ecr.aws.evil.example/app",
    ] {
        let mut request = request(image);
        request["serviceAccountToken"] = "token".into();
        assert_without_auth(&ask(&sandbox, &request));
    }
    assert_eq!(fake.total(), 0);
    assert!(sandbox.entries().is_empty());
}

#[test]
fn public_ecr_needs_no_credentials_and_nothing_else_is_forgiven() {
    let (fake, sandbox) = node();
    for host in ["public.ecr.aws", "ecr-public.aws.com"] {
        assert_without_auth(&ask(&sandbox, &request(&format!("{host}/app"))));
    }
    let line = complaint(&ask(&sandbox, &request(&format!("{HOST}/app"))));
    assert!(
        line.contains("no AWS credentials") && line.contains("instance"),
        "{line}"
    );
    assert_eq!(fake.total(), 0);
}

#[test]
fn public_ecr_is_not_left_open_where_somebody_was_chosen_for_it() {
    let (_fake, sandbox) = node();
    sandbox.configure(format!(
        "[[registry]]\nmatch = \"public.ecr.aws\"\nrole_arn = \"{ROLE}\"\n"
    ));
    complaint(&ask(&sandbox, &request("public.ecr.aws/app")));
    assert_without_auth(&ask(&sandbox, &request("ecr-public.aws.com/app")));
}

#[test]
fn a_name_in_front_of_ecr_is_answered_under_that_name() {
    let (_fake, sandbox) = node_with_keys();
    sandbox.configure(
        "[[registry]]\nmatch = \"*.corp.example\"\necr = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com\"\n",
    );
    let output = ask(&sandbox, &request("hub.corp.example:5000/app"));
    assert_eq!(
        decode_password(&password(&output, "hub.corp.example:5000")).region,
        "eu-west-1"
    );
    // For the kubelet such a key would be a pattern.
    for image in [
        "*.corp.example/app",
        "hub[a-z].corp.example/app",
        "hub?.corp.example/app",
    ] {
        let line = complaint(&ask(&sandbox, &request(image)));
        assert!(line.contains(&format!("{image:?}")), "{line}");
    }
}

#[test]
fn a_fallback_helper_plays_no_part() {
    let (_fake, sandbox) = node_with_keys();
    sandbox.configure("fallback = \"missing\"\n");
    assert_without_auth(&ask(&sandbox, &request("docker.io/library/nginx")));
    password(&ask(&sandbox, &request(&format!("{HOST}/app"))), HOST);
}

#[test]
fn a_login_made_by_docker_plays_no_part() {
    let (fake, sandbox) = node_with_keys();
    let login = json!({ "ServerURL": HOST, "Username": "AWS", "Secret": "of-a-person" });
    assert_eq!(sandbox.run("store", login.to_string()).code, Some(0));
    assert_eq!(sandbox.get(HOST).password(), "of-a-person");
    assert_ne!(
        password(&ask(&sandbox, &request(&format!("{HOST}/app"))), HOST),
        "of-a-person"
    );
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn a_request_that_is_none_is_refused_with_what_is_wrong() {
    let (fake, sandbox) = node_with_keys();
    let good = request(&format!("{HOST}/app"));
    let with = |name: &str, value: Value| {
        let mut request = good.clone();
        request[name] = value;
        request.to_string()
    };
    for (stdin, what) in [
        (String::new(), "no request"),
        ("\n".to_owned(), "no request"),
        ("hello".to_owned(), "line 1"),
        (good.to_string() + "{}", "line 1"),
        (
            with("kind", "CredentialProviderResponse".into()),
            "CredentialProviderResponse",
        ),
        (with("kind", Value::Null), "no kind"),
        (
            with("apiVersion", "credentialprovider.kubelet.k8s.io/v2".into()),
            "k8s.io/v2",
        ),
        (with("apiVersion", "".into()), "no apiVersion"),
        (with("image", "".into()), "no image"),
        (with("image", "foobar  ".into()), "foobar"),
        (with("image", "/app".into()), "/app"),
        (with("image", 1.into()), "line 1"),
        (with("serviceAccountAnnotations", "no map".into()), "line 1"),
    ] {
        let line = complaint(&sandbox.run("kubelet", &stdin));
        assert!(line.contains(": kubelet: ") && line.contains(what), "{stdin}\n{line}");
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_field_that_is_new_is_passed_over() {
    let (_fake, sandbox) = node_with_keys();
    let mut request = request(&format!("{HOST}/app"));
    request["podUID"] = "1".into();
    password(&ask(&sandbox, &request), HOST);
}

#[test]
fn a_request_without_end_is_not_read_to_it() {
    let (_fake, sandbox) = node_with_keys();
    let line = complaint(&sandbox.run("kubelet", vec![b' '; 1_100_000]));
    assert!(line.contains("larger than"), "{line}");
}

#[test]
fn what_may_be_a_secret_is_not_shown() {
    let (_fake, sandbox) = node_with_keys();
    let image = format!("user:hunter2@{HOST}/app");
    for stdin in [
        request(&image).to_string(),
        "{\"serviceAccountToken\":hunter2}".to_owned(),
        "{\"serviceAccountToken\":{\"hunter2\":1}}".to_owned(),
    ] {
        let line = complaint(&sandbox.run("kubelet", &stdin));
        assert!(!line.contains("hunter2"), "{line}");
    }
}
