//! What docker asks for: reads the request, finds who answers it, and answers in docker's words.

use std::collections::BTreeMap;
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::command_line::{NAME, Verb};
use crate::config::Settings;
use crate::env::Env;
use crate::error::Error;
use crate::fallback;
use crate::helper::{self, Helper};
use crate::input;
use crate::log::Log;
use crate::output::{answer_a_client, complain, finish, line, say};
use crate::protocol::{self, ServerUrl, StoreRequest};
use crate::waiting;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What became of a verb.
enum Done {
    /// There is nothing to say.
    Silently,
    /// An answer for stdout.
    With(Zeroizing<String>),
    /// Another helper answered, and ended so.
    Elsewhere(ExitCode),
}

/// What is known of a request, for messages about it.
#[derive(Default)]
struct Known {
    server: Option<String>,
    is_strict: bool,
}

/// Does what docker asks for, and answers.
pub fn answer(verb: Verb) -> ExitCode {
    answer_a_client();
    let mut known = Known::default();
    match perform(verb, &mut known) {
        Ok(Done::Silently) => ExitCode::SUCCESS,
        Ok(Done::With(answer)) => finish(&answer, ExitCode::SUCCESS),
        Ok(Done::Elsewhere(code)) => code,
        Err(Error::Failure(failure)) => {
            let why = failure.line(known.server.as_deref().unwrap_or(verb.as_str()));
            let code = match known.is_strict {
                true => finish(&line(&why), ExitCode::FAILURE),
                false => finish(&line(Error::NotFound), ExitCode::FAILURE),
            };
            // Also where it stands on stdout: docker before version 29 and nerdctl keep that from their users.
            complain(&why);
            code
        }
        Err(error) => finish(&line(error), ExitCode::FAILURE),
    }
}

/// Does what was asked.
fn perform(verb: Verb, known: &mut Known) -> Result<Done, Error> {
    if matches!(verb, Verb::Version) {
        return Ok(Done::With(line(format_args!("{NAME} ({NAME}) {VERSION}")).into()));
    }
    let input = match verb {
        Verb::List => Zeroizing::default(),
        _ => input::read().map_err(Error::Request)?,
    };
    let request = Request::parse(verb, &input)?;
    known.server = request.server().and_then(ServerUrl::host).map(str::to_owned);
    let settings = settings(known)?;
    let target = request.server().and_then(|url| settings.target(url.host()?));
    if let (Some(url), None) = (request.server(), &target) {
        // Before any other file is touched, the log among them.
        return elsewhere(verb, url, &input, &settings);
    }
    // The helper's time begins when it knows what to do: how long stdin takes is the client's affair.
    let log = log(&settings);
    let helper = Helper::new(settings, log).saying(say);
    Ok(match (request, target) {
        (Request::Get(url), Some(target)) => {
            let credentials = helper.credentials(&target)?;
            Done::With(protocol::get_answer(&url, &credentials))
        }
        (Request::Get(_), None) => return Err(Error::NotFound),
        (Request::Store(request), _) => {
            helper.store(request)?;
            Done::Silently
        }
        (Request::Erase(url), _) => {
            helper.erase(&url)?;
            Done::Silently
        }
        (Request::List, _) => Done::With(protocol::list_answer(&list(&helper))),
    })
}

/// What is asked for.
enum Request {
    Get(ServerUrl),
    Store(StoreRequest),
    Erase(ServerUrl),
    List,
}

impl Request {
    fn parse(verb: Verb, input: &[u8]) -> Result<Self, Error> {
        Ok(match verb {
            Verb::Get => Self::Get(ServerUrl::parse(input)?),
            Verb::Store => Self::Store(StoreRequest::parse(input)?),
            Verb::Erase => Self::Erase(ServerUrl::parse(input)?),
            Verb::List | Verb::Version => Self::List,
        })
    }

    fn server(&self) -> Option<&ServerUrl> {
        match self {
            Self::Get(server) | Self::Erase(server) => Some(server),
            Self::Store(request) => Some(&request.server),
            Self::List => None,
        }
    }
}

/// What this helper lists, and the other one; without the other's, where it cannot tell.
fn list(helper: &Helper) -> BTreeMap<String, String> {
    let settings = helper.settings();
    let ours = helper.list();
    let Some(fallback) = settings.fallback() else {
        return ours;
    };
    let list = || fallback.list(settings.env(), settings.timeout()?);
    let theirs = waiting::noticed(say, &fallback.program(), list).unwrap_or_else(|failure| {
        complain(&failure.line("list"));
        BTreeMap::new()
    });
    fallback::merge(ours, theirs, |server| {
        ServerUrl::parse(server.as_bytes()).is_ok_and(|server| settings.is_ours(&server))
    })
}

/// The settings; where there are none to be had, all that is known is what the environment says.
fn settings(known: &mut Known) -> Result<Settings, Error> {
    let settings = Settings::load(Env::from_process());
    known.is_strict = match &settings {
        Ok(settings) => settings.is_strict(),
        Err(_) => Settings::without_files(Env::from_process()).is_strict(),
    };
    settings.map_err(Error::Failure)
}

/// A server that is not ECR: another helper's, if one is configured.
fn elsewhere(verb: Verb, url: &ServerUrl, input: &[u8], settings: &Settings) -> Result<Done, Error> {
    if matches!(verb, Verb::Erase) && helper::forget(settings, url) && settings.fallback().is_none() {
        return Ok(Done::Silently);
    }
    match settings.fallback() {
        Some(fallback) => {
            let pass = || fallback.pass(settings.env(), verb.as_str(), input);
            let code = waiting::noticed(say, &fallback.program(), pass);
            code.map(Done::Elsewhere).map_err(Error::Failure)
        }
        None if matches!(verb, Verb::Get) => Err(Error::NotFound),
        None if settings.ignores_storage() => Ok(Done::Silently),
        None => Err(helper::not_ecr(url)),
    }
}

/// The log that the settings ask for. Without it, the request itself goes on.
pub fn log(settings: &Settings) -> Log {
    Log::open(settings).unwrap_or_else(|why| {
        complain(&format!("{NAME}: {why}"));
        Log::default()
    })
}
