//! Where credentials come from: decided here, from the environment and the profile, before the SDK is asked for any.
//!
//! The order is the SDK's. The SDK, though, goes on to the next source where a profile that was named does not exist,
//! and would use the node's role in its place; and its errors do not say which source they are about.

use std::borrow::Cow;
use std::path::PathBuf;

use aws_config::profile::{Profile, ProfileSet};
use zeroize::Zeroizing;

use crate::aws::hops::{self, Hop, HopOf};
use crate::aws::origin::Origin;
use crate::aws::profiles::{Base, DEFAULT_PROFILE, base_of, has_keys, parse, text_of, unreadable};
use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::files::AwsFiles;
use crate::mfa;
use crate::who::{Role, Who};

/// The source of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Static keys in the environment.
    Environment,
    /// The selected profile, and what its credentials begin with.
    Profile(Base),
    /// Static keys in the profile of that name, from which this program goes on by itself.
    Keys(String),
    /// A web identity token that the environment names.
    WebIdentity,
    /// The container credential endpoint.
    Container,
    /// The instance's role.
    InstanceMetadata,
    /// Instance metadata is turned off, and there is nothing else.
    Nothing,
}

/// Everything that is known of the identity before AWS is asked.
#[derive(Debug)]
pub struct Plan {
    /// The source.
    pub source: Source,
    /// The selected profile.
    pub profile: String,
    /// The profile whose credentials the SDK resolves: the selected one, unless this program assumes its role.
    pub sdk_profile: String,
    /// The roles that this program assumes by itself, one after the other, with what the source gives.
    pub hops: Vec<Hop>,
    /// The profile that the chain of source profiles ends at: where an SSO login or a program is configured.
    pub base_profile: String,
    /// The settings that the SDK is given. Empty where the files play no part.
    pub sections: ProfileSet,
    /// The text of the config and credentials files.
    pub text: [String; 2],
    /// The paths of both, for messages.
    paths: [Option<PathBuf>; 2],
    /// What is said of static keys in the environment: that there are none, or only half.
    static_keys: &'static str,
    /// Whether somebody names the profile.
    named: bool,
    /// Whether the environment has no say in it.
    chosen: bool,
}

/// Where the credentials of a profile begin.
struct Beginning {
    base: Base,
    profile: String,
    /// The profiles on the way, from the selected one.
    chain: Vec<String>,
}

impl Beginning {
    fn new(base: Base, seen: &[&str]) -> Self {
        let chain: Vec<_> = seen.iter().map(|name| (*name).to_owned()).collect();
        Self {
            base,
            profile: chain.last().cloned().unwrap_or_default(),
            chain,
        }
    }
}

impl Plan {
    /// Decides on a source.
    ///
    /// # Errors
    ///
    /// A [`Failure`] where a named profile is missing, or a file that may decide cannot be read.
    pub async fn new(env: &Env, aws_files: &AwsFiles, who: &Who) -> Result<Self, Failure> {
        let chosen = who.profile().is_some();
        let keys = !chosen && env.static_keys().is_some();
        let named = who.profile().map(Cow::Borrowed).or_else(|| env.profile());
        let text = [
            text_of(&aws_files.config, keys, named.is_some())?,
            text_of(&aws_files.credentials, keys, named.is_some())?,
        ];
        let profile = named.as_deref().unwrap_or(DEFAULT_PROFILE).to_owned();
        let paths = aws_files.each().map(|file| file.path.clone());
        let sections = match parse(&text, &profile).await {
            Ok(sections) => sections,
            Err(_) if keys => ProfileSet::default(),
            Err(why) => return Err(unreadable(&text, &paths, &why).await),
        };
        let is_set = |names| env.first(names).is_some();
        let static_keys = match (is_set(&env::ACCESS_KEY_ID), is_set(&env::SECRET_ACCESS_KEY)) {
            (true, false) => "AWS_ACCESS_KEY_ID (set, but AWS_SECRET_ACCESS_KEY is not)",
            (false, true) => "AWS_ACCESS_KEY_ID (not set, but AWS_SECRET_ACCESS_KEY is)",
            _ => "AWS_ACCESS_KEY_ID",
        };
        let mut plan = Self {
            source: Source::Environment,
            base_profile: profile.clone(),
            sdk_profile: profile.clone(),
            profile,
            hops: Vec::new(),
            sections,
            text,
            paths,
            static_keys,
            named: named.is_some(),
            chosen,
        };
        if !keys {
            plan.source = plan.choose(env)?;
        }
        if let Some(role) = who.role() {
            plan.add_role(role)?;
        }
        Ok(plan)
    }

