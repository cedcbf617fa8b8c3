//! Which configuration docker reads, and which helper it asks for a registry.

use std::io;
use std::path::PathBuf;

use crate::command_line::Client;
use crate::commands::configure::helpers::{Helpers, OURS};
use crate::commands::configure::place::client_file;
use crate::env::{self, Env};
use crate::files::describe;
use crate::finding::Finding;
use crate::platform::User;

const STEP: &str = "docker";

/// What docker's configuration says, where it can be read; podman's, where docker has none.
pub struct Configured {
    /// The file, for messages.
    file: String,
    client: Client,
    helpers: Helpers,
}

impl Configured {
    /// Reads what the client would read.
    ///
    /// # Errors
    ///
    /// The finding that there is nothing to be read.
    pub fn read(env: &Env) -> Result<Self, Finding> {
        match Self::of(Client::Docker, env)? {
            Some(configured) => Ok(configured),
            None => match Self::of(Client::Podman, env)? {
                Some(configured) => Ok(configured),
                None => {
                    let (_, file) = place(Client::Docker, env)?;
                    Err(Finding::failure(
                        STEP,
                        format!("{file} does not exist{}, and nothing asks this helper", sudo()),
                        "run docker-credential-ecr-login configure",
                    ))
                }
            },
        }
    }

    fn of(client: Client, env: &Env) -> Result<Option<Self>, Finding> {
        let (path, file) = place(client, env)?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                    _ => Err(Finding::failure(
                        STEP,
                        format!("{file} cannot be read: {}", describe(&error)),
                        "correct its permissions",
                    )),
                };
            }
        };
        match Helpers::read(&text) {
            Ok(helpers) => Ok(Some(Self { file, client, helpers })),
            Err(why) => Err(Finding::failure(STEP, format!("{file} {why}"), "correct the file")),
        }
    }

    /// The registries that this helper is asked for by name.
    pub fn registries(&self) -> impl Iterator<Item = &str> {
        let ours = self.helpers.by_registry().iter().filter(|(_, helper)| helper == OURS);
        ours.map(|(registry, _)| registry.as_str())
    }

    /// Which helper wins for a registry: host, and port if there is one.
    pub fn winner(&self, registry: &str) -> Finding {
        let Self { file, .. } = self;
        let (helper, key) = match self.helpers.of(registry) {
            // docker then keeps the login in its file.
            Some("") => return self.nobody(registry),
            Some(helper) => (helper, "credHelpers"),
            None => match self.helpers.store() {
                Some(store) if self.client == Client::Docker => (store, "credsStore"),
                _ => return self.nobody(registry),
            },
        };
        let found = format!("{key} in {file}{} names {helper} for {registry}", sudo());
        match helper == OURS {
            true => self.with_environment(found),
            false => Finding::failure(
                STEP,
                format!("{found}, not {OURS}"),
                format!("run docker-credential-ecr-login configure {registry}"),
            ),
        }
    }

    fn nobody(&self, registry: &str) -> Finding {
        let by_podman = match self.client {
            Client::Docker => "",
            Client::Podman => " --client podman",
        };
        Finding::failure(
            STEP,
            format!("no helper for {registry} in {}{}", self.file, sudo()),
            format!("run docker-credential-ecr-login configure{by_podman} {registry}"),
        )
    }

    /// docker lets a variable go before its file.
    fn with_environment(&self, found: String) -> Finding {
        match std::env::var_os(env::DOCKER_AUTH_CONFIG).filter(|value| !value.is_empty()) {
            Some(_) if self.client == Client::Docker => Finding::warning(
                STEP,
                format!(
                    "{found}; {} is set, and docker takes logins from there first",
                    env::DOCKER_AUTH_CONFIG
                ),
                format!("unset {}", env::DOCKER_AUTH_CONFIG),
            ),
            _ => Finding::ok(STEP, found),
        }
    }
}

/// Where a client's file is, and the same for messages: with the variable that says so, if one does.
fn place(client: Client, env: &Env) -> Result<(PathBuf, String), Finding> {
    let path = client_file(client, env).map_err(|why| Finding::failure(STEP, why, "set HOME"))?;
    let variable = match client {
        Client::Docker => env::DOCKER_CONFIG,
        Client::Podman => env::REGISTRY_AUTH_FILE,
    };
    let shown = match env.raw(variable) {
        Some(_) => format!("{} ({variable})", path.display()),
        None => path.display().to_string(),
    };
    Ok((path, shown))
}

/// Whose configuration it is, where that may surprise.
fn sudo() -> String {
    match std::env::var(env::SUDO_USER) {
        Ok(user) if !user.is_empty() && User::current() == User::ROOT => format!(" (as root: sudo from {user})"),
        _ => String::new(),
    }
}
