//! Linux and macOS.

mod line;
// The pseudo-terminal of the integration tests, for processes of the unit tests.
#[cfg(test)]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#[path = "../../../tests/support/pty.rs"]
mod pty;
mod terminal;
mod turn;

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, IsTerminal};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use rustix::buffer::spare_capacity;
use rustix::fs::{Access, Mode, OFlags};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal};

/// Something to read from: an open file, a pipe, a terminal.
pub use std::os::fd::AsFd as Source;
pub use terminal::{NoAnswer, Terminal};
pub use turn::Waited;

/// Others may neither read nor write what is private.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;
const PERMISSIONS: u32 = 0o777;
const STICKY: u32 = 0o1000;
/// Write permission for anybody but the owner.
const LOOSE: u32 = 0o022;

/// Somebody whom files belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User(u32);

impl User {
    /// The administrator, who may do everything.
    pub const ROOT: Self = Self(0);

    /// Whom this process acts for.
    pub fn current() -> Self {
        Self(rustix::process::geteuid().as_raw())
    }

    /// Whom a file or directory belongs to.
    pub fn owner_of(metadata: &Metadata) -> Self {
        Self(metadata.uid())
    }
}

/// Whether others than the owner can write to a file or directory.
pub fn others_can_write(metadata: &Metadata) -> bool {
    metadata.mode() & LOOSE != 0
}

/// Whether a directory is everybody's on purpose, as /tmp is.
pub fn is_sticky(metadata: &Metadata) -> bool {
    metadata.mode() & STICKY != 0
}

/// Whether a file is readable and writable by its owner, and by nobody else.
pub fn is_private_file(metadata: &Metadata) -> bool {
    metadata.mode() & PERMISSIONS == PRIVATE_FILE
}

/// How many names a file has: none once it was removed, and more than one with hard links.
pub fn names_of(metadata: &Metadata) -> u64 {
    metadata.nlink()
}

/// Whether both are of one file.
pub fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    one.ino() == other.ino() && one.dev() == other.dev()
}

/// Gives a file or directory of ours the owner and the group that another has.
pub fn give_to_owner_of(file: &File, other: &Metadata) -> io::Result<()> {
    let metadata = file.metadata()?;
    if (metadata.uid(), metadata.gid()) == (other.uid(), other.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(other.uid()), Some(other.gid()))
}

/// Makes one directory that nobody but its owner can enter, whatever the umask.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(PRIVATE_DIRECTORY).create(path)?;
    make_directory_private(path)
}

/// Closes a directory to everybody but its owner.
pub fn make_directory_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(PRIVATE_DIRECTORY))
}

/// Opens a file of ours to write to: private if it is made, no link followed, no pipe waited for.
pub fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .mode(PRIVATE_FILE)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)?;
    give_owner_access(&file)?;
    Ok(file)
}

/// A umask can only take permissions away, the owner's among them; this gives those back to a file that is new.
fn give_owner_access(file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if metadata.len() == 0 && metadata.is_file() && metadata.mode() & 0o700 != PRIVATE_FILE {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    }
    Ok(())
}

/// Opens a file for reading, without waiting for anybody who would write to it.
pub fn open_at_once(path: &Path) -> io::Result<File> {
    open(path, OFlags::NONBLOCK)
}

/// As [`open_at_once`]; but not where the last part of the path is a link.
pub fn open_at_once_unless_link(path: &Path) -> io::Result<File> {
    open(path, OFlags::NONBLOCK | OFlags::NOFOLLOW)
}

/// One system call. Not for the programs that this one starts.
fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | flags;
    let file = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
    Ok(File::from(file))
}

/// Reads once, into what room `bytes` have left. How many bytes came; 0 at the end.
pub fn read_once(from: impl Source, bytes: &mut Vec<u8>) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::io::read(from.as_fd(), spare_capacity(bytes)))?)
}

/// The process's stdin, without a buffer of std's.
pub fn stdin() -> impl Source {
    rustix::stdio::stdin()
}

/// Writes once to stdout, without a buffer of std's. How many bytes went.
pub fn write_stdout_once(bytes: &[u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::io::write(rustix::stdio::stdout(), bytes))?)
}

/// A copy of stderr that programs inherit, where a person sits at a terminal; with its number, which has one digit, for
/// a shell knows no others.
pub fn inheritable_terminal() -> Option<(OwnedFd, i32)> {
    let stderr = io::stderr();
    let copy = stderr.is_terminal().then(|| rustix::io::dup(&stderr).ok())??;
    let number = copy.as_raw_fd();
    (number < 10).then_some((copy, number))
}

/// What the kernel calls the time since it was started; none where it has no name for that, as outside Linux.
pub fn boot_id() -> Option<OsString> {
    // A UUID and the end of the line, which come at once.
    let mut id = Vec::with_capacity(64);
    read_once(
        open_at_once(Path::new("/proc/sys/kernel/random/boot_id")).ok()?,
        &mut id,
    )
    .ok()?;
    Some(OsString::from_vec(id))
}

/// What the kernel calls the network that this process is in, among those of this machine; none outside Linux.
pub fn network_namespace() -> Option<OsString> {
    Some(fs::read_link("/proc/self/ns/net").ok()?.into_os_string())
}

/// Files of which the first that is there holds all the roots that the system trusts: of Debian, Ubuntu and Alpine; of
/// Fedora and RHEL; of openSUSE; of others. The list is that of Go's crypto/x509. One file is read ten times faster than
/// the directory of single ones beside it. None on macOS, which keeps them elsewhere.
pub fn root_certificate_files() -> &'static [&'static str] {
    match cfg!(target_os = "linux") {
        true => &[
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem",
            "/etc/pki/tls/cacert.pem",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "/etc/ssl/cert.pem",
        ],
        false => &[],
    }
}

/// The command line of the program that started this one; empty where that cannot be seen, as outside Linux.
pub fn parent_arguments() -> Vec<String> {
    let read = |parent: Pid| fs::read(format!("/proc/{}/cmdline", parent.as_raw_pid())).ok();
    let line = rustix::process::getppid().and_then(read).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .filter(|argument| !argument.is_empty())
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

/// Whether there is a file that this process may run.
pub fn is_program(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// How a program ended, as a shell tells it: its exit code, or 128 and the number of the signal that ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal()?.checked_add(128));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// Ends the programs that this one started, and what those started. Where the kernel does not list children, they are
/// left to themselves.
pub fn end_children() {
    let mut found = children(std::process::id());
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children(pid));
        next += 1;
    }
    for pid in found {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
    }
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    tasks
        .into_iter()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pid| pid.parse().ok())
        .collect()
}
