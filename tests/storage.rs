//! `store`, `erase` and `list`: a `docker login` is kept until it ends, `docker logout` forgets it
//! and what is cached for its region, and `list` never asks the network.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{FakeAws, HangingServer, Output, Reply, Sandbox, decode_password};

const ECR: &str = "ecr:GetAuthorizationToken";
const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const NEIGHBOUR: &str = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
const ELSEWHERE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const PUBLIC: &str = "public.ecr.aws";

/// What is done to a login's file, and its name.
type Damage = (&'static str, fn(&Path));

fn ready(fake: &FakeAws) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(fake);
    sandbox
}

/// A password of ECR's form that ends so many seconds from now; `who` makes it its own.
fn password(who: &str, ends_in: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let end = i64::try_from(now.as_secs()).unwrap() + ends_in;
    let inside = json!({"payload": who, "datakey": "k", "version": "2", "type": "DATA_KEY", "expiration": end});
    STANDARD.encode(inside.to_string())
}

fn login(sandbox: &Sandbox, server: &str, password: &str) -> Output {
    let request = json!({"ServerURL": server, "Username": "AWS", "Secret": password});
    sandbox.run("store", request.to_string())
}

/// Checks that the verb did what was asked and said nothing, as docker expects.
fn done(output: &Output) {
    let outcome = (output.code, &*output.stdout, &*output.stderr);
    assert_eq!(outcome, (Some(0), "", ""), "{output}");
}

fn list(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let output = sandbox.run("list", "unused");
    assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{output}");
    assert_eq!(output.stdout.trim_end().lines().count(), 1, "{output}");
    serde_json::from_str(&output.stdout).unwrap()
}

fn hosts(sandbox: &Sandbox) -> Vec<String> {
    list(sandbox).into_keys().collect()
}

/// Every file below the home, with its contents.
fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![sandbox.home().to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found
}

/// The file that keeps the one login there is.
fn login_file(sandbox: &Sandbox) -> PathBuf {
    let files = files(sandbox);
    assert_eq!(files.len(), 1, "{:?}", files.keys());
    files.into_keys().next().unwrap()
}

#[test]
fn after_docker_login_get_answers_with_that_login() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for host in [HOST, PUBLIC, "123456789012.dkr-ecr-fips.us-west-2.on.aws"] {
        let mine = password(host, 3600);
        done(&login(&sandbox, host, &mine));
        assert_eq!(sandbox.get(host).password(), mine);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_login_is_found_whatever_form_the_client_gives_the_server_in() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for form in [
        format!("https://{HOST}"),
        format!("http://{HOST}:443/v2/"),
        HOST.to_uppercase(),
        format!(" {HOST}.\r\n"),
    ] {
        let mine = password(&form, 3600);
        done(&login(&sandbox, &form, &mine));
        assert_eq!(sandbox.get(HOST).password(), mine, "{form:?}");
        done(&sandbox.run("erase", &form));
        assert_eq!(files(&sandbox).len(), 0, "{form:?}");
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn another_login_takes_the_place_of_the_one_before() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    let newer = password("newer", 3600);
    done(&login(&sandbox, HOST, &password("older", 3600)));
    done(&login(&sandbox, HOST, &newer));
    assert_eq!(sandbox.get(HOST).password(), newer);
    login_file(&sandbox);
}

#[test]
fn a_login_is_for_its_own_registry_alone() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    done(&login(&sandbox, HOST, &password("mine", 3600)));
    for other in [NEIGHBOUR, ELSEWHERE, PUBLIC] {
        let fetched = decode_password(&sandbox.get(other).password());
        assert_eq!(fetched.access_key_id, support::STATIC_KEY_ID, "{other}");
    }
    assert_eq!(fake.total(), 3);
}

#[test]
fn a_login_is_preferred_while_key_id_and_profile_are_as_they_were() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    let keys = |id: &str| format!("aws_access_key_id = {id}\naws_secret_access_key = s\n");
    sandbox.point_at(&fake).aws_config(&format!(
        "[profile one]\n{}[profile two]\n{}",
        keys("AKIAONE"),
        keys("AKIATWO")
    ));
    let mine = password("mine", 3600);
    let asked = |sandbox: &Sandbox| decode_password(&sandbox.get(HOST).password()).access_key_id;

    sandbox.env("AWS_PROFILE", "one");
    done(&login(&sandbox, HOST, &mine));
    assert_eq!(sandbox.get(HOST).password(), mine);
    sandbox.env("AWS_PROFILE", "two");
    assert_eq!(asked(&sandbox), "AKIATWO");
    sandbox.unset("AWS_PROFILE").env("AWS_DEFAULT_PROFILE", "one");
    assert_eq!(sandbox.get(HOST).password(), mine, "the same profile by another name");
    sandbox.use_static_keys();
    assert_eq!(asked(&sandbox), support::STATIC_KEY_ID);
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    assert_eq!(sandbox.get(HOST).password(), mine, "as at login again");
    assert_eq!(fake.total(), 2);
}

