//! From the selected profile to where its credentials begin: `source_profile`, `credential_source`, and the roles on the way.

use aws_config::profile::Profile;

use crate::aws::hops::{self, Hop};
use crate::aws::profiles::{Base, base_of, has_keys};
use crate::aws::source::{Plan, Source};
use crate::env::Env;
use crate::error::{Failure, Reason};

/// Where the credentials of a profile begin.
pub struct Beginning {
    /// What they begin with.
    pub base: Base,
    /// The profile that says so.
    pub profile: String,
    /// The profiles on the way, from the selected one.
    pub chain: Vec<String>,
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
    /// What a role that wants a second factor is assumed with: the profile that says so, and the source.
    pub(super) fn below(&self, profile: &Profile, env: &Env) -> Result<(String, Source), Failure> {
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
    pub(super) fn environment(&self, env: &Env, profile: &str) -> Result<Source, Failure> {
        match env.static_keys() {
            Some(_) => Ok(Source::Environment),
            None => Err(hops::no_keys(profile)),
        }
    }

    /// The roles of a chain of profiles that leads from the selected one to the source, the one next to the source first.
    pub(super) fn roles(&self, chain: &[String]) -> Vec<Hop> {
        let profiles = chain.iter().rev().filter_map(|name| self.sections.get_profile(name));
        profiles.filter_map(Hop::of_profile).collect()
    }

    pub(super) fn no_credentials_in(&self, name: &str) -> Failure {
        Failure::new(
            Reason::Configuration,
            format!("the profile {name:?} holds no credentials in {}", self.files_read()),
            "add credentials to it, or correct config.toml or --profile, which names it",
        )
    }

    /// Follows `source_profile` to where the credentials begin; none where the profile says nothing of credentials.
    pub(super) fn base(&self, selected: &Profile) -> Result<Option<Beginning>, Failure> {
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
            if is_chained && source == Some(profile.name()) && !has_keys(profile) {
                return Err(hops::no_source(profile.name(), &self.files_read()));
            }
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

    pub(super) fn unknown_profile(&self, name: &str, referring: Option<&str>) -> Failure {
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
            None if self.chosen => "config.toml or --profile, which names it,".to_owned(),
            None => "AWS_PROFILE".to_owned(),
            Some(referring) => format!("source_profile in {referring:?}"),
        };
        Failure::new(
            Reason::Configuration,
            format!("{what} in {}", self.files_read()),
            format!("correct {correct} or add the profile; `aws configure list-profiles` lists what there is"),
        )
    }
}
