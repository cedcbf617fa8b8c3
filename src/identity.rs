//! Who asks: a fingerprint of where AWS credentials would come from, made without resolving them.
//!
//! Two different identities must never have one fingerprint, so whatever could lead to other credentials goes into
//! the hash, labelled and with its length, and with "unset", "missing", "unreadable" and contents told apart. No SDK,
//! no network.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use serde::Deserialize;

use crate::config::Target;
use crate::env::{self, Env};
use crate::files::{self, AwsFile, AwsFiles, Found};
use crate::platform;
use crate::registry::Registry;
use crate::secret::Secret;
use crate::service_account::{Claims, ServiceAccount};
use crate::who::{Role, Who};

/// Part of every hash: another meaning of the inputs needs another number.
const FORMAT: u32 = 2;

/// Where credentials would come from, as hashes. The SSO token files are kept apart because the SDK itself refreshes
/// one of them during a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    source: [u8; 32],
    sso_tokens: BTreeMap<PathBuf, [u8; 32]>,
}

/// Why a source has no fingerprint: it depends on something whose contents cannot be known beforehand, a pipe or a
/// directory that cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen(pub PathBuf);

impl Fingerprint {
    /// The fingerprint of the environment and files, and of a choice among what they offer.
    ///
    /// # Errors
    ///
    /// [`Unseen`] names the pipe, device or directory.
    pub fn of(env: &Env, aws_files: &AwsFiles, who: &Who) -> Result<Self, Unseen> {
        let mut source = Hasher::new("source");
        source.always(env, aws_files, who)?;
        source.who(who);
        let mut sso_tokens = BTreeMap::new();
        match env.static_keys() {
            // Nothing on this machine can make other credentials of it.
            _ if who.service_account().is_some() => {}
            Some((key_id, _)) if who.profile().is_none() => source.bytes("static-key", key_id.as_bytes()),
            keys => {
                // A profile may still say credential_source = Environment.
                if let Some((key_id, _)) = keys.filter(|_| aws_files.mention("environment")) {
                    source.bytes("environment-key", key_id.as_bytes());
                }
                source.variables(env, who);
                source.token_files(env, aws_files, who)?;
                source.login_sessions(env)?;
                source.machine();
                sso_tokens = self::sso_tokens(env, aws_files)?;
            }
        }
        Ok(Self {
            source: source.finish(),
            sso_tokens,
        })
    }

    /// Whether the two are one identity but for SSO tokens, which may have been refreshed or be somebody else's.
    pub fn same_but_for_sso(&self, other: &Self) -> bool {
        self.source == other.source
    }

    /// Whether this is `earlier` after the SDK refreshed an SSO login: one token file is another, the others are what
    /// they were, and the one holds the very access token that the SDK then used. Anybody else's login would be
    /// another identity.
    pub fn is_refreshed(&self, earlier: &Self, access_token: &str) -> bool {
        let changed: Vec<_> = self
            .sso_tokens
            .iter()
            .filter(|(path, hash)| earlier.sso_tokens.get(*path) != Some(*hash))
            .collect();
        let [(path, hash)] = changed.as_slice() else {
            return false;
        };
        self.same_but_for_sso(earlier)
            && self.sso_tokens.keys().eq(earlier.sso_tokens.keys())
            && holds(path, hash, access_token)
    }

    /// Whether SSO logins take part.
    pub fn has_sso_tokens(&self) -> bool {
        !self.sso_tokens.is_empty()
    }

    /// The name of the lock for refreshing an SSO login, whatever registry it is for.
    pub fn refresh_lock_key(&self) -> String {
        name_of("refresh-lock", &[("source", &self.source)])
    }

    /// The identity itself, for finding everything cached for it.
    pub fn id(&self) -> String {
        let mut hasher = Hasher::new("identity");
        hasher.fingerprint(self);
        hex(&hasher.finish())
    }

    /// The name of the cache entry for this identity's token for a registry. A token opens every registry that its
    /// identity may use in a region, so neither the account nor the host takes part.
    pub fn key(&self, registry: &Registry, env: &Env) -> String {
        let mut hasher = Hasher::new("key");
        hasher.fingerprint(self);
        hasher.registry(registry, env);
        hex(&hasher.finish())
    }

