//! Every environment variable that the program reads, named once, and a snapshot of them.
//!
//! A variable that is set and empty counts as unset, everywhere.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// Where our tokens are kept.
pub const AWS_ECR_CACHE_DIR: &str = "AWS_ECR_CACHE_DIR";
/// Our configuration file, in the place of the user's own.
pub const AWS_ECR_CONFIG_FILE: &str = "AWS_ECR_CONFIG_FILE";
/// Internal: set for the fallback helper, so that it cannot lead back to us without end.
pub const AWS_ECR_FALLBACK_CALLER: &str = "AWS_ECR_FALLBACK_CALLER";
/// Turns the cache off.
pub const AWS_ECR_DISABLE_CACHE: &str = "AWS_ECR_DISABLE_CACHE";
/// The role for service account tokens whose service account names none.
pub const AWS_ECR_ROLE_ARN: &str = "AWS_ECR_ROLE_ARN";
/// Makes `store` and `erase` succeed without doing anything.
pub const AWS_ECR_IGNORE_CREDS_STORAGE: &str = "AWS_ECR_IGNORE_CREDS_STORAGE";
/// The log's level.
pub const AWS_ECR_LOG: &str = "AWS_ECR_LOG";
/// Puts the reason of a failure on stdout too.
pub const AWS_ECR_STRICT: &str = "AWS_ECR_STRICT";
/// The deadline of a `get`, in seconds.
pub const AWS_ECR_TIMEOUT: &str = "AWS_ECR_TIMEOUT";

/// The user's home, for the AWS files and for ours.
pub const HOME: &str = "HOME";

/// Static keys, under the name every tool knows and the one the Go SDK also reads.
pub const ACCESS_KEY_ID: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"];
/// The secret to [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"];
/// The session token to [`ACCESS_KEY_ID`].
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// The profile: the first of these that is set.
pub const PROFILE: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
/// The region: the first of these that is set. For what has no registry's host name to tell it.
pub const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// Where the AWS config file is, if not in `~/.aws`.
pub const AWS_CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// Where the AWS credentials file is, if not in `~/.aws`.
pub const AWS_SHARED_CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// The file with a web identity token.
pub const AWS_WEB_IDENTITY_TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The role that the web identity token is exchanged for.
pub const AWS_ROLE_ARN: &str = "AWS_ROLE_ARN";
/// The name of the session in that role.
pub const AWS_ROLE_SESSION_NAME: &str = "AWS_ROLE_SESSION_NAME";
/// Every variable of the container credential provider begins so.
pub const AWS_CONTAINER_PREFIX: &str = "AWS_CONTAINER_";
/// The container credential endpoint, as a path on 169.254.170.2.
pub const AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
/// The container credential endpoint, as a URL.
pub const AWS_CONTAINER_CREDENTIALS_FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// The container credential endpoint's authorization token itself.
pub const AWS_CONTAINER_AUTHORIZATION_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// The file with the container credential endpoint's authorization token.
pub const AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// Every variable of the instance metadata client begins so.
pub const AWS_EC2_METADATA_PREFIX: &str = "AWS_EC2_METADATA_";
/// Turns instance metadata off.
pub const AWS_EC2_METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
/// The instance metadata service's URL.
pub const AWS_EC2_METADATA_SERVICE_ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// Whether that service is asked by IPv4 or IPv6.
pub const AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
/// The cache directory of `aws login`.
pub const AWS_LOGIN_CACHE_DIRECTORY: &str = "AWS_LOGIN_CACHE_DIRECTORY";
/// Set by aws-vault in the shells it starts.
pub const AWS_VAULT: &str = "AWS_VAULT";
/// Every endpoint override begins so: for all services, or with a service's name behind it.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// Makes the SDK pass over endpoint overrides.
pub const AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
/// Asks for FIPS endpoints.
pub const AWS_USE_FIPS_ENDPOINT: &str = "AWS_USE_FIPS_ENDPOINT";
/// Asks for dual-stack endpoints.
pub const AWS_USE_DUALSTACK_ENDPOINT: &str = "AWS_USE_DUALSTACK_ENDPOINT";
/// Certificates to trust for AWS, in place of the system's.
pub const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";
/// A file of certificates to trust, in place of the system's.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// Directories of certificates to trust, in place of the system's.
pub const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
/// The proxy for https endpoints.
pub const HTTPS_PROXY: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
/// The proxy for http endpoints.
pub const HTTP_PROXY: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
/// Hosts that are reached without a proxy.
pub const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The directory of docker's config.json. Like the two after it, it says what `configure` writes, and nothing about who asks AWS.
pub const DOCKER_CONFIG: &str = "DOCKER_CONFIG";
/// podman's auth.json.
pub const REGISTRY_AUTH_FILE: &str = "REGISTRY_AUTH_FILE";
/// Where podman's directory is, if not in `~/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// podman's registries.conf, which `doctor` looks at.
pub const CONTAINERS_REGISTRIES_CONF: &str = "CONTAINERS_REGISTRIES_CONF";

