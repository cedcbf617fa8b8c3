//! One authorization token: credentials first, then GetAuthorizationToken of ECR or ECR Public.

use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::DateTime;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::aws::explain::{self, SendError};
use crate::aws::journal::Journal;
use crate::aws::profiles::Base;
use crate::aws::setup::{self, Setup};
use crate::aws::source::{Plan, Source};
use crate::cache::Token;
use crate::env::Env;
use crate::error::Failure;
use crate::files::AwsFiles;
use crate::log::Log;
use crate::protocol::Credentials;
use crate::registry::{Registry, Service};
use crate::secret::Secret;

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

/// Gets a token for a registry. `terminal` is where a credential_process may ask something of the person before it.
///
/// # Errors
///
/// A [`Failure`] that says what failed and what to do.
pub async fn fetch(
    request: &Request,
    aws_files: &AwsFiles,
    terminal: Option<i32>,
    journal: &Journal,
) -> Result<Token, Failure> {
    let Request { registry, env, log } = request;
    journal.begin("the AWS config and credentials files");
    let plan = Plan::new(env, aws_files).await?;
    log.debug(|| format!("credentials come from {} ({:?})", plan.who(), plan.source));
    if plan.source == Source::Nothing {
        return Err(explain::no_credentials(&plan, " (turned off)"));
    }
    journal.is_with(plan.who());
    for secret in plan.secrets(env) {
        journal.keep_secret(&secret);
    }
    let client = setup::http_client(env, &plan, journal, log)?;
    let setup = setup::set_up(env, &plan, registry, terminal, client).await?;
    let keys = resolve(&setup, &plan, request, terminal, journal).await?;
    for secret in [Some(keys.secret_access_key()), keys.session_token()] {
        journal.keep_secret(secret.unwrap_or_default());
    }
    let requested = SystemTime::now();
    journal.begin("GetAuthorizationToken");
    let authorization = authorize(&setup, registry, keys)
        .await
        .map_err(|error| explain::authorization(&plan, registry, journal, error))?;
    authorization
        .into_token(requested, plan.is_bounded())
        .map(|token| Token {
            refreshed_sso_token: journal.refreshed_sso_token(),
            ..token
        })
        .ok_or_else(|| explain::nonsense(journal, explain::TOKEN))
}

/// Resolves credentials, outside the SDK's identity cache and its limit of five seconds.
async fn resolve(
    setup: &Setup,
    plan: &Plan,
    Request { env, log, .. }: &Request,
    terminal: Option<i32>,
    journal: &Journal,
) -> Result<Keys, Failure> {
    journal.begin(match (&plan.source, plan.token_file(env)) {
        (Source::Profile(Base::Process), _) => {
            format!("the credential_process of profile {:?}", plan.base_profile)
        }
        (_, Some((path, named))) => format!("the token in {path} ({named})"),
        _ => "credentials".to_owned(),
    });
    let resolved = match setup.config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded("no provider")),
    };
    resolved.map_err(|error| {
        log.warn(|| format!("no credentials from {}: {:?}", plan.who(), plan.source));
        let on_terminal = terminal.is_some();
        explain::credentials(plan, env, &error, journal, on_terminal)
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
            refreshed_sso_token: None,
        })
    }
}

/// Calls GetAuthorizationToken. The endpoint follows the host name, and an override switches both flags off.
async fn authorize(setup: &Setup, registry: &Registry, keys: Keys) -> Result<Authorization, SendError> {
    let config = &setup.config;
    let flags = |service| {
        let plain = setup::endpoint_override(config, service).is_none();
        let fips = plain && (setup.fips || registry.fips());
        (fips, plain && (setup.dual_stack || registry.dual_stack()))
    };
    match registry.service() {
        Service::Private => {
            let (fips, dual_stack) = flags(setup::ECR);
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
            let (fips, dual_stack) = flags(setup::ECR_PUBLIC);
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
