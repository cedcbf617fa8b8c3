//! `doctor`: goes the way of one `get`, and says at each step what was found and what to do.

mod client;
mod local;
mod program;
mod registries_conf;
mod report;

use std::time::{Duration, Instant};

use crate::aws::{self, Checkup, Request};
use crate::command_line::Doctor;
use crate::commands::account;
use crate::config::{Settings, Target};
use crate::env::Env;
use crate::files::AwsFiles;
use crate::finding::{Finding, State};
use crate::log::Log;
use crate::mfa;
use crate::protocol::ServerUrl;
use crate::style::Style;
use crate::waiting::Waiting;
use crate::who::Who;

use client::Configured;
use report::Report;

/// The least time that AWS and the registry are given, whatever is configured for a `get`.
const LEAST_TIME: Duration = Duration::from_secs(30);

/// Finds out. The report, as far as it was not shown, and whether nothing failed.
pub fn run(arguments: &Doctor, show: fn(&str), say: fn(&str)) -> (String, bool) {
    let report = match arguments.json {
        true => Report::silent(),
        false => Report::shown(Style::of_stdout(), show),
    };
    let server = go(arguments.registry.as_deref(), &report, say);
    let is_well = report.count(State::Failure) == 0;
    match arguments.json {
        true => (report.json(server.as_deref()), is_well),
        false => (report.summary(), is_well),
    }
}

/// Goes the way, to its end or to where it cannot be gone any further. The registry, once it is known.
fn go(registry: Option<&str>, report: &Report, say: fn(&str)) -> Option<String> {
    report.add(Finding::timed(program::find));
    let env = Env::from_process();
    let began = Instant::now();
    let configured = Configured::read(&env);
    let read_in = began.elapsed();
    // Where it can be read, what it says of the registry is told once that is known.
    let configured = configured.map_err(|finding| report.add(finding.after(read_in))).ok();
    let settings = match Settings::load(env.clone()) {
        Ok(settings) => settings,
        Err(failure) => {
            report.add(Finding::of("configuration", &failure));
            return registry.and_then(address);
        }
    };
    let waiting = Waiting::telling(say);
    let server = match registry {
        Some(registry) => registry.to_owned(),
        None => match usual(configured.as_ref(), &settings, &waiting) {
            Ok(registry) => registry,
            Err(finding) => {
                report.add(finding);
                return None;
            }
        },
    };
    let (address, target) = match understood(&server, &settings) {
        Ok(understood) => understood,
        Err(finding) => {
            report.add(finding);
            return address(&server);
        }
    };
    if let Some(configured) = configured {
        report.add(configured.winner(&address).after(read_in));
    }
    report.add(Finding::timed(|| local::host(&target)));
    report.add(Finding::timed(|| {
        local::configuration(&settings, target.registry.host())
    }));
    ask_aws(&settings, &target, &address, report, &waiting);
    report.add(Finding::timed(|| local::cache(&settings, &target)));
    Some(address)
}

/// The registry that is meant where none is named: the first that the client asks this helper for, else the account's
/// own.
fn usual(configured: Option<&Configured>, settings: &Settings, waiting: &Waiting) -> Result<String, Finding> {
    if let Some(registry) = configured.and_then(|configured| configured.registries().next()) {
        return Ok(registry.to_owned());
    }
    // A code is good for once, and is for the token.
    let env = settings.env();
    if let Ok(Some(device)) = aws::mfa_device(env, &AwsFiles::read(env), &Who::Environment) {
        let found = format!(
            "no registry is named, and to ask AWS for the account's own takes an MFA code for {}",
            device.of
        );
        return Err(Finding::failure("host", found, "name a registry"));
    }
    let hosts = account::registries(settings, None, waiting).map_err(|failure| {
        let finding = Finding::of("host", &failure);
        let found = format!(
            "no registry is named, and the account's own is not known: {}",
            finding.found
        );
        Finding { found, ..finding }
    })?;
    let none = || Finding::failure("host", "no registry is named", "name one");
    hosts.into_iter().next().ok_or_else(none)
}

/// A registry as a client would ask for it: host, and port if there is one. None where a user name is before it, which
/// may have a password behind it.
fn address(server: &str) -> Option<String> {
    ServerUrl::parse(server.as_bytes()).ok()?.address()
}

/// A registry's address, and what it stands for.
fn understood(server: &str, settings: &Settings) -> Result<(String, Target), Finding> {
    const STEP: &str = "host";
    let url = ServerUrl::parse(server.as_bytes())
        .map_err(|error| Finding::failure(STEP, error.to_string(), "name a registry's host"))?;
    let Some(host) = url.host() else {
        return Err(Finding::failure(
            STEP,
            "what is named is no registry's host",
            "name one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        ));
    };
    match settings.target(host) {
        Some(target) => Ok((url.address().unwrap_or_else(|| host.to_owned()), target)),
        None => Err(match settings.fallback() {
            Some(fallback) => Finding::warning(
                STEP,
                format!(
                    "{host} is not an Amazon ECR registry; {} answers for it",
                    fallback.program()
                ),
                format!(
                    "ask {} by hand: printf {host} | {} get",
                    fallback.program(),
                    fallback.program()
                ),
            ),
            None => Finding::failure(
                STEP,
                format!("{host} is not an Amazon ECR registry, and this helper finds nothing for it"),
                "name one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com, or add an entry with ecr to config.toml",
            ),
        }),
    }
}

fn ask_aws(settings: &Settings, target: &Target, address: &str, report: &Report, waiting: &Waiting) {
    let env = settings.env();
    let files = AwsFiles::read(env);
    let ask = |code| {
        let theirs = report.clone();
        let checkup = Checkup {
            request: Request {
                registry: target.registry.clone(),
                who: target.who.clone(),
                env: env.clone(),
                log: Log::default(),
                code,
            },
            address: address.to_owned(),
            report: Box::new(move |finding| theirs.add(finding)),
        };
        let time = settings.timeout().unwrap_or_default().max(LEAST_TIME);
        let began = Instant::now();
        if let Err(failure) = aws::check_up(checkup, files.clone(), began + time, waiting) {
            let finding = match report.has("token") {
                false => Finding::of("token", &failure),
                true => Finding::of("registry", &failure).but_a_warning(),
            };
            report.add(finding.after(began.elapsed()));
        }
        Ok(())
    };
    let asked = aws::mfa_device(env, &files, &target.who).and_then(|device| match device {
        Some(device) => mfa::ask(&device, &target.registry, || None, |code| ask(Some(code))),
        None => ask(None),
    });
    if let Err(failure) = asked {
        report.add(Finding::of("credentials", &failure));
    }
}
