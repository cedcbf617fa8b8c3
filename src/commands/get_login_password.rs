//! `get-login-password`: the password alone, as `aws ecr get-login-password` prints it.

use crate::aws;
use crate::command_line::GetLoginPassword;
use crate::config::{Settings, Target};
use crate::env;
use crate::error::{Failure, Reason, truncate};
use crate::files::AwsFiles;
use crate::helper::Helper;
use crate::log::Log;
use crate::protocol::{Credentials, ServerUrl};
use crate::registry::Registry;
use crate::who::Who;

/// Gets the password.
///
/// # Errors
///
/// What it is for, and a [`Failure`] that says why there is none.
pub fn run(
    arguments: &GetLoginPassword,
    settings: Settings,
    log: Log,
    say: fn(&str),
) -> Result<Credentials, (String, Failure)> {
    let target = target(arguments, &settings).map_err(|failure| ("get-login-password".to_owned(), failure))?;
    let helper = Helper::new(settings, log).saying(say);
    helper
        .token(&target)
        .map(|grant| grant.credentials)
        .map_err(|failure| (target.registry.to_string(), failure))
}

fn target(arguments: &GetLoginPassword, settings: &Settings) -> Result<Target, Failure> {
    let chosen = arguments.profile.clone().map(Who::Profile);
    if let Some(server) = &arguments.registry {
        let target = target_of(server, settings)?;
        return Ok(Target {
            who: chosen.unwrap_or(target.who),
            ..target
        });
    }
    let who = chosen.unwrap_or_default();
    let region = match &arguments.region {
        Some(region) => region.clone(),
        None => configured_region(
            settings,
            &who,
            "name it with --region, AWS_REGION or region in the profile",
        )?,
    };
    let registry = Registry::of_region(&region).ok_or_else(|| {
        Failure::new(
            Reason::Configuration,
            format!("{:?} is not the name of an AWS region", truncate(&region, 100)),
            "name one such as eu-west-1",
        )
    })?;
    Ok(Target { registry, who })
}

/// The registry that a person names, in any of the forms that clients name it in.
///
/// # Errors
///
/// A [`Failure`] where it is not ECR.
pub fn target_of(server: &str, settings: &Settings) -> Result<Target, Failure> {
    let url = ServerUrl::parse(server.as_bytes())
        .map_err(|error| Failure::new(Reason::Configuration, error.to_string(), "name a registry's host"))?;
    url.host().and_then(|host| settings.target(host)).ok_or_else(|| {
        let host = truncate(url.host().unwrap_or("this"), 100);
        Failure::new(
            Reason::Configuration,
            format!("{host} is not an Amazon ECR registry"),
            "name one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com or public.ecr.aws",
        )
    })
}

/// The region of the environment, else of the profile.
///
/// # Errors
///
/// A [`Failure`] where neither has one, with this advice.
pub fn configured_region(settings: &Settings, who: &Who, advice: &str) -> Result<String, Failure> {
    let env = settings.env();
    if let Some(region) = env.first(&env::REGION) {
        return Ok(region.into_owned());
    }
    let files = AwsFiles::read(env);
    aws::profile_region(env, &files, who)?
        .ok_or_else(|| Failure::new(Reason::Configuration, "no region is configured", advice))
}
