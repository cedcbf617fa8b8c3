//! A file of the user's that is read, and replaced in one step: whoever reads it sees the old text or the new.
//!
//! Links are followed, mode and owner stay, and what somebody else wrote in the meantime is not written over.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::files::{self, describe};
use crate::platform::{self, User};

/// The largest file that is read, in bytes. Real ones are a few thousand.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

/// As many links in a chain as Linux follows.
const MOST_LINKS: usize = 40;

/// A file as it was when it was read; or that there was none.
#[derive(Debug)]
pub struct UserFile {
    path: PathBuf,
    /// Where the links lead.
    target: PathBuf,
    found: Option<Found>,
}

#[derive(Debug)]
struct Found {
    bytes: Zeroizing<Vec<u8>>,
    metadata: Metadata,
}

/// How a replacement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The file has the new text.
    Replaced,
    /// Somebody else changed it since it was read, and it is as they left it.
    Outdated,
}

impl UserFile {
    /// Reads a file, or finds that there is none.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what stands in its place, or why it cannot be read.
    pub fn read(path: &Path) -> Result<Self, String> {
        let target = follow(path)?;
        let found =
            find(&target).map_err(|error| format!("{} cannot be read: {}", path.display(), describe(&error)))?;
        Ok(Self {
            path: path.to_owned(),
            target,
            found,
        })
    }

    /// The file's name, before links are followed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether two names lead to one file.
    pub fn is_same(&self, other: &Self) -> bool {
        self.target == other.target
    }

    /// What is in it: nothing, where there is none.
    ///
    /// # Errors
    ///
    /// A line that names the file, where it is no text.
    pub fn text(&self) -> Result<&str, String> {
        let bytes = self.found.as_ref().map_or(&[][..], |found| &found.bytes);
        std::str::from_utf8(bytes).map_err(|error| {
            let place = error.valid_up_to();
            format!("{} is not valid UTF-8 behind byte {place}", self.path.display())
        })
    }

    /// Writes a new text beside the file. Nothing is changed by that but a missing directory, and nothing stays if it
    /// is not committed.
    ///
    /// # Errors
    ///
    /// A line that names the file and says why it cannot be written.
    pub fn stage(&self, text: &str) -> Result<Staged<'_>, String> {
        let mut staged = Staged {
            file: self,
            temporary: PathBuf::new(),
            made: Vec::new(),
            is_done: false,
        };
        staged.write(text).map_err(|error| self.unwritable(&error))?;
        Ok(staged)
    }

    fn unwritable(&self, error: &io::Error) -> String {
        let directory = self.target.parent().unwrap_or(Path::new("/"));
        let (path, directory) = (self.path.display(), directory.display());
        format!("{path} cannot be written (in {directory}): {}", describe(error))
    }

    fn is_as_it_was(&self) -> bool {
        let bytes = |found: &Option<Found>| found.as_ref().map(|found| found.bytes.clone());
        find(&self.target).is_ok_and(|now| bytes(&now) == bytes(&self.found))
    }
}

/// A new text that is on disk already, and has only to be given the file's name.
#[derive(Debug)]
pub struct Staged<'a> {
    file: &'a UserFile,
    temporary: PathBuf,
    /// Directories that were missing, the outermost first.
    made: Vec<PathBuf>,
    is_done: bool,
}

impl Staged<'_> {
    fn write(&mut self, text: &str) -> io::Result<()> {
        let target = &self.file.target;
        let (Some(directory), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        make_directories(directory, &mut self.made)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!(
            ".{}.{}{}.tmp",
            name.to_string_lossy(),
            std::process::id(),
            since.as_nanos()
        );
        let temporary = directory.join(name);
        let mut file = platform::open_private(&temporary, OpenOptions::new().write(true).create_new(true))?;
        // From here on it is ours to remove.
        self.temporary = temporary;
        match &self.file.found {
            Some(Found { metadata, .. }) => {
                platform::give_to_owner_of(&file, metadata)?;
                file.set_permissions(metadata.permissions())?;
            }
            None => give_by_root(&file, directory)?,
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Puts the new text in the file's place, if the file is as it was read. Between that look and the renaming there is no
    /// other moment than that of two system calls.
    ///
    /// # Errors
    ///
    /// A line that names the file and says why it cannot be replaced.
    pub fn commit(mut self) -> Result<Outcome, String> {
        if !self.file.is_as_it_was() {
            return Ok(Outcome::Outdated);
        }
        fs::rename(&self.temporary, &self.file.target).map_err(|error| self.file.unwritable(&error))?;
        self.is_done = true;
        Ok(Outcome::Replaced)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let _ = fs::remove_file(&self.temporary);
        // Only what is empty goes.
        for directory in self.made.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Where a path leads: the last part may be a link, or a chain of them, and there may be nothing at its end.
fn follow(path: &Path) -> Result<PathBuf, String> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else {
            return match path == target || target.parent().is_none_or(Path::is_dir) {
                true => Ok(target),
                false => Err(format!(
                    "{} is a link to {}, whose directory does not exist",
                    path.display(),
                    target.display()
                )),
            };
        };
        target = target.parent().unwrap_or(Path::new("/")).join(next);
    }
    Err(format!("{} is a link that leads nowhere", path.display()))
}

fn find(target: &Path) -> io::Result<Option<Found>> {
    let metadata = match fs::symlink_metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if metadata.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    // Looked at before it is opened: a pipe would be waited for.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let file = platform::open_at_once_unless_link(target)?;
    let metadata = file.metadata()?;
    let bytes = files::read_to_end(&file, metadata.len(), SIZE_LIMIT)?;
    Ok(Some(Found { bytes, metadata }))
}

/// Makes a directory and what is missing above it, each for its owner alone, and notes which.
fn make_directories(path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().ok_or(io::ErrorKind::NotFound)?;
    make_directories(parent, made)?;
    match platform::create_private_directory(path) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        result => result?,
    }
    made.push(path.to_owned());
    give_by_root(&File::open(path)?, parent)
}

/// What root makes in somebody's directory is theirs: under sudo they could not read their own configuration otherwise.
fn give_by_root(file: &File, directory: &Path) -> io::Result<()> {
    match User::current() == User::ROOT {
        true => platform::give_to_owner_of(file, &fs::metadata(directory)?),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_committed_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/file");
        let file = UserFile::read(&path).unwrap();
        assert_eq!(file.text(), Ok(""));
        drop(file.stage("text").unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(file.stage("text").unwrap().commit(), Ok(Outcome::Replaced));
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_somebody_else_wrote_in_the_meantime_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for before in [None, Some("before")] {
            let _ = before.map(|text| fs::write(&path, text).unwrap());
            let file = UserFile::read(&path).unwrap();
            let staged = file.stage("ours").unwrap();
            fs::write(&path, "theirs").unwrap();
            assert_eq!(staged.commit(), Ok(Outcome::Outdated));
            assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
            fs::remove_file(&path).unwrap();
        }
    }
}
