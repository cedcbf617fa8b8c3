//! What is known of credentials before AWS is asked for them: their settings, and the words for them.

use zeroize::Zeroizing;

use crate::aws::hops::{Hop, HopOf};
use crate::aws::profiles::Base;
use crate::aws::source::{Plan, Source};
use crate::env::{self, Env};

impl Plan {
    /// The two files, as they are shown to a person.
    pub fn files_read(&self) -> String {
        let shown: Vec<_> = self
            .paths
            .iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect();
        match shown.is_empty() {
            true => "any AWS file (HOME is not set)".to_owned(),
            false => shown.join(" or "),
        }
    }

    /// Whose credentials these are, for messages: `profile "dev"`. A profile that is named is told also where the
    /// credentials are not its own: endpoints and certificates may be.
    pub fn who(&self) -> String {
        if let Some(Hop {
            of: HopOf::Entry, arn, ..
        }) = self.hops.last()
        {
            return format!("the role {arn}");
        }
        let who = match &self.source {
            Source::Profile(_) | Source::Keys(_) => return format!("profile {:?}", self.profile),
            Source::Environment if self.chosen => return format!("profile {:?}", self.profile),
            Source::ServiceAccount(account) => return account.who(),
            Source::Environment => "the keys in AWS_ACCESS_KEY_ID",
            Source::WebIdentity => "the token in AWS_WEB_IDENTITY_TOKEN_FILE",
            Source::Container => "the container's credentials",
            Source::InstanceMetadata => "the instance's role",
            Source::Nothing => "no credentials",
        };
        match self.named {
            true => format!("{who} and profile {:?}", self.profile),
            false => who.to_owned(),
        }
    }

    /// The same with everything that tells a token from another's, for a list of them.
    pub fn owner(&self) -> String {
        match &self.source {
            Source::ServiceAccount(account) => format!("{} as {}", self.who(), account.role_arn),
            _ => self.who(),
        }
    }

    /// What the credentials of [`Plan::who`] are made from, where its words do not say so.
    pub fn made_from(&self) -> Option<String> {
        let is_of_entry = matches!(self.hops.last(), Some(Hop { of: HopOf::Entry, .. }));
        let source = match &self.source {
            Source::Keys(_) => "keys in a file",
            Source::Profile(base) => return Some(base.to_string()),
            Source::Environment if is_of_entry || self.chosen => "keys in the environment",
            Source::WebIdentity if is_of_entry => "web identity",
            Source::Container if is_of_entry => "the container's credentials",
            Source::InstanceMetadata if is_of_entry => "the instance's role",
            _ => return None,
        };
        Some(source.to_owned())
    }

    /// `" of its source profile …"`, where it is not the selected profile that something is configured in.
    pub fn of_base(&self) -> String {
        match self.base_profile == self.profile {
            true => String::new(),
            false => format!(" of its source profile {:?}", self.base_profile),
        }
    }

    /// The secrets that are known beforehand: keys and tokens in variables and profiles.
    pub fn secrets(&self, env: &Env) -> Vec<Zeroizing<String>> {
        let variables = [
            env::SECRET_ACCESS_KEY[0],
            env::SECRET_ACCESS_KEY[1],
            env::AWS_SESSION_TOKEN,
            env::AWS_CONTAINER_AUTHORIZATION_TOKEN,
        ];
        let variables = variables.iter().filter_map(|name| env.get(name));
        let settings = [&self.profile, &self.base_profile]
            .into_iter()
            .filter_map(|name| self.sections.get_profile(name))
            .flat_map(|profile| {
                ["aws_secret_access_key", "aws_session_token"]
                    .into_iter()
                    .filter_map(|name| profile.get(name))
            });
        variables
            .map(|value| Zeroizing::new(value.into_owned()))
            .chain(settings.map(|value| Zeroizing::new(value.to_owned())))
            .collect()
    }

