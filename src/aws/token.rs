//! One authorization token: credentials first, then GetAuthorizationToken of ECR or ECR Public.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::DateTime;
use aws_types::app_name::AppName;
use aws_types::os_shim_internal::Env as SdkEnv;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::aws::client::Client;
use crate::aws::explain::{self, SendError};
use crate::aws::journal::Journal;
use crate::aws::origin::Origin;
use crate::aws::proxy::Proxies;
use crate::aws::source::{self, Base, Plan, Source};
use crate::aws::trust;
use crate::cache::Token;
use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::files::AwsFiles;
use crate::log::Log;
use crate::protocol::Credentials;
use crate::registry::{Registry, Service};
use crate::secret::Secret;

/// For a connection, proxies and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For one attempt at a request.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The first attempt among them.
const ATTEMPTS: u32 = 4;

const FIRST_BACKOFF: Duration = Duration::from_millis(300);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// The services that a chain of credentials may ask, as the SDK names them in its settings.
const CREDENTIAL_SERVICES: [&str; 4] = ["STS", "SSO", "SSO OIDC", "Signin"];

/// What a token is asked for with.
#[derive(Debug, Clone)]
pub struct Request {
    /// The registry it is to open.
    pub registry: Registry,
    /// The environment.
    pub env: Env,
    /// Notes what happens.
    pub log: Log,
}

/// Gets a token for a registry.
///
/// # Errors
///
/// A [`Failure`] that says what failed and what to do.
pub async fn fetch(
    request: &Request,
    aws_files: &AwsFiles,
    journal: &Journal,
) -> Result<Token, Failure> {
    let Request { registry, env, log } = request;
    journal.begin("the AWS config and credentials files");
    let plan = Plan::new(env, aws_files).await?;
    log.debug(|| format!("credentials come from {} ({:?})", plan.who(), plan.source));
    if plan.source == Source::Nothing {
        return Err(explain::no_credentials(&plan, " (turned off)"));
    }
    let client = http_client(env, &plan, journal, log)?;
    let setup = set_up(env, &plan, registry, client).await?;
    let keys = resolve(&setup.config, &plan, journal, log).await?;
    let requested = SystemTime::now();
    let authorization = authorize(&setup, registry, keys)
        .await
        .map_err(|error| explain::authorization(&plan, registry, journal, error))?;
    authorization
        .into_token(requested, plan.is_bounded())
        .ok_or_else(|| explain::nonsense(journal))
}

fn http_client(env: &Env, plan: &Plan, journal: &Journal, log: &Log) -> Result<Client, Failure> {
    let direct = [
        env.get(env::AWS_EC2_METADATA_SERVICE_ENDPOINT),
        env.get(env::AWS_CONTAINER_CREDENTIALS_FULL_URI),
        plan.setting("ec2_metadata_service_endpoint")
            .map(Into::into),
    ];
    let direct = direct.iter().flatten().filter_map(|url| Origin::parse(url));
    let proxies = Proxies::new(env, direct.collect());
    let profile_bundle =
        plan.setting("ca_bundle")
            .map(|path| match (path.strip_prefix("~/"), env.home()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(path),
            });
    journal.begin("the CA bundle");
    let bundle = trust::explicit_bundle(env, profile_bundle)?;
    Ok(Client::new(
        env,
        proxies,
        bundle,
        journal.clone(),
        log.clone(),
    ))
}

/// The SDK's configuration, and the two endpoint flags that variables or the profile set for every service.
struct Setup {
    config: SdkConfig,
    fips: bool,
    dual_stack: bool,
}