    /// The name of the lock for getting that token: the entry's own, but that it stays the same when an SSO login is
    /// refreshed, so that those who come after the refresh wait for the process that made it.
    pub fn lock_key(&self, registry: &Registry, env: &Env) -> String {
        if !self.has_sso_tokens() {
            return self.key(registry, env);
        }
        let mut hasher = Hasher::new("lock");
        hasher.bytes("source", &self.source);
        hasher.registry(registry, env);
        hex(&hasher.finish())
    }
}

/// A hash over labelled, length-prefixed fields. BLAKE2b and not SHA-256, whose implementations ask the processor what it
/// can do: on a virtual machine each such question is one for the hypervisor, and costs more than the hashing.
struct Hasher(Blake2b<U32>);

impl Hasher {
    fn new(purpose: &str) -> Self {
        let mut hasher = Self(Blake2b::new());
        hasher.bytes("format", &FORMAT.to_be_bytes());
        hasher.bytes("purpose", purpose.as_bytes());
        hasher
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn bytes(&mut self, label: &str, value: &[u8]) {
        for part in [label.as_bytes(), value] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            self.0.update(length.to_be_bytes());
            self.0.update(part);
        }
    }

    fn optional(&mut self, label: &str, value: Option<&OsStr>) {
        match value {
            Some(value) => self.bytes(label, value.as_encoded_bytes()),
            None => self.bytes("unset", label.as_bytes()),
        }
    }

    fn file(&mut self, label: &str, path: &Path, found: &Found) -> Result<(), Unseen> {
        self.bytes(label, path.as_os_str().as_encoded_bytes());
        match found {
            Found::Unset => self.bytes("file", b"unset"),
            Found::Missing => self.bytes("file", b"missing"),
            Found::Unreadable(why) => self.bytes("unreadable", why.as_bytes()),
            Found::Hidden(why) => self.bytes("hidden", why.as_bytes()),
            Found::Contents(contents) => self.bytes("contents", contents),
            Found::NotRegular => return Err(Unseen(path.to_owned())),
        }
        Ok(())
    }

    fn fingerprint(&mut self, fingerprint: &Fingerprint) {
        self.bytes("source", &fingerprint.source);
        for (path, hash) in &fingerprint.sso_tokens {
            self.bytes("sso-token", path.as_os_str().as_encoded_bytes());
            self.bytes("contents", hash);
        }
    }

    fn registry(&mut self, registry: &Registry, env: &Env) {
        self.bytes("service", registry.service().as_str().as_bytes());
        self.bytes("region", registry.region().as_bytes());
        let fips = registry.fips() || env.is_true(env::AWS_USE_FIPS_ENDPOINT);
        let dual_stack = registry.dual_stack() || env.is_true(env::AWS_USE_DUALSTACK_ENDPOINT);
        self.bytes("endpoint", &[u8::from(fips), u8::from(dual_stack)]);
        if let Some(behind) = registry.behind() {
            self.bytes("alias-of", behind.as_bytes());
        }
    }

    /// Whose credentials were chosen, if they were.
    fn who(&mut self, who: &Who) {
        match who {
            Who::Environment => {}
            Who::Profile(name) => self.bytes("chosen-profile", name.as_bytes()),
            Who::Role(role) => {
                let Role {
                    arn,
                    source_profile,
                    external_id,
                    session_name,
                    mfa_serial,
                } = &**role;
                self.bytes("chosen-role", arn.as_bytes());
                for (label, value) in [
                    ("source-profile", source_profile),
                    ("external-id", external_id),
                    ("session-name", session_name),
                    ("mfa-serial", mfa_serial),
                ] {
                    self.optional(label, value.as_deref().map(OsStr::new));
                }
            }
            Who::ServiceAccount(account) => self.service_account(account),
        }
    }

    /// A pod's token is another for every pod and every hour. What it says of the account stays the same.
    fn service_account(&mut self, account: &ServiceAccount) {
        self.bytes("service-account-role", account.role_arn.as_bytes());
        let Some(claims) = &account.claims else {
            return self.bytes("opaque-token", account.token.expose().as_bytes());
        };
        let Claims {
            issuer,
            subject,
            audiences,
            namespace,
            name,
            uid,
        } = claims;
        for (label, value) in [
            ("issuer", issuer),
            ("subject", subject),
            ("namespace", namespace),
            ("name", name),
            ("uid", uid),
        ] {
            self.bytes(label, value.as_bytes());
        }
        for audience in audiences {
            self.bytes("audience", audience.as_bytes());
        }
    }

