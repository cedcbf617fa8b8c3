//! `doctor`: what it finds at each step of the way of a `get`, what it says to do, and what it never shows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod aws;
mod local;
mod registry;
mod shown;
#[path = "../support/mod.rs"]
mod support;

use std::env;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use support::{FakeAws, Output, Reply, STATIC_KEY_ID, Sandbox, TlsProxy};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const ARN: &str = "arn:aws:iam::123456789012:user/dev";

const ECR: &str = "ecr:GetAuthorizationToken";
const IDENTITY: &str = "sts:GetCallerIdentity";
const ASSUME_ROLE: &str = "sts:AssumeRole";
const REGISTRY: &str = "registry:v2";
const REGISTRY_TOKEN: &str = "registry:token";

const DOCKER: &str = ".docker/config.json";
const TOML: &str = ".config/docker-credential-ecr-login/config.toml";

/// What the fake AWS hands out, and what some worlds have in their variables.
const PASSWORD: &str = "password-that-nobody-may-see";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "session-token-that-nobody-may-see";
const PROXY_PASSWORD: &str = "hunter2-of-the-proxy";

/// Every step, in the order in which one `get` and its use come by them.
const STEPS: [&str; 11] = [
    "program",
    "docker",
    "host",
    "configuration",
    "network",
    "credentials",
    "identity",
    "token",
    "clock",
    "registry",
    "cache",
];

/// A machine on which all is well. Everything that goes out goes through the proxy, where the fake AWS answers for it.
struct World {
    fake: FakeAws,
    proxy: TlsProxy,
    sandbox: Sandbox,
}

fn world() -> World {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    fake.passwords(|_| PASSWORD.to_owned())
        .on(IDENTITY, identity(ARN).header("Date", &date(0)))
        .on(ECR, Reply::normal().header("Date", &date(0)));
    let mut sandbox = Sandbox::new();
    let ca = sandbox.write("ca.pem", proxy.ca_pem());
    sandbox.write(DOCKER, docker_config(HOST));
    let program = program(&sandbox);
    sandbox
        .use_static_keys()
        .env("PATH", search_path(&[program.parent().unwrap()]))
        .env("HTTPS_PROXY", proxy.url())
        .env("AWS_CA_BUNDLE", ca);
    World { fake, proxy, sandbox }
}

fn docker_config(registry: &str) -> String {
    json!({"credHelpers": {registry: "ecr-login"}}).to_string()
}

/// The program under test.
fn program(sandbox: &Sandbox) -> PathBuf {
    sandbox.command("version").get_program().into()
}

/// A PATH with these directories in front of the usual ones.
fn search_path(first: &[&Path]) -> std::ffi::OsString {
    let usual = env::var_os("PATH").unwrap();
    let usual: Vec<_> = env::split_paths(&usual).collect();
    env::join_paths(first.iter().copied().chain(usual.iter().map(PathBuf::as_path))).unwrap()
}

