//! A request that failed, as a sentence: no answer, no trust, or AWS's own no.

use crate::aws::answer::{self, Class};
use crate::aws::journal::{Answer, Distrust, FailedExchange, Outcome};
use crate::aws::profiles::Base;
use crate::aws::source::{Plan, Source};
use crate::error::{Failure, Reason};

/// Why a request failed. `permission` is the advice for somebody who is known and not allowed.
pub fn failed_exchange(plan: &Plan, exchange: &FailedExchange, permission: &str) -> Failure {
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
        _ if exchange.proxy.is_some() => "check that proxy and what it allows, or list the host in NO_PROXY",
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
                Source::WebIdentity | Source::ServiceAccount(_) | Source::Profile(Base::WebIdentity) => {
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
        Source::Keys(_) | Source::Profile(Base::StaticKeys) => "renew the keys in the credentials file",
        Source::Profile(Base::Process) => "make its credential_process print fresh credentials",
        Source::WebIdentity | Source::Profile(Base::WebIdentity) => "renew the web identity token in its file",
        Source::ServiceAccount(_) => "check this machine's clock; for the next pull the kubelet asks for another token",
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