    /// What counts whatever the source is.
    fn always(&mut self, env: &Env, aws_files: &AwsFiles, who: &Who) -> Result<(), Unseen> {
        self.prefix(env, env::AWS_ENDPOINT_URL);
        self.optional(
            env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
            env.raw(env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS),
        );
        self.optional(env::HOME, env.raw(env::HOME));
        // A chosen one stands in its place, and is hashed as what it is.
        let profile = env::PROFILE.iter().find_map(|name| env.raw(name));
        self.optional("profile", profile.filter(|_| who.profile().is_none()));
        for AwsFile { path, found, .. } in aws_files.each() {
            self.file("aws-file", path.as_deref().unwrap_or(Path::new("")), found)?;
        }
        Ok(())
    }

    /// The variables that choose among the sources other than static keys. Where a profile is chosen, those that name
    /// other sources have no say.
    fn variables(&mut self, env: &Env, who: &Who) {
        if who.profile().is_none() {
            self.other_sources(env);
        }
        self.optional(env::AWS_VAULT, env.raw(env::AWS_VAULT));
        self.prefix(env, env::AWS_CONTAINER_PREFIX);
        self.prefix(env, env::AWS_EC2_METADATA_PREFIX);
    }

    fn other_sources(&mut self, env: &Env) {
        for name in env::ACCESS_KEY_ID
            .iter()
            .chain(&env::SECRET_ACCESS_KEY)
            .chain(&[env::AWS_SESSION_TOKEN])
        {
            self.bytes(name, &[u8::from(env.raw(name).is_some())]);
        }
        for name in [
            env::AWS_WEB_IDENTITY_TOKEN_FILE,
            env::AWS_ROLE_ARN,
            env::AWS_ROLE_SESSION_NAME,
        ] {
            self.optional(name, env.raw(name));
        }
    }

    fn prefix(&mut self, env: &Env, prefix: &str) {
        for (name, value) in env.with_prefix(prefix) {
            self.bytes(name, value.as_encoded_bytes());
        }
        self.bytes("end", prefix.as_bytes());
    }

    /// Tokens that stand for somebody: another token, another identity.
    fn token_files(&mut self, env: &Env, aws_files: &AwsFiles, who: &Who) -> Result<(), Unseen> {
        let named = match who.profile() {
            None => vec![
                env::AWS_WEB_IDENTITY_TOKEN_FILE,
                env::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
            ],
            Some(_) => vec![env::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE],
        };
        let from_env = named.iter().filter_map(|name| env.raw(name)).map(PathBuf::from);
        let from_files = aws_files
            .each()
            .into_iter()
            .filter_map(|file| file.found.contents())
            .flat_map(web_identity_token_files);
        for path in from_env.chain(from_files) {
            self.file("token-file", &path, &files::read(&path))?;
        }
        Ok(())
    }

    /// `aws login` sessions: the names only, for the SDK refreshes the contents of the same session.
    fn login_sessions(&mut self, env: &Env) -> Result<(), Unseen> {
        let directory = match env.raw(env::AWS_LOGIN_CACHE_DIRECTORY) {
            Some(path) => PathBuf::from(path),
            None => match env.home() {
                Some(home) => home.join(".aws/login/cache"),
                None => return Ok(()),
            },
        };
        self.bytes("login-sessions", directory.as_os_str().as_encoded_bytes());
        for name in names(&directory)? {
            self.bytes("login-session", name.as_encoded_bytes());
        }
        Ok(())
    }

    /// The same files and variables mean another node's role on another machine, or in another network namespace.
    fn machine(&mut self) {
        self.optional("boot-id", platform::boot_id().as_deref());
        self.optional("network-namespace", platform::network_namespace().as_deref());
    }
}

