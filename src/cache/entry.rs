//! One cached token and how long it is good for. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::protocol::Credentials;
use crate::registry::Registry;
use crate::secret::Secret;

/// The layout of the file. An entry of another version is not read.
const VERSION: u32 = 1;

/// ECR's tokens live for twelve hours; nothing is believed to live longer.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);

/// A token is not handed out in the last minute of its life: the client still has to use it.
const LAST_MINUTE: Duration = Duration::from_secs(60);

/// How long a token is served without a question when its credentials may have changed unseen.
const BOUNDED_FRESHNESS: Duration = Duration::from_secs(3600);

/// How far in the future an entry may have been written, for clocks that are set back a little.
const FUTURE_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// How long a failed refresh is not repeated.
const REFRESH_PAUSE: Duration = Duration::from_secs(5 * 60);

/// A time in Unix seconds that every platform can express, a thousand years from now.
const LATEST: u64 = 1 << 35;

/// The most hosts remembered for `list`.
const MOST_HOSTS: usize = 256;

/// A token as AWS handed it out.
#[derive(Debug, Clone)]
pub struct Token {
    /// User name and password.
    pub credentials: Credentials,
    /// When it was asked for.
    pub requested: SystemTime,
    /// When AWS says that it ends.
    pub expires: SystemTime,
    /// Whether its credentials came from where a change cannot be seen from outside: a program, a container endpoint or
    /// instance metadata.
    pub bounded: bool,
    /// The SSO access token that it was got with, where that was refreshed on the way.
    pub refreshed_sso_token: Option<Secret>,
    /// Whose credentials it was got with, for people: `profile "prod"`.
    pub whose: String,
}

impl Token {
    /// When it ends, by AWS's word or by what is known of such tokens.
    pub fn ends(&self) -> SystemTime {
        self.expires.min(self.requested + LONGEST_LIFE)
    }
}

/// A cached token: the contents of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    version: u32,
    key: String,
    identity: String,
    service: String,
    region: String,
    username: String,
    password: Secret,
    /// Unix seconds.
    requested_at: u64,
    /// Unix seconds.
    expires_at: u64,
    bounded: bool,
    /// Unix seconds; a refresh before then would only fail again.
    #[serde(default)]
    refresh_after: u64,
    hosts: Vec<String>,
    #[serde(default)]
    whose: String,
}

/// What an entry is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// To be served at once.
    Fresh,
    /// To be served if there is no newer one to be had.
    Usable,
    /// Never to be served again, and of no use to anybody.
    Expired,
    /// From the future: not to be believed.
    Future,
}

impl Entry {
    /// An entry for a token, under this key, for the identity that asked for it.
    pub fn new(key: &str, identity: String, registry: &Registry, token: &Token) -> Self {
        Self {
            version: VERSION,
            key: key.to_owned(),
            identity,
            service: registry.service().as_str().to_owned(),
            region: registry.region().to_owned(),
            username: token.credentials.username.clone(),
            password: token.credentials.secret.clone(),
            requested_at: unix(token.requested),
            expires_at: unix(token.expires),
            bounded: token.bounded,
            refresh_after: 0,
            hosts: Some(registry.host().to_owned())
                .filter(|host| !host.is_empty())
                .into_iter()
                .collect(),
            whose: token.whose.clone(),
        }
    }

    /// Reads an entry; none where it is damaged, of another version, or for another key.
    pub fn decode(bytes: &[u8], key: &str) -> Option<Self> {
        let entry: Self = serde_json::from_slice(bytes).ok()?;
        (entry.version == VERSION && entry.key == key && !entry.password.expose().is_empty()).then_some(entry)
    }

    /// The file's contents.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What it is good for at `now`, which is to be taken after the entry was read.
    pub fn validity(&self, now: SystemTime) -> Validity {
        let now = unix(now);
        let life = self.life();
        let usable = life.saturating_sub(LAST_MINUTE.as_secs());
        let mut fresh = usable.min(life / 2);
        if self.bounded {
            fresh = fresh.min(BOUNDED_FRESHNESS.as_secs());
        }
        let age = now.saturating_sub(self.requested_at);
        if self.requested_at > now + FUTURE_TOLERANCE.as_secs() {
            Validity::Future
        } else if age < fresh {
            Validity::Fresh
        } else if age < usable {
            Validity::Usable
        } else {
            Validity::Expired
        }
    }

    /// Seconds from when it was asked for until it ends.
    fn life(&self) -> u64 {
        let life = self.expires_at.saturating_sub(self.requested_at);
        life.min(LONGEST_LIFE.as_secs())
    }

