//! The four verbs that do something: get, store, erase and list.

use std::collections::BTreeMap;
use std::io;
use std::time::{Instant, SystemTime};

use crate::cache::{Dir, Login, Store};
use crate::config::{Settings, Target};
use crate::error::{Error, Failure, Reason, truncate};
use crate::files::{AwsFiles, describe};
use crate::identity::Fingerprint;
use crate::log::{Level, Log};
use crate::protocol::{Credentials, ServerUrl, StoreRequest};
use crate::registry::Service;
use crate::tokens::{Grant, Tokens};
use crate::waiting::Waiting;
use crate::who::Who;

/// The helper, as one process of it sees the world.
#[derive(Debug)]
pub struct Helper {
    settings: Settings,
    log: Log,
    started: Instant,
    waiting: Waiting,
}

impl Helper {
    /// A helper with these settings, which began to work just now.
    pub fn new(settings: Settings, log: Log) -> Self {
        Self {
            settings,
            log,
            started: Instant::now(),
            waiting: Waiting::default(),
        }
    }

    /// The same, which says once what it waits for, where that takes long: `say` is given a sentence.
    pub fn saying(self, say: fn(&str)) -> Self {
        Self {
            waiting: Waiting::telling(say),
            ..self
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The user name and password for a registry.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where the server is not ECR, and for public ECR without credentials, if the configuration
    /// chose nobody's: both are used anonymously. [`Error::Failure`] where an ECR registry's token could not be had.
    pub fn get(&self, server: &ServerUrl) -> Result<Credentials, Error> {
        let target = self.target(server).ok_or(Error::NotFound)?;
        self.credentials(&target)
    }

    /// The same for a registry that is known to be ECR.
    ///
    /// # Errors
    ///
    /// As for [`Self::get`].
    pub fn credentials(&self, target: &Target) -> Result<Credentials, Error> {
        let registry = &target.registry;
        let dir = self.cache_dir();
        let login = dir.as_ref().and_then(|dir| Login::find(dir, registry));
        if let Some(login) = login.as_ref().filter(|login| login.is_of(self.settings.env(), target)) {
            self.log.debug(|| format!("{registry}: the login made by docker login"));
            return Ok(login.credentials());
        }
        let failure = match self.token_in(target, dir) {
            Ok(grant) => return Ok(grant.credentials),
            Err(failure) => failure,
        };
        match (failure.reason, login) {
            // Where the configuration chose somebody, nobody else will do.
            _ if target.who != Who::Environment => Err(Error::Failure(failure)),
            // A login made under another key or profile is still better than nothing, and nothing is what there is.
            (Reason::NoCredentials, Some(login)) => Ok(login.credentials()),
            (Reason::NoCredentials, None) if registry.service() == Service::Public => Err(Error::NotFound),
            _ => Err(Error::Failure(failure)),
        }
    }

    /// Keeps a login that was made by `docker login`, until it ends.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] where the server is not ECR, or the login cannot be kept.
    pub fn store(&self, request: StoreRequest) -> Result<(), Error> {
        if self.settings.ignores_storage() {
            return Ok(());
        }
        let target = self.target(&request.server).ok_or_else(|| not_ecr(&request.server))?;
        let registry = &target.registry;
        let not_kept = |why: String| {
            Error::Request(format!(
                "the login to {registry} cannot be kept: {why}; AWS_ECR_IGNORE_CREDS_STORAGE=true makes docker login \
                 succeed without keeping it"
            ))
        };
        if self.settings.cache_is_disabled() {
            return Err(not_kept("AWS_ECR_DISABLE_CACHE is set".to_owned()));
        }
        let env = self.settings.env();
        let dir = self.settings.cache_dir().map_err(not_kept)?;
        let login = Login::new(&target, request.credentials, env, SystemTime::now());
        if !login.is_live(SystemTime::now()) {
            self.log.write(Level::Warn, || {
                format!("{registry}: the password of the login has expired already; is the clock right?")
            });
        }
        login
            .write(&dir)
            .map_err(|error| not_kept(format!("{}: {}", dir.path().display(), describe(&error))))?;
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
        if self.settings.ignores_storage() {
            return Ok(());
        }
        let registry = self.target(server).ok_or_else(|| not_ecr(server))?.registry;
        let Ok(dir) = self.settings.cache_dir() else {
            return Ok(());
        };
        let failed = |error: io::Error| {
            Error::Request(format!(
                "the credentials for {registry} cannot be removed from {}: {}",
                dir.path().display(),
                describe(&error)
            ))
        };
        let login = Login::remove(&dir, registry.host()).map_err(failed)?;
        let tokens = Store::new(dir.clone()).remove_region(&registry).map_err(failed)?;
        self.log
            .info(|| format!("{registry}: erased {tokens} tokens, a login: {login}"));
        Ok(())
    }

    /// Registries and user names: what these identities asked for lately, and logins. Never asks the network.
    pub fn list(&self) -> BTreeMap<String, String> {
        let mut servers = BTreeMap::new();
        let Some(dir) = self.cache_dir() else {
            return servers;
        };
        let ids = self.identities();
        for entry in Store::new(dir.clone()).live_entries() {
            if ids.iter().any(|id| id == entry.identity()) {
                for host in entry.hosts() {
                    servers.insert(host.clone(), entry.username().to_owned());
                }
            }
        }
        for login in Login::all(&dir) {
            servers.insert(login.host().to_owned(), login.username().to_owned());
        }
        // A name in front of ECR may have been one when it was asked for.
        servers.retain(|host, _| self.settings.target(host).is_some());
        servers
    }

    /// The names of everybody whose tokens this helper may hand out.
    fn identities(&self) -> Vec<String> {
        let env = self.settings.env();
        let files = AwsFiles::read(env);
        let everybody = self.settings.everybody().into_iter();
        everybody
            .filter_map(|who| Some(Fingerprint::of(env, &files, &who).ok()?.id()))
            .collect()
    }

    /// A token, whether or not there was a `docker login`.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that says why there is none.
    pub fn token(&self, target: &Target) -> Result<Grant, Failure> {
        self.token_in(target, self.cache_dir())
    }

    fn token_in(&self, target: &Target, dir: Option<Dir>) -> Result<Grant, Failure> {
        self.tokens(target).get(dir).inspect_err(|failure| {
            self.log.write(Level::Error, || {
                format!("{}: {}: {failure}", target.registry, failure.reason.code())
            });
        })
    }

    fn target(&self, server: &ServerUrl) -> Option<Target> {
        self.settings.target(server.host()?)
    }

    fn tokens<'a>(&'a self, target: &'a Target) -> Tokens<'a> {
        Tokens {
            target,
            settings: &self.settings,
            log: &self.log,
            started: self.started,
            waiting: &self.waiting,
        }
    }

    /// The directory of the cache, unless there is none to be used.
    fn cache_dir(&self) -> Option<Dir> {
        if self.settings.cache_is_disabled() {
            self.log.debug(|| "no cache: AWS_ECR_DISABLE_CACHE is set".to_owned());
            return None;
        }
        self.settings
            .cache_dir()
            .inspect_err(|why| self.log.debug(|| format!("no cache: {why}")))
            .ok()
    }
}

/// Removes a login to a host that is not ECR's any more: a name that was in front of it. Whether there was one.
pub fn forget(settings: &Settings, server: &ServerUrl) -> bool {
    let dir = settings.cache_dir().ok();
    let (Some(dir), Some(host)) = (dir, server.host()) else {
        return false;
    };
    Login::remove(&dir, host).unwrap_or_default()
}

/// What is wrong with a server that is neither ECR nor anybody else's.
pub fn not_ecr(server: &ServerUrl) -> Error {
    let host = truncate(server.host().unwrap_or("this server"), 100);
    Error::Request(format!(
        "{host} is not an Amazon ECR registry, and docker-credential-ecr-login keeps credentials for ECR alone; \
         set \"credHelpers\" in docker's config.json for the ECR hosts only, and another \"credsStore\" for the rest, \
         or name that one as fallback in config.toml"
    ))
}
