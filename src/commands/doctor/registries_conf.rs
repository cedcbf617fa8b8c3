//! podman's registries.conf: it may name helpers for every registry there is (containers-registries.conf(5)).

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::commands::configure::helpers::OURS;
use crate::env::{self, Env};
use crate::files::{self, Found};

/// The file that there is for every user.
const SYSTEMS: &str = "/etc/containers/registries.conf";

/// The file that podman reads, for messages, where it names this helper. One that cannot be read names nobody.
pub fn naming_us(env: &Env) -> Option<String> {
    let raw = |name: &str| env.raw(name).map(PathBuf::from);
    let (path, variable) = match raw(env::CONTAINERS_REGISTRIES_CONF) {
        Some(path) => (path, format!(" ({})", env::CONTAINERS_REGISTRIES_CONF)),
        None => {
            let home = || env.home().map(|home| home.join(".config"));
            let users = raw(env::XDG_CONFIG_HOME).or_else(home);
            let users = users.map(|config| config.join("containers/registries.conf"));
            let first = users.filter(|path| path.exists());
            (first.unwrap_or_else(|| PathBuf::from(SYSTEMS)), String::new())
        }
    };
    names_us(&path).then(|| format!("{}{variable}", path.display()))
}

fn names_us(path: &Path) -> bool {
    let Found::Contents(bytes) = files::read(path) else {
        return false;
    };
    let Some(table) = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| DeTable::parse(text).ok())
    else {
        return false;
    };
    let helpers = table.get_ref().get("credential-helpers");
    let helpers = helpers.and_then(|value| value.get_ref().as_array());
    helpers.is_some_and(|all| all.iter().any(|helper| helper.get_ref().as_str() == Some(OURS)))
}