    /// The device whose code is needed, if one is.
    pub fn mfa_device(&self) -> Option<mfa::Device> {
        self.hops.last().and_then(Hop::device)
    }

    /// A role of our configuration, on top of everything else.
    fn add_role(&mut self, role: &Role) -> Result<(), Failure> {
        if let Some(device) = self.mfa_device() {
            return Err(hops::too_deep(&device.of, &format!("the role {}", role.arn)));
        }
        self.hops.push(Hop::of_role(role));
        Ok(())
    }

    fn choose(&mut self, env: &Env) -> Result<Source, Failure> {
        match self.sections.get_profile(&self.profile) {
            None if self.named => return Err(self.unknown_profile(&self.profile, None)),
            None => {}
            Some(profile) => {
                if let Some(hop) = Hop::with_mfa(profile) {
                    let (profile, source) = self.below(profile, env)?;
                    self.hops.push(hop);
                    self.sdk_profile.clone_from(&profile);
                    self.base_profile = profile;
                    return Ok(source);
                }
                if let Some(found) = self.base(profile)? {
                    if self.chosen && found.base.is_environment() {
                        self.hops = self.roles(&found.chain);
                        return self.environment(env, &found.profile);
                    }
                    self.base_profile = found.profile;
                    return Ok(Source::Profile(found.base));
                }
                if self.chosen {
                    return Err(self.no_credentials_in(profile.name()));
                }
            }
        }
        let is_set = |name| env.raw(name).is_some();
        if is_set(env::AWS_WEB_IDENTITY_TOKEN_FILE) {
            if !is_set(env::AWS_ROLE_ARN) {
                return Err(Failure::new(
                    Reason::Configuration,
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not",
                    "set AWS_ROLE_ARN to the role that the token is for",
                ));
            }
            return Ok(Source::WebIdentity);
        }
        if is_set(env::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI) || is_set(env::AWS_CONTAINER_CREDENTIALS_FULL_URI) {
            return Ok(Source::Container);
        }
        if env.is_true(env::AWS_EC2_METADATA_DISABLED) {
            return Ok(Source::Nothing);
        }
        self.check_metadata_endpoint(env)?;
        Ok(Source::InstanceMetadata)
    }

    /// A metadata endpoint that is no URL would look like an instance without a role.
    fn check_metadata_endpoint(&self, env: &Env) -> Result<(), Failure> {
        let wrong = |name: &str, expected: &str| {
            let what = format!("{name} is not {expected}");
            Err(Failure::new(Reason::Configuration, what, "correct it or unset it"))
        };
        match env.get(env::AWS_EC2_METADATA_SERVICE_ENDPOINT) {
            Some(url) if Origin::parse(&url).is_none() => {
                return wrong(env::AWS_EC2_METADATA_SERVICE_ENDPOINT, "an http URL");
            }
            _ => {}
        }
        match env.get(env::AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE) {
            Some(mode) if !matches!(mode.to_ascii_lowercase().as_str(), "ipv4" | "ipv6") => {
                wrong(env::AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, "IPv4 or IPv6")
            }
            _ => Ok(()),
        }
    }

    /// What a role that wants a second factor is assumed with: the profile that says so, and the source.
    fn below(&self, profile: &Profile, env: &Env) -> Result<(String, Source), Failure> {
        let own = profile.name().to_owned();
        if let Some(source) = profile.get("credential_source") {
            return match Base::Named(source.to_owned()).is_environment() {
                true => Ok((own.clone(), self.environment(env, &own)?)),
                false => Err(hops::no_user(&own, source)),
            };
        }
        let name = profile.get("source_profile").unwrap_or(profile.name());
        let Some(source) = self.sections.get_profile(name) else {
            return Err(self.unknown_profile(name, Some(profile.name())));
        };
        if has_keys(source) {
            return Ok((name.to_owned(), Source::Keys(name.to_owned())));
        }
        if name == profile.name() {
            return Err(hops::no_source(name, &self.files_read()));
        }
        if Hop::with_mfa(source).is_some() {
            return Err(hops::too_deep(
                &format!("profile {name:?}"),
                &format!("profile {own:?}"),
            ));
        }
        let found = self.base(source)?.ok_or_else(|| self.empty_source(name))?;
        match found.base.is_environment() {
            // The SDK is given no keys for a profile, lest it use them in its place.
            true => Err(hops::no_user(name, "Environment")),
            false => Ok((name.to_owned(), Source::Profile(found.base))),
        }
    }

