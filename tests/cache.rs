//! The cache on disk: what is trusted, what is replaced, what is cleared away, and who can read it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use support::{FakeAws, Reply, Sandbox, files_ending, mode, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const ECR: &str = "ecr:GetAuthorizationToken";

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whatever was done to the cache: a miss, and from then on a hit again.
fn assert_repaired(fake: &FakeAws, sandbox: &Sandbox, what: &str) {
    fake.clear();
    let first = sandbox.get(HOST);
    assert_eq!(fake.count(ECR), 1, "{what}: not trusted\n{first}");
    let second = sandbox.get(HOST);
    assert_eq!(fake.count(ECR), 1, "{what}: replaced\n{second}");
    assert_eq!(first.password(), second.password(), "{what}");
}

#[test]
fn the_second_get_makes_no_request_and_gives_the_same_answer() {
    let (fake, sandbox) = world_with_keys();
    let first = sandbox.get(HOST);
    let second = sandbox.get(HOST);
    assert_eq!(first.password(), second.password());
    assert_eq!(fake.total(), 1);
    assert_eq!((first.stderr.as_str(), second.stderr.as_str()), ("", ""));
}

#[test]
fn one_token_serves_every_account_of_a_region() {
    let (fake, sandbox) = world_with_keys();
    let first = sandbox.get(HOST).password();
    let other = sandbox.get("210987654321.dkr.ecr.us-east-1.amazonaws.com");
    assert_eq!(first, other.password());
    assert_eq!(fake.total(), 1);
    sandbox.get("123456789012.dkr.ecr.eu-west-1.amazonaws.com").password();
    assert_eq!(fake.total(), 2, "another region, another token");
}

#[test]
fn files_are_0600_and_directories_0700_from_birth_whatever_the_umask() {
    for umask in ["000", "077", "277", "777"] {
        let (fake, mut sandbox) = world_with_keys();
        sandbox.env("AWS_ECR_LOG", "debug");
        // The parents have to be made too.
        let program = sandbox.command("get");
        let mut shell = Command::new("sh");
        shell
            .env_clear()
            .envs(program.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .args(["-c", &format!("umask {umask}; exec \"$0\" get")])
            .arg(program.get_program());
        for _ in 0..2 {
            let mut again = Command::new("sh");
            again
                .env_clear()
                .envs(shell.get_envs().filter_map(|(k, v)| Some((k, v?))))
                .args(shell.get_args());
            support::Running::start(again, HOST, std::time::Duration::from_secs(30))
                .wait()
                .password();
        }
        assert_eq!(fake.total(), 1, "umask {umask}");
        let cache = sandbox.cache_dir();
        for directory in [cache.as_path(), cache.parent().unwrap()] {
            assert_eq!(mode(directory), 0o700, "umask {umask}");
        }
        for file in files_ending(&cache, "") {
            assert_eq!(mode(&file), 0o600, "umask {umask} {}", file.display());
        }
    }
}

#[test]
fn a_damaged_entry_is_a_miss_and_replaced() {
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    let entry = sandbox.entry();
    let good = fs::read(&entry).unwrap();
    let damaged: [&[u8]; 8] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        &good[..good.len() / 2],
        &[b'x'; 2_000_000],
        br#"{"version":1,"key":7}"#,
    ];
    for bytes in damaged {
        fs::write(&entry, bytes).unwrap();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(30)]).into_owned();
        assert_repaired(&fake, &sandbox, &shown);
    }
}

#[test]
fn an_entry_under_another_key_is_not_trusted() {
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    let east = sandbox.entry();
    sandbox.get("123456789012.dkr.ecr.eu-west-1.amazonaws.com").password();
    let west = sandbox.entries().into_iter().find(|path| *path != east);
    fs::copy(west.unwrap(), &east).unwrap();
    assert_repaired(&fake, &sandbox, "renamed");
}

