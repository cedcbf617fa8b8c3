//! A token for a registry: from the cache, from the process that is already asking AWS for it, or from AWS.

use std::time::{Duration, Instant, SystemTime};

use crate::aws;
use crate::cache::{Attempt, Dir, Entry, Lock, Login, Lookup, Store, Token, lock_name};
use crate::config::{Settings, Target};
use crate::env::{self, Env};
use crate::error::Failure;
use crate::files::{AwsFiles, describe};
use crate::identity::{self, Fingerprint};
use crate::log::{self, Level, Log};
use crate::mfa;
use crate::protocol::Credentials;
use crate::registry::Registry;
use crate::secret::Secret;
use crate::waiting::Waiting;

/// What opens a registry, and until when.
#[derive(Debug)]
pub struct Grant {
    /// User name and password.
    pub credentials: Credentials,
    /// When they end.
    pub ends: SystemTime,
}

impl From<Token> for Grant {
    fn from(token: Token) -> Self {
        Self {
            ends: token.ends(),
            credentials: token.credentials,
        }
    }
}

impl From<&Entry> for Grant {
    fn from(entry: &Entry) -> Self {
        Self {
            ends: entry.ends(),
            credentials: entry.credentials(),
        }
    }
}

/// The longest wait for another process that asks AWS for the same token.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// For a newer token, where there is one that can still be used.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(5);

/// For noting that a host was asked for, while others do the same.
const NOTE_TIMEOUT: Duration = Duration::from_millis(100);

/// The variables that decide over success and not over who asks.
const CIRCUMSTANCES: [&str; 13] = [
    env::SECRET_ACCESS_KEY[0],
    env::SECRET_ACCESS_KEY[1],
    env::AWS_SESSION_TOKEN,
    env::AWS_CA_BUNDLE,
    env::SSL_CERT_FILE,
    env::SSL_CERT_DIR,
    env::HTTPS_PROXY[0],
    env::HTTPS_PROXY[1],
    env::HTTP_PROXY[0],
    env::HTTP_PROXY[1],
    env::NO_PROXY[0],
    env::NO_PROXY[1],
    env::AWS_ECR_TIMEOUT,
];

/// The tokens for one registry, as this process can get them.
pub struct Tokens<'a> {
    /// The registry, and whose credentials are for it.
    pub target: &'a Target,
    /// The settings.
    pub settings: &'a Settings,
    /// Notes what happens.
    pub log: &'a Log,
    /// When the process began: the deadline counts from there.
    pub started: Instant,
    /// Tells a person what is waited for.
    pub waiting: &'a Waiting,
}

/// Where the token of one identity and region is kept.
struct Slot {
    store: Store,
    key: String,
    lock: String,
    fingerprint: Fingerprint,
}

impl Slot {
    /// The token in it that can be handed out, fresh or not.
    fn usable(&self) -> Option<Entry> {
        match self.store.lookup(&self.key) {
            Lookup::Fresh(entry) | Lookup::Usable(entry) => Some(entry),
            Lookup::Miss(_) => None,
        }
    }
}