#[test]
fn another_secret_or_session_token_to_the_same_key_id_is_the_same_person() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let mine = password("mine", 3600);
    done(&login(&sandbox, HOST, &mine));
    sandbox
        .env("AWS_SECRET_ACCESS_KEY", "another")
        .env("AWS_SESSION_TOKEN", "another");
    assert_eq!(sandbox.get(HOST).password(), mine);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_login_made_under_another_identity_is_better_than_nothing() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let mine = password("mine", 3600);
    done(&login(&sandbox, HOST, &mine));
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    let output = sandbox.get(HOST);
    assert_eq!((output.password(), &*output.stderr), (mine, ""));

    done(&sandbox.run("erase", HOST));
    sandbox.get(HOST).assert_not_found();
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_login_of_another_identity_does_not_hide_that_this_one_is_refused() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    done(&login(&sandbox, HOST, &password("mine", 3600)));
    fake.on(ECR, Reply::aws_error(400, "AccessDeniedException", "no"));
    sandbox.env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    let output = sandbox.get(HOST);
    output.assert_not_found();
    assert!(output.stderr.contains("denied"), "{output}");
}

#[test]
fn a_login_that_has_ended_is_neither_served_nor_listed() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    for ended in [-1, -3600, 0] {
        done(&login(&sandbox, HOST, &password("mine", ended)));
        assert_eq!(hosts(&sandbox), Vec::<String>::new());
    }
    let fetched = decode_password(&sandbox.get(HOST).password());
    assert_eq!((fetched.serial, fake.total()), (1, 1));
}

#[test]
fn a_login_is_kept_twelve_hours_at_the_most() {
    let sandbox = Sandbox::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (secret, life) in [
        (password("long", 90 * 3600), 12 * 3600),
        (password("short", 600), 600),
        ("opaque and no base64".to_owned(), 12 * 3600),
    ] {
        done(&login(&sandbox, HOST, &secret));
        assert_eq!(sandbox.get(HOST).password(), secret);
        let kept: Value = serde_json::from_slice(&fs::read(login_file(&sandbox)).unwrap()).unwrap();
        let end = kept["expires_at"].as_u64().unwrap();
        assert!(end.abs_diff(now + life) < 60, "{life}: {end}");
    }
}

#[test]
fn secrets_of_any_form_come_back_as_they_were_stored() {
    let sandbox = Sandbox::new();
    for secret in [
        "p",
        "ünïcödé \"quoted\" \\ \n\t",
        "=",
        "eyJleHBpcmF0aW9uIjoiYSJ9",
        &"x".repeat(100_000),
    ] {
        done(&login(&sandbox, HOST, secret));
        assert_eq!(sandbox.get(HOST).password(), secret);
    }
}

#[test]
fn logins_are_private_from_birth_whatever_the_umask() {
    for umask in ["000", "077", "777"] {
        let sandbox = Sandbox::new();
        let request = json!({"ServerURL": HOST, "Username": "AWS", "Secret": "s"}).to_string();
        let output = sandbox.run_with("store", request, |command| {
            let envs: Vec<_> = command
                .get_envs()
                .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
                .collect();
            let program = command.get_program().to_owned();
            *command = Command::new("sh");
            command.args(["-c", &format!("umask {umask}; exec \"$0\" store")]);
            command.arg(program).env_clear().envs(envs);
        });
        done(&output);
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(login_file(&sandbox)), 0o600, "umask {umask}");
        assert_eq!(mode(sandbox.cache_dir()), 0o700, "umask {umask}");
    }
}