#[test]
fn a_file_that_others_could_have_written_is_a_miss_and_replaced() {
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    let entry = sandbox.entry();
    let elsewhere = sandbox.home().join("elsewhere");
    type Change = Box<dyn Fn(&Path)>;
    let link = elsewhere.clone();
    let changes: [(&str, Change); 6] = [
        (
            "group-writable",
            Box::new(|entry| fs::set_permissions(entry, Permissions::from_mode(0o660)).unwrap()),
        ),
        (
            "world-readable",
            Box::new(|entry| fs::set_permissions(entry, Permissions::from_mode(0o644)).unwrap()),
        ),
        (
            "hard-linked",
            Box::new(move |entry| fs::hard_link(entry, &elsewhere).unwrap()),
        ),
        (
            "a symbolic link to a good entry",
            Box::new(move |entry| {
                let _ = fs::remove_file(&link);
                fs::rename(entry, &link).unwrap();
                symlink(&link, entry).unwrap();
            }),
        ),
        (
            "a pipe",
            Box::new(|entry| {
                fs::remove_file(entry).unwrap();
                let made = Command::new("mkfifo").arg(entry).status().unwrap();
                assert!(made.success());
            }),
        ),
        (
            "a directory",
            Box::new(|entry| {
                fs::remove_file(entry).unwrap();
                fs::create_dir(entry).unwrap();
            }),
        ),
    ];
    for (what, change) in changes {
        change(&entry);
        assert_repaired(&fake, &sandbox, what);
        assert_eq!(mode(&entry), 0o600, "{what}");
    }
    if is_root() {
        std::os::unix::fs::chown(&entry, Some(12345), None).unwrap();
        assert_repaired(&fake, &sandbox, "somebody else's");
    }
}

#[test]
fn a_loose_directory_is_not_trusted_and_closed() {
    let (fake, sandbox) = world_with_keys();
    for loose in [0o777, 0o770, 0o702] {
        sandbox.get(HOST).password();
        fs::set_permissions(sandbox.cache_dir(), Permissions::from_mode(loose)).unwrap();
        assert_repaired(&fake, &sandbox, &format!("{loose:o}"));
        assert_eq!(mode(&sandbox.cache_dir()), 0o700);
    }
}

#[test]
fn a_directory_that_is_shared_on_purpose_is_left_alone_and_not_used() {
    let (fake, mut sandbox) = world_with_keys();
    let shared = sandbox.home().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("notes.txt"), "somebody's").unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
    sandbox.env("AWS_ECR_CACHE_DIR", shared.clone());
    sandbox.get(HOST).password();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 2, "no cache");
    assert_eq!(mode(&shared), 0o777);
    assert_eq!(files_ending(&shared, "").len(), 1, "nothing added or removed");
}

#[test]
fn a_sticky_directory_is_everybodys_and_left_alone_also_when_it_is_empty() {
    let (fake, mut sandbox) = world_with_keys();
    let tmp = sandbox.home().join("tmp");
    fs::create_dir(&tmp).unwrap();
    fs::set_permissions(&tmp, Permissions::from_mode(0o1777)).unwrap();
    sandbox.env("AWS_ECR_CACHE_DIR", tmp.clone());
    sandbox.get(HOST).password();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 2, "no cache");
    assert_eq!(mode(&tmp), 0o1777);
    assert_eq!(files_ending(&tmp, "").len(), 0);
}

#[test]
fn a_linked_directory_is_not_used() {
    let (fake, sandbox) = world_with_keys();
    let real = sandbox.home().join("real");
    fs::create_dir(&real).unwrap();
    fs::create_dir(sandbox.home().join(".cache")).unwrap();
    symlink(&real, sandbox.cache_dir()).unwrap();
    sandbox.get(HOST).password();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 2);
    assert_eq!(files_ending(&real, "").len(), 0);
}