impl Tokens<'_> {
    /// A token, cached in `dir` if there is one.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that says why there is none.
    pub fn get(&self, dir: Option<Dir>) -> Result<Grant, Failure> {
        let files = AwsFiles::read(self.env());
        let Some(slot) = dir.and_then(|dir| self.slot(Store::new(dir), &files)) else {
            return match self.mfa_device(&files)? {
                Some(device) => self.with_code(None, files, &device),
                None => Ok(self.fetch(files, self.deadline()?, None)?.into()),
            };
        };
        match slot.store.lookup(&slot.key) {
            Lookup::Fresh(entry) => Ok(self.hit(&slot, &entry)),
            Lookup::Usable(entry) => self.refresh(slot, files, &entry),
            Lookup::Miss(why) => {
                self.note(|| format!("cache miss: {why}"));
                self.miss(slot, files)
            }
        }
    }

    fn slot(&self, store: Store, files: &AwsFiles) -> Option<Slot> {
        let account = self.target.who.service_account();
        if account.is_some_and(|account| account.is_expired(SystemTime::now())) {
            self.note(|| "no cache: the service account token has expired".to_owned());
            return None;
        }
        match Fingerprint::of(self.env(), files, &self.target.who) {
            Ok(fingerprint) => Some(Slot {
                key: fingerprint.key(self.registry(), self.env()),
                lock: lock_name(&fingerprint.lock_key(self.registry(), self.env())),
                store,
                fingerprint,
            }),
            Err(unseen) => {
                self.note(|| format!("no cache: {} cannot be read twice", unseen.0.display()));
                None
            }
        }
    }

    fn hit(&self, slot: &Slot, entry: &Entry) -> Grant {
        self.note(|| format!("cache hit, {}", life(entry)));
        if !entry.knows_host(self.registry().host()) {
            self.remember_host(slot);
        }
        entry.into()
    }

    /// Adds the host to an entry, for `list`. Of no importance: where it does not work, the next `get` does it.
    fn remember_host(&self, slot: &Slot) {
        let until = Instant::now() + NOTE_TIMEOUT;
        let waited = Lock::wait(slot.store.dir(), &slot.lock, until, || None::<()>);
        if let Err(Attempt::Held(lock)) = waited {
            if let Some(mut entry) = slot.usable() {
                entry.add_host(self.registry().host());
                let _ = slot.store.write(&entry);
            }
            lock.remove();
        }
    }

    /// There is no token: gets one, or waits for the process that is getting it.
    fn miss(&self, slot: Slot, files: AwsFiles) -> Result<Grant, Failure> {
        if let Some(device) = self.mfa_device(&files)? {
            return self.with_code(Some(slot), files, &device);
        }
        let deadline = self.deadline()?;
        let since = SystemTime::now();
        let patience = deadline.saturating_duration_since(self.started) / 3;
        let until = Instant::now() + patience.min(LONGEST_WAIT);
        let waited = Lock::wait(slot.store.dir(), &slot.lock, until, || {
            self.waiting.look("another process that asks AWS for the same token");
            slot.usable()
        });
        let lock = match waited {
            Ok(entry) => return Ok(self.hit(&slot, &entry)),
            Err(Attempt::Held(lock)) => Some(lock),
            Err(Attempt::Busy) => {
                self.note(|| "waited long enough for another process".to_owned());
                None
            }
            Err(Attempt::Unavailable(why)) => {
                self.note(|| format!("no lock: {why}"));
                None
            }
        };
        let lock = match lock {
            Some(lock) => match slot.usable() {
                Some(entry) => {
                    lock.remove();
                    return Ok(self.hit(&slot, &entry));
                }
                None => Some(lock),
            },
            None => None,
        };
        if let Some(failure) = lock
            .as_ref()
            .and_then(|lock| lock.failure_after(since, &self.circumstances(&slot)))
        {
            self.note(|| "the process that was waited for failed".to_owned());
            return Err(failure);
        }
        let turn = self.refresh_turn(&slot, until);
        // The process that was waited for may have refreshed the SSO token, and with it changed the key.
        let (slot, files) = match self.renewed(&slot) {
            Some((slot, files)) => match slot.usable() {
                Some(entry) => {
                    lock.into_iter().chain(turn).for_each(Lock::remove);
                    return Ok(self.hit(&slot, &entry));
                }
                None => (slot, files),
            },
            None => (slot, files),
        };
        let result = self.fetch(files, deadline, None);
        turn.into_iter().for_each(Lock::remove);
        self.settle(&slot, None, lock, result)
    }

    /// The device whose code is wanted before AWS gives credentials, if one is.
    fn mfa_device(&self, files: &AwsFiles) -> Result<Option<mfa::Device>, Failure> {
        aws::mfa_device(self.env(), files, &self.target.who)
    }

    /// Gets a token with a code that a person types. Nobody waits for them: no lock is held, and the time for the call begins
    /// when they are done.
    fn with_code(&self, slot: Option<Slot>, files: AwsFiles, device: &mfa::Device) -> Result<Grant, Failure> {
        let timeout = self.settings.timeout()?;
        // A person who typed a code for another process on this terminal is not asked again.
        let ready = || slot.as_ref().and_then(|slot| Some(self.hit(slot, &slot.usable()?)));
        mfa::ask(device, self.registry(), ready, |code| {
            let deadline = Instant::now() + timeout;
            let turn = slot.as_ref().and_then(|slot| self.refresh_turn(slot, deadline));
            let result = self.fetch(files, deadline, Some(code));
            turn.into_iter().for_each(Lock::remove);
            match &slot {
                Some(slot) => self.settle(slot, None, None, result),
                None => result.map(Grant::from),
            }
        })
    }

    /// The right to refresh an SSO login, where one has to be. The SDK writes the refreshed token over the file, so that
    /// others who read it meanwhile find half of it; and a refresh token may only be good once. Whoever waited until
    /// another process had refreshed it needs no right.
    fn refresh_turn(&self, slot: &Slot, until: Instant) -> Option<Lock> {
        let is_due = || slot.fingerprint.has_sso_tokens() && aws::refresh_is_due(self.env(), SystemTime::now());
        if !is_due() {
            return None;
        }
        let name = lock_name(&slot.fingerprint.refresh_lock_key());
        let ready = || {
            self.waiting.look("another process that refreshes the SSO login");
            (!is_due()).then_some(())
        };
        match Lock::wait(slot.store.dir(), &name, until, ready) {
            Err(Attempt::Held(lock)) => Some(lock),
            _ => None,
        }
    }

    /// The slot as it is now, if it is another than it was and for the same source.
    fn renewed(&self, slot: &Slot) -> Option<(Slot, AwsFiles)> {
        let files = AwsFiles::read(self.env());
        let now = self.slot(slot.store.clone(), &files)?;
        let changed = now.key != slot.key && now.fingerprint.same_but_for_sso(&slot.fingerprint);
        changed.then_some((now, files))
    }

    /// There is a token that is no longer fresh: gets a newer one, unless that is another's business or failed lately.
    fn refresh(&self, slot: Slot, files: AwsFiles, entry: &Entry) -> Result<Grant, Failure> {
        let deadline = match self.deadline() {
            Ok(deadline) if !entry.refresh_is_paused(SystemTime::now()) => deadline,
            _ => return Ok(self.hit(&slot, entry)),
        };
        // A person is not asked for a code before there has to be one.
        if !matches!(self.mfa_device(&files), Ok(None)) {
            return Ok(self.hit(&slot, entry));
        }
        let lock = match Lock::attempt(slot.store.dir(), &slot.lock) {
            Attempt::Busy => return Ok(self.hit(&slot, entry)),
            Attempt::Unavailable(_) => None,
            Attempt::Held(lock) => Some(lock),
        };
        let newer = match slot.store.lookup(&slot.key) {
            Lookup::Fresh(newer) => Some(newer),
            Lookup::Usable(newer) if newer.refresh_is_paused(SystemTime::now()) => Some(newer),
            Lookup::Usable(_) => None,
            // Erased meanwhile, by docker logout.
            Lookup::Miss(_) => {
                drop(lock);
                return self.miss(slot, files);
            }
        };
        if let Some(newer) = newer {
            lock.into_iter().for_each(Lock::remove);
            return Ok(self.hit(&slot, &newer));
        }
        self.note(|| format!("refreshing the token, {}", life(entry)));
        let deadline = deadline.min(Instant::now() + REFRESH_TIMEOUT);
        let turn = self.refresh_turn(&slot, deadline);
        let renewed = self.renewed(&slot).map(|(slot, _)| slot);
        let result = self.fetch(files, deadline, None);
        turn.into_iter().for_each(Lock::remove);
        self.settle(&slot, renewed.as_ref(), lock, result)
    }

    /// What follows from an answer of AWS's: a token is kept, a definite no ends an older token, and any other failure
    /// leaves an older token to be served. `renewed` is where a new token belongs, if not to where an older one is.
    fn settle(
        &self,
        slot: &Slot,
        renewed: Option<&Slot>,
        lock: Option<Lock>,
        result: Result<Token, Failure>,
    ) -> Result<Grant, Failure> {
        let failure = match result {
            Ok(token) => {
                self.keep(renewed.unwrap_or(slot), &token);
                lock.into_iter().for_each(Lock::remove);
                return Ok(token.into());
            }
            Err(failure) => failure,
        };
        let now = SystemTime::now();
        if failure.reason.is_definite() {
            let _ = slot.store.remove(&slot.key);
        } else {
            match slot.store.lookup(&slot.key) {
                // Somebody who did not wait any longer was luckier.
                Lookup::Fresh(newer) => return Ok(self.hit(slot, &newer)),
                Lookup::Usable(mut older) => {
                    older.pause_refresh(now);
                    let _ = slot.store.write(&older);
                    self.warn(|| format!("not refreshed, {}: {failure}", life(&older)));
                    return Ok((&older).into());
                }
                Lookup::Miss(_) => {}
            }
        }
        match lock {
            Some(lock) if failure.reason.is_shared() => {
                let _ = lock.leave_failure(&failure, &self.circumstances(slot), now);
            }
            Some(lock) => lock.remove(),
            None => {}
        }
        Err(failure)
    }

    /// Caches a token, if the identity is still the one that it was asked for with.
    fn keep(&self, slot: &Slot, token: &Token) {
        let fingerprint = match Fingerprint::of(self.env(), &AwsFiles::read(self.env()), &self.target.who) {
            Ok(now) if now == slot.fingerprint => now,
            Ok(now) if is_refreshed(&now, slot, token) => now,
            _ => {
                let why = "the identity changed while AWS was asked";
                return self.warn(|| format!("not cached: {why}"));
            }
        };
        let key = fingerprint.key(self.registry(), self.env());
        let mut entry = Entry::new(&key, fingerprint.id(), self.registry(), token);
        if !entry.is_usable(token.requested) {
            let why = "AWS's answer says that the token has already expired, or is about to; is the clock right?";
            return self.warn(|| format!("not cached: {why}"));
        }
        if let Some(older) = slot.store.even_if_expired(&key) {
            entry.keep_hosts_of(&older);
        }
        match slot.store.write(&entry) {
            Ok(()) => {
                self.note(|| format!("cached, {}", life(&entry)));
                slot.store.prune(&key);
                Login::prune(slot.store.dir());
            }
            Err(error) => self.warn(|| format!("not cached: {}", describe(&error))),
        }
    }

    fn fetch(&self, files: AwsFiles, deadline: Instant, code: Option<Secret>) -> Result<Token, Failure> {
        let request = aws::Request {
            registry: self.registry().clone(),
            who: self.target.who.clone(),
            env: self.env().clone(),
            log: self.log.clone(),
            code,
        };
        aws::fetch(request, files, deadline, self.waiting)
    }

    /// What else a failure may depend on, beside the identity: another process shares it only where this is the same.
    fn circumstances(&self, slot: &Slot) -> String {
        identity::name_of_variables(self.env(), &CIRCUMSTANCES) + &slot.fingerprint.id()
    }

    fn deadline(&self) -> Result<Instant, Failure> {
        Ok(self.started + self.settings.timeout()?)
    }

    fn env(&self) -> &Env {
        self.settings.env()
    }

    fn registry(&self) -> &Registry {
        &self.target.registry
    }

    fn note(&self, event: impl FnOnce() -> String) {
        self.log(Level::Debug, event);
    }

    fn warn(&self, event: impl FnOnce() -> String) {
        self.log(Level::Warn, event);
    }

    fn log(&self, level: Level, event: impl FnOnce() -> String) {
        let registry = self.registry();
        self.log.write(level, || format!("{registry}: {}", event()));
    }
}

fn is_refreshed(now: &Fingerprint, slot: &Slot, token: &Token) -> bool {
    token
        .refreshed_sso_token
        .as_ref()
        .is_some_and(|token| now.is_refreshed(&slot.fingerprint, token.expose()))
}

fn life(entry: &Entry) -> String {
    format!("good until {}", log::timestamp(entry.expires()))
}
