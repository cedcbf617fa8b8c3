//! Whether a registry takes the token: the requests that clients begin with.

use std::time::Instant;

use crate::aws::challenge::Bearer;
use crate::aws::client::{Client, Head};
use crate::aws::journal::{Journal, Outcome};
use crate::aws::origin::Origin;
use crate::finding::Finding;
use crate::protocol::Credentials;

const STEP: &str = "registry";

/// Asks the registry at `address`: host, and port if there is one. The password is sent nowhere else.
pub async fn registry(client: &Client, address: &str, credentials: &Credentials, journal: &Journal) -> Finding {
    let began = Instant::now();
    asked(client, address, credentials, journal)
        .await
        .after(began.elapsed())
}

async fn asked(client: &Client, address: &str, credentials: &Credentials, journal: &Journal) -> Finding {
    let url = format!("https://{address}/v2/");
    journal.begin(format!("an answer from https://{address}"));
    let Some(answer) = client.ask(&url, credentials).await else {
        return unreachable(&url, journal);
    };
    let bearer = Bearer::find(answer.challenges.iter().map(String::as_str));
    // ECR takes the password itself. ECR Public wants it to be exchanged for a token of its own first.
    let (401, Some(bearer), Some(origin)) = (answer.status, bearer, Origin::parse(&url)) else {
        return told(&url, &answer, false);
    };
    let Some(exchange) = bearer.url_at(&origin) else {
        let realm = Origin::parse(&bearer.realm).map_or_else(|| "what is no https URL".to_owned(), |it| it.to_string());
        return Finding::warning(
            STEP,
            format!("{url} sends clients for a token to {realm}, to which the password was not sent"),
            "check what answers there: clients send the password to whatever it names",
        );
    };
    match client.ask(&exchange, credentials).await {
        Some(answer) => told(&url, &answer, true),
        None => unreachable(&url, journal),
    }
}

/// What an answer means for the registry at `url`: that of itself, or that where the token was to be `exchanged`, whose
/// path is not shown, for it may repeat anything.
fn told(url: &str, answer: &Head, exchanged: bool) -> Finding {
    let status = answer.status;
    let status = match exchanged {
        false => format!("status {status}"),
        true => format!("status {status} where it sends clients to exchange it"),
    };
    match answer.status {
        200..=299 => match exchanged {
            false => Finding::ok(STEP, format!("{url} accepts the token")),
            true => Finding::ok(STEP, format!("{url} accepts the token, in exchange for one of its own")),
        },
        401 | 403 => Finding::failure(
            STEP,
            format!("{url} does not accept the token ({status})"),
            "check the account and region in the host name, and the registry's policy",
        ),
        // Clients in Go follow it, and take no password to another host.
        300..=399 => Finding::warning(
            STEP,
            format!("{url} answers with a redirect to {} ({status})", target(url, answer)),
            "pull from that host itself, or have this one pass requests on: clients follow a redirect without the login",
        ),
        429 | 500..=599 => Finding::warning(STEP, format!("{url} cannot say now ({status})"), "try again"),
        _ => Finding::warning(
            STEP,
            format!("{url} answers as no registry does ({status})"),
            "check what answers there",
        ),
    }
}

/// Where a redirect leads, as far as it may be shown.
fn target(asked: &str, answer: &Head) -> String {
    let location = answer.location.as_deref().unwrap_or_default();
    let absolute = match location.starts_with("//") {
        true => format!("https:{location}"),
        false => location.to_owned(),
    };
    match Origin::parse(&absolute) {
        _ if location.is_empty() => "nowhere".to_owned(),
        None if absolute.contains("://") => "what is no http or https URL".to_owned(),
        Some(origin) if Some(&origin) != Origin::parse(asked).as_ref() => origin.to_string(),
        _ => "itself".to_owned(),
    }
}

fn unreachable(url: &str, journal: &Journal) -> Finding {
    let why = match journal.last_failure().map(|exchange| exchange.outcome) {
        Some(Outcome::Broken(why)) => why,
        Some(Outcome::Untrusted(_)) => "its certificate is not trusted".to_owned(),
        Some(Outcome::NotSent(failure)) => failure.what,
        _ => "no answer in time".to_owned(),
    };
    Finding::warning(
        STEP,
        format!("{url} cannot be reached: {why}"),
        "check name resolution, the network and proxies from here to the registry; docker's daemon has its own",
    )
}
