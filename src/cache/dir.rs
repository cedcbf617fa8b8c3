//! The one directory that our files are in: where it is, when it is trusted, and how a file in it is read and written.

use std::cell::Cell;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::env::{self, Env};
use crate::files;
use crate::platform::{self, User};

/// The directory's name, in the platform's cache directory and in /run.
const NAME: &str = "docker-credential-ecr-login";

/// Where root's files are that no home is to have: gone with the next boot.
const RUN: &str = "/run";

/// The largest file that is read, in bytes. Real ones are a few thousand.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// The directory of our files.
#[derive(Debug, Clone)]
pub struct Dir {
    path: PathBuf,
    user: User,
    /// Whether we chose the place: then everything in it is ours to replace.
    named_by_us: bool,
    /// The home, where the place depends on it: a home that does not exist is not made.
    home: Option<PathBuf>,
    /// What was there when it was located, for the first read to go by. Whoever reads again, or writes, has waited since.
    located: Cell<Option<Look>>,
}

/// What stands in the place of the directory.
#[derive(Debug, Clone, Copy)]
struct Look {
    is_dir: bool,
    owner: User,
    is_loose: bool,
}

impl Look {
    fn at(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self {
            is_dir: metadata.is_dir(),
            owner: User::owner_of(&metadata),
            is_loose: platform::others_can_write(&metadata),
        })
    }
}

/// Why there is no file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// There is none.
    Missing,
    /// There is something, and it is not to be trusted; the text says why.
    Untrusted(String),
}

impl Dir {
    /// Where the directory is, or why there is none. Nothing is created yet.
    ///
    /// # Errors
    ///
    /// A text that says what is missing.
    pub fn locate(env: &Env) -> Result<Self, String> {
        let user = User::current();
        let named_by_us = env.raw(env::AWS_ECR_CACHE_DIR).is_none();
        let (path, at_home) = match named_by_us {
            true => (default_place(env), env.home()),
            false => (env.path(env::AWS_ECR_CACHE_DIR), None),
        };
        let path = path
            .and_then(|path| std::path::absolute(path).ok())
            .ok_or("HOME is not set and AWS_ECR_CACHE_DIR does not name a directory")?;
        let look = Look::at(&path).ok();
        // Under sudo with somebody else's HOME, files of root's there would only be in its owner's way. Unless they are there.
        let is_roots = |place: &Path| owner_of_nearest(place) == Some(User::ROOT);
        let is_there = look.is_some_and(|look| look.is_dir && look.owner == User::ROOT);
        if user == User::ROOT && !is_there && !(is_roots(&path) && at_home.as_deref().is_none_or(is_roots)) {
            return Ok(Self::in_run());
        }
        Ok(Self {
            home: at_home.filter(|home| path.starts_with(home)),
            path,
            user,
            named_by_us,
            located: Cell::new(look),
        })
    }

    /// Where it is on a Kubernetes node: root's kubelet may have no home, and its tokens are none that a disk should keep.
    ///
    /// # Errors
    ///
    /// As for [`Self::locate`].
    pub fn locate_on_node(env: &Env) -> Result<Self, String> {
        match env.raw(env::AWS_ECR_CACHE_DIR) {
            None if User::current() == User::ROOT => Ok(Self::in_run()),
            _ => Self::locate(env),
        }
    }

