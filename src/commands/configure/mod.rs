//! `configure`: names this helper in a client's configuration file, and takes that back.

mod diff;
pub mod helpers;
mod json;
mod mask;
pub mod place;
mod plan;
mod report;
mod settings;
mod task;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cache::{Attempt, Dir, Lock, lock_name};
use crate::command_line::{Configure, NAME};
use crate::config::Settings;
use crate::env::Env;
use crate::error::{Failure, one_line};
use crate::identity::name_of;
use crate::replace::Outcome;
use crate::style::Style;

use plan::Plan;
use report::{Item, section};
use task::Task;

/// How long another `configure` is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the files may be changed by somebody else in the middle of it.
const ROUNDS: usize = 100;

/// What `configure` needs to know and cannot find out by itself.
pub struct World<'a> {
    /// Our own settings, as they are.
    pub settings: &'a Settings,
    /// How the report is shown.
    pub style: Style,
    /// The registries of whoever asks; AWS knows.
    pub whoami: &'a dyn Fn() -> Result<Vec<String>, Failure>,
    /// Shows a text, and whether the person agrees.
    pub confirm: &'a dyn Fn(&str) -> bool,
    /// Where docker looks for programs.
    pub search_path: Option<OsString>,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// The report, for stdout.
    pub report: String,
    /// What the person should know beside it, a line each.
    pub warnings: Vec<String>,
}

/// Does what was asked for.
///
/// # Errors
///
/// A line that names what is wrong. Nothing was changed then, or all but what it names.
pub fn run(options: &Configure, world: &World<'_>) -> Result<Done, String> {
    let is_offered = options.registries.is_empty() && !options.store && !options.remove;
    let task = task::task(options, world, is_offered)?;
    let mut plan = task.plan(world.settings)?;
    let mut warnings = std::mem::take(&mut plan.warnings);
    warnings.extend(unfound(options, world));
    let mut reported = BTreeMap::new();
    if options.dry_run && !plan.is_empty() {
        let report = difference(&plan, world.style);
        return Ok(Done { report, warnings });
    }
    if !plan.is_empty() {
        if is_offered && !options.yes && !(world.confirm)(&sections(&plan, &reported, Style::default())) {
            return Err("nothing was changed".to_owned());
        }
        plan = carry_out(&task, world.settings, &mut reported)?;
    }
    Ok(Done {
        report: match reported.is_empty() {
            true => nothing(&plan, world.style),
            false => sections(&plan, &reported, world.style),
        },
        warnings,
    })
}

/// Writes the files. Whatever somebody else writes meanwhile is looked at first.
fn carry_out(task: &Task, settings: &Settings, reported: &mut BTreeMap<PathBuf, Vec<Item>>) -> Result<Plan, String> {
    let lock = lock(settings.env());
    let mut round = || {
        let plan = task.plan(settings)?;
        Ok(write(&plan, reported)?.then_some(plan))
    };
    let written = (0..ROUNDS).find_map(|_| round().transpose());
    if let Some(lock) = lock {
        lock.remove();
    }
    written.unwrap_or_else(|| {
        let path = task.client_file.display();
        Err(format!(
            "{path} is changed by somebody else again and again; try once more"
        ))
    })
}

/// Whether the files were as they had been read. All new texts are on disk before the first takes its place.
fn write(plan: &Plan, reported: &mut BTreeMap<PathBuf, Vec<Item>>) -> Result<bool, String> {
    let mut staged = Vec::new();
    for change in &plan.changes {
        if let Some(text) = &change.text {
            staged.push((change, change.file.stage(text)?));
        }
    }
    for (change, staged) in staged {
        if staged.commit()? == Outcome::Outdated {
            return Ok(false);
        }
        let path = change.file.path().to_owned();
        reported.entry(path).or_insert_with(|| change.items.clone());
    }
    Ok(true)
}

/// One `configure` at a time. Without locks it is the look just before the renaming that keeps others' changes.
fn lock(env: &Env) -> Option<Lock> {
    let dir = Dir::locate(env).ok()?;
    let name = lock_name(&name_of("configure", &[]));
    match Lock::wait(&dir, &name, Instant::now() + LOCK_TIMEOUT, || None::<()>) {
        Err(Attempt::Held(lock)) => Some(lock),
        _ => None,
    }
}

/// What was done in each file: what was written in an earlier round is not news in the last.
fn sections(plan: &Plan, reported: &BTreeMap<PathBuf, Vec<Item>>, style: Style) -> String {
    let changes = plan.changes.iter().filter(|change| !change.items.is_empty());
    changes
        .map(|change| {
            let path = change.file.path();
            section(path, reported.get(path).unwrap_or(&change.items), style)
        })
        .collect()
}