    /// When it ends, as far as it is believed.
    pub fn ends(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.requested_at.saturating_add(self.life()).min(LATEST))
    }

    /// Whether it can be handed out at all at `now`.
    pub fn is_usable(&self, now: SystemTime) -> bool {
        matches!(self.validity(now), Validity::Fresh | Validity::Usable)
    }

    /// Whether a refresh failed so lately that it is not to be tried again.
    pub fn refresh_is_paused(&self, now: SystemTime) -> bool {
        let now = unix(now);
        now < self.refresh_after && self.refresh_after <= now + REFRESH_PAUSE.as_secs()
    }

    /// Notes that a refresh failed at `now`.
    pub fn pause_refresh(&mut self, now: SystemTime) {
        self.refresh_after = unix(now) + REFRESH_PAUSE.as_secs();
    }

    /// Takes over what the entry that this one replaces knew of hosts.
    pub fn keep_hosts_of(&mut self, older: &Self) {
        for host in &older.hosts {
            self.add_host(host);
        }
    }

    /// Whether this host was asked for before, or is none.
    pub fn knows_host(&self, host: &str) -> bool {
        host.is_empty() || self.hosts.len() >= MOST_HOSTS || self.hosts.iter().any(|known| known == host)
    }

    /// Remembers that this host was asked for.
    pub fn add_host(&mut self, host: &str) {
        if !self.knows_host(host) {
            self.hosts.push(host.to_owned());
        }
    }

    /// The file's name without its ending.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whose it is.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether it opens registries of this service and region.
    pub fn is_for(&self, registry: &Registry) -> bool {
        self.service == registry.service().as_str() && self.region == registry.region()
    }

    /// The service, as AWS names it.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whose credentials it was got with, for people; empty where an earlier version wrote the entry.
    pub fn whose(&self) -> &str {
        &self.whose
    }

    /// Every host it was asked for.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// When it was asked for, in Unix seconds.
    pub fn requested_at(&self) -> u64 {
        self.requested_at
    }

    /// When it ends.
    pub fn expires(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.expires_at.min(LATEST))
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
}

/// Seconds since the epoch; a clock before it reads as the epoch.
pub fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const START: u64 = 1_800_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn entry(life: u64, bounded: bool) -> Entry {
        let registry = Registry::from_host("123456789012.dkr.ecr.us-east-1.amazonaws.com").unwrap();
        let token = Token {
            credentials: Credentials {
                username: "AWS".to_owned(),
                secret: Secret::from("password".to_owned()),
            },
            requested: at(START),
            expires: at(START + life),
            bounded,
            refreshed_sso_token: None,
            whose: String::new(),
        };
        Entry::new("key", "identity".to_owned(), &registry, &token)
    }

    fn validity(entry: &Entry, after: u64) -> Validity {
        entry.validity(at(START + after))
    }

    #[test]
    fn twelve_hours_are_six_fresh_and_all_but_a_minute_usable() {
        let entry = entry(12 * HOUR, false);
        assert_eq!(validity(&entry, 0), Validity::Fresh);
        assert_eq!(validity(&entry, 6 * HOUR - 1), Validity::Fresh);
        assert_eq!(validity(&entry, 6 * HOUR), Validity::Usable);
        assert_eq!(validity(&entry, 12 * HOUR - 61), Validity::Usable);
        assert_eq!(validity(&entry, 12 * HOUR - 60), Validity::Expired);
    }

    #[test]
    fn nothing_lives_longer_than_twelve_hours() {
        let entry = entry(1000 * HOUR, false);
        assert_eq!(validity(&entry, 6 * HOUR), Validity::Usable);
        assert_eq!(validity(&entry, 12 * HOUR), Validity::Expired);
    }

    #[test]
    fn a_short_life_ends_a_minute_early() {
        let entry = entry(100, false);
        assert_eq!(validity(&entry, 39), Validity::Fresh);
        assert_eq!(validity(&entry, 40), Validity::Expired);
        assert_eq!(validity(&self::entry(60, false), 0), Validity::Expired);
        assert_eq!(validity(&self::entry(0, false), 0), Validity::Expired);
    }

    #[test]
    fn where_changes_are_not_seen_a_token_is_fresh_for_an_hour_and_usable_as_long_as_any() {
        let entry = entry(12 * HOUR, true);
        assert_eq!(validity(&entry, HOUR - 1), Validity::Fresh);
        assert_eq!(validity(&entry, HOUR), Validity::Usable);
        assert_eq!(validity(&entry, 12 * HOUR - 61), Validity::Usable);
    }

    #[test]
    fn five_minutes_of_future_are_tolerated() {
        let entry = entry(12 * HOUR, false);
        assert_eq!(entry.validity(at(START - 300)), Validity::Fresh);
        assert_eq!(entry.validity(at(START - 301)), Validity::Future);
    }

    #[test]
    fn a_failed_refresh_is_not_repeated_for_five_minutes() {
        let mut entry = entry(12 * HOUR, false);
        assert!(!entry.refresh_is_paused(at(START)));
        entry.pause_refresh(at(START));
        assert!(entry.refresh_is_paused(at(START + 299)));
        assert!(!entry.refresh_is_paused(at(START + 300)));
        assert!(
            !entry.refresh_is_paused(at(START - 2 * HOUR)),
            "a clock that was set back does not pause for hours"
        );
    }

    #[test]
    fn what_is_not_an_entry_for_this_key_is_not_read() {
        let entry = entry(HOUR, false);
        let bytes = entry.encode();
        assert_eq!(Entry::decode(&bytes, "key"), Some(entry.clone()));
        assert_eq!(Entry::decode(&bytes, "other"), None);
        for length in 0..bytes.len() {
            assert_eq!(Entry::decode(&bytes[..length], "key"), None, "{length}");
        }
        let newer = String::from_utf8(bytes)
            .unwrap()
            .replace(r#""version":1"#, r#""version":2"#);
        assert_eq!(Entry::decode(newer.as_bytes(), "key"), None);
    }

    #[test]
    fn debug_does_not_show_the_password() {
        assert!(!format!("{:?}", entry(HOUR, false)).contains("password\""));
    }
}
