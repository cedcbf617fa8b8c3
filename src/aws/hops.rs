//! Roles that this program assumes by itself: those of our configuration, and those that want the code of an MFA device, which
//! the SDK does not ask for.

use aws_config::SdkConfig;
use aws_config::profile::Profile;
use aws_credential_types::Credentials as Keys;

use crate::aws::explain::SendError;
use crate::error::{Failure, Reason};
use crate::mfa;
use crate::secret::Secret;
use crate::who::Role;

/// The session's name where none is chosen. IAM policies may ask for one.
const SESSION_NAME: &str = env!("CARGO_PKG_NAME");

/// One role to assume.
#[derive(Debug, Clone)]
pub struct Hop {
    /// Whose setting it is.
    pub of: HopOf,
    /// The role.
    pub arn: String,
    external_id: Option<String>,
    session_name: Option<String>,
    mfa_serial: Option<String>,
    /// Seconds.
    duration: Option<i32>,
}

/// Where a role is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopOf {
    /// In our configuration.
    Entry,
    /// In the profile of that name.
    Profile(String),
}

impl Hop {
    /// The role of an entry of our configuration.
    pub fn of_role(role: &Role) -> Self {
        Self {
            of: HopOf::Entry,
            arn: role.arn.clone(),
            external_id: role.external_id.clone(),
            session_name: role.session_name.clone(),
            mfa_serial: role.mfa_serial.clone(),
            duration: None,
        }
    }

    /// The role of a profile, if it has one to be assumed with other credentials.
    pub fn of_profile(profile: &Profile) -> Option<Self> {
        let setting = |name| profile.get(name).filter(|value| !value.is_empty()).map(str::to_owned);
        if setting("web_identity_token_file").is_some() {
            return None;
        }
        Some(Self {
            of: HopOf::Profile(profile.name().to_owned()),
            arn: setting("role_arn")?,
            external_id: setting("external_id"),
            session_name: setting("role_session_name"),
            mfa_serial: setting("mfa_serial"),
            duration: setting("duration_seconds").and_then(|seconds| seconds.parse().ok()),
        })
    }

    /// The same, if the role wants the code of an MFA device.
    pub fn with_mfa(profile: &Profile) -> Option<Self> {
        Self::of_profile(profile).filter(|hop| hop.mfa_serial.is_some())
    }

    /// The device whose code it wants.
    pub fn device(&self) -> Option<mfa::Device> {
        Some(mfa::Device {
            serial: self.mfa_serial.clone()?,
            of: match &self.of {
                HopOf::Entry => format!("the role {}", self.arn),
                HopOf::Profile(name) => format!("profile {name:?}"),
            },
            chosen: mfa::Chosen::default(),
        })
    }

    /// Assumes the role with `keys`. The code is for its MFA device.
    pub async fn take(&self, config: &SdkConfig, keys: Keys, code: Option<&Secret>) -> Result<Option<Keys>, SendError> {
        let config = aws_sdk_sts::config::Builder::from(config)
            .credentials_provider(keys)
            .build();
        let request = aws_sdk_sts::Client::from_conf(config)
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(self.session_name.as_deref().unwrap_or(SESSION_NAME))
            .set_external_id(self.external_id.clone())
            .set_duration_seconds(self.duration)
            .set_serial_number(self.mfa_serial.clone())
            .set_token_code(
                code.filter(|_| self.mfa_serial.is_some())
                    .map(|code| code.expose().to_owned()),
            );
        let answer = request.send().await?;
        Ok(answer.credentials.map(self::keys))
    }
}

/// The credentials in an answer of STS.
pub fn keys(keys: aws_sdk_sts::types::Credentials) -> Keys {
    let token = Some(keys.session_token);
    Keys::new(keys.access_key_id, keys.secret_access_key, token, None, "role")
}

/// A second factor that stands in the way of another role.
pub fn too_deep(wanting: &str, on_top: &str) -> Failure {
    Failure::new(
        Reason::Configuration,
        format!("{wanting} has mfa_serial, and {on_top} is assumed with it: MFA is asked for by the last role alone"),
        "move mfa_serial to the last role, or use a tool that makes a session with MFA (aws-vault, `aws sts get-session-token`)",
    )
}

/// A second factor belongs to a user, whose keys are needed with it.
pub fn no_user(profile: &str, source: &str) -> Failure {
    Failure::new(
        Reason::Configuration,
        format!("profile {profile:?} has credential_source = {source}, which cannot be used with mfa_serial here"),
        "name a profile with the user's keys in source_profile",
    )
}

/// Nothing that the role of a profile could be assumed with.
pub fn no_source(profile: &str, files: &str) -> Failure {
    Failure::new(
        Reason::Configuration,
        format!("profile {profile:?} in {files} has role_arn, and no source_profile or keys to assume it with"),
        "add source_profile",
    )
}

/// A profile wants keys from the environment, and there are none.
pub fn no_keys(profile: &str) -> Failure {
    Failure::new(
        Reason::Configuration,
        format!(
            "profile {profile:?} has credential_source = Environment, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
        ),
        "set both",
    )
}
