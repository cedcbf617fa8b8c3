//! The SDK, configured: what it is told, and what it never gets to see.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_types::app_name::AppName;
use aws_types::os_shim_internal::Env as SdkEnv;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

use crate::aws::client::{APP_NAME, Client};
use crate::aws::journal::Journal;
use crate::aws::origin::Origin;
use crate::aws::profiles::{self, Base};
use crate::aws::proxy::Proxies;
use crate::aws::source::{Plan, Source};
use crate::aws::trust;
use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::log::Log;
use crate::registry::{Registry, Service};

/// The services' names in the SDK's settings.
pub const ECR: &str = "ECR";
/// The service that roles are assumed with, and that tells who somebody is.
pub const STS: &str = "STS";
/// The public one's.
pub const ECR_PUBLIC: &str = "ECR PUBLIC";

/// For a connection, proxies and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For one attempt at a request.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The first attempt among them.
const ATTEMPTS: u32 = 4;

const FIRST_BACKOFF: Duration = Duration::from_millis(300);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// The HTTP client that every part of the SDK is given.
pub fn http_client(env: &Env, plan: &Plan, journal: &Journal, log: &Log) -> Result<Client, Failure> {
    let direct = [
        env.get(env::AWS_EC2_METADATA_SERVICE_ENDPOINT),
        env.get(env::AWS_CONTAINER_CREDENTIALS_FULL_URI),
        plan.setting("ec2_metadata_service_endpoint").map(Into::into),
    ];
    let direct = direct.iter().flatten().filter_map(|url| Origin::parse(url));
    let proxies = Proxies::new(env, direct.collect());
    let profile_bundle = plan
        .setting("ca_bundle")
        .map(|path| match (path.strip_prefix("~/"), env.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        });
    journal.begin("the CA bundle");
    let bundle = trust::explicit_bundle(env, profile_bundle)?;
    Ok(Client::new(env, proxies, bundle, journal.clone(), log.clone()))
}

/// The SDK's configuration, and the two endpoint flags that variables or the profile set for every service.
pub struct Setup {
    /// The configuration for ECR.
    pub config: SdkConfig,
    /// The configuration for credentials: that of the profile they begin with.
    pub base: SdkConfig,
    /// Whether FIPS endpoints are asked for.
    pub fips: bool,
    /// Whether dual-stack endpoints are asked for.
    pub dual_stack: bool,
}

/// Configures the SDK. Everything that it would read from variables it is given here, so that what is empty, or of a
/// form that makes it panic, never reaches it.
pub async fn set_up(
    env: &Env,
    plan: &Plan,
    registry: &Registry,
    terminal: Option<i32>,
    client: Client,
) -> Result<Setup, Failure> {
    check_booleans(env, plan)?;
    let ignore_overrides = env.is_true(env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS)
        || plan
            .setting("ignore_configured_endpoint_urls")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let text = plan
        .text
        .clone()
        .map(|text| sdk_text(&text, ignore_overrides, terminal));
    let variables = sdk_variables(env, plan, ignore_overrides);
    let load = async |profile: &str, credential_flags: Option<bool>| {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .env(SdkEnv::from(variables.clone()))
            .profile_files(profiles::sdk_files(&text))
            .profile_name(profile)
            .region(Region::new(registry.region().to_owned()))
            .http_client(client.clone())
            .retry_config(retry_config())
            .timeout_config(timeout_config());
        if let Ok(name) = AppName::new(APP_NAME) {
            loader = loader.app_name(name);
        }
        if let Some(flags) = credential_flags {
            loader = loader.use_fips(flags).use_dual_stack(flags);
        }
        loader.load().await
    };
    let config = load(&plan.profile, None).await;
    let ecr = match registry.service() {
        Service::Private => ECR,
        Service::Public => ECR_PUBLIC,
    };
    for service in plan.services().iter().chain(&[ecr]) {
        check_override(&config, service)?;
    }
    let fips = config.use_fips() == Some(true);
    let dual_stack = config.use_dual_stack() == Some(true);
    // The SDK refuses FIPS or dual-stack together with an override. ECR's client has its own two flags; those of the
    // configuration only concern the services that credentials come from.
    let overridden = |service: &&str| endpoint_override(&config, service).is_some();
    let credential_flags = ((fips || dual_stack) && plan.services().iter().any(overridden)).then_some(false);
    let config = match credential_flags {
        Some(_) => load(&plan.profile, credential_flags).await,
        None => config,
    };
    let base = match plan.sdk_profile == plan.profile {
        true => config.clone(),
        false => load(&plan.sdk_profile, credential_flags).await,
    };
    Ok(Setup {
        config,
        base,
        fips,
        dual_stack,
    })
}

fn retry_config() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF)
}

fn timeout_config() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

