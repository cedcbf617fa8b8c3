//! The four verbs that do something: get, store, erase and list.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use crate::aws;
use crate::cache::{Attempt, Dir, Entry, Lock, Login, Lookup, Store, Token, lock_name};
use crate::config;
use crate::env::Env;
use crate::error::{Error, Failure, Reason};
use crate::files::AwsFiles;
use crate::identity::Fingerprint;
use crate::log::Log;
use crate::protocol::{Credentials, ServerUrl, StoreRequest};
use crate::registry::{Registry, Service};

/// The longest wait for another process that asks AWS for the same token.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// For a newer token, where there is one that can still be used.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(5);

/// For noting that a host was asked for, while others do the same.
const NOTE_TIMEOUT: Duration = Duration::from_millis(100);

/// The helper, as one process of it sees the world.
#[derive(Debug)]
pub struct Helper {
    env: Env,
    log: Log,
    started: Instant,
}

/// Where the token of one identity and region is kept.
struct Slot {
    store: Store,
    key: String,
    fingerprint: Fingerprint,
}

impl Helper {
    /// A helper that works in this environment, and began to work just now.
    pub fn new(env: Env, log: Log) -> Self {
        Self {
            env,
            log,
            started: Instant::now(),
        }
    }

    /// The user name and password for a registry.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where the server is not ECR, and for public ECR without credentials: both are used anonymously.
    /// [`Error::Failure`] where an ECR registry's token could not be had.
    pub fn get(&self, server: &ServerUrl) -> Result<Credentials, Error> {
        let registry = registry_of(server).ok_or(Error::NotFound)?;
        let dir = self.cache_dir();
        let login = dir.as_ref().and_then(|dir| Login::find(dir, &registry));
        if let Some(login) = login.as_ref().filter(|login| login.is_of(&self.env)) {
            self.log
                .debug(|| format!("{registry}: the login made by docker login"));
            return Ok(login.credentials());
        }
        let failure = match self.token(&registry, dir) {
            Ok(credentials) => return Ok(credentials),
            Err(failure) => failure,
        };
        self.log
            .warn(|| format!("{registry}: {}: {failure}", failure.reason.code()));
        match (failure.reason, login) {
            // A login made under another key or profile is still better than nothing, and nothing is what there is.
            (Reason::NoCredentials, Some(login)) => Ok(login.credentials()),
            (Reason::NoCredentials, None) if registry.service() == Service::Public => {
                Err(Error::NotFound)
            }
            _ => Err(Error::Failure(failure)),
        }
    }

    /// Keeps a login that was made by `docker login`, until it ends.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] where the server is not ECR, or the login cannot be kept.
    pub fn store(&self, request: StoreRequest) -> Result<(), Error> {
        if config::ignores_storage(&self.env) {
            return Ok(());
        }
        let registry = registry_of(&request.server).ok_or_else(|| not_ecr(&request.server))?;
        let not_kept = |why: String| {
            Error::Request(format!(
                "the login to {registry} cannot be kept: {why}; AWS_ECR_IGNORE_CREDS_STORAGE=true makes docker login \
                 succeed without keeping it"
            ))
        };
        if config::cache_is_disabled(&self.env) {
            return Err(not_kept("AWS_ECR_DISABLE_CACHE is set".to_owned()));
        }
        let dir = Dir::locate(&self.env).map_err(not_kept)?;
        let login = Login::new(&registry, request.credentials, &self.env, SystemTime::now());
        login
            .write(&dir)
            .map_err(|error| not_kept(format!("{}: {error}", dir.path().display())))?;
        self.log.info(|| format!("{registry}: a login is kept"));
        Login::prune(&dir);
        Ok(())
    }

