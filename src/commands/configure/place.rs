//! Which file is written.

use std::path::PathBuf;

use crate::command_line::Client;
use crate::config::file;
use crate::env::{self, Env};

/// The file in which a client looks for the helper of a registry.
///
/// # Errors
///
/// Says which variable would have to be set.
pub fn client_file(client: Client, env: &Env) -> Result<PathBuf, String> {
    // As the clients have it: a `~` in these variables is the shell's affair.
    let raw = |name: &str| env.raw(name).map(PathBuf::from);
    let (path, variable) = match client {
        Client::Docker => {
            let home = || env.home().map(|home| home.join(".docker"));
            let directory = raw(env::DOCKER_CONFIG).or_else(home);
            (directory.map(|place| place.join("config.json")), env::DOCKER_CONFIG)
        }
        // Not the file in XDG_RUNTIME_DIR, which is gone after the next start; podman reads both.
        Client::Podman => {
            let home = || env.home().map(|home| home.join(".config"));
            let file = |config: PathBuf| config.join("containers/auth.json");
            let default = || raw(env::XDG_CONFIG_HOME).or_else(home).map(file);
            (raw(env::REGISTRY_AUTH_FILE).or_else(default), env::REGISTRY_AUTH_FILE)
        }
    };
    absolute(path).ok_or_else(|| format!("neither HOME nor {variable} is set, one of which says where the file is"))
}

/// The file that holds our own configuration, whether it is there or not.
///
/// # Errors
///
/// Says which variable would have to be set.
pub fn config_file_to_write(env: &Env) -> Result<PathBuf, String> {
    let path = file::users(env).map_err(|failure| failure.to_string())?;
    absolute(path).ok_or_else(|| format!("neither HOME nor {} says where to write", env::AWS_ECR_CONFIG_FILE))
}

fn absolute(path: Option<PathBuf>) -> Option<PathBuf> {
    std::path::absolute(path?).ok()
}

/// Whether a directory on this search path has the program that docker looks for. Clients written in Go run none from an
/// entry that is not a full path.
pub fn is_on_path(program: &str, path: &std::ffi::OsStr) -> bool {
    let is_there = |directory: PathBuf| crate::platform::is_program(&directory.join(program));
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .any(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_file() {
        let of = |client, vars: &[(&str, &str)]| client_file(client, &Env::from_vars(vars.iter().copied()));
        let home = ("HOME", "/h");
        for (client, vars, expected) in [
            (Client::Docker, vec![home], "/h/.docker/config.json"),
            (Client::Docker, vec![home, ("DOCKER_CONFIG", "/d")], "/d/config.json"),
            (
                Client::Docker,
                vec![home, ("DOCKER_CONFIG", "")],
                "/h/.docker/config.json",
            ),
            (Client::Podman, vec![home], "/h/.config/containers/auth.json"),
            (
                Client::Podman,
                vec![home, ("XDG_CONFIG_HOME", "/x")],
                "/x/containers/auth.json",
            ),
            (Client::Podman, vec![("REGISTRY_AUTH_FILE", "/a")], "/a"),
        ] {
            assert_eq!(of(client, &vars), Ok(PathBuf::from(expected)), "{vars:?}");
        }
        assert!(of(Client::Docker, &[]).unwrap_err().contains("DOCKER_CONFIG"));
        assert!(of(Client::Podman, &[]).unwrap_err().contains("REGISTRY_AUTH_FILE"));
    }
}