/// The kind of terminal. Read where a line is printed, and not a part of a snapshot.
pub const TERM: &str = "TERM";
/// Where programs are. Read where one is looked for, and not a part of a snapshot.
pub const PATH: &str = "PATH";
/// Makes docker before version 23 build with BuildKit. Read there too.
pub const DOCKER_BUILDKIT: &str = "DOCKER_BUILDKIT";
/// Logins that docker takes before those of its file. Read there too.
pub const DOCKER_AUTH_CONFIG: &str = "DOCKER_AUTH_CONFIG";
/// Who became root. Read there too.
pub const SUDO_USER: &str = "SUDO_USER";
/// Asks for output without colours. Read there too.
pub const NO_COLOR: &str = "NO_COLOR";

/// The names outside `AWS_` that a snapshot keeps.
const OTHERS: [&str; 13] = [
    HOME,
    DOCKER_CONFIG,
    REGISTRY_AUTH_FILE,
    XDG_CONFIG_HOME,
    CONTAINERS_REGISTRIES_CONF,
    SSL_CERT_FILE,
    SSL_CERT_DIR,
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// A snapshot of the variables above. Its `Debug` shows names only: values may be keys.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, OsString>);

impl Env {
    /// The process's own environment.
    pub fn from_process() -> Self {
        Self::from_vars(std::env::vars_os())
    }

    /// An environment made of these variables; what the program does not read, and what is empty, is left out.
    pub fn from_vars<N, V>(vars: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let mut kept = BTreeMap::new();
        for (name, value) in vars {
            let (Ok(name), value) = (name.into().into_string(), value.into()) else {
                continue;
            };
            if !value.is_empty() && (name.starts_with("AWS_") || OTHERS.contains(&name.as_str())) {
                kept.insert(name, value);
            }
        }
        Self(kept)
    }

    /// The variable's bytes as they are.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str)
    }

    /// The variable as text. Bytes that are no UTF-8 are replaced, so that such a value is wrong rather than absent.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let raw = self.raw(name)?;
        Some(raw.to_str().map_or_else(|| raw.to_string_lossy(), Cow::Borrowed))
    }

    /// The first of the names that is set, as text.
    pub fn first(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The variable as a path, with a leading `~/` expanded. None where that needs a home and there is none.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let raw = self.raw(name)?;
        match raw.to_str() {
            Some("~") => self.home(),
            Some(text) => match text.strip_prefix("~/") {
                Some(rest) => Some(self.home()?.join(rest)),
                None => Some(PathBuf::from(text)),
            },
            None => Some(PathBuf::from(raw)),
        }
    }

    /// The user's home: HOME and nothing else, as the AWS SDK has it. Never the user database's entry, so that our
    /// files and the AWS ones come from one place.
    pub fn home(&self) -> Option<PathBuf> {
        self.raw(HOME).map(PathBuf::from)
    }

    /// Names and values of all variables whose names begin with `prefix`, in order of name.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a OsStr)> {
        self.0
            .range(prefix.to_owned()..)
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    /// Key id and secret, where both are set and neither is blank.
    pub fn static_keys(&self) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
        let not_blank = |value: &Cow<'_, str>| !value.trim().is_empty();
        let key_id = self.first(&ACCESS_KEY_ID).filter(not_blank)?;
        let secret = self.first(&SECRET_ACCESS_KEY).filter(not_blank)?;
        Some((key_id, secret))
    }

    /// The profile that the environment names, if it names one.
    pub fn profile(&self) -> Option<Cow<'_, str>> {
        self.first(&PROFILE)
    }

    /// Whether a variable that AWS's own tools read as a boolean says yes: `true` in any case.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_unset_and_the_first_name_wins() {
        let env = Env::from_vars([("AWS_PROFILE", ""), ("AWS_DEFAULT_PROFILE", "b"), ("PATH", "/bin")]);
        assert_eq!(env.profile().as_deref(), Some("b"));
        assert_eq!(env.get("PATH"), None, "not ours to read");
    }

    #[test]
    fn blank_keys_are_no_keys() {
        let keys = |id: &str, secret: &str| {
            Env::from_vars([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)])
                .static_keys()
                .is_some()
        };
        assert!(keys("AKIA", "secret"));
        assert!(!keys("AKIA", " "));
        assert!(!keys("", "secret"));
    }

    #[test]
    fn a_tilde_needs_a_home() {
        let env = Env::from_vars([("AWS_CONFIG_FILE", "~/c"), ("HOME", "/h")]);
        assert_eq!(env.path(AWS_CONFIG_FILE), Some(PathBuf::from("/h/c")));
        let env = Env::from_vars([("AWS_CONFIG_FILE", "~/c")]);
        assert_eq!(env.path(AWS_CONFIG_FILE), None);
    }

    #[test]
    fn debug_shows_no_value() {
        let env = Env::from_vars([("AWS_SECRET_ACCESS_KEY", "hunter2")]);
        assert!(!format!("{env:?}").contains("hunter2"));
    }
}