#[test]
fn a_lock_file_that_is_something_else_is_replaced() {
    let (fake, sandbox) = world_with_keys();
    // A failure is left in it for those who wait, and so the file stays.
    fake.next(ECR, Reply::aws_error(400, "AccessDeniedException", "no"));
    sandbox.get(HOST).assert_not_found();
    let lock = files_ending(&sandbox.cache_dir(), ".lock").remove(0);
    sandbox.get(HOST).password();
    assert!(!lock.exists());
    let entry = sandbox.entry();
    for what in ["pipe", "link", "directory", "loose", "hard link"] {
        fs::remove_file(&entry).unwrap();
        match what {
            "pipe" => assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success()),
            "link" => symlink("/etc/passwd", &lock).unwrap(),
            "directory" => fs::create_dir(&lock).unwrap(),
            "hard link" => {
                fs::write(&lock, "").unwrap();
                fs::hard_link(&lock, sandbox.home().join("other name")).unwrap();
            }
            _ => {
                fs::write(&lock, "x").unwrap();
                fs::set_permissions(&lock, Permissions::from_mode(0o666)).unwrap();
            }
        }
        assert_repaired(&fake, &sandbox, what);
        assert!(!lock.exists(), "{what}: removed by its holder");
    }
}

#[test]
fn expired_entries_go_when_one_is_written_and_nothing_else_does() {
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    sandbox.age_entry(13 * 3600);
    let expired = sandbox.entry();
    for other in ["cache.json", "notes.txt", "0123.json"] {
        fs::write(sandbox.cache_dir().join(other), "not ours").unwrap();
    }
    sandbox.get("123456789012.dkr.ecr.eu-west-1.amazonaws.com").password();
    assert!(!expired.exists());
    for other in ["cache.json", "notes.txt", "0123.json"] {
        assert!(sandbox.cache_dir().join(other).exists(), "{other}");
    }
    assert_eq!(fake.total(), 2);
}

#[test]
fn at_most_256_entries_stay() {
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    let entry = sandbox.entry();
    let text = fs::read_to_string(&entry).unwrap();
    let key = entry.file_stem().unwrap().to_str().unwrap();
    for number in 0..300 {
        let other = format!("{number:064x}");
        let path = sandbox.cache_dir().join(format!("{other}.json"));
        fs::write(&path, text.replace(key, &other)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    sandbox.get("123456789012.dkr.ecr.eu-west-1.amazonaws.com").password();
    assert_eq!(files_ending(&sandbox.cache_dir(), ".json").len(), 256);
    sandbox.get("123456789012.dkr.ecr.eu-west-1.amazonaws.com").password();
    assert_eq!(fake.total(), 2, "the newest is among them");
}

#[test]
fn an_expired_or_future_entry_is_never_served() {
    let (fake, sandbox) = world_with_keys();
    for seconds in [12 * 3600, 12 * 3600 - 59, -3600] {
        let first = sandbox.get(HOST).password();
        sandbox.age_entry(seconds);
        fake.clear();
        assert_ne!(sandbox.get(HOST).password(), first, "{seconds}");
        assert_eq!(fake.count(ECR), 1);
        fake.on(ECR, Reply::close());
        sandbox.age_entry(seconds);
        sandbox.get(HOST).assert_not_found();
        fake.on(ECR, Reply::normal());
        fs::remove_dir_all(sandbox.cache_dir()).unwrap();
    }
}

#[test]
fn a_token_that_arrives_expired_is_printed_and_not_cached() {
    for life in [-3600, 0, 30] {
        let (fake, mut sandbox) = world_with_keys();
        sandbox.env("AWS_ECR_LOG", "debug");
        fake.on(ECR, Reply::token_expires_in(life));
        sandbox.get(HOST).password();
        sandbox.get(HOST).password();
        assert_eq!(fake.total(), 2, "{life}");
        assert_eq!(sandbox.entries().len(), 0);
        let log = fs::read_to_string(sandbox.cache_dir().join("helper.log")).unwrap();
        assert!(log.contains("already expired"), "{log}");
    }
}

#[test]
fn the_cache_directory_can_be_named_also_with_a_tilde() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.env("AWS_ECR_CACHE_DIR", "~/a/b");
    sandbox.get(HOST).password();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 1);
    let named = sandbox.home().join("a/b");
    assert_eq!(files_ending(&named, ".json").len(), 1);
    assert_eq!(mode(&named), 0o700);
    assert!(!sandbox.cache_dir().exists());
}

