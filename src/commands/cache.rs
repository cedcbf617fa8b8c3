//! `cache list` and `cache clear`: what is cached, for people. Never asks the network.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::cache::{Dir, Entry, Login, Store};
use crate::commands::get_login_password::target_of;
use crate::commands::table;
use crate::config::{Settings, Target};
use crate::env;
use crate::error::{Failure, Reason};
use crate::files::describe;
use crate::helper;
use crate::protocol::ServerUrl;

/// What is cached, a line each.
///
/// # Errors
///
/// A [`Failure`] where there is no place for a cache.
pub fn list(settings: &Settings) -> Result<String, Failure> {
    let dir = locate(settings)?;
    let now = SystemTime::now();
    let mut entries: Vec<_> = Store::new(dir.clone()).live_entries().collect();
    entries.sort_by_key(|entry| {
        (
            entry.service().to_owned(),
            entry.region().to_owned(),
            entry.requested_at(),
        )
    });
    let mut logins: Vec<_> = Login::all(&dir).collect();
    logins.sort_by_key(|login| login.host().to_owned());
    let mut rows = vec![["SERVICE", "REGION", "CREDENTIALS", "AGE", "LEFT", "REGISTRIES"].map(str::to_owned)];
    rows.extend(entries.iter().map(|entry| row_of_token(entry, now)));
    rows.extend(logins.iter().map(|login| row_of_login(login, now)));
    let off = match settings.cache_is_disabled() {
        true => format!("The cache is off: {} is set.\n", env::AWS_ECR_DISABLE_CACHE),
        false => String::new(),
    };
    Ok(match rows.len() {
        1 => format!("{off}Nothing is cached in {}.\n", dir.path().display()),
        _ => format!("{off}{}", table::aligned(&rows)),
    })
}

/// Forgets a registry's login and the tokens of its service and region, or everything.
///
/// # Errors
///
/// A [`Failure`] where the registry is not ECR, or something cannot be removed.
pub fn clear(settings: &Settings, registry: Option<&str>) -> Result<String, Failure> {
    let dir = locate(settings)?;
    let store = Store::new(dir.clone());
    let failed = |error: io::Error| {
        Failure::new(
            Reason::Configuration,
            format!("{} cannot be cleared: {}", dir.path().display(), describe(&error)),
            "correct its permissions, or remove the directory",
        )
    };
    let (tokens, logins) = match registry {
        Some(server) => match target_of(server, settings) {
            Ok(Target { registry, .. }) => {
                let login = Login::remove(&dir, registry.host()).map_err(failed)?;
                (store.remove_region(&registry).map_err(failed)?, usize::from(login))
            }
            // It may be a name that was in front of ECR.
            Err(failure) => match ServerUrl::parse(server.as_bytes()) {
                Ok(url) if helper::forget(settings, &url) => (0, 1),
                _ => return Err(failure),
            },
        },
        None => (
            store.remove_all().map_err(failed)?,
            Login::remove_all(&dir).map_err(failed)?,
        ),
    };
    Ok(match (tokens, logins) {
        (0, 0) => format!("Nothing to remove from {}.\n", dir.path().display()),
        _ => format!(
            "Removed {} and {} from {}.\n",
            counted(tokens, "token"),
            counted(logins, "login"),
            dir.path().display()
        ),
    })
}

fn locate(settings: &Settings) -> Result<Dir, Failure> {
    settings.cache_dir().map_err(|why| {
        Failure::new(
            Reason::Configuration,
            format!("there is no cache: {why}"),
            "set HOME or AWS_ECR_CACHE_DIR",
        )
    })
}

fn row_of_token(entry: &Entry, now: SystemTime) -> [String; 6] {
    let requested = UNIX_EPOCH + Duration::from_secs(entry.requested_at());
    [
        entry.service().to_owned(),
        entry.region().to_owned(),
        or_dash(entry.whose()),
        age(requested, now),
        age(now, entry.expires()),
        or_dash(&entry.hosts().join(" ")),
    ]
}

fn row_of_login(login: &Login, now: SystemTime) -> [String; 6] {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    [
        "login".to_owned(),
        "-".to_owned(),
        "docker login".to_owned(),
        age(at(login.stored_at()), now),
        age(now, at(login.expires_at())),
        login.host().to_owned(),
    ]
}

fn or_dash(text: &str) -> String {
    match text {
        "" => "-".to_owned(),
        text => text.to_owned(),
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The time between two moments, as people say it: `5h 12m`.
fn age(from: SystemTime, to: SystemTime) -> String {
    let minutes = to.duration_since(from).unwrap_or_default().as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "<1m".to_owned(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h {minutes:02}m"),
    }
}
