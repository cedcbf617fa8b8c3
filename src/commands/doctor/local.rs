//! The steps that need no network: the host, our configuration, the cache.

use std::time::{Duration, SystemTime};

use crate::cache::dir::Refused;
use crate::cache::{Dir, Login, Lookup, Store};
use crate::config::{Settings, Target};
use crate::env;
use crate::files::AwsFiles;
use crate::finding::Finding;
use crate::identity::Fingerprint;
use crate::log;
use crate::registry::Service;
use crate::who::Who;

/// The host, as it is understood.
pub fn host(target: &Target) -> Finding {
    let registry = &target.registry;
    let service = match registry.service() {
        Service::Private => format!("account {}", registry.account().unwrap_or("of the caller")),
        Service::Public => "the public gallery".to_owned(),
    };
    let mut found = format!("{registry}: {service}, {}", registry.region());
    for (is_so, what) in [(registry.fips(), ", FIPS"), (registry.dual_stack(), ", dual-stack")] {
        if is_so {
            found.push_str(what);
        }
    }
    if let Some(behind) = registry.behind() {
        found = format!("{found}; another name for {behind}");
    }
    Finding::ok("host", found)
}

/// Our configuration, and what it says of the host.
pub fn configuration(settings: &Settings, host: &str) -> Finding {
    let files: Vec<_> = settings
        .files()
        .iter()
        .map(|file| file.path.display().to_string())
        .collect();
    let read = match files.is_empty() {
        true => "no config.toml".to_owned(),
        false => files.join(" over "),
    };
    let rule = match settings.rule(host) {
        None if files.is_empty() => String::new(),
        None => "; no entry for this host".to_owned(),
        Some((file, rule)) => {
            let who = match rule.who() {
                Who::Environment => "the environment's credentials".to_owned(),
                Who::Profile(name) => format!("profile {name:?}"),
                Who::Role(role) => format!("the role {}", role.arn),
                Who::ServiceAccount(account) => account.who(),
            };
            format!("; line {} of {} chooses {who}", file.line_of(rule), file.path.display())
        }
    };
    let variables: Vec<_> = settings.env().with_prefix("AWS_ECR_").map(|(name, _)| name).collect();
    let variables = match variables.is_empty() {
        true => String::new(),
        false => format!("; set: {}", variables.join(", ")),
    };
    let found = format!("{read}{rule}{variables}");
    match settings.timeout() {
        Ok(_) => Finding::ok("configuration", found),
        Err(failure) => Finding::of("configuration", &failure),
    }
}

/// The cache's directory, and what is in it for the registry.
pub fn cache(settings: &Settings, target: &Target) -> Finding {
    const STEP: &str = "cache";
    if settings.cache_is_disabled() {
        let found = format!("off: {} is set", env::AWS_ECR_DISABLE_CACHE);
        return Finding::warning(STEP, found, "unset it: every request asks AWS");
    }
    let dir = match settings.cache_dir() {
        Ok(dir) => dir,
        Err(why) => return Finding::warning(STEP, why, "set one of them: every request asks AWS without a cache"),
    };
    let path = dir.path().display().to_string();
    match dir.check() {
        Ok(()) => Finding::ok(STEP, format!("{path}, ours alone; {}", entry(settings, target, &dir))),
        Err(Refused::Missing) => match dir.ensure() {
            Ok(()) => Finding::ok(STEP, format!("{path}, new and empty")),
            Err(error) => Finding::warning(
                STEP,
                format!("{path} cannot be made: {}", crate::files::describe(&error)),
                "name a directory in AWS_ECR_CACHE_DIR: every request asks AWS without one",
            ),
        },
        Err(Refused::Untrusted(why)) => Finding::warning(
            STEP,
            format!("{path} is not used: {why}"),
            format!("make it yours alone (chmod 700 {path}; chown), or name another in AWS_ECR_CACHE_DIR"),
        ),
    }
}

fn entry(settings: &Settings, target: &Target, dir: &Dir) -> String {
    let env = settings.env();
    if let Some(login) = Login::find(dir, &target.registry).filter(|login| login.is_of(env, target)) {
        let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(login.expires_at()));
        let until = until.map(log::to_the_second).filter(|until| !until.is_empty());
        let until = until.unwrap_or_else(|| "a time that no clock shows".to_owned());
        return format!("what `docker login` left is served until {until}");
    }
    let fingerprint = match Fingerprint::of(env, &AwsFiles::read(env), &target.who) {
        Ok(fingerprint) => fingerprint,
        Err(unseen) => return format!("no token is cached: {} cannot be read twice", unseen.0.display()),
    };
    match Store::new(dir.clone()).lookup(&fingerprint.key(&target.registry, env)) {
        Lookup::Fresh(entry) => format!("a token, good until {}", log::to_the_second(entry.expires())),
        Lookup::Usable(entry) => format!(
            "a token to be refreshed, good until {}",
            log::to_the_second(entry.expires())
        ),
        Lookup::Miss(why) => format!("no token to serve: {why}"),
    }
}