/// A hash of the contents of every SSO token: the file's name says which session it is, not whose.
fn sso_tokens(env: &Env, aws_files: &AwsFiles) -> Result<BTreeMap<PathBuf, [u8; 32]>, Unseen> {
    let mut tokens = BTreeMap::new();
    let Some(home) = env.home().filter(|_| aws_files.mention("sso_")) else {
        return Ok(tokens);
    };
    for path in sso_token_files(&home)? {
        let hash = sso_token(&path, &files::read(&path))?;
        tokens.insert(path, hash);
    }
    Ok(tokens)
}

/// The paths of all SSO tokens.
pub(crate) fn sso_token_files(home: &Path) -> Result<Vec<PathBuf>, Unseen> {
    let directory = home.join(".aws/sso/cache");
    let names = names(&directory)?;
    let tokens = names.into_iter().filter(|name| is_sso_token(name));
    Ok(tokens.map(|name| directory.join(name)).collect())
}

fn sso_token(path: &Path, found: &Found) -> Result<[u8; 32], Unseen> {
    let mut hasher = Hasher::new("sso-token");
    hasher.file("sso-token", path, found)?;
    Ok(hasher.finish())
}

/// Whether an SSO token file has these contents still, and this access token in them.
fn holds(path: &Path, hash: &[u8; 32], access_token: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Inside {
        access_token: Secret,
    }
    let found = files::read(path);
    let inside = found
        .contents()
        .and_then(|bytes| serde_json::from_slice::<Inside>(bytes).ok());
    sso_token(path, &found).as_ref() == Ok(hash)
        && inside.is_some_and(|inside| inside.access_token.expose() == access_token)
}

/// The names in a directory, in order; none where there is no directory.
fn names(directory: &Path) -> Result<Vec<OsString>, Unseen> {
    let unseen = |_| Unseen(directory.to_owned());
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(Vec::new()),
                _ => Err(unseen(error)),
            };
        }
    };
    let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let mut names = names.map_err(unseen)?;
    names.sort();
    Ok(names)
}

/// SSO tokens are named by a SHA-1 in hex; registrations of clients, which lie beside them, are not.
fn is_sso_token(name: &OsStr) -> bool {
    name.as_encoded_bytes()
        .strip_suffix(b".json")
        .is_some_and(|stem| stem.len() == 40 && stem.iter().all(u8::is_ascii_hexdigit))
}

/// The values of all `web_identity_token_file` settings in a config file, whatever section they stand in.
fn web_identity_token_files(text: &[u8]) -> Vec<PathBuf> {
    const NAME: &str = "web_identity_token_file";
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| {
            let (name, value) = without_comment(line).split_once('=')?;
            name.trim_matches(WHITE_SPACE)
                .eq_ignore_ascii_case(NAME)
                .then(|| PathBuf::from(value.trim_matches(WHITE_SPACE)))
        })
        .collect()
}

