//! Whose credentials are asked with: the environment's, or those that our configuration, a person at the command line
//! or the kubelet chose for a registry.

use crate::service_account::ServiceAccount;

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
    /// A pod's service account, whose token is exchanged for a role: nobody else's credentials take part.
    ServiceAccount(Box<ServiceAccount>),
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

impl Role {
    /// Whether a text is the ARN of a role.
    pub fn is_arn(text: &str) -> bool {
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, role] = parts.as_slice() else {
            return false;
        };
        partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl Who {
    /// The profile that stands in the place of AWS_PROFILE, if one does.
    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Environment | Self::ServiceAccount(_) => None,
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

    /// The service account, if it is one.
    pub fn service_account(&self) -> Option<&ServiceAccount> {
        match self {
            Self::ServiceAccount(account) => Some(account),
            _ => None,
        }
    }
}