/// Configures the SDK. Everything that it would read from variables it is given here, so that what is empty, or of a form that
/// makes it panic, never reaches it.
async fn set_up(
    env: &Env,
    plan: &Plan,
    registry: &Registry,
    client: Client,
) -> Result<Setup, Failure> {
    let ignore_overrides = env.is_true(env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS)
        || plan
            .setting("ignore_configured_endpoint_urls")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let text = match ignore_overrides {
        true => plan.text.clone().map(|text| without_overrides(&text)),
        false => plan.text.clone(),
    };
    let variables = sdk_variables(env, plan, ignore_overrides);
    let load = async |credential_flags: Option<bool>| {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .env(SdkEnv::from(variables.clone()))
            .profile_files(source::sdk_files(&text))
            .profile_name(&plan.profile)
            .region(Region::new(registry.region().to_owned()))
            .http_client(client.clone())
            .retry_config(retry_config())
            .timeout_config(timeout_config());
        if let Ok(name) = AppName::new(concat!(
            env!("CARGO_PKG_NAME"),
            "-",
            env!("CARGO_PKG_VERSION")
        )) {
            loader = loader.app_name(name);
        }
        if let Some(flags) = credential_flags {
            loader = loader.use_fips(flags).use_dual_stack(flags);
        }
        loader.load().await
    };
    let config = load(None).await;
    for service in ["ECR", "ECR PUBLIC"].iter().chain(&CREDENTIAL_SERVICES) {
        check_override(&config, service)?;
    }
    let fips = config.use_fips() == Some(true);
    let dual_stack = config.use_dual_stack() == Some(true);
    // The SDK refuses FIPS or dual-stack together with an override. ECR's client has its own two flags; those of the
    // configuration only concern the services that credentials come from.
    let overridden = |service: &&str| endpoint_override(&config, service).is_some();
    let config = match (fips || dual_stack) && CREDENTIAL_SERVICES.iter().any(overridden) {
        true => load(Some(false)).await,
        false => config,
    };
    Ok(Setup {
        config,
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

/// The variables that the SDK sees: those of the source that was decided on and no other's, so that it cannot go on to a
/// source that nobody meant.
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
    let from_container = matches!(&plan.source, Source::Profile(Base::Named(name)) if name.eq_ignore_ascii_case("EcsContainer"));
    let from_instance = matches!(&plan.source, Source::Profile(Base::Named(name)) if name.eq_ignore_ascii_case("Ec2InstanceMetadata"));
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

/// The SDK passes over configured endpoint URLs for ECR's client where it is told to, but not for STS's and SSO's.
fn without_overrides(text: &str) -> String {
    let is_override = |line: &str| {
        line.split('=')
            .next()
            .is_some_and(|name| name.trim().eq_ignore_ascii_case("endpoint_url"))
    };
    text.lines()
        .filter(|line| !is_override(line))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// The endpoint URL that variables or the profile name for a service.
fn endpoint_override(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(env::AWS_ENDPOINT_URL)
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// The SDK quietly passes over a URL that it cannot use, and would ask AWS itself.
fn check_override(config: &SdkConfig, service: &str) -> Result<(), Failure> {
    match endpoint_override(config, service) {
        Some(url) if Origin::parse(&url).is_none() => Err(Failure::new(
            Reason::Configuration,
            format!("the endpoint URL configured for {service} is no http or https URL"),
            "correct AWS_ENDPOINT_URL, its per-service form, or endpoint_url in the profile",
        )),
        _ => Ok(()),
    }
}

/// Resolves credentials, outside the SDK's identity cache and its limit of five seconds.
async fn resolve(
    config: &SdkConfig,
    plan: &Plan,
    journal: &Journal,
    log: &Log,
) -> Result<Keys, Failure> {
    journal.begin(match &plan.source {
        Source::Profile(Base::Process) => {
            format!("the credential_process of profile {:?}", plan.base_profile)
        }
        _ => format!("credentials from {}", plan.who()),
    });
    let resolved = match config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded("no provider")),
    };
    resolved.map_err(|error| {
        log.warn(|| format!("no credentials from {}: {:?}", plan.who(), plan.source));
        explain::credentials(plan, &error, journal)
    })
}

/// What AWS answered.
#[derive(Default)]
struct Authorization {
    token: Option<Zeroizing<String>>,
    expires: Option<SystemTime>,
}

impl Authorization {
    fn new(token: Option<String>, expires: Option<DateTime>) -> Self {
        Self {
            token: token.map(Zeroizing::new),
            expires: expires.and_then(|time| time.try_into().ok()),
        }
    }

    /// The user name and password in an answer; none where it makes no sense. AWS documents the token as base64 of
    /// `AWS:<password>`.
    fn into_token(self, requested: SystemTime, bounded: bool) -> Option<Token> {
        let decoded = BASE64_STANDARD.decode(self.token?.trim()).ok()?;
        let text = Zeroizing::new(String::from_utf8(decoded).ok()?);
        let (username, password) = text.split_once(':')?;
        (!username.is_empty() && !password.is_empty()).then(|| Token {
            credentials: Credentials {
                username: username.to_owned(),
                secret: Secret::from(password.to_owned()),
            },
            requested,
            // Without an end, it is good for this one use.
            expires: self.expires.unwrap_or(requested),
            bounded,
        })
    }
}

/// Calls GetAuthorizationToken. The endpoint follows the host name, and an override switches both flags off.
async fn authorize(
    setup: &Setup,
    registry: &Registry,
    keys: Keys,
) -> Result<Authorization, SendError> {
    let config = &setup.config;
    let flags = |service| {
        let plain = endpoint_override(config, service).is_none();
        let fips = plain && (setup.fips || registry.fips());
        (fips, plain && (setup.dual_stack || registry.dual_stack()))
    };
    match registry.service() {
        Service::Private => {
            let (fips, dual_stack) = flags("ECR");
            let config = aws_sdk_ecr::config::Builder::from(config)
                .credentials_provider(keys)
                .use_fips(fips)
                .use_dual_stack(dual_stack)
                .build();
            let client = aws_sdk_ecr::Client::from_conf(config);
            let output = client.get_authorization_token().send().await?;
            let data = output.authorization_data.unwrap_or_default();
            let data = data.into_iter().next();
            Ok(data.map_or_else(Authorization::default, |data| {
                Authorization::new(data.authorization_token, data.expires_at)
            }))
        }
        Service::Public => {
            let (fips, dual_stack) = flags("ECR PUBLIC");
            let config = aws_sdk_ecrpublic::config::Builder::from(config)
                .credentials_provider(keys)
                .use_fips(fips)
                .use_dual_stack(dual_stack)
                .build();
            let client = aws_sdk_ecrpublic::Client::from_conf(config);
            let output = client.get_authorization_token().send().await?;
            let data = output.authorization_data;
            Ok(data.map_or_else(Authorization::default, |data| {
                Authorization::new(data.authorization_token, data.expires_at)
            }))
        }
    }
}