    /// Forgets a login, and every cached token of the registry's service and region.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] where the server is not ECR, or something is there and cannot be removed.
    pub fn erase(&self, server: &ServerUrl) -> Result<(), Error> {
        if config::ignores_storage(&self.env) {
            return Ok(());
        }
        let registry = registry_of(server).ok_or_else(|| not_ecr(server))?;
        let Ok(dir) = Dir::locate(&self.env) else {
            return Ok(());
        };
        let failed = |error: io::Error| {
            Error::Request(format!(
                "the credentials for {registry} cannot be removed from {}: {error}",
                dir.path().display()
            ))
        };
        let login = Login::remove(&dir, &registry).map_err(failed)?;
        let tokens = Store::new(dir.clone())
            .remove_region(&registry)
            .map_err(failed)?;
        self.log
            .info(|| format!("{registry}: erased {tokens} tokens, a login: {login}"));
        Ok(())
    }

    /// Registries and user names: what this identity asked for lately, and logins. Never asks the network.
    pub fn list(&self) -> BTreeMap<String, String> {
        let mut servers = BTreeMap::new();
        let Some(dir) = self.cache_dir() else {
            return servers;
        };
        if let Ok(fingerprint) = Fingerprint::of(&self.env, &AwsFiles::read(&self.env)) {
            let id = fingerprint.id();
            for entry in Store::new(dir.clone())
                .live_entries()
                .filter(|entry| entry.identity() == id)
            {
                for host in entry.hosts() {
                    servers.insert(host.clone(), entry.username().to_owned());
                }
            }
        }
        for login in Login::all(&dir) {
            servers.insert(login.host().to_owned(), login.username().to_owned());
        }
        servers
    }

    /// The directory of the cache, unless there is none to be used.
    fn cache_dir(&self) -> Option<Dir> {
        if config::cache_is_disabled(&self.env) {
            self.log
                .debug(|| "no cache: AWS_ECR_DISABLE_CACHE is set".to_owned());
            return None;
        }
        Dir::locate(&self.env)
            .inspect_err(|why| self.log.debug(|| format!("no cache: {why}")))
            .ok()
    }

    /// A token from the cache, or from AWS.
    fn token(&self, registry: &Registry, dir: Option<Dir>) -> Result<Credentials, Failure> {
        let files = AwsFiles::read(&self.env);
        let Some(slot) = dir.and_then(|dir| self.slot(registry, Store::new(dir), &files)) else {
            let token = self.fetch(registry, files, self.deadline()?)?;
            return Ok(token.credentials);
        };
        match slot.store.lookup(&slot.key) {
            Lookup::Fresh(entry) => Ok(self.hit(registry, &slot, &entry)),
            Lookup::Usable(entry) => self.refresh(registry, slot, files, entry),
            Lookup::Miss(why) => {
                self.log.debug(|| format!("{registry}: cache miss: {why}"));
                self.miss(registry, slot, files)
            }
        }
    }

    fn slot(&self, registry: &Registry, store: Store, files: &AwsFiles) -> Option<Slot> {
        match Fingerprint::of(&self.env, files) {
            Ok(fingerprint) => Some(Slot {
                key: fingerprint.key(registry, &self.env),
                store,
                fingerprint,
            }),
            Err(unseen) => {
                self.log
                    .debug(|| format!("no cache: {} cannot be read twice", unseen.0.display()));
                None
            }
        }
    }

    fn hit(&self, registry: &Registry, slot: &Slot, entry: &Entry) -> Credentials {
        self.log
            .debug(|| format!("{registry}: cache hit, {}", life(entry)));
        if !entry.knows_host(registry.host()) {
            self.note_host(registry, slot);
        }
        entry.credentials()
    }

    /// Adds a host to an entry, for `list`. Of no importance: where it does not work, the next `get` does it.
    fn note_host(&self, registry: &Registry, slot: &Slot) {
        let until = Instant::now() + NOTE_TIMEOUT;
        let waited = Lock::wait(
            slot.store.dir(),
            &lock_name(&slot.key),
            until,
            || None::<()>,
        );
        if let Err(Attempt::Held(lock)) = waited {
            if let Lookup::Fresh(mut entry) | Lookup::Usable(mut entry) =
                slot.store.lookup(&slot.key)
            {
                entry.add_host(registry.host());
                let _ = slot.store.write(&entry);
            }
            lock.remove();
        }
    }

