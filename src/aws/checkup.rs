//! The AWS part of `doctor`: each step of getting a token, and what was found there.

use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials as Keys;

use crate::aws::client::Client;
use crate::aws::explain;
use crate::aws::journal::Journal;
use crate::aws::setup::{self, Setup};
use crate::aws::source::Plan;
use crate::aws::token::{self, Request};
use crate::aws::{caller, ping, proxy, trust};
use crate::cache::Token;
use crate::error::{Failure, Reason};
use crate::files::AwsFiles;
use crate::finding::Finding;
use crate::log;

/// AWS refuses requests that are signed by a clock that differs by more.
const MOST_SKEW: Duration = Duration::from_secs(5 * 60);

/// A clock that is looked after differs by less.
const NO_SKEW: Duration = Duration::from_secs(30);

/// A token may be had without knowing whose it is, and most of the time is for that.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(5);

/// What is gone through, and who is told.
pub struct Checkup {
    /// The token that is asked for.
    pub request: Request,
    /// The registry as clients reach it: host, and port if there is one.
    pub address: String,
    /// Is told what was found at each step, as soon as it is.
    pub report: Box<dyn Fn(Finding) + Send>,
}

/// Goes through all steps until one fails.
pub async fn run(checkup: &Checkup, files: &AwsFiles, terminal: Option<i32>, journal: &Journal) {
    let Checkup { address, report, .. } = checkup;
    let token = token(checkup, files, terminal, journal).await;
    // Before the registry is asked, whose clock may be another's: that of a proxy in front of it.
    let clock = clock(journal);
    match token {
        Ok((client, token)) => {
            clock.into_iter().for_each(report);
            report(ping::registry(&client, address, &token.credentials, journal).await);
        }
        Err(finding) => [finding].into_iter().chain(clock).for_each(report),
    }
}

async fn token(
    Checkup { request, report, .. }: &Checkup,
    files: &AwsFiles,
    terminal: Option<i32>,
    journal: &Journal,
) -> Result<(Client, Token), Finding> {
    let began = Instant::now();
    let failed = |step, began: Instant| move |failure: Failure| Finding::of(step, &failure).after(began.elapsed());
    let plan = token::plan(request, files, journal)
        .await
        .map_err(failed("credentials", began))?;
    let client = network(request, &plan, journal).map_err(failed("network", began))?;
    report(
        match client.trust() {
            Ok(_) => Finding::ok("network", described(request, &plan)),
            // They are not needed where AWS is reached by http.
            Err(failure) => Finding::of("network", &failure).but_a_warning(),
        }
        .after(began.elapsed()),
    );
    let began = Instant::now();
    let setup = setup::set_up(&request.env, &plan, &request.registry, terminal, client.clone())
        .await
        .map_err(failed("network", began))?;
    let keys = token::keys(&setup, &plan, request, terminal, journal)
        .await
        .map_err(|failure| match failure.reason {
            // Nobody's, and where it was looked for is said.
            Reason::NoCredentials => failure,
            _ => failure.with(&journal.whose()),
        })
        .map_err(failed("credentials", began))?;
    report(Finding::ok("credentials", source(&plan, &keys)).after(began.elapsed()));
    report(identity(&setup, &plan, keys.clone(), journal).await);
    let began = Instant::now();
    let token = token::authorized(&setup, &plan, request, keys, journal)
        .await
        .map_err(failed("token", began))?;
    report(expiry(&token).after(began.elapsed()));
    Ok((client, token))
}

fn network(request: &Request, plan: &Plan, journal: &Journal) -> Result<Client, Failure> {
    proxy::check(&request.env)?;
    setup::http_client(&request.env, plan, journal, &request.log)
}

fn described(Request { env, .. }: &Request, plan: &Plan) -> String {
    let certificates = match trust::named(env).or_else(|| plan.setting("ca_bundle").map(str::to_owned)) {
        Some(bundle) => format!("the certificates in {bundle}"),
        None => trust::places(env),
    };
    format!("{}; {certificates}", proxy::describe(env))
}

/// Where credentials come from, and the end of the key's id, as the AWS CLI shows it.
fn source(plan: &Plan, keys: &Keys) -> String {
    let source = plan.made_from().map(|source| format!(", from {source}"));
    let id = keys.access_key_id();
    let end = id.len().saturating_sub(4);
    let end = id.get(end..).unwrap_or_default();
    format!("{}{}, key ****{end}", plan.who(), source.unwrap_or_default())
}

async fn identity(setup: &Setup, plan: &Plan, keys: Keys, journal: &Journal) -> Finding {
    const STEP: &str = "identity";
    let began = Instant::now();
    if let Err(failure) = setup::check_override(&setup.base, setup::STS) {
        return Finding::of(STEP, &failure).but_a_warning();
    }
    journal.begin("GetCallerIdentity");
    let answer = tokio::time::timeout(IDENTITY_TIMEOUT, caller::identify(&setup.base, keys)).await;
    let Ok(answer) = answer else {
        let found = format!("STS did not say whose they are within {} s", IDENTITY_TIMEOUT.as_secs());
        let advice = "check the network, HTTPS_PROXY and NO_PROXY, and any VPC endpoint for STS";
        return Finding::warning(STEP, found, advice).after(began.elapsed());
    };
    let finding = match answer {
        Ok(Some(caller)) => Finding::ok(STEP, format!("account {}, {}", caller.account, caller.arn)),
        Ok(None) => Finding::of(STEP, &explain::nonsense(journal, "identity")).but_a_warning(),
        // ECR may answer where STS cannot be reached: a network with an endpoint for the one and not for the other.
        Err(error) => Finding::of(STEP, &explain::identity(plan, journal, error)).but_a_warning(),
    };
    finding.after(began.elapsed())
}

fn expiry(token: &Token) -> Finding {
    let until = log::to_the_second(token.expires);
    match token.expires.duration_since(SystemTime::now()) {
        Ok(left) => {
            let minutes = left.as_secs() / 60;
            Finding::ok(
                "token",
                format!("good until {until}, for {}h {:02}m", minutes / 60, minutes % 60),
            )
        }
        Err(_) => Finding::warning(
            "token",
            format!("AWS says that it ended at {until}; such a token is handed out once and not cached"),
            "compare the clock with AWS's, in the next line",
        ),
    }
}

/// What this machine's clock is apart from AWS's, where an answer of AWS's said the time.
fn clock(journal: &Journal) -> Option<Finding> {
    const STEP: &str = "clock";
    const ADVICE: &str = "set the clock (timedatectl, chrony or ntp)";
    let asked = journal.last_origin().is_some();
    let Some((theirs, ours)) = journal.clocks() else {
        let found = "not compared with AWS's: no answer said the time";
        return asked.then(|| Finding::warning(STEP, found, "compare it with another by hand"));
    };
    let (skew, direction) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let found = match skew.as_secs() {
        // AWS's has no fractions.
        0 | 1 => "agrees with AWS's".to_owned(),
        seconds => format!("{seconds} s {direction} AWS's"),
    };
    Some(match skew {
        skew if skew > MOST_SKEW => Finding::failure(STEP, found, ADVICE),
        skew if skew > NO_SKEW => Finding::warning(STEP, found, ADVICE),
        _ => Finding::ok(STEP, found),
    })
}