    fn in_run() -> Self {
        let path = Path::new(RUN).join(NAME);
        Self {
            located: Cell::new(Look::at(&path).ok()),
            path,
            user: User::ROOT,
            named_by_us: true,
            home: None,
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether what is in the directory can be trusted at all.
    pub fn check(&self) -> Result<(), Refused> {
        match Look::at(&self.path) {
            Ok(look) => self.judge_directory(look),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Refused::Missing),
            Err(error) => Err(Refused::Untrusted(files::describe(&error))),
        }
    }

    fn judge_directory(&self, look: Look) -> Result<(), Refused> {
        let untrusted = |why: &str| Err(Refused::Untrusted(format!("the directory {why}")));
        if !look.is_dir {
            untrusted("is a link or no directory")
        } else if look.owner != self.user {
            untrusted("belongs to somebody else")
        } else if look.is_loose {
            untrusted("can be written by others")
        } else {
            Ok(())
        }
    }

    /// Makes the directory if it is missing, and ours alone if it was loose.
    pub fn ensure(&self) -> io::Result<()> {
        match self.check() {
            Ok(()) => return Ok(()),
            Err(Refused::Missing) => {
                // Asked for the error, if there is one.
                self.home.as_deref().map(fs::metadata).transpose()?;
                return create_private(&self.path);
            }
            Err(Refused::Untrusted(_)) => {}
        }
        let metadata = fs::symlink_metadata(&self.path)?;
        // A sticky directory is everybody's on purpose: /tmp.
        let ours = metadata.is_dir() && User::owner_of(&metadata) == self.user && !platform::is_sticky(&metadata);
        if !ours || !(self.named_by_us || self.holds_only_ours()?) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{} is not a directory of ours alone (owner, link or mode)",
                    self.path.display()
                ),
            ));
        }
        platform::make_directory_private(&self.path)?;
        // Whoever could write to it may have moved files of ours about.
        for name in self.names().filter(|name| is_ours(name)) {
            let _ = fs::remove_file(self.join(&name));
        }
        Ok(())
    }

    /// A directory that its owner shares with other things on purpose is not ours to close.
    fn holds_only_ours(&self) -> io::Result<bool> {
        for entry in fs::read_dir(&self.path)? {
            if !entry?.file_name().to_str().is_some_and(is_ours) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The names in the directory, in no order; none where it cannot be read.
    pub fn names(&self) -> impl Iterator<Item = String> + use<> {
        fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
    }

    /// Reads a file, if it is one that we wrote. Where there is none, nobody needs to know whether the directory is to
    /// be trusted.
    pub fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let refuse = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Refused::Missing,
            _ => Refused::Untrusted(files::describe(&error)),
        };
        let path = self.join(name);
        let file = platform::open_at_once_unless_link(&path).map_err(refuse)?;
        let Some(look) = self.located.take() else {
            self.check()?;
            return self.read_own(&file);
        };
        self.judge_directory(look)?;
        // Nearly always the answer is in this very first file, and then the end of the process closes it.
        self.read_own(&ManuallyDrop::new(file))
    }

    fn read_own(&self, file: &File) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let size = self.inspect(file).map_err(Refused::Untrusted)?;
        if size > SIZE_LIMIT {
            return Err(Refused::Untrusted("the file is too large".to_owned()));
        }
        files::read_to_end(file, size, SIZE_LIMIT).map_err(|error| Refused::Untrusted(files::describe(&error)))
    }

    /// Whether an open file is one that we alone could have written. Its size, or why not.
    pub fn inspect(&self, file: &File) -> Result<u64, String> {
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        self.judge(&metadata).map(|()| metadata.len())
    }

    fn judge(&self, metadata: &Metadata) -> Result<(), String> {
        let untrusted = |why: &str| Err(format!("the file {why}"));
        if !metadata.is_file() {
            untrusted("is no regular file")
        } else if User::owner_of(metadata) != self.user {
            untrusted("belongs to somebody else")
        } else if platform::names_of(metadata) != 1 {
            untrusted("has another name as well")
        } else if !platform::is_private_file(metadata) {
            untrusted("is not readable and writable by its owner alone")
        } else {
            Ok(())
        }
    }

    /// Writes a file in one step: whoever reads it sees the old contents or the new. Not synced to disk, since a torn
    /// file after a power cut is only a miss.
    pub fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.ensure()?;
        let temporary = self.join(&temporary_name(name));
        let result = write_private(&temporary, contents).and_then(|()| self.replace(&temporary, name));
        if result.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        result
    }

    fn replace(&self, temporary: &Path, name: &str) -> io::Result<()> {
        let target = self.join(name);
        match fs::rename(temporary, &target) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                fs::remove_dir(&target)?;
                fs::rename(temporary, &target)
            }
            result => result,
        }
    }

    /// Opens a lock or log file of ours, made if it is missing, and replaced if it is something else.
    pub fn open_own(&self, name: &str, append: bool) -> io::Result<File> {
        self.ensure()?;
        let path = self.join(name);
        let mut last = io::Error::other("it is replaced again and again");
        for _ in 0..10 {
            let mut options = OpenOptions::new();
            options.read(true).write(!append).append(append).create(true);
            match platform::open_private(&path, &mut options) {
                Ok(file) if platform::names_of(&file.metadata()?) == 0 => {} // Removed by its holder since: the next one is another.
                Ok(file) => match self.inspect(&file) {
                    Ok(_) => return Ok(file),
                    // What stands there now may be another process's good one already.
                    Err(why) => last = self.clear(&path, io::Error::other(why)).unwrap_or_else(|reason| reason),
                },
                Err(error) => last = self.clear(&path, error)?,
            }
        }
        Err(last)
    }

    /// Removes what stands in the place of a file of ours and is none; what is one stays, whatever the reason why it
    /// could not be opened. That reason is given back.
    fn clear(&self, path: &Path, reason: io::Error) -> io::Result<io::Error> {
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return match reason.kind() {
                io::ErrorKind::NotFound => Ok(reason),
                _ => Err(reason),
            };
        };
        if metadata.is_dir() {
            fs::remove_dir(path).map_err(|_| reason.kind())?;
        } else if self.judge(&metadata).is_err() {
            fs::remove_file(path)?;
        } else {
            return Err(reason);
        }
        Ok(reason)
    }

    /// Removes a file; whether there was one. An empty directory in its place goes too; one that holds something is
    /// not ours.
    pub fn remove(&self, name: &str) -> io::Result<bool> {
        let path = self.join(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(false),
                _ if path.is_dir() => Ok(fs::remove_dir(&path).is_ok()),
                // Where one may not even look, one has not written.
                _ if fs::symlink_metadata(&path).is_err() => Ok(false),
                _ => Err(error),
            },
        }
    }
}