    /// There is no token: gets one, or waits for the process that is getting it.
    fn miss(
        &self,
        registry: &Registry,
        slot: Slot,
        files: AwsFiles,
    ) -> Result<Credentials, Failure> {
        let deadline = self.deadline()?;
        let since = SystemTime::now();
        let patience = deadline.saturating_duration_since(self.started) / 3;
        let until = Instant::now() + patience.min(LONGEST_WAIT);
        let cached = |slot: &Slot| match slot.store.lookup(&slot.key) {
            Lookup::Fresh(entry) | Lookup::Usable(entry) => Some(entry),
            Lookup::Miss(_) => None,
        };
        let name = lock_name(&slot.key);
        let attempt = match Lock::wait(slot.store.dir(), &name, until, || cached(&slot)) {
            Ok(entry) => return Ok(self.hit(registry, &slot, &entry)),
            Err(attempt) => attempt,
        };
        let lock = match attempt {
            Attempt::Held(lock) => Some(lock),
            Attempt::Busy => {
                self.log
                    .debug(|| format!("{registry}: waited long enough for another process"));
                None
            }
            Attempt::Unavailable(why) => {
                self.log.debug(|| format!("{registry}: no lock: {why}"));
                None
            }
        };
        if let Some(lock) = &lock {
            if let Some(entry) = cached(&slot) {
                return Ok(self.hit(registry, &slot, &entry));
            }
            if let Some(failure) = lock.failure_after(since) {
                self.log
                    .debug(|| format!("{registry}: the process that was waited for failed"));
                return Err(failure);
            }
        }
        // The process that was waited for may have refreshed the SSO token, and with it changed the key.
        let (slot, files) = match self.refreshed(registry, &slot) {
            Some((newer, files)) => {
                if let Some(entry) = cached(&newer) {
                    return Ok(self.hit(registry, &newer, &entry));
                }
                (newer, files)
            }
            None => (slot, files),
        };
        let result = self.fetch(registry, files, deadline);
        self.settle(registry, &slot, lock, result, None)
    }

    /// The slot as it is now, if it is another than it was and for the same source.
    fn refreshed(&self, registry: &Registry, slot: &Slot) -> Option<(Slot, AwsFiles)> {
        let files = AwsFiles::read(&self.env);
        let now = self.slot(registry, slot.store.clone(), &files)?;
        let changed = now.key != slot.key && now.fingerprint.same_source(&slot.fingerprint);
        changed.then_some((now, files))
    }

    /// There is a token that is no longer fresh: gets a newer one, unless that is another's business or failed lately.
    fn refresh(
        &self,
        registry: &Registry,
        slot: Slot,
        files: AwsFiles,
        entry: Entry,
    ) -> Result<Credentials, Failure> {
        if entry.refresh_is_paused(SystemTime::now()) {
            return Ok(self.hit(registry, &slot, &entry));
        }
        let lock = match Lock::attempt(slot.store.dir(), &lock_name(&slot.key)) {
            Attempt::Busy => return Ok(self.hit(registry, &slot, &entry)),
            Attempt::Unavailable(_) => None,
            Attempt::Held(lock) => Some(lock),
        };
        let entry = match slot.store.lookup(&slot.key) {
            Lookup::Fresh(newer) => return Ok(self.hit(registry, &slot, &newer)),
            Lookup::Usable(newer) if newer.refresh_is_paused(SystemTime::now()) => {
                return Ok(self.hit(registry, &slot, &newer));
            }
            Lookup::Usable(newer) => newer,
            Lookup::Miss(_) => entry,
        };
        self.log
            .debug(|| format!("{registry}: refreshing, {}", life(&entry)));
        let deadline = self.deadline()?.min(Instant::now() + REFRESH_TIMEOUT);
        let result = self.fetch(registry, files, deadline);
        self.settle(registry, &slot, lock, result, Some(entry))
    }