#[test]
fn the_cache_can_be_turned_off() {
    for (value, cached) in [
        ("1", false),
        ("true", false),
        ("no", false),
        ("", true),
        ("0", true),
        ("false", true),
    ] {
        let (fake, mut sandbox) = world_with_keys();
        sandbox.env("AWS_ECR_DISABLE_CACHE", value);
        sandbox.get(HOST).password();
        sandbox.get(HOST).password();
        assert_eq!(fake.total(), if cached { 1 } else { 2 }, "{value:?}");
        assert_eq!(sandbox.home().join(".cache").exists(), cached, "{value:?}");
    }
}

#[test]
fn without_a_home_or_a_writable_disk_it_works_without_a_cache() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.unset("HOME");
    sandbox.get(HOST).password();
    sandbox.env("HOME", "");
    sandbox.get(HOST).password();
    sandbox.env("HOME", "/dev/null");
    sandbox.get(HOST).password();
    // Nobody, root included, can make a directory in /proc.
    sandbox.env("AWS_ECR_CACHE_DIR", "/proc/1/cache");
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 4);
}

#[test]
fn a_full_disk_is_no_reason_to_fail() {
    if !is_root() {
        eprintln!("skipped: a small file system can only be mounted by root");
        return;
    }
    let (fake, mut sandbox) = world_with_keys();
    let disk = sandbox.home().join("disk");
    fs::create_dir(&disk).unwrap();
    let disk_name = disk.to_str().unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4k,nr_inodes=40", "tmpfs", disk_name])
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        eprintln!("skipped: mount does not work here");
        return;
    }
    fs::write(disk.join("filler"), [0; 4096]).unwrap();
    sandbox.env("AWS_ECR_CACHE_DIR", disk.join("cache"));
    let outputs = [sandbox.get(HOST), sandbox.get(HOST)];
    let left: Vec<_> = files_ending(&disk.join("cache"), "");
    let unmounted = Command::new("umount").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    for output in outputs {
        output.password();
    }
    assert_eq!(fake.total(), 2);
    assert!(
        left.iter().all(|path| !path.to_str().unwrap().ends_with(".tmp")),
        "{left:?}"
    );
}

#[test]
fn with_somebody_elses_home_root_creates_nothing_there() {
    if !is_root() {
        eprintln!("skipped: this is about root");
        return;
    }
    let (fake, sandbox) = world_with_keys();
    std::os::unix::fs::chown(sandbox.home(), Some(12345), Some(12345)).unwrap();
    sandbox.get(HOST).password();
    sandbox.get(HOST).password();
    assert_eq!(fs::read_dir(sandbox.home()).unwrap().count(), 0);
    assert_eq!(fake.total(), 1, "cached in /run");
    assert_eq!(mode(Path::new("/run/docker-credential-ecr-login")), 0o700);
    assert!(sandbox.run("erase", HOST).code == Some(0));
}

#[test]
fn with_somebody_elses_home_root_uses_a_directory_of_its_own_there() {
    if !is_root() {
        eprintln!("skipped: this is about root");
        return;
    }
    // A region that no other test forgets in /run.
    const HOST: &str = "123456789012.dkr.ecr.eu-south-2.amazonaws.com";
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    std::os::unix::fs::chown(sandbox.home(), Some(12345), Some(12345)).unwrap();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 1);
    std::os::unix::fs::chown(sandbox.cache_dir(), Some(12345), Some(12345)).unwrap();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 2, "what is no longer root's is not used");
    assert!(sandbox.run("erase", HOST).code == Some(0));
}

#[test]
fn a_home_that_does_not_exist_is_not_made() {
    let (fake, mut sandbox) = world_with_keys();
    let nowhere = sandbox.home().join("nonexistent");
    sandbox.env("HOME", nowhere.clone());
    sandbox.get(HOST).password();
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 2);
    assert!(!nowhere.exists());
}

#[test]
fn erase_also_removes_what_is_not_trusted() {
    let (fake, sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    fs::set_permissions(sandbox.entry(), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(sandbox.run("erase", HOST).code, Some(0));
    assert_eq!(sandbox.entries().len(), 0);
    assert_eq!(fake.total(), 1);
}
