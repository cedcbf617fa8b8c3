//! Logins that a person made by `docker login`, kept until they end.

use std::io;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::cache::dir::{self, Dir};
use crate::cache::entry::unix;
use crate::config::Target;
use crate::env::{self, Env};
use crate::identity;
use crate::protocol::Credentials;
use crate::registry::Registry;
use crate::secret::Secret;

const VERSION: u32 = 1;

/// ECR's passwords are good for twelve hours.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);

/// A login to one registry.
#[derive(Debug, Serialize, Deserialize)]
pub struct Login {
    version: u32,
    host: String,
    username: String,
    password: Secret,
    /// A hash of what told one identity from another when the login was made.
    context: String,
    /// Unix seconds.
    stored_at: u64,
    /// Unix seconds.
    expires_at: u64,
}

impl Login {
    /// A login made at `now`, good until its password says that it ends and for twelve hours at the most.
    pub fn new(target: &Target, credentials: Credentials, env: &Env, now: SystemTime) -> Self {
        let latest = unix(now) + LONGEST_LIFE.as_secs();
        let stated = expiration(credentials.secret.expose());
        Self {
            version: VERSION,
            host: target.registry.host().to_owned(),
            context: context(env, target),
            username: credentials.username,
            password: credentials.secret,
            stored_at: unix(now),
            expires_at: stated.map_or(latest, |stated| stated.min(latest)),
        }
    }

    /// Whether it can still be used.
    pub fn is_live(&self, now: SystemTime) -> bool {
        let now = unix(now);
        now < self.expires_at() && self.stored_at <= now + 300
    }

    /// Whether the person who made it would make it again: the same key id and profile are in the environment, and our
    /// configuration says the same of the registry.
    pub fn is_of(&self, env: &Env, target: &Target) -> bool {
        self.context == context(env, target)
    }

    /// When it was made, in Unix seconds.
    pub fn stored_at(&self) -> u64 {
        self.stored_at
    }

    /// When it ends, in Unix seconds, whatever its password says.
    pub fn expires_at(&self) -> u64 {
        let latest = self.stored_at.saturating_add(LONGEST_LIFE.as_secs());
        self.expires_at.min(latest)
    }

    /// The registry that it is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The user name and password.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            username: self.username.clone(),
            secret: self.password.clone(),
        }
    }

    /// The login to this registry that is kept in the directory and still good.
    pub fn find(dir: &Dir, registry: &Registry) -> Option<Self> {
        let login = Self::read(dir, &file_name(registry.host()))?;
        (login.host == registry.host() && login.is_live(SystemTime::now())).then_some(login)
    }

    /// Every login that is kept in the directory and still good.
    pub fn all(dir: &Dir) -> impl Iterator<Item = Self> {
        let now = SystemTime::now();
        dir.names()
            .filter(|name| dir::key_of(name, ".login").is_some())
            .filter_map(|name| Self::read(dir, &name))
            .filter(move |login| login.is_live(now))
    }

    /// Keeps the login, in place of any other to the same registry.
    pub fn write(&self, dir: &Dir) -> io::Result<()> {
        dir.write(&file_name(&self.host), &serde_json::to_vec(self)?)
    }

    /// Removes the login to a host; whether there was one.
    pub fn remove(dir: &Dir, host: &str) -> io::Result<bool> {
        dir.remove(&file_name(host))
    }

    /// Removes every login; how many there were.
    pub fn remove_all(dir: &Dir) -> io::Result<usize> {
        dir.remove_ending(".login")
    }

    /// Clears away the logins that have ended.
    pub fn prune(dir: &Dir) {
        let now = SystemTime::now();
        for name in dir.names() {
            if dir::key_of(&name, ".login").is_some() && Self::read(dir, &name).is_some_and(|login| !login.is_live(now))
            {
                let _ = dir.remove(&name);
            }
        }
    }

    fn read(dir: &Dir, name: &str) -> Option<Self> {
        let login: Self = serde_json::from_slice(&dir.read(name).ok()?).ok()?;
        (login.version == VERSION && file_name(&login.host) == name).then_some(login)
    }
}

fn file_name(host: &str) -> String {
    identity::name_of("login", &[("host", host.as_bytes())]) + ".login"
}

fn context(env: &Env, target: &Target) -> String {
    let key_id = env.first(&env::ACCESS_KEY_ID).unwrap_or_default();
    let profile = env.profile().unwrap_or_default();
    identity::name_of_choice(
        "login-context",
        &[("key-id", key_id.as_bytes()), ("profile", profile.as_bytes())],
        target,
    )
}

/// The `expiration` in an ECR password (base64 of JSON), in Unix seconds; none in a password of another form.
fn expiration(password: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Inside {
        expiration: u64,
    }
    let json = BASE64_STANDARD.decode(password.trim()).ok()?;
    let inside: Inside = serde_json::from_slice(&json).ok()?;
    Some(inside.expiration)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::who::Who;

    const NOW: u64 = 1_800_000_000;

    fn login(password: &str) -> Login {
        let credentials = Credentials {
            username: "AWS".to_owned(),
            secret: Secret::from(password.to_owned()),
        };
        Login::new(&target(Who::Environment), credentials, &Env::default(), at(NOW))
    }

    fn target(who: Who) -> Target {
        let registry = Registry::from_host("123456789012.dkr.ecr.us-east-1.amazonaws.com").unwrap();
        Target { registry, who }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_login_ends_when_its_password_says_or_after_twelve_hours() {
        let password = |end: u64| BASE64_STANDARD.encode(format!(r#"{{"expiration":{end}}}"#));
        for (password, end) in [
            (password(NOW + 100), NOW + 100),
            (password(NOW + 999_999), NOW + 12 * 3600),
            ("opaque".to_owned(), NOW + 12 * 3600),
        ] {
            let login = login(&password);
            assert!(login.is_live(at(end - 1)), "{password}");
            assert!(!login.is_live(at(end)), "{password}");
        }
        assert!(!login(&password(NOW - 1)).is_live(at(NOW)));
    }

    #[test]
    fn another_key_or_profile_is_another_person() {
        let login = login("opaque");
        let same = target(Who::Environment);
        assert!(login.is_of(&Env::default(), &same));
        assert!(!login.is_of(&Env::default(), &target(Who::Profile("x".to_owned()))));
        for name in ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
            assert!(!login.is_of(&Env::from_vars([(name, "x")]), &same), "{name}");
        }
    }
}