fn nothing(plan: &Plan, style: Style) -> String {
    let said = sections(plan, &BTreeMap::new(), style);
    let path = plan
        .changes
        .first()
        .map(|change| one_line(&change.file.path().display().to_string()));
    match said.is_empty() {
        true => format!(
            "nothing to do: {} does not name this helper\n",
            path.unwrap_or_default()
        ),
        false => format!("nothing to do:\n{said}"),
    }
}

fn difference(plan: &Plan, style: Style) -> String {
    let changes = plan.changes.iter().filter(|change| change.text.is_some());
    let each = |change: &plan::Change| {
        let (before, after) = &change.shown;
        diff::difference(change.file.path(), before, after, style)
    };
    changes.map(each).collect()
}

/// Where docker would not find this program.
fn unfound(options: &Configure, world: &World<'_>) -> Option<String> {
    let is_found = |path: &OsString| place::is_on_path(NAME, path);
    (!options.remove && !world.search_path.as_ref().is_some_and(is_found))
        .then(|| format!("{NAME} is not found on PATH, where the client will look for it"))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::command_line::{Command, CommandLine};
    use crate::error::Reason;

    const OWN: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

    /// What comes of it where AWS offers OWN and public.ecr.aws, and what the person was shown.
    fn offered(args: &[&str], directory: &std::path::Path, agrees: bool) -> (Result<Done, String>, Option<String>) {
        let args = [&["helper", "configure"], args].concat();
        let Command::Configure(options) = CommandLine::parse_from(args).command else {
            panic!("another command");
        };
        let shown = RefCell::new(None);
        let toml = directory.join("toml");
        let vars = ["DOCKER_CONFIG", "AWS_ECR_CACHE_DIR"].map(|name| (name, directory));
        let env = Env::from_vars(vars.into_iter().chain([("AWS_ECR_CONFIG_FILE", toml.as_path())]));
        let settings = Settings::load_to_change(env).unwrap();
        let done = run(
            &options,
            &World {
                settings: &settings,
                style: Style::default(),
                whoami: &|| Ok(vec![OWN.to_owned(), "public.ecr.aws".to_owned()]),
                confirm: &|text| {
                    shown.replace(Some(text.to_owned()));
                    agrees
                },
                search_path: None,
            },
        );
        (done, shown.into_inner())
    }

    #[test]
    fn what_aws_says_is_shown_and_written_once_the_person_agrees() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        let (done, shown) = offered(&[], directory.path(), false);
        assert_eq!(done.unwrap_err(), "nothing was changed");
        assert!(!path.exists());
        let (done, also_shown) = offered(&[], directory.path(), true);
        assert_eq!((&shown, &done.unwrap().report), (&also_shown, shown.as_ref().unwrap()));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(OWN) && text.contains("public.ecr.aws"), "{text}");
        let (done, shown) = offered(&[], directory.path(), false);
        assert!(done.unwrap().report.starts_with("nothing to do"));
        assert_eq!(shown, None, "there was nothing to agree to");
    }

    #[test]
    fn nobody_is_asked_who_has_said_what_to_do() {
        for args in [&["--yes"][..], &["-y"], &["--dry-run"], &[OWN], &["--store"]] {
            let directory = tempfile::tempdir().unwrap();
            let (done, shown) = offered(args, directory.path(), false);
            assert!(done.unwrap().report.contains("ecr-login"), "{args:?}");
            assert_eq!(shown, None, "{args:?}");
            assert_eq!(directory.path().join("config.json").exists(), args != ["--dry-run"]);
        }
    }

    #[test]
    fn another_configure_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let env = Env::from_vars([("AWS_ECR_CACHE_DIR", directory.path())]);
        let held = lock(&env).unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| offered(&[OWN], directory.path(), true).0.is_ok());
            std::thread::sleep(Duration::from_millis(300));
            assert!(!other.is_finished() && !directory.path().join("config.json").exists());
            held.remove();
            assert!(other.join().unwrap());
        });
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "the lock goes with its holder"
        );
    }

    #[test]
    fn hosts_of_our_own_are_registries_too() {
        let directory = tempfile::tempdir().unwrap();
        let toml = format!("[[registry]]\nmatch = \"mirror.example\"\necr = \"{OWN}\"\n");
        fs::write(directory.path().join("toml"), toml).unwrap();
        assert!(offered(&["mirror.example"], directory.path(), false).0.is_ok());
        assert!(offered(&["other.example"], directory.path(), false).0.is_err());
    }

    #[test]
    fn why_aws_does_not_say_who_asks_is_told() {
        let failure = Failure::new(Reason::AccessDenied, "access denied", "ask somebody").with("profile \"dev\"");
        let Command::Configure(options) = CommandLine::parse_from(["helper", "configure"]).command else {
            panic!("another command");
        };
        let world = World {
            settings: &Settings::default(),
            style: Style::default(),
            whoami: &|| Err(failure.clone()),
            confirm: &|_| true,
            search_path: None,
        };
        let why = run(&options, &world).unwrap_err();
        assert_eq!(why, "with profile \"dev\": access denied; ask somebody");
    }
}
