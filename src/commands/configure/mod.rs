//! `configure`: names this helper in a client's configuration file, and takes that back.

mod diff;
pub mod helpers;
mod json;
mod mask;
pub mod place;
mod plan;
mod report;
mod settings;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cache::{Attempt, Dir, Lock, lock_name};
use crate::command_line::{Client, Configure, NAME};
use crate::env::Env;
use crate::error::{Failure, one_line, truncate};
use crate::identity::name_of;
use crate::protocol::ServerUrl;
use crate::registry::Registry;
use crate::replace::Outcome;
use crate::style::Style;

use plan::{Named, Plan, Task, once_each};
use report::{Item, section};

/// How long another `configure` is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the files may be changed by somebody else in the middle of it.
const ROUNDS: usize = 100;

/// What `configure` needs to know and cannot find out by itself.
pub struct World<'a> {
    /// The environment.
    pub env: &'a Env,
    /// How the report is shown.
    pub style: Style,
    /// Whether a host that is not ECR's is one of ours all the same.
    pub is_ours: &'a dyn Fn(&str) -> bool,
    /// The registries of whoever asks; AWS knows.
    pub whoami: &'a dyn Fn() -> Result<Vec<String>, Failure>,
    /// Shows a text, and whether the person agrees.
    pub confirm: &'a dyn Fn(&str) -> bool,
    /// Where docker looks for programs.
    pub search_path: Option<OsString>,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// The report, for stdout.
    pub report: String,
    /// What the person should know beside it, a line each.
    pub warnings: Vec<String>,
}

/// Does what was asked for.
///
/// # Errors
///
/// A line that names what is wrong. Nothing was changed then, or all but what it names.
pub fn run(options: &Configure, world: &World<'_>) -> Result<Done, String> {
    let is_offered = options.registries.is_empty() && !options.store && !options.remove;
    let task = task(options, world, is_offered)?;
    let mut plan = task.plan()?;
    let mut warnings = plan.warnings.split_off(0);
    warnings.extend(unfound(options, world));
    let mut reported = BTreeMap::new();
    if options.dry_run && !plan.is_empty() {
        let report = difference(&plan, world.style);
        return Ok(Done { report, warnings });
    }
    if !plan.is_empty() {
        if is_offered && !options.yes && !(world.confirm)(&sections(&plan, &reported, Style::default())) {
            return Err("nothing was changed".to_owned());
        }
        plan = carry_out(&task, world.env, &mut reported)?;
    }
    Ok(Done {
        report: match reported.is_empty() {
            true => nothing(&plan, world.style),
            false => sections(&plan, &reported, world.style),
        },
        warnings,
    })
}

/// What is asked for, as far as that can be told without the files.
fn task(options: &Configure, world: &World<'_>, is_offered: bool) -> Result<Task, String> {
    let profile = options.profile.clone();
    if options.store && options.client == Client::Podman {
        return Err(
            "--store is for docker: podman's auth.json knows no credsStore; write credential-helpers = [\"ecr-login\"] \
             in registries.conf"
                .to_owned(),
        );
    }
    if let Some(name) = &profile {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(format!("{name:?} is no name of a profile"));
        }
        if options.registries.is_empty() && options.store {
            return Err("--profile is for registries, and with --store none is asked for; name them".to_owned());
        }
    }
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
        // What is removed has our name behind it, and that is enough.
        if !options.remove && !Registry::is_host(&named.host) && !(world.is_ours)(&named.host) {
            return Err(format!(
                "{} is not an ECR registry; those look like 123456789012.dkr.ecr.us-east-1.amazonaws.com or \
                 public.ecr.aws",
                named.key
            ));
        }
        registries.push(named);
    }
    let keys = once_each(registries.iter().map(|named| &named.key));
    let first = keys.filter_map(|key| registries.iter().find(|named| named.key == *key));
    Ok(Task {
        registries: first.cloned().collect(),
        profile,
        store: options.store,
        remove: options.remove,
        client_file: place::client_file(options.client, world.env)?,
        settings_file: place::config_file_to_write(world.env),
    })
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
            false => format!("{:?} is no registry's name", truncate(&one_line(given), 100)),
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

/// Writes the files. Whatever somebody else writes meanwhile is looked at first.
fn carry_out(task: &Task, env: &Env, reported: &mut BTreeMap<PathBuf, Vec<Item>>) -> Result<Plan, String> {
    let lock = lock(env);
    for _ in 0..ROUNDS {
        let plan = task.plan()?;
        if write(&plan, reported)? {
            if let Some(lock) = lock {
                lock.remove();
            }
            return Ok(plan);
        }
    }
    let path = task.client_file.display();
    Err(format!(
        "{path} is changed by somebody else again and again; try once more"
    ))
}

/// Whether the files were as they had been read. All new texts are on disk before the first takes its place.
fn write(plan: &Plan, reported: &mut BTreeMap<PathBuf, Vec<Item>>) -> Result<bool, String> {
    let mut staged = Vec::new();
    for change in &plan.changes {
        if let Some(text) = &change.text {
            staged.push((change, change.file.stage(text)?));
        }
    }
    for (change, staged) in staged {
        if staged.commit()? == Outcome::Outdated {
            return Ok(false);
        }
        let path = change.file.path().to_owned();
        reported.entry(path).or_insert_with(|| change.items.clone());
    }
    Ok(true)
}

/// One `configure` at a time. Without locks it is the look just before the renaming that keeps others' changes.
fn lock(env: &Env) -> Option<Lock> {
    let dir = Dir::locate(env).ok()?;
    let name = lock_name(&name_of("configure", &[]));
    match Lock::wait(&dir, &name, Instant::now() + LOCK_TIMEOUT, || None::<()>) {
        Err(Attempt::Held(lock)) => Some(lock),
        _ => None,
    }
}

/// What was done in each file: what was written in an earlier round is not news in the last.
fn sections(plan: &Plan, reported: &BTreeMap<PathBuf, Vec<Item>>, style: Style) -> String {
    let changes = plan.changes.iter().filter(|change| !change.items.is_empty());
    changes
        .map(|change| {
            let path = change.file.path();
            section(path, reported.get(path).unwrap_or(&change.items), style)
        })
        .collect()
}

fn nothing(plan: &Plan, style: Style) -> String {
    let said = sections(plan, &BTreeMap::new(), style);
    let path = plan
        .changes
        .first()
        .map(|change| change.file.path().display().to_string());
    match said.is_empty() {
        true => format!(
            "nothing to do: {} does not name this helper\n",
            path.unwrap_or_default()
        ),
        false => format!("nothing to do:\n{said}"),
    }
}

fn difference(plan: &Plan, style: Style) -> String {
    let changes = plan.changes.iter().filter(|change| change.text.is_some());
    let each = |change: &plan::Change| {
        let (before, after) = &change.shown;
        diff::difference(change.file.path(), before, after, style)
    };
    changes.map(each).collect()
}

/// Where docker would not find this program.
fn unfound(options: &Configure, world: &World<'_>) -> Option<String> {
    let is_found = |path: &OsString| place::is_on_path(NAME, path);
    (!options.remove && !world.search_path.as_ref().is_some_and(is_found))
        .then(|| format!("{NAME} is not found on PATH, where the client will look for it"))
}
