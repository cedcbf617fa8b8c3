//! The SDK's errors as sentences: what failed, and what the person who reads it can do.
//!
//! The SDK wraps the cause in many layers and leaves some out, so an explanation begins with the source that was decided on
//! and with how the last request ended, and asks the SDK's error only for what neither shows.

use std::error::Error as StdError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::aws::answer::{self, Class};
use crate::aws::client;
use crate::aws::journal::{Answer, FailedExchange, Journal, Outcome};
use crate::aws::source::{Base, Plan, Source};
use crate::error::{Failure, Reason, one_line};
use crate::registry::{Registry, Service};

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
pub fn authorization(
    plan: &Plan,
    registry: &Registry,
    journal: &Journal,
    error: SendError,
) -> Failure {
    if error.never_sent {
        return Failure::new(
            Reason::Configuration,
            format!(
                "no request could be made with {}: {}",
                plan.who(),
                error.text
            ),
            "check the keys and the endpoint settings",
        );
    }
    let permission = match registry.service() {
        Service::Private => "allow it ecr:GetAuthorizationToken",
        Service::Public => {
            "allow it ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"
        }
    };
    match journal.last_failure() {
        Some(exchange) => failed_exchange(plan, &exchange, permission),
        None => nonsense(journal),
    }
}

/// An answer that is no authorization token.
pub fn nonsense(journal: &Journal) -> Failure {
    let origin = journal.last_origin().unwrap_or_default();
    Failure::new(
        Reason::BadAnswer,
        format!("the answer of {origin} makes no sense: it holds no authorization token"),
        "check that this is AWS's endpoint and no proxy or portal answers in its place",
    )
}

/// No source has any credentials.
pub fn no_credentials(plan: &Plan, metadata: &str) -> Failure {
    Failure::new(
        Reason::NoCredentials,
        format!("no AWS credentials were found ({})", plan.tried(metadata)),
        "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`",
    )
}

/// Why there are no credentials.
pub fn credentials(plan: &Plan, error: &CredentialsError, journal: &Journal) -> Failure {
    let exchange = journal.last_failure();
    match &plan.source {
        Source::InstanceMetadata => instance_metadata(plan, exchange),
        Source::Profile(Base::Process) if exchange.is_none() => process(plan, error),
        Source::Profile(Base::Sso(session)) => sso(plan, session.as_deref(), error, exchange),
        Source::Profile(Base::Login) => login(plan, error, exchange),
        _ => match exchange {
            Some(exchange) => failed_exchange(plan, &exchange, role_advice(plan)),
            None => configuration(plan, error),
        },
    }
}

/// What is wrong is in a file or variable: the SDK's own words name it.
fn configuration(plan: &Plan, error: &CredentialsError) -> Failure {
    Failure::new(
        Reason::Configuration,
        format!(
            "{} gives no credentials: {}",
            plan.who(),
            client::chain(error)
        ),
        format!("correct its settings in {}", plan.files_read()),
    )
}

fn role_advice(plan: &Plan) -> &'static str {
    match plan.source {
        Source::WebIdentity | Source::Profile(Base::WebIdentity) => {
            "check the role's trust policy and that the token is the one it expects"
        }
        Source::Container => "check the task's or pod's role and AWS_CONTAINER_AUTHORIZATION_TOKEN",
        _ => "check that its role trusts it and that it may use sts:AssumeRole",
    }
}

