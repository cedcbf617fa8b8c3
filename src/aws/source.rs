//! Where credentials come from: decided here, from the environment and the profile, before the SDK is asked for any.
//!
//! The order is the SDK's. The SDK, though, goes on to the next source where a profile that was named does not exist,
//! and would use the node's role in its place; and its errors do not say which source they are about.

use std::borrow::Cow;
use std::path::PathBuf;

use aws_config::profile::ProfileSet;

use crate::aws::hops::{self, Hop, HopOf};
use crate::aws::origin::Origin;
use crate::aws::profiles::{Base, DEFAULT_PROFILE, parse, text_of, unreadable};
use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::files::AwsFiles;
use crate::mfa;
use crate::service_account::ServiceAccount;
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
    /// A pod's service account token, which the kubelet handed over.
    ServiceAccount(Box<ServiceAccount>),
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
    pub(super) paths: [Option<PathBuf>; 2],
    /// What is said of static keys in the environment: that there are none, or only half.
    pub(super) static_keys: &'static str,
    /// Whether somebody names the profile.
    pub(super) named: bool,
    /// Whether the environment has no say in it.
    pub(super) chosen: bool,
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
        let account = who.service_account();
        // Then nothing but settings is looked for in the files.
        let settings_only = keys || account.is_some();
        let text = [
            text_of(&aws_files.config, settings_only, named.is_some())?,
            text_of(&aws_files.credentials, settings_only, named.is_some())?,
        ];
        let profile = named.as_deref().unwrap_or(DEFAULT_PROFILE).to_owned();
        let paths = aws_files.each().map(|file| file.path.clone());
        let sections = match parse(&text, &profile).await {
            Ok(sections) => sections,
            Err(_) if settings_only => ProfileSet::default(),
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
        plan.source = match account {
            Some(account) => Source::ServiceAccount(Box::new(account.clone())),
            None if keys => Source::Environment,
            None => plan.choose(env)?,
        };
        if let Some(role) = who.role() {
            plan.add_role(role)?;
        }
        Ok(plan)
    }

    /// The device whose code is needed, if one is.
    pub fn mfa_device(&self) -> Option<mfa::Device> {
        let device = self.hops.last()?.device()?;
        let is_of_entry = matches!(self.hops.last(), Some(Hop { of: HopOf::Entry, .. }));
        let chosen = match (is_of_entry, self.chosen, self.named) {
            (false, true, _) => mfa::Chosen::ByName(self.profile.clone()),
            (false, false, true) => mfa::Chosen::InEnvironment(self.profile.clone()),
            _ => mfa::Chosen::Already,
        };
        Some(mfa::Device { chosen, ..device })
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
}