#[test]
fn a_login_file_that_is_not_as_we_wrote_it_is_passed_over_and_replaced() {
    let fake = FakeAws::start();
    let damages: [Damage; 8] = [
        ("garbage", |file| fs::write(file, "{\"version\":").unwrap()),
        ("empty", |file| fs::write(file, "").unwrap()),
        ("huge", |file| fs::write(file, vec![b' '; 3 << 20]).unwrap()),
        ("loose", |file| {
            fs::set_permissions(file, Permissions::from_mode(0o660)).unwrap()
        }),
        ("hard link", |file| {
            fs::hard_link(file, file.with_file_name("other")).unwrap()
        }),
        ("symbolic link", |file| {
            let elsewhere = file.with_file_name("elsewhere");
            fs::rename(file, &elsewhere).unwrap();
            symlink(elsewhere, file).unwrap();
        }),
        ("pipe", |file| {
            fs::remove_file(file).unwrap();
            assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
        }),
        ("directory", |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
    ];
    for (kind, damage) in damages {
        let sandbox = ready(&fake);
        done(&login(&sandbox, HOST, &password("before", 3600)));
        damage(&login_file(&sandbox));
        let fetched = decode_password(&sandbox.get(HOST).password());
        assert_eq!(fetched.access_key_id, support::STATIC_KEY_ID, "{kind}");
        list(&sandbox);
        let mine = password("after", 3600);
        done(&login(&sandbox, HOST, &mine));
        assert_eq!(sandbox.get(HOST).password(), mine, "{kind}");
    }
}

#[test]
fn erase_works_on_a_login_file_that_is_not_as_we_wrote_it() {
    let sandbox = Sandbox::new();
    done(&login(&sandbox, HOST, &password("mine", 3600)));
    let file = login_file(&sandbox);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    done(&sandbox.run("erase", HOST));
}

#[test]
fn logout_forgets_the_login_and_the_tokens_of_its_region_of_every_identity_and_no_others() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let people = ["AKIAONE", "AKIATWO"];
    for person in people {
        sandbox.env("AWS_ACCESS_KEY_ID", person);
        for host in [HOST, ELSEWHERE, PUBLIC] {
            sandbox.get(host).password();
        }
    }
    let (neighbours, mine) = (password("neighbour", 3600), password("mine", 3600));
    done(&login(&sandbox, NEIGHBOUR, &neighbours));
    done(&login(&sandbox, HOST, &mine));
    assert_eq!(sandbox.get(HOST).password(), mine);
    fake.clear();

    done(&sandbox.run("erase", HOST));
    assert!(
        files(&sandbox)
            .values()
            .all(|file| { !String::from_utf8_lossy(file).contains(&mine) })
    );
    assert_eq!(sandbox.get(NEIGHBOUR).password(), neighbours);
    for person in people {
        sandbox.env("AWS_ACCESS_KEY_ID", person);
        for host in [ELSEWHERE, PUBLIC] {
            let kept = decode_password(&sandbox.get(host).password());
            assert_eq!((kept.access_key_id.as_str(), fake.total()), (person, 0), "{host}");
        }
    }
    for person in people {
        sandbox.env("AWS_ACCESS_KEY_ID", person);
        let token = decode_password(&sandbox.get(HOST).password());
        assert_eq!(token.access_key_id, person);
    }
    assert_eq!(fake.total(), 2);
}

#[test]
fn logout_of_the_public_gallery_leaves_private_tokens_of_its_region() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    sandbox.get(HOST).password();
    sandbox.get(PUBLIC).password();
    done(&sandbox.run("erase", PUBLIC));
    assert_eq!(hosts(&sandbox), [HOST]);
    sandbox.get(PUBLIC).password();
    assert_eq!((fake.count(ECR), fake.total()), (1, 3));
}

#[test]
fn logout_where_there_is_nothing_succeeds_and_makes_no_file() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    for _ in 0..2 {
        done(&sandbox.run("erase", HOST));
        done(&sandbox.run("erase", PUBLIC));
    }
    assert_eq!(fs::read_dir(sandbox.home()).unwrap().count(), 0);
    sandbox.env("AWS_ECR_DISABLE_CACHE", "1");
    done(&sandbox.run("erase", HOST));
    sandbox.unset("HOME");
    done(&sandbox.run("erase", HOST));
    assert_eq!(fake.total(), 0);
}

#[test]
fn for_other_hosts_it_says_what_to_configure_instead_and_keeps_nothing() {
    let sandbox = Sandbox::new();
    for server in [
        "docker.io",
        "https://index.docker.io/v1/",
        "registry.example:5000",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
        "https://me:hunter2@123456789012.dkr.ecr.us-east-1.amazonaws.com",
    ] {
        for output in [login(&sandbox, server, "hunter2"), sandbox.run("erase", server)] {
            assert_eq!((output.code, &*output.stderr), (Some(1), ""), "{output}");
            assert_eq!(output.stdout.trim_end().lines().count(), 1, "{output}");
            let says = |word: &str| output.stdout.contains(word);
            assert!(says("credHelpers") && says("config.json"), "{output}");
            assert!(output.stdout.len() < 500 && !says("hunter2"), "{output}");
        }
    }
    assert_eq!(fs::read_dir(sandbox.home()).unwrap().count(), 0);
}

#[test]
fn storage_can_be_ignored_for_every_host() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let fetched = sandbox.get(HOST).password();
    sandbox.env("AWS_ECR_IGNORE_CREDS_STORAGE", "true");
    let before = files(&sandbox);
    for server in [HOST, PUBLIC, "https://index.docker.io/v1/"] {
        done(&login(&sandbox, server, "hunter2"));
        done(&sandbox.run("erase", server));
    }
    assert_eq!(files(&sandbox), before);
    assert_eq!(sandbox.get(HOST).password(), fetched);
    assert_eq!(fake.total(), 1);

    for no in ["false", "0", ""] {
        sandbox.env("AWS_ECR_IGNORE_CREDS_STORAGE", no);
        let mine = password(no, 3600);
        done(&login(&sandbox, HOST, &mine));
        assert_eq!(sandbox.get(HOST).password(), mine, "{no:?}");
    }
}

