//! The SDK's errors as sentences: what failed, and what the person who reads it can do.
//!
//! The SDK wraps the cause in many layers and leaves some out, so an explanation begins with the source that was
//! decided on and with how the last request ended, and asks the SDK's error only for what neither shows.

use std::error::Error as StdError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::aws::client;
use crate::aws::hops::Hop;
use crate::aws::journal::{Answer, Call, FailedExchange, Journal, Outcome};
use crate::aws::profiles::Base;
use crate::aws::refusal::failed_exchange;
use crate::aws::source::{Plan, Source};
use crate::env::Env;
use crate::error::{Failure, Reason};
use crate::files::describe;
use crate::registry::{Registry, Service};
use crate::service_account::ServiceAccount;

/// What GetAuthorizationToken is to answer with.
pub const TOKEN: &str = "authorization token";

/// A call that failed, as far as the explanation needs the SDK's word for it.
pub struct SendError {
    never_sent: bool,
    text: String,
}

impl<E, R> From<SdkError<E, R>> for SendError
where
    E: StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self {
            never_sent: matches!(error, SdkError::ConstructionFailure(_)),
            text: client::chain(&error),
        }
    }
}

/// Why GetAuthorizationToken failed.
pub fn authorization(plan: &Plan, registry: &Registry, journal: &Journal, error: SendError) -> Failure {
    if error.never_sent {
        return Failure::new(
            Reason::Configuration,
            format!("no request could be made: {}", journal.conceal(&error.text)),
            "check the keys and the endpoint settings",
        );
    }
    let permission = match registry.service() {
        Service::Private => "allow ecr:GetAuthorizationToken to this identity, or choose another",
        Service::Public => "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken to this identity",
    };
    match journal.last_failure() {
        Some(exchange) => failed_exchange(plan, &exchange, permission),
        None => nonsense(journal, TOKEN),
    }
}

/// Why there is no telling whose the credentials are.
pub fn identity(plan: &Plan, journal: &Journal, error: SendError) -> Failure {
    match journal.last_failure() {
        Some(exchange) => failed_exchange(plan, &exchange, "check the policies of this identity's organization"),
        None if error.never_sent => Failure::new(
            Reason::Configuration,
            format!("STS cannot be asked: {}", journal.conceal(&error.text)),
            "check the keys and the endpoint settings",
        ),
        None => nonsense(journal, "identity"),
    }
}

/// Why a role of ours could not be assumed.
pub fn role(plan: &Plan, hop: &Hop, journal: &Journal, error: SendError) -> Failure {
    let advice = match hop.device() {
        Some(_) => "check the code and mfa_serial, and that the role's trust policy names this user",
        None => {
            "check that the role's trust policy names this identity and its external_id, and that it may call sts:AssumeRole"
        }
    };
    assuming(plan, &hop.arn, advice, journal, error)
}

/// Why a service account's role could not be assumed.
pub fn service_account(plan: &Plan, account: &ServiceAccount, journal: &Journal, error: SendError) -> Failure {
    let subject = account.claims.as_ref().map(|claims| claims.subject.as_str());
    let advice = format!(
        "check that the role's trust policy names the cluster's OIDC provider, the token's audience and {}",
        subject.unwrap_or("its subject")
    );
    let failure = assuming(plan, &account.role_arn, &advice, journal, error);
    // The account has many, and whose the credentials are does not tell which.
    let what = format!("the role {}: {}", account.role_arn, failure.what);
    Failure::new(failure.reason, what, failure.advice)
}

fn assuming(plan: &Plan, arn: &str, advice: &str, journal: &Journal, error: SendError) -> Failure {
    if error.never_sent {
        let why = journal.conceal(&error.text);
        return Failure::new(
            Reason::Configuration,
            format!("no request for the role {arn} could be made: {why}"),
            "check the role's ARN, the keys and the endpoint settings",
        );
    }
    match journal.last_failure() {
        Some(exchange) => failed_exchange(plan, &exchange, advice),
        None => nonsense(journal, "credentials"),
    }
}

/// An answer that does not hold what was asked for.
pub fn nonsense(journal: &Journal, wanted: &str) -> Failure {
    let origin = journal.last_origin().unwrap_or_default();
    Failure::new(
        Reason::BadAnswer,
        format!("the answer of {origin} makes no sense: it holds no {wanted}"),
        "check that this is the right endpoint and no proxy or portal answers in its place",
    )
}

