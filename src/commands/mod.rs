//! What people ask for by hand, a file each.

mod account;
mod cache;
mod completions;
mod configure;
mod doctor;
mod get_login_password;
pub mod kubelet;
mod table;

use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::command_line::{Cache, Command, Configure, Doctor, GetLoginPassword, NAME};
use crate::config::Settings;
use crate::docker;
use crate::env::{self, Env};
use crate::error::{Failure, one_line};
use crate::output::{complain, confirm, fail, finish, line, say, show};
use crate::style::Style;
use crate::waiting::Waiting;

/// Does what a person asks for.
pub fn perform(command: Command) -> ExitCode {
    match command {
        Command::Docker(verb) => docker::answer(verb),
        Command::Completions { shell } => finish(completions::script(shell), ExitCode::SUCCESS),
        Command::Configure(options) => configure(&options),
        Command::Doctor(arguments) => doctor(&arguments),
        Command::Cache(Cache::List) => report("cache list", |settings| cache::list(&settings)),
        Command::Cache(Cache::Clear { registry }) => {
            report("cache clear", |settings| cache::clear(&settings, registry.as_deref()))
        }
        Command::GetLoginPassword(arguments) => get_login_password(&arguments),
        Command::Kubelet { .. } => kubelet::answer(),
    }
}

/// A command that needs the settings, and has a report or a failure.
fn report(name: &str, of: impl FnOnce(Settings) -> Result<String, Failure>) -> ExitCode {
    match Settings::load(Env::from_process()).and_then(of) {
        Ok(report) => finish(&report, ExitCode::SUCCESS),
        Err(failure) => fail(name, &failure),
    }
}

fn get_login_password(arguments: &GetLoginPassword) -> ExitCode {
    let settings = match Settings::load(Env::from_process()) {
        Ok(settings) => settings,
        Err(failure) => return fail("get-login-password", &failure),
    };
    let log = docker::log(&settings);
    match get_login_password::run(arguments, settings, log, say) {
        Ok(credentials) => finish(&Zeroizing::new(line(credentials.secret.expose())), ExitCode::SUCCESS),
        Err((what, failure)) => fail(&what, &failure),
    }
}

fn doctor(arguments: &Doctor) -> ExitCode {
    match doctor::run(arguments, show, say) {
        (report, true) => finish(&report, ExitCode::SUCCESS),
        (report, false) => finish(&report, ExitCode::FAILURE),
    }
}

fn configure(options: &Configure) -> ExitCode {
    let settings = match Settings::load_to_change(Env::from_process()) {
        Ok(settings) => settings,
        Err(failure) => return fail("configure", &failure),
    };
    let waiting = Waiting::telling(say);
    let world = configure::World {
        settings: &settings,
        style: Style::of_stdout(),
        whoami: &|| account::registries(&settings, options.profile.as_deref(), &waiting),
        confirm: &|text| confirm(&format!("{text}Add them? [Y/n] ")),
        search_path: std::env::var_os(env::PATH),
    };
    match configure::run(options, &world) {
        Ok(done) => {
            for warning in done.warnings {
                complain(&format!("{NAME}: {}", one_line(&warning)));
            }
            finish(&done.report, ExitCode::SUCCESS)
        }
        Err(why) => {
            complain(&format!("{NAME}: {}", one_line(&why)));
            ExitCode::FAILURE
        }
    }
}