    /// Keys in the environment, which a profile asks for.
    fn environment(&self, env: &Env, profile: &str) -> Result<Source, Failure> {
        match env.static_keys() {
            Some(_) => Ok(Source::Environment),
            None => Err(hops::no_keys(profile)),
        }
    }

    /// The roles of a chain of profiles that leads from the selected one to the source, the one next to the source first.
    fn roles(&self, chain: &[String]) -> Vec<Hop> {
        let profiles = chain.iter().rev().filter_map(|name| self.sections.get_profile(name));
        profiles.filter_map(Hop::of_profile).collect()
    }

    fn no_credentials_in(&self, name: &str) -> Failure {
        Failure::new(
            Reason::Configuration,
            format!("the profile {name:?} holds no credentials in {}", self.files_read()),
            "add credentials to it, or correct the profile that config.toml names for this registry",
        )
    }

    /// Follows `source_profile` to where the credentials begin; none where the profile says nothing of credentials.
    fn base(&self, selected: &Profile) -> Result<Option<Beginning>, Failure> {
        let mut profile = selected;
        let mut seen = vec![selected.name()];
        loop {
            let source = profile.get("source_profile");
            if let Some(name) = source
                && self.sections.get_profile(name).is_none()
            {
                return Err(self.unknown_profile(name, Some(profile.name())));
            }
            let is_chained = profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none();
            match source.and_then(|name| self.sections.get_profile(name)) {
                Some(next) if is_chained && !seen.contains(&next.name()) => {
                    seen.push(next.name());
                    profile = next;
                    // The SDK takes static keys first from every profile but the selected one.
                    if has_keys(profile) {
                        return Ok(Some(Beginning::new(Base::StaticKeys, &seen)));
                    }
                    if Hop::with_mfa(profile).is_some() {
                        let below = format!("profile {:?}", profile.name());
                        return Err(hops::too_deep(&below, &format!("profile {:?}", selected.name())));
                    }
                }
                _ => {
                    let base = base_of(profile);
                    if base.is_none() && seen.len() > 1 {
                        return Err(self.empty_source(profile.name()));
                    }
                    return Ok(base.map(|base| Beginning::new(base, &seen)));
                }
            }
        }
    }

    fn empty_source(&self, name: &str) -> Failure {
        Failure::new(
            Reason::Configuration,
            format!(
                "the profile {name:?}, which a role of profile {:?} is assumed with, holds no credentials in {}",
                self.profile,
                self.files_read()
            ),
            format!("add credentials to {name:?} or correct source_profile"),
        )
    }

    fn unknown_profile(&self, name: &str, referring: Option<&str>) -> Failure {
        let what = match referring {
            None => format!("the profile {name:?} does not exist"),
            Some(referring) => {
                format!("the profile {name:?}, which {referring:?} names as its source_profile, does not exist")
            }
        };
        // The SDK's parser passes over sections of other names.
        let legal = |c: char| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c);
        let is_there = self.text.iter().any(|text| text.contains(name));
        if is_there && !name.chars().all(legal) {
            return Failure::new(
                Reason::Configuration,
                format!(
                    "the name of the profile {name:?} in {} has characters that are not supported",
                    self.files_read()
                ),
                "rename it: letters, digits and _-/.%@:+ are",
            );
        }
        let correct = match referring {
            None => "AWS_PROFILE".to_owned(),
            Some(referring) => format!("source_profile in {referring:?}"),
        };
        Failure::new(
            Reason::Configuration,
            format!("{what} in {}", self.files_read()),
            format!("correct {correct} or add the profile; `aws configure list-profiles` lists what there is"),
        )
    }

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
            Source::WebIdentity | Source::Profile(Base::WebIdentity) => true,
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