/// The variables that the SDK sees: those of the source that was decided on and no other's, so that it cannot go on
/// to a source that nobody meant.
fn sdk_variables(env: &Env, plan: &Plan, ignore_overrides: bool) -> HashMap<String, String> {
    let mut variables = HashMap::new();
    let mut keep = |name: &str| {
        if let Some(value) = env.get(name) {
            variables.insert(name.to_owned(), value.into_owned());
        }
    };
    let mut prefixes = vec![env::AWS_EC2_METADATA_PREFIX];
    if !ignore_overrides {
        prefixes.push(env::AWS_ENDPOINT_URL);
    }
    let from_container =
        matches!(&plan.source, Source::Profile(Base::Named(name)) if name.eq_ignore_ascii_case("EcsContainer"));
    let from_instance =
        matches!(&plan.source, Source::Profile(Base::Named(name)) if name.eq_ignore_ascii_case("Ec2InstanceMetadata"));
    if plan.source == Source::Container || from_container {
        prefixes.push(env::AWS_CONTAINER_PREFIX);
    }
    for prefix in prefixes {
        env.with_prefix(prefix).for_each(|(name, _)| keep(name));
    }
    for name in [
        env::HOME,
        env::AWS_LOGIN_CACHE_DIRECTORY,
        env::AWS_USE_FIPS_ENDPOINT,
        env::AWS_USE_DUALSTACK_ENDPOINT,
    ] {
        keep(name);
    }
    match plan.source {
        Source::WebIdentity => {
            keep(env::AWS_WEB_IDENTITY_TOKEN_FILE);
            keep(env::AWS_ROLE_ARN);
            keep(env::AWS_ROLE_SESSION_NAME);
        }
        Source::Environment => {
            if let Some((key_id, secret)) = env.static_keys() {
                variables.insert("AWS_ACCESS_KEY_ID".to_owned(), key_id.into_owned());
                variables.insert("AWS_SECRET_ACCESS_KEY".to_owned(), secret.into_owned());
            }
            if let Some(token) = env.get(env::AWS_SESSION_TOKEN) {
                variables.insert(env::AWS_SESSION_TOKEN.to_owned(), token.into_owned());
            }
        }
        _ => {}
    }
    if plan.source != Source::InstanceMetadata && !from_instance {
        variables.insert(env::AWS_EC2_METADATA_DISABLED.to_owned(), "true".to_owned());
    }
    variables
}

/// A config file's text as the SDK needs it:
///
/// - a credential_process says what it has to say on the terminal, if there is one;
/// - in a `services` section the SDK looks for `ecr-public`, where the AWS documentation and other SDKs have
///   `ecr_public`;
/// - where the SDK is told to pass over endpoint overrides, it does so for ECR's client and not for STS's and SSO's;
/// - an empty endpoint override is none.
fn sdk_text(text: &str, ignore_overrides: bool, stderr: Option<i32>) -> String {
    let drops = |url: &str| ignore_overrides || url.trim().is_empty();
    let mut adapted = String::with_capacity(text.len());
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        match (name.trim_end().to_ascii_lowercase().as_str(), stderr) {
            (name, _) if name.trim() == "endpoint_url" && drops(value) => continue,
            ("ecr_public" | "sso_oidc", _) => adapted.push_str(&line.replacen('_', "-", 1)),
            ("credential_process", Some(fd)) => {
                let command = value.trim_start();
                adapted.push_str(&format!("credential_process = exec 2>&{fd}; {command}"));
            }
            _ => adapted.push_str(line),
        }
        adapted.push('\n');
    }
    adapted
}

/// The SDK quietly takes a boolean that it cannot read for unset, and whoever asked for FIPS endpoints in a way of their own
/// would not get them.
fn check_booleans(env: &Env, plan: &Plan) -> Result<(), Failure> {
    for (variable, setting) in [
        (env::AWS_USE_FIPS_ENDPOINT, "use_fips_endpoint"),
        (env::AWS_USE_DUALSTACK_ENDPOINT, "use_dualstack_endpoint"),
        (
            env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
            "ignore_configured_endpoint_urls",
        ),
    ] {
        let in_env = env.get(variable);
        let in_profile = plan.setting(setting);
        let values = [(variable, in_env.as_deref()), (setting, in_profile)];
        for (name, value) in values {
            let value = value.unwrap_or("false");
            if !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)) {
                return Err(Failure::new(
                    Reason::Configuration,
                    format!("{name} is {value:?}, which is neither true nor false"),
                    "correct it or unset it",
                ));
            }
        }
    }
    Ok(())
}

/// The endpoint URL that variables or the profile name for a service.
pub fn endpoint_override(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(env::AWS_ENDPOINT_URL)
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// The SDK quietly passes over a URL that it cannot use, and would ask AWS itself.
///
/// # Errors
///
/// A [`Failure`] that names the service.
pub fn check_override(config: &SdkConfig, service: &str) -> Result<(), Failure> {
    match endpoint_override(config, service) {
        Some(url) if Origin::parse(&url).is_none() => Err(Failure::new(
            Reason::Configuration,
            format!("the endpoint URL configured for {service} is no http or https URL"),
            "correct AWS_ENDPOINT_URL, its per-service form, or endpoint_url in the profile",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_adapted() {
        assert_eq!(sdk_text("endpoint_url = \n", false, None), "");
        let text = "[profile a]\nCredential_Process = x --y # z\n endpoint_url=u\n[services s]\necr_public =\n  endpoint_url = v\n";
        assert_eq!(sdk_text(text, false, None), text.replace("ecr_public", "ecr-public"));
        assert_eq!(
            sdk_text(text, true, Some(7)),
            "[profile a]\ncredential_process = exec 2>&7; x --y # z\n[services s]\necr-public =\n"
        );
    }
}
