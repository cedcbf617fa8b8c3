//! How files are replaced: links, mode, owner, and others who write at the same time.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;
use std::time::Duration;

use super::support::{self, Running};
use super::{DOCKER, HOST, PUBLIC, all_files, config, done, refused, sandbox, with_config};

/// Nobody in particular.
const SOMEBODY: u32 = 12345;

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

#[test]
fn the_mode_stays() {
    for mode in [0o640, 0o644, 0o400] {
        let sandbox = with_config("{}");
        let path = sandbox.home().join(DOCKER);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        done(&sandbox, &[PUBLIC]);
        assert_eq!(support::mode(&path), mode);
        assert!(config(&sandbox).contains(PUBLIC));
    }
}

#[test]
fn links_are_followed() {
    let sandbox = sandbox();
    let home = sandbox.home();
    sandbox.write("dotfiles/real.json", "{}");
    sandbox.write(".docker/other", "");
    symlink("../dotfiles/one", home.join(DOCKER)).unwrap();
    symlink("two", home.join("dotfiles/one")).unwrap();
    symlink(home.join("dotfiles/real.json"), home.join("dotfiles/two")).unwrap();
    done(&sandbox, &[PUBLIC]);
    assert!(home.join(DOCKER).is_symlink() && home.join("dotfiles/two").is_symlink());
    let real = fs::read_to_string(home.join("dotfiles/real.json")).unwrap();
    assert!(real.contains(PUBLIC), "{real}");

    fs::remove_file(home.join("dotfiles/real.json")).unwrap();
    done(&sandbox, &[PUBLIC]);
    assert!(home.join("dotfiles/real.json").is_file() && home.join(DOCKER).is_symlink());
}

#[test]
fn a_link_that_leads_nowhere_is_refused() {
    let sandbox = sandbox();
    let path = sandbox.write(DOCKER, "");
    for target in ["config.json", "none/config.json"] {
        fs::remove_file(&path).unwrap();
        symlink(target, &path).unwrap();
        let why = refused(&sandbox, &[PUBLIC]);
        assert!(why.contains(path.to_str().unwrap()), "{why}");
        assert_eq!(fs::read_link(&path).unwrap().to_str(), Some(target));
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let sandbox = sandbox();
    let path = sandbox.home().join(DOCKER);
    fs::create_dir_all(&path).unwrap();
    let why = refused(&sandbox, &[PUBLIC]);
    assert!(
        why.contains("directory") && why.contains(path.to_str().unwrap()),
        "{why}"
    );
    fs::remove_dir(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(refused(&sandbox, &[PUBLIC]).contains("no regular file"));
    fs::remove_file(&path).unwrap();
    symlink("/dev/null", &path).unwrap();
    assert!(refused(&sandbox, &[PUBLIC]).contains("no regular file"));
    fs::remove_file(&path).unwrap();
    fs::remove_dir(path.parent().unwrap()).unwrap();
    sandbox.write(".docker", "a file");
    assert!(refused(&sandbox, &[PUBLIC]).contains(path.to_str().unwrap()));
}

#[test]
fn a_directory_that_cannot_be_written_is_named_and_nothing_changes() {
    if is_root() {
        eprintln!("skipped: root may write everywhere");
        return;
    }
    let sandbox = with_config("{}");
    let directory = sandbox.home().join(".docker");
    fs::set_permissions(&directory, Permissions::from_mode(0o500)).unwrap();
    // Our own file could be written, and is not: all of it or nothing.
    let why = refused(&sandbox, &["--profile", "dev", PUBLIC]);
    assert!(
        why.contains(directory.to_str().unwrap()) && why.contains("permission denied"),
        "{why}"
    );
    assert!(!sandbox.home().join(".config").exists());
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(config(&sandbox), "{}");
}

/// Root may write everywhere, but not in the kernel's own directories.
#[test]
fn where_no_file_can_be_made_nothing_is_written_elsewhere_either() {
    let mut sandbox = sandbox();
    sandbox.env("DOCKER_CONFIG", "/proc/self/fd/none");
    let why = refused(&sandbox, &["--profile", "dev", PUBLIC]);
    assert!(
        why.contains("/proc/self/fd/none/config.json cannot be written"),
        "{why}"
    );
    assert!(!sandbox.home().join(".config").exists(), "{:?}", all_files(&sandbox));
}

#[test]
fn somebody_elses_files_stay_theirs_when_root_writes() {
    if !is_root() {
        eprintln!("skipped: not root");
        return;
    }
    let sandbox = sandbox();
    let owner = |below_home: &str| {
        let metadata = fs::metadata(sandbox.home().join(below_home)).unwrap();
        (metadata.uid(), metadata.gid())
    };
    chown(sandbox.home(), Some(SOMEBODY), Some(SOMEBODY + 1)).unwrap();
    done(&sandbox, &["--profile", "dev", PUBLIC]);
    for made in [
        DOCKER,
        ".docker",
        ".config",
        ".config/docker-credential-ecr-login/config.toml",
    ] {
        assert_eq!(owner(made), (SOMEBODY, SOMEBODY + 1), "{made}");
    }
    // What is somebody else's chooses no identities, here as in a `get`.
    assert!(refused(&sandbox, &[HOST]).contains("belongs to another user"));
    fs::remove_file(sandbox.home().join(".config/docker-credential-ecr-login/config.toml")).unwrap();
    let path = sandbox.home().join(DOCKER);
    chown(&path, Some(SOMEBODY + 2), Some(SOMEBODY + 3)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    done(&sandbox, &[HOST]);
    assert_eq!(owner(DOCKER), (SOMEBODY + 2, SOMEBODY + 3));
    assert_eq!(support::mode(&path), 0o640);
}

#[test]
fn twenty_at_once_lose_nothing() {
    // With locks, and where there are none to be had.
    for cache in [None, Some("/dev/null/nowhere")] {
        let mut sandbox = sandbox();
        sandbox.write(DOCKER, "{\n  \"auths\": {}\n}\n");
        if let Some(cache) = cache {
            sandbox.env("AWS_ECR_CACHE_DIR", cache);
        }
        let host = |number| format!("1234567890{number}.dkr.ecr.us-east-1.amazonaws.com");
        let start = |number: &u32| {
            let mut command = sandbox.command("configure");
            command.args(["--profile", "dev", &host(*number)]);
            Running::start(command, "", Duration::from_secs(60))
        };
        let running: Vec<_> = (10..30).collect::<Vec<u32>>().iter().map(start).collect();
        for output in running.into_iter().map(Running::wait) {
            assert_eq!(output.code, Some(0), "{output}");
        }
        let json: serde_json::Value = serde_json::from_str(&config(&sandbox)).unwrap();
        let toml = super::read(&sandbox, ".config/docker-credential-ecr-login/config.toml");
        // Without locks, there is a moment between the last look and the renaming.
        for number in (10..30).filter(|_| cache.is_none()) {
            assert_eq!(json["credHelpers"][host(number)], "ecr-login");
            assert!(toml.contains(&host(number)), "{toml}");
        }
        let names: Vec<_> = all_files(&sandbox);
        assert!(
            names.iter().all(|path| !path.to_str().unwrap().ends_with(".tmp")),
            "{names:?}"
        );
        assert!(
            names.iter().all(|path| !path.to_str().unwrap().ends_with(".lock")),
            "{names:?}"
        );
    }
}
