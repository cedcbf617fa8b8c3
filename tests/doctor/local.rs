//! What is found without the network: the program, the configuration of the client and our own, the host, the cache.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::{
    DOCKER, HOST, SECRET_KEY, STEPS, TOML, World, docker_config, examine, examine_as, examine_in, executable, program,
    search_path, support, world,
};

const NAME: &str = "docker-credential-ecr-login";

#[test]
fn a_program_in_no_directory_of_path_is_asked_by_nobody() {
    let mut world = world();
    world.sandbox.env("PATH", "/nowhere");
    let own = program(&world.sandbox);
    let seen = examine(&world);
    seen.only_failures(&["program"])
        .assert("program", "failure", &[own.to_str().unwrap(), "PATH", "/usr/local/bin"]);
}

#[test]
fn another_program_first_on_path_is_named_with_its_version() {
    let mut world = world();
    let other = executable(
        &world.sandbox,
        "bin/docker-credential-ecr-login",
        "#!/bin/sh\necho $1 is 0.9.1\n",
    );
    let own = program(&world.sandbox);
    world
        .sandbox
        .env("PATH", search_path(&[other.parent().unwrap(), own.parent().unwrap()]));
    let words = [
        other.to_str().unwrap(),
        "version is 0.9.1",
        own.to_str().unwrap(),
        "remove",
    ];
    examine(&world)
        .only_warnings(&["program"])
        .assert("program", "warning", &words);
}

#[test]
fn another_program_that_does_not_tell_its_version_is_named_all_the_same() {
    let mut world = world();
    let other = executable(&world.sandbox, "bin/docker-credential-ecr-login", "#!/bin/sh\nexit 1\n");
    world.sandbox.env("PATH", search_path(&[other.parent().unwrap()]));
    let words = [other.to_str().unwrap(), "does not tell its version"];
    examine(&world)
        .only_warnings(&["program"])
        .assert("program", "warning", &words);
}

#[test]
fn another_program_that_never_answers_is_not_waited_for() {
    let mut world = world();
    let other = executable(
        &world.sandbox,
        "bin/docker-credential-ecr-login",
        "#!/bin/sh\necho $$ >\"$HOME/pid\"\nexec sleep 600\n",
    );
    world.sandbox.env("PATH", search_path(&[other.parent().unwrap()]));
    let seen = examine(&world);
    seen.only_warnings(&["program"])
        .assert("program", "warning", &["does not tell its version"]);
    assert!(
        seen.step("program")["milliseconds"].as_f64().unwrap() < 10_000.0,
        "{seen}"
    );
    let pid = fs::read_to_string(world.sandbox.home().join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_err(), "it is ended");
}

#[test]
fn another_program_is_asked_for_its_version_without_aws_credentials() {
    let mut world = world();
    let other = executable(
        &world.sandbox,
        "bin/docker-credential-ecr-login",
        "#!/bin/sh\nenv >\"$HOME/seen\"\necho \"$AWS_SECRET_ACCESS_KEY version\"\n",
    );
    world
        .sandbox
        .env("PATH", search_path(&[other.parent().unwrap()]))
        .env("AWS_SESSION_TOKEN", super::SESSION_TOKEN);
    examine(&world).assert("program", "warning", &["which is version"]);
    let seen = fs::read_to_string(world.sandbox.home().join("seen")).unwrap();
    assert!(
        !seen.contains(SECRET_KEY) && !seen.contains(super::SESSION_TOKEN),
        "{seen}"
    );
    assert!(!seen.contains("AWS_ACCESS_KEY_ID"), "{seen}");
    assert!(seen.contains("AWS_CA_BUNDLE="), "{seen}");
}

