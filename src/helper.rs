//! The four verbs that do something: get, store, erase and list.

use std::collections::BTreeMap;
use std::io;
use std::time::{Instant, SystemTime};

use crate::cache::{Dir, Login, Store};
use crate::config;
use crate::env::Env;
use crate::error::{Error, Reason, truncate};
use crate::files::{AwsFiles, describe};
use crate::identity::Fingerprint;
use crate::log::{Level, Log};
use crate::protocol::{Credentials, ServerUrl, StoreRequest};
use crate::registry::{Registry, Service};
use crate::tokens::Tokens;

/// The helper, as one process of it sees the world.
#[derive(Debug)]
pub struct Helper {
    env: Env,
    log: Log,
    started: Instant,
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
    /// [`Error::NotFound`] where the server is not ECR, and for public ECR without credentials: both are used
    /// anonymously. [`Error::Failure`] where an ECR registry's token could not be had.
    pub fn get(&self, server: &ServerUrl) -> Result<Credentials, Error> {
        let registry = registry_of(server).ok_or(Error::NotFound)?;
        let dir = self.cache_dir();
        let login = dir.as_ref().and_then(|dir| Login::find(dir, &registry));
        if let Some(login) = login.as_ref().filter(|login| login.is_of(&self.env)) {
            self.log.debug(|| format!("{registry}: the login made by docker login"));
            return Ok(login.credentials());
        }
        let failure = match self.tokens(&registry).get(dir) {
            Ok(credentials) => return Ok(credentials),
            Err(failure) => failure,
        };
        self.log.write(Level::Error, || {
            format!("{registry}: {}: {failure}", failure.reason.code())
        });
        match (failure.reason, login) {
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
        if config::ignores_storage(&self.env) {
            return Ok(());
        }
        let registry = registry_of(server).ok_or_else(|| not_ecr(server))?;
        let Ok(dir) = Dir::locate(&self.env) else {
            return Ok(());
        };
        let failed = |error: io::Error| {
            Error::Request(format!(
                "the credentials for {registry} cannot be removed from {}: {}",
                dir.path().display(),
                describe(&error)
            ))
        };
        let login = Login::remove(&dir, &registry).map_err(failed)?;
        let tokens = Store::new(dir.clone()).remove_region(&registry).map_err(failed)?;
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

    fn tokens<'a>(&'a self, registry: &'a Registry) -> Tokens<'a> {
        Tokens {
            registry,
            env: &self.env,
            log: &self.log,
            started: self.started,
        }
    }

    /// The directory of the cache, unless there is none to be used.
    fn cache_dir(&self) -> Option<Dir> {
        if config::cache_is_disabled(&self.env) {
            self.log.debug(|| "no cache: AWS_ECR_DISABLE_CACHE is set".to_owned());
            return None;
        }
        Dir::locate(&self.env)
            .inspect_err(|why| self.log.debug(|| format!("no cache: {why}")))
            .ok()
    }
}

fn registry_of(server: &ServerUrl) -> Option<Registry> {
    Registry::from_host(server.host()?)
}

fn not_ecr(server: &ServerUrl) -> Error {
    let host = truncate(server.host().unwrap_or("this server"), 100);
    Error::Request(format!(
        "{host} is not an Amazon ECR registry, and docker-credential-ecr-login keeps credentials for ECR alone; \
         set \"credHelpers\" in docker's config.json for the ECR hosts only, and another \"credsStore\" for the rest"
    ))
}