/// What the SDK's parser takes for white space around names and values.
const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// A line as the SDK's parser reads it (`prepare_line` in aws-runtime): a comment begins at a sign that stands behind
/// white space of any kind, and is cut off; another reading would look for the token in another file than the SDK
/// does.
fn without_comment(line: &str) -> &str {
    let line = line.trim_matches(WHITE_SPACE);
    let mut behind_space = false;
    for (index, c) in line.char_indices() {
        if behind_space && matches!(c, '#' | ';') {
            return line.get(..index).unwrap_or_default();
        }
        behind_space = c.is_whitespace();
    }
    line
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The hash of the values of variables, in hex.
pub(crate) fn name_of_variables(env: &Env, names: &[&str]) -> String {
    let mut hasher = Hasher::new("variables");
    for name in names {
        hasher.optional(name, env.raw(name));
    }
    hex(&hasher.finish())
}

/// The same of labelled parts, and of whose credentials are chosen for a registry and what registry stands behind it.
pub(crate) fn name_of_choice(purpose: &str, parts: &[(&str, &[u8])], target: &Target) -> String {
    let mut hasher = Hasher::new(purpose);
    for (label, value) in parts {
        hasher.bytes(label, value);
    }
    hasher.who(&target.who);
    hasher.optional("alias-of", target.registry.behind().map(OsStr::new));
    hex(&hasher.finish())
}

/// The hash of labelled parts, in hex: the name of a file that belongs to them.
pub(crate) fn name_of(purpose: &str, parts: &[(&str, &[u8])]) -> String {
    let mut hasher = Hasher::new(purpose);
    for (label, value) in parts {
        hasher.bytes(label, value);
    }
    hex(&hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Fingerprint {
        let env = Env::from_vars(vars.iter().copied());
        Fingerprint::of(&env, &AwsFiles::read(&env), &Who::Environment).unwrap()
    }

    #[test]
    fn the_same_source_has_the_same_fingerprint() {
        let vars = [("AWS_PROFILE", "a"), ("HOME", "/nowhere")];
        assert_eq!(of(&vars), of(&vars));
    }

    #[test]
    fn fields_do_not_run_into_one_another() {
        let one = of(&[("AWS_ROLE_ARN", "ab"), ("AWS_ROLE_SESSION_NAME", "c")]);
        let two = of(&[("AWS_ROLE_ARN", "a"), ("AWS_ROLE_SESSION_NAME", "bc")]);
        assert_ne!(one, two);
    }

    #[test]
    fn with_static_keys_only_the_key_id_counts() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let with = |name, value| {
            let mut vars = keys.to_vec();
            vars.push((name, value));
            of(&vars)
        };
        assert_eq!(of(&keys), with("AWS_SESSION_TOKEN", "t"));
        assert_eq!(of(&keys), with("AWS_ROLE_ARN", "r"));
        assert_ne!(of(&keys), with("AWS_PROFILE", "p"));
        assert_ne!(of(&keys), with("AWS_ENDPOINT_URL_ECR", "http://x"));
        assert_ne!(of(&keys), of(&[keys[0]]), "a key id that lost its secret");
    }

    #[test]
    fn a_chosen_profile_takes_the_place_of_the_environments() {
        let chosen = |vars: &[(&str, &str)], name: &str| {
            let env = Env::from_vars(vars.iter().copied());
            Fingerprint::of(&env, &AwsFiles::read(&env), &Who::Profile(name.to_owned())).unwrap()
        };
        let plain = chosen(&[], "a");
        for name in ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"] {
            assert_eq!(plain, chosen(&[(name, "x")], "a"), "{name}");
        }
        assert_ne!(plain, chosen(&[], "b"));
        assert_ne!(plain, chosen(&[("AWS_ENDPOINT_URL", "http://x")], "a"));
        assert_ne!(plain, of(&[("AWS_PROFILE", "a")]), "with the chain behind it");
    }

    #[test]
    fn token_files_are_found_as_the_sdk_finds_them() {
        let text = b"[profile a]\n Web_Identity_Token_File = /a/b ; why\nweb_identity_token_file=/c#d\r\n\
                     #web_identity_token_file = /no\nweb_identity_token_filex = /no\n";
        assert_eq!(
            web_identity_token_files(text),
            [PathBuf::from("/a/b"), PathBuf::from("/c#d")]
        );
    }

    #[test]
    fn a_pipe_has_no_fingerprint() {
        let env = Env::from_vars([("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/zero")]);
        let fingerprint = Fingerprint::of(&env, &AwsFiles::read(&env), &Who::Environment);
        assert_eq!(fingerprint, Err(Unseen(PathBuf::from("/dev/zero"))));
    }

    #[test]
    fn the_key_tells_services_regions_and_endpoints_apart_but_not_accounts() {
        let fingerprint = of(&[]);
        let key = |host: &str, vars: &[(&str, &str)]| {
            let env = Env::from_vars(vars.iter().copied());
            fingerprint.key(&Registry::from_host(host).unwrap(), &env)
        };
        let plain = key("123456789012.dkr.ecr.us-east-1.amazonaws.com", &[]);
        assert_eq!(plain, key("210987654321.dkr.ecr.us-east-1.amazonaws.com", &[]));
        let others = [
            key("123456789012.dkr.ecr.us-east-2.amazonaws.com", &[]),
            key("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", &[]),
            key("123456789012.dkr-ecr.us-east-1.on.aws", &[]),
            key("public.ecr.aws", &[]),
        ];
        for other in &others {
            assert_ne!(&plain, other);
        }
        let flagged = key(
            "123456789012.dkr.ecr.us-east-1.amazonaws.com",
            &[("AWS_USE_FIPS_ENDPOINT", "true")],
        );
        assert_eq!(flagged, others[1]);
    }
}
