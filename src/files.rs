//! Reading the files that decide who asks: the AWS config and credentials files, and tokens.
//!
//! Only regular files are opened here. A pipe or a device could block for ever, and its contents cannot be read
//! twice: such a source is left to the AWS part, which has a deadline, and nothing that depends on it is cached.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::env::{self, Env};
use crate::platform::{self, Source};

/// The largest file that is read, in bytes. Real ones are a few thousand.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// What was found where a file should be. Each case is a different identity.
#[derive(Clone, PartialEq, Eq)]
pub enum Found {
    /// Nobody says where it would be.
    Unset,
    /// There is no such file.
    Missing,
    /// It is there and cannot be read; the text says why.
    Unreadable(String),
    /// Nobody may look whether there is one: a directory above it is closed.
    Hidden(String),
    /// A pipe, a device or a socket.
    NotRegular,
    /// What is in it.
    Contents(Zeroizing<Vec<u8>>),
}

impl Found {
    /// The bytes, where there are any.
    pub fn contents(&self) -> Option<&[u8]> {
        match self {
            Self::Contents(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Reads a regular file, without ever waiting for anything but the disk.
pub fn read(path: &Path) -> Found {
    match try_read(path) {
        Ok(found) => found,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Found::Missing,
            _ if std::fs::symlink_metadata(path).is_err() => Found::Hidden(describe(&error)),
            _ => Found::Unreadable(describe(&error)),
        },
    }
}

fn try_read(path: &Path) -> io::Result<Found> {
    if path == Path::new("/dev/null") {
        return Ok(Found::Contents(Zeroizing::default()));
    }
    // Looked at before it is opened: opening a pipe would be seen by whoever writes to it.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Ok(Found::NotRegular);
    }
    read_to_end(platform::open_at_once(path)?, metadata.len(), SIZE_LIMIT).map(Found::Contents)
}

/// Reads a source that is no regular file to its end, for as long as that takes.
pub fn read_blocking(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    read_to_end(File::open(path)?, 0, SIZE_LIMIT)
}

/// Reads to the end: in one system call where as many bytes come as were `expected`, which is 0 where that is not known.
///
/// # Errors
///
/// Those of reading, and [`io::ErrorKind::FileTooLarge`] where there are more than `limit` bytes.
pub(crate) fn read_to_end(from: impl Source, expected: u64, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let expected = usize::try_from(expected.min(limit)).unwrap_or_default();
    // One byte more than expected: where it stays free, there was nothing to fill it with.
    let room = if expected == 0 { 4096 } else { expected + 1 };
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    loop {
        let read = platform::read_once(&from, &mut bytes)?;
        if bytes.len() >= most {
            let why = format!("larger than {} MiB", limit >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        if read == 0 || (expected != 0 && bytes.len() == expected) {
            return Ok(bytes);
        }
        if bytes.len() == bytes.capacity() {
            grow(&mut bytes, most);
        }
    }
}

/// Makes more room, for `most` bytes at the most, and wipes what was there before: a vector that grows by itself leaves its old memory
/// as it is. In large steps, since wiping takes time.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, most: usize) {
    let room = bytes.capacity().saturating_mul(4).min(most);
    let mut larger = Zeroizing::new(Vec::with_capacity(room));
    larger.extend_from_slice(bytes);
    *bytes = larger;
}

/// An I/O error without the number behind it: "Permission denied (os error 13)" becomes "permission denied".
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => text.to_owned(),
    }
}

/// The AWS config and credentials files, read once: what the identity was computed from is what the SDK is given.
#[derive(Clone)]
pub struct AwsFiles {
    /// `~/.aws/config`, or what AWS_CONFIG_FILE names.
    pub config: AwsFile,
    /// `~/.aws/credentials`, or what AWS_SHARED_CREDENTIALS_FILE names.
    pub credentials: AwsFile,
}

/// One of the two files.
#[derive(Clone)]
pub struct AwsFile {
    /// Where it is looked for; none without a home.
    pub path: Option<PathBuf>,
    /// What was found there.
    pub found: Found,
    /// Whether a variable names it.
    pub named: bool,
}

impl AwsFiles {
    /// Reads both, from where the environment says.
    pub fn read(env: &Env) -> Self {
        let directory = env.home().map(|home| home.join(".aws"));
        // One look instead of two, where there are neither: with keys in the environment.
        let is_there = directory.as_deref().is_some_and(|path| !is_missing(path));
        let default = |name: &str| {
            let path = directory.as_ref().map(|directory| directory.join(name));
            AwsFile {
                found: match &path {
                    None => Found::Unset,
                    Some(_) if !is_there => Found::Missing,
                    Some(path) => read(path),
                },
                path,
                named: false,
            }
        };
        let file = |variable: &str, name: &str| AwsFile::named(env, variable).unwrap_or_else(|| default(name));
        Self {
            config: file(env::AWS_CONFIG_FILE, "config"),
            credentials: file(env::AWS_SHARED_CREDENTIALS_FILE, "credentials"),
        }
    }

    /// Both, the config file first.
    pub fn each(&self) -> [&AwsFile; 2] {
        [&self.config, &self.credentials]
    }

    /// Whether one of them has this text in it, in any case.
    pub fn mention(&self, text: &str) -> bool {
        let is_in = |contents: &[u8]| {
            contents
                .windows(text.len())
                .any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
        };
        self.each()
            .into_iter()
            .filter_map(|file| file.found.contents())
            .any(is_in)
    }
}

impl AwsFile {
    /// The file that a variable names, if it names one.
    fn named(env: &Env, variable: &str) -> Option<Self> {
        env.raw(variable)?;
        let path = env.path(variable);
        Some(Self {
            found: path.as_deref().map_or(Found::Unset, read),
            path,
            named: true,
        })
    }
}

/// Whether both are one file, by whatever names and links.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => platform::is_same_file(&one, &other),
        _ => false,
    }
}

fn is_missing(path: &Path) -> bool {
    std::fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, b"text").unwrap();
        assert_eq!(read(&file).contents(), Some(&b"text"[..]));
        assert!(read(&dir.path().join("none")) == Found::Missing);
        assert!(read(&file.join("below")) == Found::Missing);
        assert!(matches!(read(dir.path()), Found::Unreadable(_)));
        assert_eq!(read(Path::new("/dev/null")).contents(), Some(&b""[..]));
        assert!(read(Path::new("/dev/zero")) == Found::NotRegular);
    }

    #[test]
    fn everything_is_read_whatever_was_expected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let contents: Vec<u8> = (0..20_000).map(|number: u32| number.to_le_bytes()[0]).collect();
        std::fs::write(&path, &contents).unwrap();
        for expected in [0, 1, 100, 19_999, 20_000, 20_001, 50_000, u64::MAX] {
            let read = read_to_end(File::open(&path).unwrap(), expected, 20_000).unwrap();
            assert!(*read == contents, "{expected}");
            let error = read_to_end(File::open(&path).unwrap(), expected, 19_999).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{expected}");
        }
    }

    #[test]
    fn without_a_home_there_are_no_files() {
        let files = AwsFiles::read(&Env::from_vars([("AWS_CONFIG_FILE", "~/x")]));
        assert!(files.config.found == Found::Unset);
        assert!(files.credentials.found == Found::Unset);
    }
}