impl Dir {
    /// Removes every file of ours with this ending; how many there were.
    pub fn remove_ending(&self, ending: &str) -> io::Result<usize> {
        let mut removed = 0;
        for name in self.names().filter(|name| key_of(name, ending).is_some()) {
            removed += usize::from(self.remove(&name)?);
        }
        Ok(removed)
    }
}

/// The platform's cache directory, which `dirs` finds from XDG_CACHE_HOME or the home. It would fall back to the user
/// database's home, which is not the one that the AWS files come from.
fn default_place(env: &Env) -> Option<PathBuf> {
    env.home().filter(|home| home.is_absolute())?;
    Some(dirs::cache_dir()?.join(NAME))
}

fn owner_of_nearest(path: &Path) -> Option<User> {
    path.ancestors()
        .find_map(|path| fs::metadata(path).ok())
        .map(|metadata| User::owner_of(&metadata))
}

/// Makes a directory and what is missing above it, each for its owner alone whatever the umask.
fn create_private(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
        && !parent.exists()
    {
        create_private(parent)?;
    }
    match platform::create_private_directory(path) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    platform::open_private(path, OpenOptions::new().write(true).create_new(true))?.write_all(contents)
}

/// Endings of the files we write: entries, locks, logins.
const ENDINGS: [&str; 3] = [".json", ".lock", ".login"];

/// The names of the log and its predecessor.
pub(crate) const LOG: &str = "helper.log";
pub(crate) const OLD_LOG: &str = "helper.log.1";

/// The key in a name such as `<64 hex digits>.json`, where that is its form to the letter.
pub(crate) fn key_of<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let key = name.strip_suffix(ending)?;
    (key.len() == 64
        && key
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')))
    .then_some(key)
}

/// A temporary file beside the one it becomes. The process's number alone is not enough to tell two apart: containers that share
/// a volume have the same ones.
fn temporary_name(name: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(".{name}.{}{}.tmp", std::process::id(), since.as_nanos())
}

/// Whether a name is that of a temporary file of ours.
pub(crate) fn is_temporary(name: &str) -> bool {
    let inner = || {
        let (name, number) = name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
        let named = ENDINGS.iter().any(|ending| key_of(name, ending).is_some());
        (named && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
    };
    inner().is_some()
}

fn is_ours(name: &str) -> bool {
    name == LOG || name == OLD_LOG || is_temporary(name) || ENDINGS.iter().any(|ending| key_of(name, ending).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_ours() {
        let key = "0123456789abcdef".repeat(4);
        for name in [
            format!("{key}.json"),
            format!("{key}.lock"),
            format!("{key}.login"),
            format!(".{key}.json.42.tmp"),
            LOG.to_owned(),
        ] {
            assert!(is_ours(&name), "{name}");
        }
        for name in [
            "cache.json".to_owned(),
            key.clone(),
            format!("{key}.txt"),
            format!("{}.json", key.to_uppercase()),
            format!("x{key}.json"),
            format!(".{key}.json..tmp"),
            format!(".{key}.json.4x.tmp"),
        ] {
            assert!(!is_ours(&name), "{name}");
        }
    }
}