fn executable(sandbox: &Sandbox, below_home: &str, text: &str) -> PathBuf {
    let path = sandbox.write(below_home, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// STS's answer to the question who one is.
fn identity(arn: &str) -> Reply {
    let text = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>"
    );
    Reply::raw(200, "text/xml", text)
}

/// A Date header's value for so many seconds from now.
fn date(seconds: i64) -> String {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let time = if seconds < 0 { now - by } else { now + by };
    DateTime::from(time).fmt(Format::HttpDate).unwrap()
}

/// What `doctor --json` said.
struct Diagnosis {
    output: Output,
    json: Value,
}

/// Examines the world's registry.
fn examine(world: &World) -> Diagnosis {
    examine_as(world, &[HOST])
}

/// Examines, and checks what holds for every diagnosis.
fn examine_as(world: &World, args: &[&str]) -> Diagnosis {
    diagnosis(world.sandbox.run_args(&[&["doctor", "--json"], args].concat()))
}

/// Examines the world's registry from a directory.
fn examine_in(directory: &Path, world: &World) -> Diagnosis {
    diagnosis(world.sandbox.run_with("doctor", "", |command| {
        command.args(["--json", HOST]).current_dir(directory);
    }))
}

fn diagnosis(output: Output) -> Diagnosis {
    assert_eq!(output.stderr, "", "{output}");
    assert_shows_no_secret(&output.stdout);
    let json: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output}"));
    for step in json["steps"].as_array().unwrap() {
        let names: Vec<_> = step.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["advice", "found", "milliseconds", "state", "step"], "{output}");
        assert!(STEPS.contains(&step["step"].as_str().unwrap()), "{output}");
        assert!(!step["found"].as_str().unwrap().is_empty(), "{output}");
        assert!(step["milliseconds"].as_f64().unwrap() >= 0.0, "{output}");
        let has_advice = !step["advice"].as_str().unwrap().is_empty();
        assert_eq!(
            has_advice,
            step["state"] != "ok",
            "what is not well has advice: {output}"
        );
    }
    let diagnosis = Diagnosis { output, json };
    let is_well = diagnosis.with_state("failure").is_empty();
    assert_eq!(diagnosis.json["ok"], is_well, "{diagnosis}");
    assert_eq!(diagnosis.output.code, Some(i32::from(!is_well)), "{diagnosis}");
    diagnosis
}

fn assert_shows_no_secret(text: &str) {
    let pair = BASE64_STANDARD.encode(format!("AWS:{PASSWORD}"));
    for secret in [
        PASSWORD,
        &pair,
        SECRET_KEY,
        SESSION_TOKEN,
        PROXY_PASSWORD,
        STATIC_KEY_ID,
    ] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}

impl Diagnosis {
    fn steps(&self) -> Vec<&str> {
        let steps = self.json["steps"].as_array().unwrap().iter();
        steps.map(|step| step["step"].as_str().unwrap()).collect()
    }

    fn with_state(&self, state: &str) -> Vec<&str> {
        let steps = self.json["steps"].as_array().unwrap().iter();
        let with_state = steps.filter(|step| step["state"] == state);
        with_state.map(|step| step["step"].as_str().unwrap()).collect()
    }

    /// What was found at the only step of that name.
    fn step(&self, name: &str) -> &Value {
        let steps = self.json["steps"].as_array().unwrap().iter();
        let steps: Vec<_> = steps.filter(|step| step["step"] == name).collect();
        assert_eq!(steps.len(), 1, "step {name}: {self}");
        steps[0]
    }

    /// Checks how a step ended, and that these are among the words of what was found and what to do.
    fn assert(&self, name: &str, state: &str, words: &[&str]) -> &Self {
        let step = self.step(name);
        assert_eq!(step["state"], state, "step {name}: {self}");
        let text = format!(
            "{} -> {}",
            step["found"].as_str().unwrap(),
            step["advice"].as_str().unwrap()
        );
        for part in words {
            assert!(text.contains(part), "no {part:?} at step {name}: {self}");
        }
        self
    }

    /// Checks that nothing else is wrong than these, which are failures.
    fn only_failures(&self, steps: &[&str]) -> &Self {
        assert_eq!(
            (self.with_state("failure"), self.with_state("warning")),
            (steps.to_vec(), vec![]),
            "{self}"
        );
        self
    }

    /// The same for warnings.
    fn only_warnings(&self, steps: &[&str]) -> &Self {
        assert_eq!(
            (self.with_state("failure"), self.with_state("warning")),
            (vec![], steps.to_vec()),
            "{self}"
        );
        self
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.output)
    }
}