fn instance_metadata(plan: &Plan, exchange: Option<FailedExchange>) -> Failure {
    match exchange {
        None => no_credentials(plan, ""),
        Some(exchange) => match &exchange.outcome {
            Outcome::Answer(answer) if answer.status == 404 => {
                no_credentials(plan, " (this instance has no role)")
            }
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

/// A program failed. Its arguments may be secret and are never shown, and of what it said nothing that looks like a key.
fn process(plan: &Plan, error: &CredentialsError) -> Failure {
    let text = client::chain(error);
    let profile = &plan.base_profile;
    let what = if let Some((_, said)) = text.split_once("Stderr:") {
        match one_line(said).as_str() {
            "" => format!("the credential_process of profile {profile:?} failed and said nothing"),
            said => format!(
                "the credential_process of profile {profile:?} failed: {}",
                without_secrets(said)
            ),
        }
    } else if text.contains("could not") {
        format!(
            "the credential_process of profile {profile:?} did not print credentials as JSON (Version 1)"
        )
    } else {
        format!("the credential_process of profile {profile:?} could not be run")
    };
    Failure::new(
        Reason::Process,
        what,
        "run the command by hand to see what it prints",
    )
}

/// Words that are long enough to be keys or tokens are left out.
fn without_secrets(text: &str) -> String {
    let looks_secret = |word: &str| {
        let longest = word
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_')))
            .map(str::len)
            .max();
        longest.unwrap_or_default() >= 30
    };
    text.split(' ')
        .map(|word| {
            if looks_secret(word) {
                "[left out]"
            } else {
                word
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn sso(
    plan: &Plan,
    session: Option<&str>,
    error: &CredentialsError,
    exchange: Option<FailedExchange>,
) -> Failure {
    let profile = &plan.base_profile;
    let (name, advice) = match session {
        Some(session) => (
            format!("the SSO session {session:?} of profile {profile:?}"),
            format!("run `aws sso login --sso-session {session}`"),
        ),
        None => (
            format!("the SSO login of profile {profile:?}"),
            format!("run `aws sso login --profile {profile}`"),
        ),
    };
    let ended =
        |how: &str| Failure::new(Reason::ExpiredCredentials, format!("{name} {how}"), &advice);
    match exchange {
        Some(exchange) => match &exchange.outcome {
            Outcome::Answer(answer) if matches!(answer.status, 400 | 401) && is_session(answer) => {
                ended("has expired")
            }
            _ => failed_exchange(
                plan,
                &exchange,
                "check the account and role assigned in SSO",
            ),
        },
        None => {
            let missing = plan.missing_sso_settings();
            if !missing.is_empty() {
                return Failure::new(
                    Reason::Configuration,
                    format!("{name} is not complete: {} is missing", missing.join(", ")),
                    "run `aws configure sso`",
                );
            }
            match is_missing_file(error) {
                true => ended("has not been begun"),
                false if matches!(error, CredentialsError::InvalidConfiguration(_)) => {
                    configuration(plan, error)
                }
                false => ended("has expired"),
            }
        }
    }
}

/// Refusals that are about the login, not about the role.
fn is_session(answer: &Answer) -> bool {
    answer.status == 401
        || matches!(
            answer.code.as_deref(),
            Some(
                "UnauthorizedException"
                    | "InvalidGrantException"
                    | "ExpiredTokenException"
                    | "invalid_grant"
            )
        )
}

fn login(plan: &Plan, error: &CredentialsError, exchange: Option<FailedExchange>) -> Failure {
    let profile = &plan.base_profile;
    let advice = format!("run `aws login --profile {profile}`");
    let ended = |how: &str| {
        Failure::new(
            Reason::ExpiredCredentials,
            format!("the login session of profile {profile:?} {how}"),
            &advice,
        )
    };
    match exchange {
        Some(exchange) => match &exchange.outcome {
            Outcome::Answer(answer)
                if (400..500).contains(&answer.status) && answer.status != 429 =>
            {
                ended("has expired")
            }
            _ => failed_exchange(plan, &exchange, &advice),
        },
        None if is_missing_file(error) => ended("has not been begun"),
        None => ended("cannot be used"),
    }
}

fn is_missing_file(error: &CredentialsError) -> bool {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.kind() == io::ErrorKind::NotFound;
        }
        source = error.source();
    }
    // One of the SDK's errors does not pass its source on.
    client::chain(error).contains("No such file")
}

/// Why a request failed. `permission` is the advice for somebody who is known and not allowed.
fn failed_exchange(plan: &Plan, exchange: &FailedExchange, permission: &str) -> Failure {
    let origin = &exchange.origin;
    let through = match &exchange.proxy {
        Some(proxy) => format!(" through the proxy {proxy}"),
        None => String::new(),
    };
    match &exchange.outcome {
        Outcome::NotSent(failure) => failure.clone(),
        Outcome::Answer(answer) => refusal(plan, exchange, answer, permission),
        Outcome::TimedOut => Failure::new(
            Reason::Unreachable,
            format!("{origin} did not answer in time{through}"),
            "check the network, HTTPS_PROXY and NO_PROXY, and any VPC endpoint",
        ),
        Outcome::Broken(why) => Failure::new(
            Reason::Unreachable,
            format!("{origin} cannot be reached{through}: {why}"),
            "check the network, HTTPS_PROXY and NO_PROXY, and any VPC endpoint",
        ),
        Outcome::Untrusted(why) => Failure::new(
            Reason::Tls,
            format!("the certificate of {origin}{through} is not trusted: {why}"),
            "if a proxy replaces certificates, name its CA's PEM file in AWS_CA_BUNDLE",
        ),
    }
}

fn refusal(plan: &Plan, exchange: &FailedExchange, answer: &Answer, permission: &str) -> Failure {
    let who = plan.who();
    let origin = &exchange.origin;
    let said = said(answer);
    let (reason, what, advice) = match answer::classify(answer) {
        Class::Throttled => (
            Reason::Throttled,
            format!("{origin} throttles requests with {who}: {said}"),
            "try again in a minute",
        ),
        Class::ClockSkew => (
            Reason::ClockSkew,
            format!("this machine's clock differs too much from AWS's: {said}"),
            "set the clock (timedatectl, chrony or ntp)",
        ),
        Class::Expired => (
            Reason::ExpiredCredentials,
            format!("{who} has expired credentials: {said}"),
            renewal(plan),
        ),
        Class::Invalid => (
            Reason::InvalidCredentials,
            format!("AWS does not accept {who}: {said}"),
            "check that the key exists, is active, and belongs to its secret and this partition",
        ),
        Class::Denied => (
            Reason::AccessDenied,
            format!("access denied with {who}: {said}"),
            permission,
        ),
        Class::ServiceFailure => (
            Reason::Unreachable,
            format!("{origin} failed with status {}: {said}", answer.status),
            "try again; if it lasts, see the AWS Health Dashboard",
        ),
        Class::Other if answer.code.is_none() => (
            Reason::BadAnswer,
            format!(
                "the answer of {origin} makes no sense: status {} without an AWS error",
                answer.status
            ),
            "check that this is AWS's endpoint and no proxy or portal answers in its place",
        ),
        Class::Other if answer.status == 403 => (
            Reason::AccessDenied,
            format!("access denied with {who}: {said}"),
            permission,
        ),
        Class::Other => (
            Reason::BadAnswer,
            format!("{origin} refused the request with {who}: {said}"),
            "check the settings that this request was made with",
        ),
    };
    Failure::new(reason, what, advice)
}

fn renewal(plan: &Plan) -> &'static str {
    match &plan.source {
        Source::Environment => {
            "set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        }
        Source::Profile(Base::StaticKeys) => "renew the keys in the credentials file",
        Source::Profile(Base::Process) => "make its credential_process print fresh credentials",
        Source::WebIdentity | Source::Profile(Base::WebIdentity) => {
            "renew the web identity token in its file"
        }
        _ => "renew them where they come from",
    }
}

/// AWS's own sentence, and its code before it where there is one.
fn said(answer: &Answer) -> String {
    match (&answer.code, &answer.message) {
        (Some(code), Some(message)) => format!("{message} ({code})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "no reason given".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_is_left_out() {
        let text = without_secrets(
            "token=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY is not for arn:aws:iam::123456789012:role/dev",
        );
        assert_eq!(
            text,
            "[left out] is not for arn:aws:iam::123456789012:role/dev"
        );
    }
}
