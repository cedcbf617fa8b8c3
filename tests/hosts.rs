//! Which hosts are ECR's, and for which service and region a token is then asked; and that every
//! other host is none of our business, however much it looks like one.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;
use support::{FakeAws, Sandbox, decode_password};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

fn ready(fake: &FakeAws) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(fake);
    sandbox
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn every_form_of_ecr_host_is_answered_with_its_service_and_region() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for (host, service, region) in [
        (HOST, "ecr", "us-east-1"),
        (
            "000000000000.dkr.ecr.ap-southeast-7.amazonaws.com",
            "ecr",
            "ap-southeast-7",
        ),
        (
            "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
            "ecr",
            "us-gov-west-1",
        ),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr", "cn-north-1"),
        (
            "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            "ecr",
            "eusc-de-east-1",
        ),
        (
            "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
            "ecr",
            "us-isob-east-1",
        ),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "ecr", "us-iso-east-1"),
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
        ("123456789012.dkr.ecr-fips.us-east-2.amazonaws.com", "ecr", "us-east-2"),
        (
            "123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com",
            "ecr",
            "us-gov-east-1",
        ),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "ecr", "eu-west-1"),
        ("123456789012.dkr-ecr-fips.us-west-2.on.aws", "ecr", "us-west-2"),
        (
            "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
            "ecr",
            "cn-northwest-1",
        ),
        ("public.ecr.aws", "ecr-public", "us-east-1"),
        ("ecr-public.aws.com", "ecr-public", "us-east-1"),
    ] {
        fake.clear();
        let token = decode_password(&sandbox.get(host).password());
        let got = (token.service.as_str(), token.region.as_str());
        assert_eq!(got, (service, region), "{host}");
        let operation = format!("{service}:GetAuthorizationToken");
        assert_eq!((fake.count(&operation), fake.total()), (1, 1), "{host}");
        assert_eq!(decode_password(&sandbox.get(host).password()), token);
        assert_eq!(fake.total(), 1, "{host} is cached");
    }
}

#[test]
fn fips_hosts_of_every_suffix_are_ecr() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for suffix in [
        "amazonaws.com.cn",
        "amazonaws.eu",
        "sc2s.sgov.gov",
        "c2s.ic.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
    ] {
        let host = format!("123456789012.dkr.ecr-fips.some-region-1.{suffix}");
        let token = decode_password(&sandbox.get(&host).password());
        assert_eq!(token.region, "some-region-1", "{host}");
    }
    let host = "123456789012.dkr-ecr-fips.cn-north-1.on.amazonwebservices.com.cn";
    let token = decode_password(&sandbox.get(host).password());
    assert_eq!(token.region, "cn-north-1", "{host}");
}

#[test]
fn the_region_is_the_hosts_for_all_that_is_called_whatever_the_environment_says() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox
        .point_at(&fake)
        .env("AWS_PROFILE", "role")
        .env("AWS_REGION", "eu-west-3")
        .env("AWS_DEFAULT_REGION", "eu-west-3")
        .aws_config(
            "[profile role]\nregion = eu-west-3\nrole_arn = arn:aws:iam::123456789012:role/r\n\
             source_profile = base\n[profile base]\nregion = eu-west-3\n\
             aws_access_key_id = AKIABASE\naws_secret_access_key = secret\n",
        );
    let host = "123456789012.dkr.ecr.ap-south-1.amazonaws.com";
    let token = decode_password(&sandbox.get(host).password());
    assert_eq!(token.region, "ap-south-1");
    let regions: Vec<_> = fake.requests().into_iter().map(|r| r.region).collect();
    assert_eq!(regions, vec![Some("ap-south-1".to_owned()); 2]);
}

#[test]
fn one_token_opens_every_account_of_a_region() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    let passwords: Vec<_> = ["111111111111", "222222222222", "333333333333"]
        .iter()
        .map(|account| sandbox.get(&format!("{account}.dkr.ecr.us-east-1.amazonaws.com")))
        .map(|output| output.password())
        .collect();
    assert!(passwords.iter().all(|password| *password == passwords[0]));
    assert_eq!(fake.total(), 1);
    let request = &fake.requests()[0];
    let ids = &request.json()["registryIds"];
    assert!(ids.is_null(), "registryIds is deprecated: {ids}");
}

