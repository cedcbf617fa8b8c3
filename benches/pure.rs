//! How long the parts of a cached `get` take that make its decisions: `cargo bench -p docker-credential-ecr-login-benches`.
//!
//! A whole `get` is measured by `benches/compare`. It takes some hundred microseconds, nearly all of them the kernel's; what
//! is here should stay a small part of that.

// criterion's macros write functions without documentation.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, criterion_group, criterion_main};
use docker_credential_ecr_login::internals::{AwsFiles, Entry, Fingerprint, Token};
use docker_credential_ecr_login::{Credentials, Env, Registry, Secret, ServerUrl, Who};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// A developer's config: an SSO login and a few profiles with roles.
const CONFIG: &str = include_str!("pure/config");

fn hosts(c: &mut Criterion) {
    let mut group = c.benchmark_group("host");
    let url = format!("https://{HOST}/v2/\n");
    group.bench_function("ServerUrl::parse", |b| {
        b.iter(|| ServerUrl::parse(black_box(url.as_bytes())))
    });
    for (name, host) in [
        ("private", HOST),
        ("dual stack, FIPS", "123456789012.dkr-ecr-fips.us-gov-west-1.on.aws"),
        ("public", "public.ecr.aws"),
        ("not ECR", "registry-1.docker.io"),
    ] {
        group.bench_function(format!("Registry::from_host, {name}"), |b| {
            b.iter(|| Registry::from_host(black_box(host)));
        });
    }
}

/// The files are read beforehand. What is left of the kernel's work, with a profile: the machine's boot id and network
/// namespace, and the names of SSO tokens.
fn identities(c: &mut Criterion) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
    let home = home.path().to_str().unwrap();
    let keys = [
        ("HOME", home),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ];
    let profile = [("HOME", home), ("AWS_PROFILE", "production")];
    let registry = Registry::from_host(HOST).unwrap();
    let mut group = c.benchmark_group("identity");
    for (name, env) in [
        ("static keys", Env::from_vars(keys)),
        ("profile", Env::from_vars(profile)),
    ] {
        let files = AwsFiles::read(&env);
        group.bench_function(format!("Fingerprint::of, {name}"), |b| {
            b.iter(|| Fingerprint::of(black_box(&env), black_box(&files), &Who::Environment));
        });
        let fingerprint = Fingerprint::of(&env, &files, &Who::Environment).unwrap();
        group.bench_function(format!("Fingerprint::key, {name}"), |b| {
            b.iter(|| fingerprint.key(black_box(&registry), black_box(&env)));
        });
    }
}

fn entries(c: &mut Criterion) {
    let now = SystemTime::now();
    let token = Token {
        credentials: Credentials {
            username: "AWS".to_owned(),
            // As long as a real one.
            secret: Secret::from("x".repeat(2500)),
        },
        requested: now,
        expires: now + Duration::from_hours(12),
        bounded: false,
        refreshed_sso_token: None,
        whose: String::new(),
    };
    let entry = Entry::new(
        "key",
        "identity".to_owned(),
        &Registry::from_host(HOST).unwrap(),
        &token,
    );
    let file = entry.encode();
    let mut group = c.benchmark_group("entry");
    group.bench_function("Entry::decode", |b| {
        b.iter(|| Entry::decode(black_box(&file), black_box("key")))
    });
    group.bench_function("Entry::validity", |b| b.iter(|| entry.validity(black_box(now))));
    group.bench_function("Entry::encode", |b| b.iter(|| black_box(&entry).encode()));
}

criterion_group!(pure, hosts, identities, entries);
criterion_main!(pure);
