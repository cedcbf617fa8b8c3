//! What a person asked for, made sure of before any file is touched.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{World, place};
use crate::command_line::{Client, Configure};
use crate::error::{one_line, truncate};
use crate::protocol::ServerUrl;
use crate::registry::Registry;

/// What the person asked for, checked.
#[derive(Debug)]
pub struct Task {
    /// The registries, in the order given; when removing, none stands for all that have this helper.
    pub registries: Vec<Named>,
    /// The AWS profile for them.
    pub profile: Option<String>,
    /// Whether all other registries are meant too.
    pub store: bool,
    /// Whether this is to be taken back.
    pub remove: bool,
    /// The client's file.
    pub client_file: PathBuf,
    /// The file of another client, which may name the same registries; none where nothing says where it would be.
    pub other_file: Option<PathBuf>,
    /// Our own; none where nothing says where it would be.
    pub settings_file: Result<PathBuf, String>,
}

/// A registry as a person named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As the client will look for it: with the port, if it has one.
    pub key: String,
    /// The host alone.
    pub host: String,
}

impl Named {
    /// A registry as a client's file names it.
    pub fn of_key(key: &str) -> Self {
        let host = key.split(':').next().unwrap_or_default();
        Self {
            key: key.to_owned(),
            host: host.to_owned(),
        }
    }
}

/// What is asked for, as far as that can be told without the files.
///
/// # Errors
///
/// A line that names what makes no sense.
pub fn task(options: &Configure, world: &World<'_>, is_offered: bool) -> Result<Task, String> {
    check(options)?;
    let given = match is_offered {
        true => (world.whoami)().map_err(|failure| match failure.whose.as_str() {
            "" => failure.to_string(),
            whose => format!("with {whose}: {failure}"),
        })?,
        false => options.registries.clone(),
    };
    let mut registries = Vec::new();
    for given in &given {
        let named = named(given)?;
        // It would be an entry for others too.
        if !options.remove && named.host.contains(['*', '?', '[', '{']) {
            return Err(no_name(given));
        }
        // What is removed has our name behind it, and that is enough.
        if !options.remove && !Registry::is_host(&named.host) && world.settings.target(&named.host).is_none() {
            return Err(format!(
                "{} is not an ECR registry; those look like 123456789012.dkr.ecr.us-east-1.amazonaws.com or public.ecr.aws",
                named.key
            ));
        }
        if !registries.contains(&named) {
            registries.push(named);
        }
    }
    let other = match options.client {
        Client::Docker => Client::Podman,
        Client::Podman => Client::Docker,
    };
    Ok(Task {
        registries,
        profile: options.profile.clone(),
        store: options.store,
        remove: options.remove,
        client_file: place::client_file(options.client, world.settings.env())?,
        other_file: place::client_file(other, world.settings.env()).ok(),
        settings_file: place::config_file_to_write(world.settings.env()),
    })
}

/// Whether the options make sense together.
fn check(options: &Configure) -> Result<(), String> {
    if options.store && options.client == Client::Podman {
        return Err(
            "--store is for docker: podman's auth.json knows no credsStore; write credential-helpers = [\"ecr-login\"] in \
             registries.conf"
                .to_owned(),
        );
    }
    let Some(profile) = &options.profile else { return Ok(()) };
    if profile.trim().is_empty() || profile.chars().any(char::is_control) {
        return Err(format!("{profile:?} is no name of a profile"));
    }
    match options.registries.is_empty() && options.store {
        true => Err("--profile is for registries, and with --store none is asked for; name them".to_owned()),
        false => Ok(()),
    }
}

/// A registry as a person names it: a host, with a port or without, or the URL of one.
fn named(given: &str) -> Result<Named, String> {
    let url = ServerUrl::parse(given.as_bytes());
    let host = url
        .as_ref()
        .ok()
        .and_then(ServerUrl::host)
        .filter(|host| !host.is_empty());
    let Some(host) = host else {
        return Err(match given.contains('@') {
            // It may be a password.
            true => "a registry has a user name in front of it; name the host alone".to_owned(),
            false => no_name(given),
        });
    };
    let (scheme, rest) = given.trim().split_once("://").unwrap_or(("", given.trim()));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let is_implied = match scheme.to_ascii_lowercase().as_str() {
        "https" => port == "443",
        "http" => port == "80",
        _ => false,
    };
    Ok(Named {
        key: match port.is_empty() || is_implied {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        },
        host: host.to_owned(),
    })
}

fn no_name(given: &str) -> String {
    format!("{:?} is no registry's name", truncate(&one_line(given), 100))
}

/// Each of them once, in the order in which they came.
pub fn once_each<T: Copy + Ord>(all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut seen = BTreeSet::new();
    all.filter(move |one| seen.insert(*one))
}
