//! One authorization token: credentials first, then GetAuthorizationToken of ECR or ECR Public.

use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::DateTime;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::aws::caller::{self, Caller};
use crate::aws::explain::{self, SendError};
use crate::aws::journal::Journal;
use crate::aws::profiles::Base;
use crate::aws::service_account;
use crate::aws::setup::{self, Setup};
use crate::aws::source::{Plan, Source};
use crate::cache::Token;
use crate::env::Env;
use crate::error::Failure;
use crate::files::AwsFiles;
use crate::log::Log;
use crate::mfa;
use crate::protocol::Credentials;
use crate::registry::{Registry, Service};
use crate::secret::Secret;
use crate::service_account::ServiceAccount;
use crate::who::Who;

/// What a token is asked for with.
#[derive(Debug, Clone)]
pub struct Request {
    /// The registry it is to open.
    pub registry: Registry,
    /// Whose credentials are asked with.
    pub who: Who,
    /// The environment.
    pub env: Env,
    /// Notes what happens.
    pub log: Log,
    /// The code of [`Plan::mfa_device`], where a person typed it.
    pub code: Option<Secret>,
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
    let Request { registry, env, log, .. } = request;
    let plan = plan(request, aws_files, journal).await?;
    let client = setup::http_client(env, &plan, journal, log)?;
    let setup = setup::set_up(env, &plan, registry, terminal, client).await?;
    let keys = keys(&setup, &plan, request, terminal, journal).await?;
    authorized(&setup, &plan, request, keys, journal).await
}

/// Where credentials come from.
pub async fn plan(request: &Request, aws_files: &AwsFiles, journal: &Journal) -> Result<Plan, Failure> {
    let Request { registry, env, log, .. } = request;
    journal.begin("the AWS config and credentials files");
    let plan = Plan::new(env, aws_files, &request.who).await?;
    log.debug(|| format!("credentials come from {} ({:?})", plan.who(), plan.source));
    if plan.source == Source::Nothing {
        return Err(explain::no_credentials(&plan, " (turned off)"));
    }
    if let Some(device) = plan.mfa_device().filter(|_| request.code.is_none()) {
        return Err(mfa::no_terminal(&device, registry));
    }
    journal.is_with(plan.who());
    for secret in plan.secrets(env) {
        journal.keep_secret(&secret);
    }
    if let Some(code) = &request.code {
        journal.keep_code(code.expose());
    }
    Ok(plan)
}

/// Credentials, with all roles assumed.
pub async fn keys(
    setup: &Setup,
    plan: &Plan,
    request: &Request,
    terminal: Option<i32>,
    journal: &Journal,
) -> Result<Keys, Failure> {
    let keys = match &plan.source {
        Source::ServiceAccount(account) => exchange(setup, plan, account, request, journal).await?,
        _ => resolve(setup, plan, request, terminal, journal).await?,
    };
    assume_roles(setup, plan, keys, request, journal).await
}

/// A token for credentials.
pub async fn authorized(
    setup: &Setup,
    plan: &Plan,
    Request { registry, .. }: &Request,
    keys: Keys,
    journal: &Journal,
) -> Result<Token, Failure> {
    let requested = SystemTime::now();
    journal.begin("GetAuthorizationToken");
    let authorization = authorize(setup, registry, keys)
        .await
        .map_err(|error| explain::authorization(plan, registry, journal, error))?;
    authorization
        .into_token(requested, plan.is_bounded())
        .map(|token| Token {
            refreshed_sso_token: journal.refreshed_sso_token(),
            whose: plan.owner(),
            ..token
        })
        .ok_or_else(|| explain::nonsense(journal, explain::TOKEN))
}

/// Whose the credentials are, by AWS's word.
///
/// # Errors
///
/// As for [`fetch`].
pub async fn identify(
    request: &Request,
    aws_files: &AwsFiles,
    terminal: Option<i32>,
    journal: &Journal,
) -> Result<Caller, Failure> {
    let Request { registry, env, log, .. } = request;
    let plan = plan(request, aws_files, journal).await?;
    let client = setup::http_client(env, &plan, journal, log)?;
    let setup = setup::set_up(env, &plan, registry, terminal, client).await?;
    let keys = keys(&setup, &plan, request, terminal, journal).await?;
    setup::check_override(&setup.base, setup::STS)?;
    journal.begin("GetCallerIdentity");
    let caller = caller::identify(&setup.base, keys)
        .await
        .map_err(|error| explain::identity(&plan, journal, error))?;
    caller.ok_or_else(|| explain::nonsense(journal, "identity"))
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
    let resolved = match &plan.source {
        Source::Keys(profile) => keys_of(plan, profile),
        _ => match setup.base.credentials_provider() {
            Some(provider) => provider.provide_credentials().await,
            None => Err(CredentialsError::not_loaded("no provider")),
        },
    };
    resolved.inspect(|keys| keep_secrets(keys, journal)).map_err(|error| {
        log.warn(|| format!("no credentials from {}: {:?}", plan.who(), plan.source));
        let on_terminal = terminal.is_some();
        explain::credentials(plan, env, &error, journal, on_terminal)
    })
}

/// The static keys of a profile.
fn keys_of(plan: &Plan, profile: &str) -> Result<Keys, CredentialsError> {
    let setting = |name| plan.setting_of(profile, name);
    match (setting("aws_access_key_id"), setting("aws_secret_access_key")) {
        (Some(id), Some(secret)) => {
            let token = setting("aws_session_token").map(str::to_owned);
            Ok(Keys::new(id, secret, token, None, "profile"))
        }
        _ => {
            let why =
                format!("profile {profile:?} has one of aws_access_key_id and aws_secret_access_key, and not both");
            Err(CredentialsError::invalid_configuration(why))
        }
    }
}

/// Exchanges a service account's token for the credentials of its role.
async fn exchange(
    setup: &Setup,
    plan: &Plan,
    account: &ServiceAccount,
    Request { log, .. }: &Request,
    journal: &Journal,
) -> Result<Keys, Failure> {
    journal.begin(format!("credentials of the role {}", account.role_arn));
    log.debug(|| format!("assuming the role {} for {}", account.role_arn, account.who()));
    let answer = service_account::assume_role(account, &setup.base).await;
    let assumed = answer.map_err(|error| explain::service_account(plan, account, journal, error))?;
    let keys = assumed.ok_or_else(|| explain::nonsense(journal, "credentials"))?;
    keep_secrets(&keys, journal);
    Ok(keys)
}

/// Assumes the roles that the SDK does not, each with the credentials of the one before.
async fn assume_roles(
    setup: &Setup,
    plan: &Plan,
    mut keys: Keys,
    Request { code, log, .. }: &Request,
    journal: &Journal,
) -> Result<Keys, Failure> {
    for hop in &plan.hops {
        journal.begin(format!("credentials of the role {}", hop.arn));
        log.debug(|| format!("assuming the role {}", hop.arn));
        let answer = hop.take(&setup.base, keys, code.as_ref()).await;
        let assumed = answer.map_err(|error| explain::role(plan, hop, journal, error))?;
        keys = assumed.ok_or_else(|| explain::nonsense(journal, "credentials"))?;
        keep_secrets(&keys, journal);
    }
    Ok(keys)
}

fn keep_secrets(keys: &Keys, journal: &Journal) {
    for secret in [Some(keys.secret_access_key()), keys.session_token()] {
        journal.keep_secret(secret.unwrap_or_default());
    }
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
            whose: String::new(),
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
