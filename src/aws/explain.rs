//! The SDK's errors as sentences: what failed, and what the person who reads it can do.
//!
//! The SDK wraps the cause in many layers and leaves some out, so an explanation begins with the source that was
//! decided on and with how the last request ended, and asks the SDK's error only for what neither shows.

use std::error::Error as StdError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::aws::answer::{self, Class};
use crate::aws::client;
use crate::aws::journal::{Answer, Call, Distrust, FailedExchange, Journal, Outcome};
use crate::aws::source::{Base, Plan, Source};
use crate::env::Env;
use crate::error::{Failure, Reason};
use crate::files::describe;
use crate::registry::{Registry, Service};

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
        _ if plan.wants_mfa() => {
            "the profile has mfa_serial, which is not asked for here: use credentials of a session with MFA"
        }
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
            network_advice(plan, exchange),
        ),
        Outcome::Broken(why) => Failure::new(
            Reason::Unreachable,
            format!("{origin} cannot be reached{through}: {why}"),
            network_advice(plan, exchange),
        ),
        Outcome::Untrusted(distrust) => untrusted(&format!("{origin}{through}"), distrust),
    }
}

fn untrusted(origin: &str, distrust: &Distrust) -> Failure {
    let (why, advice) = match distrust {
        Distrust::Issuer => (
            "it is signed by an unknown CA",
            "if a proxy replaces certificates, name its CA's PEM file in AWS_CA_BUNDLE",
        ),
        Distrust::Name => (
            "it is for another name",
            "check the endpoint URL, and what answers there",
        ),
        Distrust::Time => (
            "it has expired or is not valid yet",
            "check this machine's clock, and what answers there",
        ),
        Distrust::Other(why) => (why.as_str(), "check what answers there"),
    };
    Failure::new(
        Reason::Tls,
        format!("the certificate of {origin} is not trusted: {why}"),
        advice,
    )
}

fn network_advice(plan: &Plan, exchange: &FailedExchange) -> &'static str {
    match &plan.source {
        // Credentials from this machine come by http and past any proxy.
        Source::Container | Source::Profile(Base::Named(_)) if !exchange.origin.is_https() => {
            "check that it answers on this machine, and that this process may ask it"
        }
        _ => "check the network, HTTPS_PROXY and NO_PROXY, and any VPC endpoint",
    }
}

fn refusal(plan: &Plan, exchange: &FailedExchange, answer: &Answer, permission: &str) -> Failure {
    let origin = &exchange.origin;
    let said = said(answer);
    let (reason, what, advice) = match answer::classify(answer) {
        Class::Throttled => (
            Reason::Throttled,
            format!("{origin} throttles requests: {said}"),
            "try again in a minute",
        ),
        Class::ClockSkew => (
            Reason::ClockSkew,
            format!("this machine's clock differs too much from AWS's: {said}"),
            "set the clock (timedatectl, chrony or ntp)",
        ),
        Class::Expired => (
            Reason::ExpiredCredentials,
            format!("the credentials have expired: {said}"),
            renewal(plan),
        ),
        Class::Invalid => (
            Reason::InvalidCredentials,
            format!("AWS does not accept the credentials: {said}"),
            match &plan.source {
                Source::WebIdentity | Source::Profile(Base::WebIdentity) => {
                    "check the identity provider in IAM and the token's audience"
                }
                _ => "check that the key exists, is active, and belongs to its secret and this partition",
            },
        ),
        Class::Denied if answer.code.as_deref() == Some("RegionDisabledException") => (
            Reason::AccessDenied,
            format!("access denied: {said}"),
            "activate STS in that region, or name another STS in AWS_ENDPOINT_URL_STS",
        ),
        Class::Denied => (Reason::AccessDenied, format!("access denied: {said}"), permission),
        Class::ServiceFailure => (
            Reason::Unreachable,
            format!("{origin} failed with status {}: {said}", answer.status),
            "try again; if it lasts, see the AWS Health Dashboard",
        ),
        Class::Other if answer.code.is_none() && plan.source == Source::Container => (
            Reason::Unreachable,
            format!("{origin} gives no credentials: status {}", answer.status),
            permission,
        ),
        Class::Other if answer.code.is_none() => (
            Reason::BadAnswer,
            format!(
                "the answer of {origin} makes no sense: status {} without an AWS error",
                answer.status
            ),
            "check that this is AWS's endpoint and no proxy or portal answers in its place",
        ),
        Class::Other if answer.status == 403 => (Reason::AccessDenied, format!("access denied: {said}"), permission),
        Class::Other => (
            Reason::BadAnswer,
            format!("{origin} refused the request: {said}"),
            "check the settings that this request was made with",
        ),
    };
    Failure::new(reason, what, advice)
}

fn renewal(plan: &Plan) -> &'static str {
    match &plan.source {
        Source::Environment => "set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
        Source::Profile(Base::StaticKeys) => "renew the keys in the credentials file",
        Source::Profile(Base::Process) => "make its credential_process print fresh credentials",
        Source::WebIdentity | Source::Profile(Base::WebIdentity) => "renew the web identity token in its file",
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
            "token=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY -p 'hunter2' is not for arn:aws:iam::123456789012:role/dev",
            &["hunter2".to_owned()],
        );
        assert_eq!(
            text,
            "[left out] -p [left out] is not for arn:aws:iam::123456789012:role/dev"
        );
    }
}