    /// What follows from an answer of AWS's: a token is kept, a definite no ends the older token, and any other failure leaves
    /// the older token to be served.
    fn settle(
        &self,
        registry: &Registry,
        slot: &Slot,
        lock: Option<Lock>,
        result: Result<Token, Failure>,
        older: Option<Entry>,
    ) -> Result<Credentials, Failure> {
        let failure = match result {
            Ok(token) => {
                self.keep(registry, slot, &token, older.as_ref());
                if let Some(lock) = lock {
                    lock.remove();
                }
                return Ok(token.credentials);
            }
            Err(failure) => failure,
        };
        let now = SystemTime::now();
        if failure.reason.is_definite() {
            let _ = slot.store.remove(&slot.key);
        } else if let Some(mut entry) = older {
            entry.pause_refresh(now);
            let _ = slot.store.write(&entry);
            if entry.is_usable(now) {
                self.log
                    .warn(|| format!("{registry}: not refreshed, {}: {failure}", life(&entry)));
                return Ok(entry.credentials());
            }
        }
        match lock {
            Some(lock) if failure.reason.is_shared() => {
                let _ = lock.leave_failure(&failure, now);
            }
            Some(lock) => lock.remove(),
            None => {}
        }
        Err(failure)
    }

    /// Caches a token, if the identity is still the one that it was asked for with.
    fn keep(&self, registry: &Registry, slot: &Slot, token: &Token, older: Option<&Entry>) {
        let not_cached = |why: &str| self.log.warn(|| format!("{registry}: not cached: {why}"));
        let fingerprint = match Fingerprint::of(&self.env, &AwsFiles::read(&self.env)) {
            Ok(now) if now.same_source(&slot.fingerprint) => now,
            _ => return not_cached("the identity changed while AWS was asked"),
        };
        let key = fingerprint.key(registry, &self.env);
        let mut entry = Entry::new(&key, fingerprint.id(), registry, token);
        if !entry.is_usable(token.requested) {
            return not_cached(
                "AWS's answer says that the token has already expired, or is about to; is this machine's clock right?",
            );
        }
        if let Some(older) = older {
            entry.keep_hosts_of(older);
        }
        match slot.store.write(&entry) {
            Ok(()) => {
                self.log
                    .debug(|| format!("{registry}: cached, {}", life(&entry)));
                slot.store.prune(&key);
                Login::prune(slot.store.dir());
            }
            Err(error) => not_cached(&error.to_string()),
        }
    }

    fn fetch(
        &self,
        registry: &Registry,
        files: AwsFiles,
        deadline: Instant,
    ) -> Result<Token, Failure> {
        let request = aws::Request {
            registry: registry.clone(),
            env: self.env.clone(),
            log: self.log.clone(),
        };
        aws::fetch(request, files, deadline)
    }

    fn deadline(&self) -> Result<Instant, Failure> {
        Ok(self.started + config::timeout(&self.env)?)
    }
}

fn registry_of(server: &ServerUrl) -> Option<Registry> {
    Registry::from_host(server.host()?)
}

fn not_ecr(server: &ServerUrl) -> Error {
    let host = server.host().unwrap_or("this server");
    Error::Request(format!(
        "{host} is not an Amazon ECR registry, and docker-credential-ecr-login keeps credentials for ECR alone; \
         set \"credHelpers\" in docker's config.json for the ECR hosts only, and another \"credsStore\" for the rest"
    ))
}

fn life(entry: &Entry) -> String {
    format!(
        "requested at {} until {} (Unix seconds)",
        entry.requested_at(),
        entry.expires_at()
    )
}