/// No source has any credentials.
pub fn no_credentials(plan: &Plan, metadata: &str) -> Failure {
    let advice = match plan.is_named() {
        true => format!(
            "add credentials to profile {:?} or choose another with AWS_PROFILE",
            plan.profile
        ),
        false => "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`".to_owned(),
    };
    Failure::new(
        Reason::NoCredentials,
        format!("no AWS credentials were found ({})", plan.tried(metadata)),
        advice,
    )
}

/// Why there are no credentials. `on_terminal` is whether a credential_process said so itself, on the terminal.
pub fn credentials(plan: &Plan, env: &Env, error: &CredentialsError, journal: &Journal, on_terminal: bool) -> Failure {
    let exchange = journal.last_failure();
    let answered = exchange.is_none() && journal.last_origin().is_some();
    match &plan.source {
        Source::InstanceMetadata if answered => nonsense(journal, "credentials"),
        Source::InstanceMetadata => instance_metadata(plan, exchange),
        Source::Profile(Base::Process) if exchange.is_none() => process(plan, error, journal, on_terminal),
        Source::Profile(Base::Sso(session)) => sso(plan, session.as_deref(), error, journal),
        Source::Profile(Base::Login) if answered => nonsense(journal, "credentials"),
        Source::Profile(Base::Login) => login(plan, error, exchange),
        _ => match exchange {
            Some(exchange) => failed_exchange(plan, &exchange, role_advice(plan)),
            None if answered => nonsense(journal, "credentials"),
            None => match (plan.token_file(env), io_error(error)) {
                (Some((path, named)), Some(error)) => token_file(error, &path, named),
                _ => configuration(plan, error, journal),
            },
        },
    }
}

/// The SDK does not say which file it could not read.
fn token_file(error: &io::Error, path: &str, named: &str) -> Failure {
    Failure::new(
        Reason::Configuration,
        format!("{named} names {path}, which cannot be read: {}", describe(error)),
        "check the path, its permissions, and that the token is mounted there",
    )
}

/// What is wrong is in a file or variable: the SDK's own words name it.
fn configuration(plan: &Plan, error: &CredentialsError, journal: &Journal) -> Failure {
    // What the SDK says of its own layers tells a person nothing.
    const LAYERS: [&str; 3] = [
        "the credentials provider was not properly configured: ",
        "an error occurred while loading credentials: ",
        "ProfileFile provider could not be built: ",
    ];
    let said = journal.conceal(&client::chain(error));
    let said = LAYERS.iter().fold(said, |said, layer| said.replace(layer, ""));
    Failure::new(
        Reason::Configuration,
        format!("no credentials: {said}"),
        match plan.source {
            Source::Profile(_) => format!("correct the settings in {}", plan.files_read()),
            Source::Container => "correct the AWS_CONTAINER_ variables".to_owned(),
            _ => "correct the variables that name them".to_owned(),
        },
    )
}

fn role_advice(plan: &Plan) -> &'static str {
    match plan.source {
        Source::WebIdentity | Source::Profile(Base::WebIdentity) => {
            "check the role's trust policy and that the token is the one it expects"
        }
        Source::Container => "check the task's or pod's role and AWS_CONTAINER_AUTHORIZATION_TOKEN",
        _ => "check that the role's trust policy names this identity, and that it may call sts:AssumeRole",
    }
}

fn instance_metadata(plan: &Plan, exchange: Option<FailedExchange>) -> Failure {
    match exchange {
        None => no_credentials(plan, ""),
        Some(exchange) => match &exchange.outcome {
            Outcome::Answer(answer) if answer.status == 404 => no_credentials(plan, " (this instance has no role)"),
            Outcome::Answer(answer) => Failure::new(
                Reason::Unreachable,
                format!(
                    "the instance metadata service at {} answered with status {}",
                    exchange.origin, answer.status
                ),
                "check that instance metadata is on and allowed for this process",
            ),
            _ => no_credentials(plan, &format!(" (no answer from {})", exchange.origin)),
        },
    }
}

/// A program failed. Its arguments may be secret and are never shown, and of what it said nothing that repeats them
/// or looks like a key.
fn process(plan: &Plan, error: &CredentialsError, journal: &Journal, on_terminal: bool) -> Failure {
    let text = client::chain(error);
    let program = format!("the credential_process{}", plan.of_base());
    let what = if let Some((_, said)) = text.split_once("Stderr:") {
        match without_secrets(&journal.conceal(said), &plan.process_arguments()).as_str() {
            "" if on_terminal => format!("{program} failed; what it said stands above"),
            "" => format!("{program} failed and said nothing"),
            said => format!("{program} failed: {said}"),
        }
    } else if text.contains("could not") {
        format!("{program} did not print credentials as JSON (Version 1)")
    } else {
        format!("{program} could not be run")
    };
    Failure::new(Reason::Process, what, "run the command by hand to see what it prints")
}

