//! The registries of the account whose credentials there are.

use std::time::Instant;

use crate::aws::{self, Caller, Request};
use crate::commands::get_login_password::configured_region;
use crate::config::Settings;
use crate::error::{Failure, Reason};
use crate::files::AwsFiles;
use crate::log::Log;
use crate::mfa;
use crate::registry::Registry;
use crate::waiting::Waiting;
use crate::who::Who;

/// The public gallery, which the commercial partition's accounts can use.
const PUBLIC: &str = "public.ecr.aws";

/// The account's own registry in the configured region, and the public gallery where there is one: AWS is asked who asks.
///
/// # Errors
///
/// A [`Failure`] where no region is configured, or AWS does not say.
pub fn registries(settings: &Settings, profile: Option<&str>, waiting: &Waiting) -> Result<Vec<String>, Failure> {
    let who = profile.map_or(Who::Environment, |name| Who::Profile(name.to_owned()));
    let region = configured_region(
        settings,
        &who,
        "name a registry, or set AWS_REGION or region in the profile",
    )?;
    let registry = Registry::of_region(&region).ok_or_else(|| {
        Failure::new(
            Reason::Configuration,
            format!("{region:?} is not the name of an AWS region"),
            "correct AWS_REGION, or region in the profile",
        )
    })?;
    let caller = identify(settings, who, &registry, waiting)?;
    let host = Registry::host_of(&caller.account, &region, caller.partition()).ok_or_else(|| {
        Failure::new(
            Reason::BadAnswer,
            format!(
                "AWS says that this is {}, which is no identity of an account",
                caller.arn
            ),
            "name the registry",
        )
    })?;
    let public = (caller.partition() == "aws").then(|| PUBLIC.to_owned());
    Ok([host].into_iter().chain(public).collect())
}

fn identify(settings: &Settings, who: Who, registry: &Registry, waiting: &Waiting) -> Result<Caller, Failure> {
    let env = settings.env();
    let files = AwsFiles::read(env);
    let timeout = settings.timeout()?;
    let device = aws::mfa_device(env, &files, &who)?;
    let ask = |code| {
        let request = Request {
            registry: registry.clone(),
            who: who.clone(),
            env: env.clone(),
            log: Log::default(),
            code,
        };
        aws::identify(request, files.clone(), Instant::now() + timeout, waiting)
    };
    match device {
        Some(device) => mfa::ask(&device, registry, || None, |code| ask(Some(code))),
        None => ask(None),
    }
}
