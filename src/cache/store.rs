//! The cached tokens as files: one an entry, found, written and cleared away.

use std::io;
use std::time::{Duration, SystemTime};

use crate::cache::dir::{self, Dir, Refused};
use crate::cache::entry::{Entry, Validity};
use crate::cache::lock::{Attempt, Lock};
use crate::registry::Registry;

/// The most entries that are kept.
const MOST_ENTRIES: usize = 256;

/// Lock and temporary files that nobody has touched for so long were left behind.
const ABANDONED: Duration = Duration::from_secs(3600);

/// No token lives longer: an entry that old is of no use, even if it cannot be read.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);

/// The cached tokens in a directory.
#[derive(Debug, Clone)]
pub struct Store {
    dir: Dir,
}

/// What was found for a key.
#[derive(Debug)]
pub enum Lookup {
    /// A token to be served at once.
    Fresh(Entry),
    /// A token to be served if there is no newer one to be had.
    Usable(Entry),
    /// No token; the text says why, for the log.
    Miss(String),
}

impl Store {
    /// The tokens in this directory.
    pub fn new(dir: Dir) -> Self {
        Self { dir }
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Looks for the token of this key.
    pub fn lookup(&self, key: &str) -> Lookup {
        let bytes = match self.dir.read(&entry_name(key)) {
            Ok(bytes) => bytes,
            Err(Refused::Missing) => return Lookup::Miss("no entry".to_owned()),
            Err(Refused::Untrusted(why)) => return Lookup::Miss(why),
        };
        let Some(entry) = Entry::decode(&bytes, key) else {
            return Lookup::Miss("the entry is damaged or of another version".to_owned());
        };
        match entry.validity(SystemTime::now()) {
            Validity::Fresh => Lookup::Fresh(entry),
            Validity::Usable => Lookup::Usable(entry),
            Validity::Expired => Lookup::Miss("the entry is expired".to_owned()),
            Validity::Future => Lookup::Miss("the entry is from the future".to_owned()),
        }
    }

    /// The entry of this key, also where it is too old to be served.
    pub fn even_if_expired(&self, key: &str) -> Option<Entry> {
        self.decode(&entry_name(key), key)
    }

    /// Writes an entry, in place of any other under its key.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        self.dir.write(&entry_name(entry.key()), &entry.encode())
    }

    /// Removes the entry of this key.
    pub fn remove(&self, key: &str) -> io::Result<bool> {
        self.dir.remove(&entry_name(key))
    }

    /// Removes every identity's token for this registry's service and region, and what is not trusted and so may be
    /// one; how many there were.
    pub fn remove_region(&self, registry: &Registry) -> io::Result<usize> {
        let mut removed = 0;
        for name in self.dir.names() {
            let Some(key) = dir::key_of(&name, ".json") else {
                continue;
            };
            let goes = match self.dir.read(&name) {
                Ok(bytes) => Entry::decode(&bytes, key).is_some_and(|entry| entry.is_for(registry)),
                Err(Refused::Untrusted(_)) => true,
                Err(Refused::Missing) => false,
            };
            if goes {
                removed += usize::from(self.dir.remove(&name)?);
            }
        }
        Ok(removed)
    }

    /// Removes every entry; how many there were.
    pub fn remove_all(&self) -> io::Result<usize> {
        self.dir.remove_ending(".json")
    }

    /// Every entry that is readable and not expired.
    pub fn live_entries(&self) -> impl Iterator<Item = Entry> {
        let now = SystemTime::now();
        self.entries().filter(move |entry| entry.is_usable(now))
    }

    /// Clears away what is of no use to anybody: expired entries, all but the newest 256, and what killed processes
    /// left behind. `keep` is never among them.
    pub fn prune(&self, keep: &str) {
        let now = SystemTime::now();
        let mut kept = Vec::new();
        for name in self.dir.names() {
            if let Some(key) = dir::key_of(&name, ".json") {
                match self.decode(&name, key) {
                    Some(entry) if entry.is_usable(now) => {
                        kept.push((entry.requested_at(), key.to_owned()));
                    }
                    // What cannot be read may be another version's, which still wants it.
                    None if !self.is_older(&name, LONGEST_LIFE, now) => {}
                    _ => drop(self.dir.remove(&name)),
                }
            } else if dir::key_of(&name, ".lock").is_some() {
                if self.is_older(&name, ABANDONED, now)
                    && let Attempt::Held(lock) = Lock::attempt(&self.dir, &name)
                {
                    lock.remove();
                }
            } else if dir::is_temporary(&name) && self.is_older(&name, ABANDONED, now) {
                let _ = self.dir.remove(&name);
            }
        }
        kept.sort_unstable();
        let surplus = kept.len().saturating_sub(MOST_ENTRIES);
        let oldest = kept.into_iter().filter(|(_, key)| key != keep);
        for (_, key) in oldest.take(surplus) {
            let _ = self.remove(&key);
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.dir
            .names()
            .filter_map(|name| self.decode(&name, dir::key_of(&name, ".json")?))
    }

    fn decode(&self, name: &str, key: &str) -> Option<Entry> {
        Entry::decode(&self.dir.read(name).ok()?, key)
    }

    fn is_older(&self, name: &str, age: Duration, now: SystemTime) -> bool {
        std::fs::symlink_metadata(self.dir.join(name))
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| now.duration_since(modified).is_ok_and(|old| old > age))
    }
}

/// The name of the lock of this key.
pub fn lock_name(key: &str) -> String {
    format!("{key}.lock")
}

fn entry_name(key: &str) -> String {
    format!("{key}.json")
}
