//! Our configuration files: where they are, whether they are to be trusted, and their bytes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::files::{self, describe};
use crate::platform::{self, User};

/// For everybody on this machine.
const SYSTEM: &str = "/etc/docker-credential-ecr-login/config.toml";

/// The user's own, in the platform's configuration directory.
const USERS: &str = "docker-credential-ecr-login/config.toml";

/// The largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// A place where a file may be.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its path.
    pub path: PathBuf,
    /// Whether it has to be there, since a variable names it.
    named: bool,
}

impl Place {
    /// The same, where the file need not be there.
    pub fn optional(self) -> Self {
        Self { named: false, ..self }
    }
}

/// The places, in order: what an earlier file says goes before what a later one says.
///
/// # Errors
///
/// A [`Failure`] where AWS_ECR_CONFIG_FILE is in a home that nobody names.
pub fn places(env: &Env) -> Result<Vec<Place>, Failure> {
    let named = env.raw(env::AWS_ECR_CONFIG_FILE).is_some();
    let first = users(env)?.map(|path| Place { path, named });
    let system = Place {
        path: PathBuf::from(SYSTEM),
        named: false,
    };
    Ok(first.into_iter().chain([system]).collect())
}

/// The user's file, there or not: what AWS_ECR_CONFIG_FILE names, else the one in the platform's configuration directory.
/// None without a home.
///
/// # Errors
///
/// A [`Failure`] where AWS_ECR_CONFIG_FILE is in a home that nobody names.
pub fn users(env: &Env) -> Result<Option<PathBuf>, Failure> {
    if env.raw(env::AWS_ECR_CONFIG_FILE).is_some() {
        let path = env.path(env::AWS_ECR_CONFIG_FILE);
        return path.map(Some).ok_or_else(|| {
            Failure::new(
                Reason::Configuration,
                "AWS_ECR_CONFIG_FILE begins with ~ and HOME is not set",
                "set HOME, or write out the path",
            )
        });
    }
    // Without either, dirs would go on to the user database's home, which is not the one that the AWS files come from.
    let variables: &[&str] = match cfg!(target_os = "macos") {
        true => &[env::HOME],
        false => &[env::HOME, env::XDG_CONFIG_HOME],
    };
    let is_named = variables
        .iter()
        .any(|name| env.raw(name).is_some_and(|path| Path::new(path).is_absolute()));
    let directory = is_named.then(dirs::config_dir).flatten();
    Ok(directory.map(|directory| directory.join(USERS)))
}

/// Reads a file. None where there is none and need not be.
///
/// # Errors
///
/// A [`Failure`] where it is there and cannot be read, or others could have written it.
pub fn read(place: &Place, env: &Env) -> Result<Option<String>, Failure> {
    let path = place.path.as_path();
    // An empty file, as people mean it.
    if path == Path::new("/dev/null") {
        return Ok(Some(String::new()));
    }
    let unreadable = |error: &io::Error| failure(path, &format!("cannot be read: {}", describe(error)), READABLE);
    let file = match platform::open_at_once_unless_link(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => {
            return match place.named {
                true => Err(unreadable(&error)),
                false => Ok(None),
            };
        }
        // A link, perhaps. One that leads nowhere is a configuration that went missing, and not "none".
        Err(_) => match platform::open_at_once(path) {
            Ok(file) => file,
            Err(error) => {
                let is_closed = error.kind() == ErrorKind::PermissionDenied;
                return match is_closed && !place.named && is_in_a_strangers_home(path, env) {
                    true => Ok(None),
                    false => Err(unreadable(&error)),
                };
            }
        },
    };
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    judge(path, &metadata)?;
    let bytes = files::read_to_end(&file, metadata.len(), SIZE_LIMIT).map_err(|error| unreadable(&error))?;
    match String::from_utf8(bytes.to_vec()) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let good = bytes.get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            Err(failure(path, &format!("line {line}: not UTF-8"), "correct that line"))
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

const READABLE: &str = "correct its path or permissions; it decides whose credentials are used";

/// The file chooses identities and programs: whoever can write it could have any.
fn judge(path: &Path, metadata: &fs::Metadata) -> Result<(), Failure> {
    let owner = User::owner_of(metadata);
    if !metadata.is_file() {
        Err(failure(path, "is not a regular file", READABLE))
    } else if owner != User::ROOT && owner != User::current() {
        let advice = "make it root's or your own; with sudo, use sudo -H or name a file in AWS_ECR_CONFIG_FILE";
        Err(failure(path, "belongs to another user", advice))
    } else if platform::others_can_write(metadata) {
        Err(failure(
            path,
            "can be written by others",
            &format!("chmod go-w {}", path.display()),
        ))
    } else {
        Ok(())
    }
}

/// A service that was left with somebody else's HOME has no configuration there. In a home of its own, a directory that it
/// may not enter is a mistake.
fn is_in_a_strangers_home(path: &Path, env: &Env) -> bool {
    let home = env.home().filter(|home| path.starts_with(home));
    home.is_some_and(|home| match fs::metadata(home) {
        Ok(metadata) => User::owner_of(&metadata) != User::current(),
        Err(_) => true,
    })
}

fn failure(path: &Path, what: &str, advice: &str) -> Failure {
    Failure::new(Reason::Configuration, format!("{} {what}", path.display()), advice)
}
