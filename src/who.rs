//! Whose credentials are asked with: the environment's, or those that our configuration or a person at the command line
//! chose for a registry.

/// A choice of credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Who {
    /// Whom the environment says: the SDK's default chain.
    #[default]
    Environment,
    /// A profile of the AWS files, and nothing else: no keys in the environment, no node's role.
    Profile(String),
    /// A role, assumed by this program.
    Role(Box<Role>),
}

/// A role to assume, in the terms of the AWS config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// `arn:<partition>:iam::<account>:role/<name>`
    pub arn: String,
    /// The profile whose credentials assume the role; without one, the environment's do.
    pub source_profile: Option<String>,
    /// What a third party's role is protected with.
    pub external_id: Option<String>,
    /// The name that CloudTrail shows.
    pub session_name: Option<String>,
    /// The MFA device whose code the role wants.
    pub mfa_serial: Option<String>,
}

impl Who {
    /// The profile that stands in the place of AWS_PROFILE, if one does.
    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Environment => None,
            Self::Profile(name) => Some(name),
            Self::Role(role) => role.source_profile.as_deref(),
        }
    }

    /// The role that is assumed on top of everything else.
    pub fn role(&self) -> Option<&Role> {
        match self {
            Self::Role(role) => Some(role),
            _ => None,
        }
    }
}
