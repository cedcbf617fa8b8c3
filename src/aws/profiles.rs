//! The AWS config and credentials files as settings: their text, what the SDK's parser makes of it, and what a single
//! profile's credentials begin with.

use std::fmt;
use std::path::PathBuf;

use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env as SdkEnv, Fs};

use crate::error::{Failure, Reason};
use crate::files::{self, AwsFile, Found};

/// The profile that is used where none is named.
pub const DEFAULT_PROFILE: &str = "default";

/// What a profile's credentials begin with, before any role is assumed with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Keys in the file.
    StaticKeys,
    /// An SSO login; by the name of its session, or a legacy one of the profile's own.
    Sso(Option<String>),
    /// An `aws login` session.
    Login,
    /// A web identity token that the profile names.
    WebIdentity,
    /// A program.
    Process,
    /// One of the SDK's other sources: Environment, EcsContainer, Ec2InstanceMetadata.
    Named(String),
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaticKeys => f.write_str("keys in a file"),
            Self::Sso(Some(session)) => write!(f, "the SSO session {session}"),
            Self::Sso(None) => f.write_str("an SSO login"),
            Self::Login => f.write_str("an aws login session"),
            Self::WebIdentity => f.write_str("web identity"),
            Self::Process => f.write_str("a credential_process"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Base {
    /// Whether it is the keys in the environment, under the SDK's name for them.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Named(name) if name.eq_ignore_ascii_case("Environment"))
    }
}

/// What a profile's own settings say, in the order in which the SDK asks for them.
pub fn base_of(profile: &Profile) -> Option<Base> {
    let has = |name| profile.get(name).is_some();
    const SSO: [&str; 5] = [
        "sso_session",
        "sso_start_url",
        "sso_region",
        "sso_account_id",
        "sso_role_name",
    ];
    if let Some(name) = profile.get("credential_source") {
        Some(Base::Named(name.to_owned()))
    } else if has("web_identity_token_file") {
        Some(Base::WebIdentity)
    } else if SSO.into_iter().any(has) {
        Some(Base::Sso(profile.get("sso_session").map(str::to_owned)))
    } else if has("login_session") {
        Some(Base::Login)
    } else if has("credential_process") {
        Some(Base::Process)
    } else if has_keys(profile) || has("role_arn") {
        Some(Base::StaticKeys)
    } else {
        None
    }
}

/// Whether a profile has keys of its own.
pub fn has_keys(profile: &Profile) -> bool {
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
        .into_iter()
        .any(|name| profile.get(name).is_some())
}

/// The text of a file. Static keys in the environment need none, so that then nothing in it is an error; and where
/// nobody names a profile or the file, one that nobody may look for (a service with another user's HOME) is as good
/// as missing.
pub fn text_of(file: &AwsFile, keys: bool, profile_is_named: bool) -> Result<String, Failure> {
    let fail = |why: &str, advice: &str| {
        let path = file.path.as_deref();
        let shown = path.map(|path| path.display().to_string());
        let what = format!("{} cannot be read: {why}", shown.unwrap_or_default());
        Failure::new(Reason::Configuration, what, advice)
    };
    const ADVICE: &str = "correct its permissions, or name another file in AWS_CONFIG_FILE or \
                          AWS_SHARED_CREDENTIALS_FILE";
    let bytes = match (&file.found, &file.path) {
        (Found::Contents(bytes), _) => bytes.clone(),
        (Found::NotRegular, Some(path)) => match files::read_blocking(path) {
            Ok(bytes) => bytes,
            Err(_) if keys => return Ok(String::new()),
            Err(error) => return Err(fail(&files::describe(&error), ADVICE)),
        },
        (Found::Unreadable(why), _) if !keys => return Err(fail(why, ADVICE)),
        (Found::Hidden(why), _) if !keys && (profile_is_named || file.named) => {
            return Err(fail(why, "set HOME to a home that this user may read"));
        }
        _ => return Ok(String::new()),
    };
    match String::from_utf8(bytes.to_vec()) {
        Ok(text) => Ok(text),
        Err(_) if keys => Ok(String::new()),
        Err(error) => {
            let good = bytes.get(..error.utf8_error().valid_up_to());
            let line = good.unwrap_or_default().split(|byte| *byte == b'\n').count();
            Err(fail(&format!("line {line} is not UTF-8"), "correct that line"))
        }
    }
}

/// The two files in the form in which the SDK takes them.
pub fn sdk_files(text: &[String; 2]) -> EnvConfigFiles {
    let [config, credentials] = text;
    EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, config)
        .with_contents(EnvConfigFileKind::Credentials, credentials)
        .build()
}

/// The settings in the two texts, with this profile selected; or the SDK's words for what is wrong with them.
pub async fn parse(text: &[String; 2], profile: &str) -> Result<ProfileSet, String> {
    aws_config::profile::load(
        // Both are given as text, so neither files nor variables are looked at.
        &Fs::from_slice(&[]),
        &SdkEnv::from_slice(&[]),
        &sdk_files(text),
        Some(profile.to_owned().into()),
    )
    .await
    .map_err(|error| crate::aws::client::chain(&error))
}

/// Says which of the files has the error: the SDK knows them as texts without names.
pub async fn unreadable(text: &[String; 2], paths: &[Option<PathBuf>; 2], why: &str) -> Failure {
    let [config, credentials] = text;
    let [config_path, credentials_path] = paths;
    let alone = [config.clone(), String::new()];
    let in_config = credentials.is_empty() || parse(&alone, DEFAULT_PROFILE).await.is_err();
    let path = if in_config { config_path } else { credentials_path };
    let path = path.as_deref().map(|path| path.display().to_string());
    // "error parsing … on line 3:\n …": only the number is safe to show, the rest may quote a key.
    let line = why
        .split_once("on line ")
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next())
        .unwrap_or("?");
    Failure::new(
        Reason::Configuration,
        format!(
            "{} is not a valid AWS configuration (line {line})",
            path.unwrap_or_default()
        ),
        "correct that line",
    )
}
