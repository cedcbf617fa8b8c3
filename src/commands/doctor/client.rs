//! Which configuration docker reads, and which helper it asks for a registry.

use std::io;
use std::path::PathBuf;

use super::registries_conf;
use crate::command_line::Client;
use crate::commands::configure::helpers::{Helpers, OURS};
use crate::commands::configure::place::client_file;
use crate::env::{self, Env};
use crate::files::describe;
use crate::finding::Finding;
use crate::platform::User;

const STEP: &str = "docker";

/// What the configuration of docker and of podman says, where it can be read.
pub struct Configured {
    /// docker's file and podman's, those that there are.
    files: Vec<File>,
    /// podman's registries.conf, where that names this helper for all registries.
    for_all: Option<String>,
}

/// A client's file.
struct File {
    /// Where it is, for messages.
    file: String,
    client: Client,
    helpers: Helpers,
}

impl Configured {
    /// Reads what the clients would read.
    ///
    /// # Errors
    ///
    /// The finding that there is nothing to be read.
    pub fn read(env: &Env) -> Result<Self, Finding> {
        let mut files: Vec<_> = File::read(Client::Docker, env)?.into_iter().collect();
        match File::read(Client::Podman, env) {
            Ok(podman) => files.extend(podman),
            // podman may not be used at all.
            Err(_) if !files.is_empty() => {}
            Err(finding) => return Err(finding),
        }
        let for_all = registries_conf::naming_us(env);
        if files.is_empty() && for_all.is_none() {
            let (_, file) = place(Client::Docker, env)?;
            return Err(Finding::failure(
                STEP,
                format!("{file} does not exist{}, and nothing asks this helper", sudo()),
                "run docker-credential-ecr-login configure",
            ));
        }
        Ok(Self { files, for_all })
    }

    /// The registries that this helper is asked for by name.
    pub fn registries(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(File::registries)
    }

    /// Which helper wins for a registry: host, and port if there is one. What is podman's counts where docker's file
    /// names nobody.
    pub fn winner(&self, registry: &str) -> Finding {
        let mut silent = String::new();
        for file in &self.files {
            match file.named(registry) {
                Some((OURS, key)) => return file.ours(key, registry, &silent),
                Some(_) => return self.failure(registry),
                None => silent = format!("{silent}; {}", file.no_helper(registry)),
            }
        }
        match &self.for_all {
            Some(file) => {
                let found = format!("credential-helpers in {file}{} names {OURS} for all registries", sudo());
                Finding::ok(STEP, format!("{found}{silent}"))
            }
            None => self.failure(registry),
        }
    }

    /// That the first file does not name this helper.
    fn failure(&self, registry: &str) -> Finding {
        let (found, option) = match self.files.first() {
            Some(file) => {
                let found = match file.named(registry) {
                    Some((helper, key)) => format!("{}, not {OURS}", file.names(helper, key, registry)),
                    None => file.no_helper(registry),
                };
                (found, file.option())
            }
            None => (format!("no helper for {registry}"), ""),
        };
        Finding::failure(
            STEP,
            found,
            format!("run docker-credential-ecr-login configure{option} {registry}"),
        )
    }
}

impl File {
    fn read(client: Client, env: &Env) -> Result<Option<Self>, Finding> {
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

    fn registries(&self) -> impl Iterator<Item = &str> {
        let ours = self.helpers.by_registry().iter().filter(|(_, helper)| helper == OURS);
        ours.map(|(registry, _)| registry.as_str())
    }

    /// The helper of a registry, and the key that names it.
    fn named(&self, registry: &str) -> Option<(&str, &'static str)> {
        match self.helpers.of(registry) {
            // docker then keeps the login in its file.
            Some("") => None,
            Some(helper) => Some((helper, "credHelpers")),
            None if self.client == Client::Docker => self.helpers.store().map(|store| (store, "credsStore")),
            None => None,
        }
    }

    fn names(&self, helper: &str, key: &str, registry: &str) -> String {
        format!("{key} in {}{} names {helper} for {registry}", self.file, sudo())
    }

    fn no_helper(&self, registry: &str) -> String {
        format!("no helper for {registry} in {}{}", self.file, sudo())
    }

    /// What `configure` is to be told to write here.
    fn option(&self) -> &'static str {
        match self.client {
            Client::Docker => "",
            Client::Podman => " --client podman",
        }
    }

    /// That it names this helper, where other files are `silent`. docker lets a variable go before its file.
    fn ours(&self, key: &str, registry: &str, silent: &str) -> Finding {
        let found = format!("{}{silent}", self.names(OURS, key, registry));
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