#[test]
fn a_program_in_a_relative_entry_of_path_is_never_run() {
    let mut world = world();
    let script = "#!/bin/sh\necho >\"$HOME/ran\"\necho 0.9.1\n";
    let other = executable(&world.sandbox, "here/bin/docker-credential-ecr-login", script);
    let bin = other.parent().unwrap();
    let own = program(&world.sandbox);
    let directory = own.parent().unwrap();
    for (entry, from, shown) in [
        (".", bin, "\".\""),
        ("", bin, "\"\""),
        ("bin", bin.parent().unwrap(), "\"bin\""),
    ] {
        world.sandbox.env(
            "PATH",
            search_path(&[Path::new("/nowhere"), Path::new(entry), directory]),
        );
        let relative = format!("is in {shown}, an entry of PATH that is not a full path");
        let words = [
            &relative,
            "clients written in Go do not run it",
            own.to_str().unwrap(),
            "take that entry",
        ];
        examine_in(from, &world)
            .only_warnings(&["program"])
            .assert("program", "warning", &words);
        world.sandbox.env("PATH", format!("/nowhere:{entry}"));
        examine_in(from, &world).only_failures(&["program"]).assert(
            "program",
            "failure",
            &[&relative, "in no directory of PATH", "take that entry", "put it into"],
        );
        // Behind one in a full path it is never looked at.
        world.sandbox.env("PATH", format!("{}:{entry}", directory.display()));
        examine_in(from, &world).only_failures(&[]);
    }
    // Nobody says where programs are: that is not the directory one happens to be in.
    world.sandbox.unset("PATH");
    examine_in(bin, &world).only_failures(&["program"]);
    assert!(!world.sandbox.home().join("ran").exists());
}

#[test]
fn a_link_on_path_to_this_program_is_this_program() {
    let mut world = world();
    let link = world.sandbox.home().join(NAME);
    std::os::unix::fs::symlink(program(&world.sandbox), &link).unwrap();
    world.sandbox.env("PATH", search_path(&[world.sandbox.home()]));
    examine(&world)
        .only_failures(&[])
        .assert("program", "ok", &[link.to_str().unwrap()]);
}

/// What is said of a docker configuration.
fn of_docker(text: &str) -> (World, super::Diagnosis) {
    let world = world();
    world.sandbox.write(DOCKER, text);
    let seen = examine(&world);
    assert_eq!(seen.steps(), STEPS, "{seen}");
    (world, seen)
}

#[test]
fn without_a_docker_configuration_nothing_asks_this_helper() {
    let world = world();
    fs::remove_file(world.sandbox.home().join(DOCKER)).unwrap();
    let path = world.sandbox.home().join(DOCKER);
    examine(&world).only_failures(&["docker"]).assert(
        "docker",
        "failure",
        &[
            path.to_str().unwrap(),
            "does not exist",
            &format!("run {NAME} configure"),
        ],
    );
}

#[test]
fn another_helper_for_the_registry_is_named() {
    let (_, seen) = of_docker(&json!({"credHelpers": {HOST: "gcr"}, "credsStore": "ecr-login"}).to_string());
    let advice = format!("run {NAME} configure {HOST}");
    seen.only_failures(&["docker"])
        .assert("docker", "failure", &["credHelpers", "gcr", HOST, &advice]);
    // What docker takes for "none".
    let (_, seen) = of_docker(&json!({"credHelpers": {HOST: ""}, "credsStore": "ecr-login"}).to_string());
    seen.only_failures(&["docker"])
        .assert("docker", "failure", &["no helper for", HOST, &advice]);
}