#[test]
fn a_login_that_cannot_be_kept_is_an_error_in_one_line_without_the_password() {
    let mut sandbox = Sandbox::new();
    let blocked = sandbox.write("file", "").join("cache");
    sandbox.env("AWS_ECR_CACHE_DIR", blocked);
    let output = login(&sandbox, HOST, "hunter2");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stdout.contains(HOST), "{output}");
    assert_eq!(output.stdout.trim_end().lines().count(), 1, "{output}");
    assert!(!format!("{output}").contains("hunter2"), "{output}");
}

#[test]
fn list_shows_what_this_identity_asked_for_and_the_logins() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    assert_eq!(list(&sandbox), BTreeMap::new());
    for host in [HOST, NEIGHBOUR, PUBLIC] {
        sandbox.get(host).password();
    }
    done(&login(&sandbox, ELSEWHERE, &password("mine", 3600)));
    let asked = [HOST, ELSEWHERE, NEIGHBOUR, PUBLIC];
    let expected: BTreeMap<_, _> = asked.map(|host| (host.to_owned(), "AWS".to_owned())).into();
    assert_eq!(list(&sandbox), expected);

    sandbox.env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    assert_eq!(hosts(&sandbox), [ELSEWHERE], "another identity asked for nothing yet");
    sandbox.env("AWS_PROFILE", "missing");
    assert_eq!(hosts(&sandbox), [ELSEWHERE]);
}

#[test]
fn every_listed_host_is_then_answered_without_a_request() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    fake.next(ECR, Reply::token_expires_in(-5));
    sandbox.get("123456789012.dkr.ecr.ap-south-1.amazonaws.com").password();
    for host in [
        HOST,
        NEIGHBOUR,
        ELSEWHERE,
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
    ] {
        sandbox
            .get(&format!("https://{}:443/v2/", host.to_uppercase()))
            .password();
    }
    done(&login(&sandbox, PUBLIC, &password("mine", 3600)));
    fake.clear();
    let hosts = hosts(&sandbox);
    assert_eq!(hosts.len(), 5, "{hosts:?}");
    for host in hosts {
        assert_eq!(sandbox.get(&host).server_url(), host);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn list_is_offline_and_needs_neither_region_nor_credentials() {
    let hanging = HangingServer::start();
    let mut sandbox = Sandbox::new();
    sandbox
        .env("AWS_ENDPOINT_URL", hanging.url())
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", hanging.url())
        .unset("AWS_EC2_METADATA_DISABLED");
    done(&login(&sandbox, HOST, &password("mine", 3600)));
    let output = sandbox.run("list", "unused");
    assert_eq!(output.stdout, format!("{{\"{HOST}\":\"AWS\"}}\n"));
    assert!(output.elapsed.as_secs() < 1, "{output}");

    sandbox.env("AWS_ECR_DISABLE_CACHE", "1");
    assert_eq!(list(&sandbox), BTreeMap::new());
    sandbox.unset("AWS_ECR_DISABLE_CACHE").unset("HOME");
    assert_eq!(list(&sandbox), BTreeMap::new());
}

#[test]
fn list_shows_no_file_that_is_not_ours() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    sandbox.get(HOST).password();
    let directory = sandbox.cache_dir();
    fs::write(directory.join("notes.json"), "{}").unwrap();
    fs::write(directory.join(format!("{}.json", "0".repeat(64))), "{\"version\":1}").unwrap();
    fs::write(directory.join(format!("{}.login", "0".repeat(64))), "\0").unwrap();
    fs::create_dir(directory.join(format!("{}.json", "f".repeat(64)))).unwrap();
    let pipe = directory.join(format!("{}.json", "a".repeat(64)));
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    assert_eq!(hosts(&sandbox), [HOST]);
    done(&sandbox.run("erase", HOST));
    assert!(directory.join("notes.json").exists());
}

#[test]
fn twenty_logins_at_once_are_all_kept() {
    let sandbox = Sandbox::new();
    let host = |n: u32| format!("1234567890{n}.dkr.ecr.us-east-1.amazonaws.com");
    let running: Vec<_> = (10..30)
        .map(|n| json!({"ServerURL": host(n), "Username": "AWS", "Secret": format!("s{n}")}))
        .map(|request| sandbox.spawn("store", request.to_string()))
        .collect();
    running.into_iter().for_each(|run| done(&run.wait()));
    assert_eq!(hosts(&sandbox), (10..30).map(host).collect::<Vec<_>>());
}