    /// The arguments of the credential_process: what stands behind the program's name and is no option's name.
    pub fn process_arguments(&self) -> Vec<String> {
        let command = self
            .sections
            .get_profile(&self.base_profile)
            .and_then(|profile| profile.get("credential_process"));
        command
            .unwrap_or_default()
            .split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '='))
            .skip(1)
            .filter(|argument| argument.len() > 2 && !argument.starts_with('-'))
            .map(str::to_owned)
            .collect()
    }

    /// The services that these credentials come from, as the SDK names them in its settings.
    pub fn services(&self) -> Vec<&'static str> {
        let mut services = match &self.source {
            Source::Profile(Base::Sso(Some(_))) => vec!["SSO", "SSO OIDC"],
            Source::Profile(Base::Sso(None)) => vec!["SSO"],
            Source::Profile(Base::Login) => vec!["Signin"],
            _ => Vec::new(),
        };
        let assumes = match &self.source {
            Source::WebIdentity | Source::ServiceAccount(_) | Source::Profile(Base::WebIdentity) => true,
            Source::Profile(_) => self.setting_of(&self.sdk_profile, "role_arn").is_some(),
            _ => false,
        };
        if assumes || !self.hops.is_empty() {
            services.push("STS");
        }
        services
    }

    /// Whether credentials from this source can change without anything changing that the fingerprint sees.
    pub fn is_bounded(&self) -> bool {
        match &self.source {
            Source::Container | Source::InstanceMetadata => true,
            Source::Profile(Base::Process) => true,
            Source::Profile(Base::Named(name)) => !name.eq_ignore_ascii_case("Environment"),
            _ => false,
        }
    }

    /// What is missing in the settings of the SSO login: a section, or names in it.
    pub fn missing_sso_settings(&self) -> Option<String> {
        let profile = self.sections.get_profile(&self.base_profile)?;
        let whole = ["sso_account_id", "sso_role_name"];
        let shared = ["sso_start_url", "sso_region"];
        let of_profile = format!("profile {:?}", self.base_profile);
        let lacks = |where_: String, names: &[&str], get: &dyn Fn(&str) -> bool| {
            let missing: Vec<_> = names.iter().copied().filter(|name| !get(name)).collect();
            (!missing.is_empty()).then(|| {
                let missing = missing.join(" and ");
                format!("{where_} lacks {missing} in {}", self.files_read())
            })
        };
        let in_profile = |name: &str| profile.get(name).is_some();
        let Some(name) = profile.get("sso_session") else {
            return lacks(of_profile, &[whole, shared].concat(), &in_profile);
        };
        let Some(session) = self.sections.sso_session(name) else {
            let files = self.files_read();
            return Some(format!(
                "the section [sso-session {name}], which {of_profile} names, does not exist in {files}"
            ));
        };
        let in_session = |name: &str| session.get(name).is_some();
        lacks(format!("[sso-session {name}]"), &shared, &in_session).or_else(|| lacks(of_profile, &whole, &in_profile))
    }

    /// The file with the token that credentials are got for, and where it is named.
    pub fn token_file(&self, env: &Env) -> Option<(String, &'static str)> {
        match &self.source {
            Source::WebIdentity => {
                let name = env::AWS_WEB_IDENTITY_TOKEN_FILE;
                Some((env.get(name)?.into_owned(), name))
            }
            Source::Profile(Base::WebIdentity) => {
                let name = "web_identity_token_file";
                let profile = self.sections.get_profile(&self.base_profile)?;
                Some((profile.get(name)?.to_owned(), name))
            }
            Source::Container => {
                let name = env::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
                Some((env.get(name)?.into_owned(), name))
            }
            _ => None,
        }
    }

    /// A setting of the selected profile.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.sections.get(name).filter(|value| !value.is_empty())
    }

    /// A setting of a profile.
    pub fn setting_of(&self, profile: &str, name: &str) -> Option<&str> {
        let profile = self.sections.get_profile(profile)?;
        profile.get(name).filter(|value| !value.is_empty())
    }

    /// Whether a person chose the profile: then there is no use in telling them to choose one.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Where credentials were looked for, when there are none.
    pub fn tried(&self, metadata: &str) -> String {
        format!(
            "tried {}, profile {:?} in {}, web identity, container credentials, instance metadata{metadata}",
            self.static_keys,
            self.profile,
            self.files_read()
        )
    }
}