#[test]
fn the_store_of_all_registries_may_be_this_helper_or_another() {
    let (_, seen) = of_docker(r#"{"credsStore": "ecr-login"}"#);
    seen.only_failures(&[])
        .assert("docker", "ok", &["credsStore", "ecr-login", HOST]);
    let (_, seen) = of_docker(r#"{"credsStore": "desktop"}"#);
    seen.only_failures(&["docker"])
        .assert("docker", "failure", &["credsStore", "desktop", "configure"]);
}

#[test]
fn a_docker_configuration_that_docker_cannot_read_is_a_failure() {
    let (world, seen) = of_docker("{\n\"credHelpers\": {\n}");
    let path = world.sandbox.home().join(DOCKER);
    seen.only_failures(&["docker"]).assert(
        "docker",
        "failure",
        &[path.to_str().unwrap(), "not valid JSON", "correct"],
    );
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    examine(&world)
        .only_failures(&["docker"])
        .assert("docker", "failure", &["cannot be read"]);
}

#[test]
fn a_docker_configuration_that_cannot_be_read_is_told_of_even_where_there_is_no_going_on() {
    let world = world();
    world.sandbox.write(DOCKER, "{");
    for args in [&[][..], &["ghcr.io"]] {
        examine_as(&world, args).assert("docker", "failure", &["not valid JSON"]);
    }
    world.sandbox.write(TOML, "timeout = []\n");
    examine(&world).assert("docker", "failure", &["not valid JSON"]);
}

#[test]
fn docker_config_names_the_directory_that_counts() {
    let mut world = world();
    let elsewhere = world.sandbox.write("elsewhere/config.json", docker_config(HOST));
    world.sandbox.write(DOCKER, "{}");
    world.sandbox.env("DOCKER_CONFIG", elsewhere.parent().unwrap());
    let words = [elsewhere.to_str().unwrap(), "DOCKER_CONFIG"];
    examine(&world).only_failures(&[]).assert("docker", "ok", &words);
    fs::remove_file(&elsewhere).unwrap();
    examine(&world)
        .only_failures(&["docker"])
        .assert("docker", "failure", &words);
}

#[test]
fn podmans_file_counts_where_docker_has_none() {
    let world = world();
    fs::remove_file(world.sandbox.home().join(DOCKER)).unwrap();
    let path = world.sandbox.write(".config/containers/auth.json", docker_config(HOST));
    examine(&world)
        .only_failures(&[])
        .assert("docker", "ok", &[path.to_str().unwrap()]);
    world
        .sandbox
        .write(".config/containers/auth.json", r#"{"credsStore": "ecr-login"}"#);
    let advice = format!("configure --client podman {HOST}");
    examine(&world)
        .only_failures(&["docker"])
        .assert("docker", "failure", &[path.to_str().unwrap(), &advice]);
}

const AUTH: &str = ".config/containers/auth.json";
const REGISTRIES: &str = ".config/containers/registries.conf";
const FOR_ALL: &str =
    "unqualified-search-registries = [\"docker.io\"]\ncredential-helpers = [\"pass\", \"ecr-login\"]\n";

#[test]
fn podmans_registries_conf_may_name_this_helper_for_all() {
    let mut world = world();
    let docker = world.sandbox.home().join(DOCKER);
    fs::remove_file(&docker).unwrap();
    let path = world.sandbox.write(REGISTRIES, FOR_ALL);
    let words = ["credential-helpers in", path.to_str().unwrap(), "ecr-login"];
    examine(&world).only_failures(&[]).assert("docker", "ok", &words);
    // Files that name nobody for this registry.
    world.sandbox.write(AUTH, docker_config("ghcr.io"));
    examine(&world).only_failures(&[]).assert("docker", "ok", &words);
    fs::remove_file(world.sandbox.home().join(AUTH)).unwrap();
    world.sandbox.write(DOCKER, "{}");
    let no_helper = format!("no helper for {HOST} in {}", docker.display());
    examine(&world)
        .only_failures(&[])
        .assert("docker", "ok", &[&words[..], &[&no_helper]].concat());
    // Files that name another, which are nearer.
    let other = json!({"credHelpers": {HOST: "gcr"}}).to_string();
    world.sandbox.write(AUTH, &other);
    examine(&world).only_failures(&["docker"]);
    fs::remove_file(&docker).unwrap();
    examine(&world)
        .only_failures(&["docker"])
        .assert("docker", "failure", &["gcr", "configure --client podman"]);
    fs::remove_file(world.sandbox.home().join(AUTH)).unwrap();
    world.sandbox.write(DOCKER, &other);
    examine(&world)
        .only_failures(&["docker"])
        .assert("docker", "failure", &["gcr", &format!("configure {HOST}")]);
    fs::remove_file(&docker).unwrap();
    world.sandbox.env("AWS_REGION", "us-east-1");
    let seen = examine_as(&world, &[]);
    seen.only_failures(&[]).assert("docker", "ok", &words);
    assert_eq!(seen.json["registry"], HOST, "the account's own");
}

#[test]
fn podmans_file_counts_where_dockers_names_nobody() {
    let world = world();
    world.sandbox.write(DOCKER, "{}");
    let path = world.sandbox.write(AUTH, docker_config(HOST));
    for args in [&[HOST][..], &[]] {
        examine_as(&world, args)
            .only_failures(&[])
            .assert("docker", "ok", &[path.to_str().unwrap(), "no helper for"]);
    }
    world.sandbox.write(AUTH, "{");
    examine(&world)
        .only_failures(&["docker"])
        .assert("docker", "failure", &["no helper for", DOCKER]);
}

#[test]
fn the_registries_conf_is_the_one_that_podman_reads() {
    let mut world = world();
    fs::remove_file(world.sandbox.home().join(DOCKER)).unwrap();
    let of_home = world.sandbox.write(REGISTRIES, FOR_ALL);
    let of_xdg = world.sandbox.write("xdg/containers/registries.conf", FOR_ALL);
    let named = world.sandbox.write("elsewhere.conf", FOR_ALL);
    let expect = |world: &World, path: &Path, variable: &str| {
        let words = [path.to_str().unwrap(), variable];
        examine(world).only_failures(&[]).assert("docker", "ok", &words);
    };
    expect(&world, &of_home, "");
    world.sandbox.env("XDG_CONFIG_HOME", world.sandbox.home().join("xdg"));
    expect(&world, &of_xdg, "");
    world.sandbox.env("CONTAINERS_REGISTRIES_CONF", &named);
    expect(&world, &named, "(CONTAINERS_REGISTRIES_CONF)");
    // No other is read in its place.
    fs::remove_file(&named).unwrap();
    examine(&world).only_failures(&["docker"]);
}

#[test]
fn a_registries_conf_that_says_nothing_of_this_helper_is_none() {
    let world = world();
    let docker = world.sandbox.home().join(DOCKER);
    fs::remove_file(&docker).unwrap();
    for text in [
        "",
        "credential-helpers = [\"containers-auth.json\"]\n",
        "credential-helpers = \"ecr-login\"\n",
        "credential-helpers = [[\"ecr-login\"]]\n",
        "[x]\ncredential-helpers = [\"ecr-login\"]\n",
        "# credential-helpers = [\"ecr-login\"]\n",
        "credential-helpers = [\"ecr-login\"]\n[",
    ] {
        world.sandbox.write(REGISTRIES, text);
        examine(&world).only_failures(&["docker"]).assert(
            "docker",
            "failure",
            &[docker.to_str().unwrap(), "does not exist"],
        );
    }
    world
        .sandbox
        .write(REGISTRIES, b"credential-helpers = [\"ecr-login\"]\n# \xff\n");
    examine(&world).only_failures(&["docker"]);
}

#[test]
fn logins_in_a_variable_go_before_the_helper() {
    let mut world = world();
    world.sandbox.env(
        "DOCKER_AUTH_CONFIG",
        r#"{"auths": {"x": {"auth": "aHVudGVyMi1vZi10aGUtcHJveHk="}}}"#,
    );
    let seen = examine(&world);
    seen.only_warnings(&["docker"])
        .assert("docker", "warning", &["DOCKER_AUTH_CONFIG", "unset"]);
    assert!(!seen.output.stdout.contains("aHVudGVy"), "{seen}");
}

#[test]
fn whose_configuration_root_reads_is_told() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let mut world = world();
    world.sandbox.env("SUDO_USER", "mary");
    examine(&world)
        .only_failures(&[])
        .assert("docker", "ok", &["sudo", "mary"]);
    fs::remove_file(world.sandbox.home().join(DOCKER)).unwrap();
    examine(&world).assert("docker", "failure", &["sudo", "mary"]);
}

#[test]
fn a_host_that_is_not_ecr_is_where_it_ends() {
    let world = world();
    let seen = examine_as(&world, &["ghcr.io"]);
    seen.only_failures(&["host"]).assert(
        "host",
        "failure",
        &["ghcr.io is not an Amazon ECR registry", "config.toml"],
    );
    assert_eq!(world.fake.total(), 0);
    world.sandbox.write(TOML, "fallback = \"desktop\"\n");
    let seen = examine_as(&world, &["https://ghcr.io/x/y"]);
    seen.only_warnings(&["host"]).assert(
        "host",
        "warning",
        &["ghcr.io is not", "printf ghcr.io | docker-credential-desktop get"],
    );
    assert_eq!(world.fake.total(), 0);
}

#[test]
fn what_is_no_hosts_name_is_refused_and_a_password_in_it_not_shown() {
    let world = world();
    for server in [
        "https://AWS:hunter2-of-the-proxy@public.ecr.aws",
        "AWS:hunter2-of-the-proxy@public.ecr.aws",
        "",
        "a b",
        "::",
    ] {
        let seen = examine_as(&world, &["--", server]);
        seen.only_failures(&["host"]).assert("host", "failure", &["name"]);
        assert_eq!(seen.json["registry"], Value::Null, "{seen}");
    }
    world.sandbox.write(TOML, "timeout = []\n");
    let seen = examine_as(&world, &["https://AWS:hunter2-of-the-proxy@public.ecr.aws"]);
    assert_eq!(seen.json["registry"], Value::Null, "{seen}");
}

#[test]
fn a_registry_is_understood_in_every_form() {
    let world = world();
    for form in [
        format!("https://{HOST}"),
        format!("{}.", HOST.to_uppercase()),
        format!("{HOST}/app:v1"),
    ] {
        let seen = examine_as(&world, &[&form]);
        assert_eq!(seen.json["registry"], HOST, "{form}");
        seen.only_failures(&[]);
    }
}

#[test]
fn the_kind_of_host_is_told() {
    let world = world();
    for (host, words) in [
        ("public.ecr.aws", &["public gallery", "us-east-1"][..]),
        ("123456789012.dkr-ecr-fips.us-east-1.on.aws", &["FIPS", "dual-stack"]),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", &["cn-north-1"]),
    ] {
        examine_as(&world, &[host]).assert("host", "ok", words);
    }
}

#[test]
fn another_name_for_a_registry_is_gone_after_with_its_port() {
    let world = world();
    world.sandbox.write(
        TOML,
        format!("# mirrors\n[[registry]]\nmatch = \"mirror.example\"\necr = \"{HOST}\"\n"),
    );
    world.sandbox.write(DOCKER, docker_config("mirror.example:5000"));
    let seen = examine_as(&world, &["mirror.example:5000"]);
    seen.only_failures(&[])
        .assert("docker", "ok", &["mirror.example:5000"])
        .assert("host", "ok", &["mirror.example", "another name for", HOST])
        .assert("configuration", "ok", &["line 2"])
        .assert("registry", "ok", &["https://mirror.example:5000/v2/"]);
    assert_eq!(world.proxy.connects().last().unwrap(), "mirror.example:5000");
}

#[test]
fn the_entry_that_matched_is_named_with_what_it_chooses() {
    let world = world();
    world
        .sandbox
        .aws_config("[profile dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = s\n");
    let role = "arn:aws:iam::123456789012:role/pull";
    for (entry, words) in [
        ("profile = \"dev\"".to_owned(), ["profile \"dev\"", "line 1"]),
        (format!("role_arn = \"{role}\""), [role, "line 1"]),
    ] {
        let path = world
            .sandbox
            .write(TOML, format!("[[registry]]\nmatch = \"{HOST}\"\n{entry}\n"));
        let seen = examine(&world);
        seen.only_failures(&[])
            .assert("configuration", "ok", &[&words[..], &[path.to_str().unwrap()]].concat());
        seen.assert("credentials", "ok", &words[..1]);
    }
    world
        .sandbox
        .write(TOML, "[[registry]]\nmatch = \"public.ecr.aws\"\nprofile = \"dev\"\n");
    examine(&world).assert("configuration", "ok", &["no entry"]);
}

#[test]
fn a_broken_configuration_is_where_it_ends() {
    let world = world();
    let path = world.sandbox.write(TOML, "# mine\ntimeout = []\n");
    let seen = examine(&world);
    seen.only_failures(&["configuration"]).assert(
        "configuration",
        "failure",
        &[path.to_str().unwrap(), "line 2", "timeout", "correct"],
    );
    assert_eq!(world.fake.total(), 0, "no credentials are tried");
    assert!(!seen.steps().contains(&"credentials"), "{seen}");
}

#[test]
fn variables_of_our_own_are_named_and_a_wrong_one_is_a_failure() {
    let mut world = world();
    world.sandbox.env("AWS_ECR_STRICT", "true");
    examine(&world)
        .only_failures(&[])
        .assert("configuration", "ok", &["AWS_ECR_STRICT"]);
    world.sandbox.env("AWS_ECR_TIMEOUT", "soon");
    examine(&world)
        .only_failures(&["configuration"])
        .assert("configuration", "failure", &["AWS_ECR_TIMEOUT", "soon"]);
}

#[test]
fn a_cache_that_is_off_is_worth_a_warning() {
    let mut world = world();
    world.sandbox.env("AWS_ECR_DISABLE_CACHE", "1");
    examine(&world)
        .only_warnings(&["cache"])
        .assert("cache", "warning", &["AWS_ECR_DISABLE_CACHE", "unset"]);
    assert!(!world.sandbox.cache_dir().exists());
}

#[test]
fn a_cached_token_is_told_of_and_left_as_it_is() {
    let world = world();
    world.sandbox.get(HOST).password();
    let before = fs::read(world.sandbox.entry()).unwrap();
    let seen = examine(&world);
    seen.only_failures(&[])
        .assert("cache", "ok", &["a token", "good until"]);
    assert_eq!(fs::read(world.sandbox.entry()).unwrap(), before);
    assert_eq!(world.fake.count(super::ECR), 2, "doctor's own is a new one");
    world.sandbox.age_entry(13 * 3600);
    examine(&world).only_failures(&[]).assert("cache", "ok", &["no token"]);
    world.sandbox.change_entry(|entry| *entry = Value::from("damaged"));
    examine(&world).only_failures(&[]).assert("cache", "ok", &["no token"]);
}

#[test]
fn the_login_of_docker_login_is_told_of() {
    let world = world();
    let login = json!({"ServerURL": HOST, "Username": "AWS", "Secret": world.sandbox.get(HOST).password()});
    assert_eq!(world.sandbox.run("store", login.to_string()).code, Some(0));
    examine(&world)
        .only_failures(&[])
        .assert("cache", "ok", &["`docker login`", "until"]);
}

#[test]
fn a_login_with_an_end_that_no_clock_shows_is_no_reason_to_panic() {
    let world = world();
    let login = json!({"ServerURL": HOST, "Username": "AWS", "Secret": world.sandbox.get(HOST).password()});
    assert_eq!(world.sandbox.run("store", login.to_string()).code, Some(0));
    let files = support::files_ending(&world.sandbox.cache_dir(), ".login");
    for expires_at in [u64::MAX, u64::MAX / 4, 1 << 40] {
        let mut login: Value = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
        login["expires_at"] = expires_at.into();
        fs::write(&files[0], login.to_string()).unwrap();
        examine(&world).only_failures(&[]);
    }
}

#[test]
fn a_cache_directory_that_others_may_write_to_is_not_used() {
    let world = world();
    world.sandbox.get(HOST).password();
    let path = world.sandbox.cache_dir();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    let words = [path.to_str().unwrap(), "not used", "chmod 700"];
    examine(&world)
        .only_warnings(&["cache"])
        .assert("cache", "warning", &words);
    assert_eq!(support::mode(&path), 0o777, "doctor changes nothing");
}

#[test]
fn a_cache_directory_that_cannot_be_made_is_worth_a_warning() {
    let mut world = world();
    let file = world.sandbox.write("file", "");
    world.sandbox.env("AWS_ECR_CACHE_DIR", file.join("cache"));
    examine(&world).only_warnings(&["cache"]).assert(
        "cache",
        "warning",
        &[file.to_str().unwrap(), "AWS_ECR_CACHE_DIR"],
    );
    world.sandbox.unset("AWS_ECR_CACHE_DIR").unset("HOME");
    world
        .sandbox
        .env("DOCKER_CONFIG", Path::new(&world.sandbox.home().join(".docker")));
    examine(&world)
        .only_warnings(&["cache"])
        .assert("cache", "warning", &["AWS_ECR_CACHE_DIR"]);
}