#[test]
fn all_is_well_at_every_step() {
    let world = world();
    let seen = examine(&world);
    assert_eq!(seen.steps(), STEPS, "{seen}");
    seen.only_failures(&[]);
    assert_eq!(seen.json["registry"], HOST);
    assert_eq!(seen.json["version"], env!("CARGO_PKG_VERSION"));
    let config = world.sandbox.home().join(DOCKER);
    seen.assert(
        "program",
        "ok",
        &[program(&world.sandbox).to_str().unwrap(), env!("CARGO_PKG_VERSION")],
    )
    .assert(
        "docker",
        "ok",
        &["credHelpers", config.to_str().unwrap(), "ecr-login", HOST],
    )
    .assert("host", "ok", &["account 123456789012", "us-east-1"])
    .assert("configuration", "ok", &["no config.toml"])
    .assert(
        "network",
        "ok",
        &["HTTPS_PROXY", &world.proxy.url(), "ca.pem", "AWS_CA_BUNDLE"],
    )
    .assert("credentials", "ok", &["AWS_ACCESS_KEY_ID", "****MPLE"])
    .assert("identity", "ok", &["account 123456789012", ARN])
    .assert("token", "ok", &["good until", "Z, for 11h 59m"])
    .assert("clock", "ok", &["agrees with AWS's"])
    .assert("registry", "ok", &[HOST, "/v2/"])
    .assert("cache", "ok", &[world.sandbox.cache_dir().to_str().unwrap(), "empty"]);
}

#[test]
fn it_asks_what_a_get_asks_and_who_it_is_and_the_registry_once_each() {
    let world = world();
    examine(&world);
    let asked: Vec<_> = world
        .fake
        .requests()
        .into_iter()
        .map(|request| request.operation)
        .collect();
    assert_eq!(asked, [IDENTITY, ECR, REGISTRY]);
    let expected = [
        "sts.us-east-1.amazonaws.com:443",
        "api.ecr.us-east-1.amazonaws.com:443",
        &format!("{HOST}:443"),
    ];
    assert_eq!(world.proxy.connects(), expected);
    let request = &world.fake.requests_to(REGISTRY)[0];
    let pair = BASE64_STANDARD.encode(format!("AWS:{PASSWORD}"));
    assert_eq!(request.header("authorization"), Some(format!("Basic {pair}").as_str()));
}

#[test]
fn nothing_is_changed_but_that_the_cache_has_its_directory() {
    let world = world();
    let all = || {
        let mut found = Vec::new();
        let mut left = vec![world.sandbox.home().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => left.push(path.clone()),
                    false => found.push((path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        found.sort();
        found
    };
    let before = all();
    examine(&world);
    assert_eq!(all(), before);
    assert_eq!(fs::read_dir(world.sandbox.cache_dir()).unwrap().count(), 0);
    assert_eq!(support::mode(&world.sandbox.cache_dir()), 0o700);
}

#[test]
fn without_a_registry_it_is_the_first_that_docker_asks_this_helper_for() {
    let world = world();
    let other = "210987654321.dkr.ecr.eu-west-1.amazonaws.com";
    let config = json!({"credHelpers": {"ghcr.io": "gh", other: "ecr-login", "public.ecr.aws": "ecr-login"}});
    world.sandbox.write(DOCKER, config.to_string());
    let seen = examine_as(&world, &[]);
    assert_eq!(seen.json["registry"], other);
    seen.only_failures(&[])
        .assert("host", "ok", &["account 210987654321", "eu-west-1"]);
}

#[test]
fn without_a_registry_anywhere_it_is_the_accounts_own() {
    let mut world = world();
    world.sandbox.write(DOCKER, "{}");
    world.sandbox.env("AWS_REGION", "us-east-1");
    let seen = examine_as(&world, &[]);
    assert_eq!(seen.json["registry"], HOST);
    seen.only_failures(&["docker"]).assert(
        "docker",
        "failure",
        &["no helper for", HOST, "run docker-credential-ecr-login configure"],
    );
    assert_eq!(seen.steps(), STEPS, "{seen}");
}

#[test]
fn where_nothing_says_which_registry_is_meant_it_says_what_to_name() {
    let world = world();
    world.sandbox.write(DOCKER, "{}");
    let seen = examine_as(&world, &[]);
    assert_eq!(seen.json["registry"], Value::Null);
    seen.only_failures(&["host"]).assert(
        "host",
        "failure",
        &["no region is configured", "name a registry", "AWS_REGION"],
    );
    assert_eq!(world.fake.total(), 0);
}
