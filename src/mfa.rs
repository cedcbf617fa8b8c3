//! Asking a person for the code of their MFA device, on the terminal and nowhere else: stdin and stdout are the client's.

use std::time::{Duration, Instant};

use crate::command_line::NAME;
use crate::error::{Failure, Reason};
use crate::files::describe;
use crate::platform::{NoAnswer, Terminal, Waited};
use crate::registry::Registry;
use crate::secret::Secret;

/// How long a person is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long others on the same terminal are waited for, each of whom may wait as long.
const QUEUE: Duration = Duration::from_secs(600);

/// How often a person may type something that can be no code.
const ATTEMPTS: usize = 3;

/// The codes of MFA devices have so many digits: `TokenCode` in STS's API reference.
const DIGITS: usize = 6;

/// The device whose code is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its serial number or ARN.
    pub serial: String,
    /// Whose setting it is: `profile "prod"`.
    pub of: String,
    /// How the profile is to be chosen for that once more, where it was.
    pub chosen: Chosen,
}

/// How a profile was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Chosen {
    /// Not at all, or with the registry, by our configuration.
    #[default]
    Already,
    /// By AWS_PROFILE.
    InEnvironment(String),
    /// By its name, wherever that stood.
    ByName(String),
}

/// Asks for a code and does `then` with it; unless `ready` has, when it is our turn on the terminal, what a code is needed
/// for. The turn lasts until `then` is done, so that whoever asks next finds what came of it.
///
/// # Errors
///
/// A [`Failure`] where there is no terminal, or nobody who answers; and those of `then`.
pub fn ask<T>(
    device: &Device,
    registry: &Registry,
    ready: impl FnMut() -> Option<T>,
    then: impl FnOnce(Secret) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Some(terminal) = Terminal::open() else {
        return Err(no_terminal(device, registry));
    };
    let turn = match terminal.take_turn(Instant::now() + QUEUE, ready) {
        Waited::Ready(ready) => return Ok(ready),
        Waited::Turn(turn) => turn,
        Waited::TimedOut => {
            return Err(failure(
                device,
                "others ask for MFA codes on this terminal",
                "try again",
            ));
        }
    };
    let until = Instant::now() + PATIENCE;
    let question = format!(
        "MFA code for {} ({}), to log in to {registry}: ",
        device.serial, device.of
    );
    for attempt in 0..ATTEMPTS {
        let why_again = if attempt == 0 { "" } else { "A code has six digits. " };
        let code = turn
            .ask(&format!("{why_again}{question}"), until)
            .map_err(|error| no_answer(device, registry, error))?;
        let code = code.trim();
        if code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return then(Secret::from(code.to_owned()));
        }
    }
    Err(failure(
        device,
        "what was typed is no MFA code, which has six digits",
        "try again",
    ))
}

/// Nobody can be asked; the person who reads this can see to it that nobody needs to be.
pub fn no_terminal(device: &Device, registry: &Registry) -> Failure {
    let registry = match registry.host() {
        "" => format!("--region {}", registry.region()),
        host => format!("--registry {host}"),
    };
    let (before, behind) = match &device.chosen {
        Chosen::Already => (String::new(), String::new()),
        Chosen::InEnvironment(profile) => (format!("AWS_PROFILE={} ", in_shell(profile)), String::new()),
        Chosen::ByName(profile) => (String::new(), format!(" --profile {}", in_shell(profile))),
    };
    let advice = format!("run `{before}{NAME} get-login-password {registry}{behind}`");
    let what = format!(
        "the code of the MFA device {} is needed, and there is no terminal to ask for it on",
        device.serial
    );
    failure(
        device,
        &what,
        &format!("{advice} in a terminal once, which is good for up to 12 hours"),
    )
}

/// A name as a shell takes it for one word.
fn in_shell(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./@:+".contains(c);
    match name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}

fn no_answer(device: &Device, registry: &Registry, error: NoAnswer) -> Failure {
    match error {
        NoAnswer::Cancelled => failure(device, "no MFA code was typed", "try again"),
        NoAnswer::TimedOut => failure(device, "nobody typed an MFA code in two minutes", "try again"),
        NoAnswer::Closed(error) => {
            let Failure { advice, .. } = no_terminal(device, registry);
            let what = format!("the terminal cannot be asked for an MFA code: {}", describe(&error));
            failure(device, &what, &advice)
        }
    }
}

fn failure(device: &Device, what: &str, advice: &str) -> Failure {
    Failure::new(Reason::Process, what, advice).with(&device.of)
}