#[test]
fn look_alikes_are_not_found_at_once_silently_and_without_a_trace() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let hosts = [
        "docker.io",
        "https://index.docker.io/v1/",
        "ghcr.io",
        "localhost:5000",
        "[::1]:5000",
        "amazonaws.com",
        "ecr.us-east-1.amazonaws.com",
        "api.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
        "https://123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example/v2/",
        "evil.example/123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example?123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example#123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example/https://123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example?https://123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example#://123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example://123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "ftp://123456789012.dkr.ecr.us-east-1.amazonaws.com@evil.example",
        "https://https://123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com@evil.example",
        "https://123456789012.dkr.ecr.us-east-1.amazonaws.com:x@evil.example",
        "https://user:hunter2@123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example@123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.example\\.123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com\\@evil.example",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com\\.evil.example",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com%2eevil.example",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com,evil.example",
        "evil-123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "evil.123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "12345678901.dkr.ecr.us-east-1.amazonaws.com",
        "1234567890123.dkr.ecr.us-east-1.amazonaws.com",
        "12345678901a.dkr.ecr.us-east-1.amazonaws.com",
        "12345678901٣.dkr.ecr.us-east-1.amazonaws.com",
        "１２３４５６７８９０１２.dkr.ecr.us-east-1.amazonaws.com",
        "-12345678901.dkr.ecr.us-east-1.amazonaws.com",
        ".dkr.ecr.us-east-1.amazonaws.com",
        "dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr..amazonaws.com",
        "123456789012.dkr.ecr.amazonaws.com",
        "123456789012.dkr-ecr..on.aws",
        "123456789012.dkr-ecr.on.aws",
        "123456789012.dkr.ecr.us_east_1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.evil.amazonaws.com",
        "123456789012.dkr.ecr.us-éast-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1%00.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com..",
        "123456789012.dkr.ecr.us-east-1.amazonaws.co",
        "123456789012.dkr.ecr.us-east-1.amazonawsxcom",
        "123456789012.dkr.ecr.us-east-1.on.aws",
        "123456789012.dkr-ecr.us-east-1.amazonaws.com",
        "123456789012.dkr-ecr-fips.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr-fipss.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr-public.us-east-1.amazonaws.com",
        "123456789012.ecr.us-east-1.amazonaws.com",
        "public.ecr.aws.evil.example",
        "evil.public.ecr.aws",
        "xpublic.ecr.aws",
        "public-ecr.aws",
        "ecr-public.aws.com.evil.example",
    ];
    for strict in [false, true] {
        if strict {
            sandbox.env("AWS_ECR_STRICT", "true");
        }
        for host in hosts {
            let output = sandbox.get(host);
            output.assert_not_found();
            assert_eq!(output.stderr, "", "{host}");
            assert!(output.elapsed < Duration::from_secs(1), "{host}: {output}");
        }
    }
    assert!(is_empty(sandbox.home()));
    assert_eq!(fake.total(), 0);
}

#[test]
fn no_aws_file_is_waited_for_on_behalf_of_another_host() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.point_at(&fake).env("AWS_PROFILE", "missing");
    let pipe = sandbox.write(".aws/x", "").with_file_name("config");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let output = sandbox.get("registry.example");
    output.assert_not_found();
    assert_eq!(output.stderr, "");
    assert!(output.elapsed < Duration::from_secs(1), "{output}");
}

#[test]
fn the_public_gallery_without_credentials_is_used_anonymously_and_silently() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox.point_at(&fake);
    for strict in ["false", "true"] {
        sandbox.env("AWS_ECR_STRICT", strict);
        for host in ["public.ecr.aws", "ecr-public.aws.com"] {
            let output = sandbox.get(host);
            output.assert_not_found();
            assert_eq!(output.stderr, "", "{host}");
        }
    }
    assert_eq!(fake.total(), 0);
}