/// A text without the words that repeat an argument, or are long enough to be keys or tokens.
fn without_secrets(text: &str, arguments: &[String]) -> String {
    let looks_secret = |word: &str| {
        let longest = word
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_')))
            .map(str::len)
            .max();
        longest.unwrap_or_default() >= 30 || arguments.iter().any(|argument| word.contains(argument))
    };
    text.split_whitespace()
        .map(|word| match looks_secret(word) {
            true => "[left out]",
            false => word,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn sso(plan: &Plan, session: Option<&str>, error: &CredentialsError, journal: &Journal) -> Failure {
    let exchange = journal.last_failure();
    let of_base = plan.of_base();
    let (name, advice) = match session {
        Some(session) => (
            format!("the SSO session {session:?}{of_base}"),
            format!("run `aws sso login --sso-session {session}`"),
        ),
        None => (
            format!("the SSO login{of_base}"),
            format!("run `aws sso login --profile {}`", plan.base_profile),
        ),
    };
    let login = |what: String| Failure::new(Reason::ExpiredCredentials, what, &advice);
    let expired = || login(format!("{name} has expired"));
    match exchange {
        Some(exchange) if !matches!(exchange.call, Call::Sso | Call::SsoRefresh) => {
            failed_exchange(plan, &exchange, role_advice(plan))
        }
        Some(exchange) => match &exchange.outcome {
            Outcome::Answer(answer) if is_session(answer) => expired(),
            _ => failed_exchange(plan, &exchange, "check the account and role assigned in SSO"),
        },
        None => {
            if let Some(missing) = plan.missing_sso_settings() {
                return Failure::new(Reason::Configuration, missing, "run `aws configure sso`");
            }
            match error {
                _ if is_missing_file(error) => login(format!("there is no login: {name} was not begun, or was ended")),
                CredentialsError::InvalidConfiguration(_) => configuration(plan, error, journal),
                _ if is_damaged_token(error) => login(format!("the cached token of {name} is damaged")),
                _ if journal.last_origin().is_some() => nonsense(journal, "credentials"),
                _ => expired(),
            }
        }
    }
}

/// Refusals that are about the login, not about the role.
fn is_session(answer: &Answer) -> bool {
    answer.status == 401
        || matches!(
            answer.code.as_deref(),
            Some("UnauthorizedException" | "InvalidGrantException" | "ExpiredTokenException" | "invalid_grant")
        )
}

fn login(plan: &Plan, error: &CredentialsError, exchange: Option<FailedExchange>) -> Failure {
    let advice = format!("run `aws login --profile {}`", plan.base_profile);
    let ended = |how: &str| {
        let session = format!("the `aws login` session{}", plan.of_base());
        Failure::new(Reason::ExpiredCredentials, format!("{session} {how}"), &advice)
    };
    match exchange {
        Some(exchange) if exchange.call != Call::Login => failed_exchange(plan, &exchange, role_advice(plan)),
        Some(exchange) => match &exchange.outcome {
            Outcome::Answer(answer) if (400..500).contains(&answer.status) && answer.status != 429 => {
                ended("has expired")
            }
            _ => failed_exchange(plan, &exchange, &advice),
        },
        None if is_missing_file(error) => ended("was not begun, or was ended by `aws logout`"),
        None => ended("cannot be used"),
    }
}

fn is_missing_file(error: &CredentialsError) -> bool {
    match io_error(error) {
        Some(error) => error.kind() == io::ErrorKind::NotFound,
        // One of the SDK's errors does not pass on what caused it, but shows it to programmers.
        None => format!("{error:?}").contains("kind: NotFound"),
    }
}

/// As above: the SDK shows this to programmers only.
fn is_damaged_token(error: &CredentialsError) -> bool {
    let text = format!("{error:?}");
    ["JsonError", "MissingField", "InvalidField"]
        .iter()
        .any(|kind| text.contains(kind))
}

/// The I/O error that caused this one, if one did.
fn io_error(error: &CredentialsError) -> Option<&io::Error> {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_is_left_out() {
        let text = without_secrets(
            "token=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY -p 'hunter2' is not for arn:aws:iam::123456789012:role/dev",
            &["hunter2".to_owned()],
        );
        assert_eq!(
            text,
            "[left out] -p [left out] is not for arn:aws:iam::123456789012:role/dev"
        );
    }
}
