//! Our own settings: the AWS_ECR_* variables, and below them config.toml, as docs/configuration.md describes both.

mod document;
mod duration;
pub mod file;
mod parse;
mod plain;
mod rule;

use std::path::PathBuf;
use std::time::Duration;

use file::Place;
pub use parse::line_at;
pub use rule::Rule;

use crate::cache::Dir;
use crate::env::{self, Env};
use crate::error::{Failure, Reason};
use crate::fallback::Fallback;
use crate::log::Level;
use crate::protocol::ServerUrl;
use crate::registry::Registry;
use crate::who::Who;

/// How long a `get` may take altogether, unless it is said otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The same where the kubelet asks, which waits for a minute: never longer, so that it hears why.
const KUBELET_TIMEOUT: Duration = Duration::from_secs(45);

/// The environment, and what the configuration files say.
#[derive(Debug, Default)]
pub struct Settings {
    env: Env,
    files: Vec<File>,
    is_kubelets: bool,
}

/// A configuration file that was read.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    text: String,
    settings: parse::Settings,
}

impl File {
    /// The line at which a rule of this file begins, counted from 1.
    pub fn line_of(&self, rule: &Rule) -> usize {
        parse::line_at(&self.text, rule.begin())
    }
}

/// A registry that is asked for, and with whose credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The registry, by the host name that was asked for.
    pub registry: Registry,
    /// Whose credentials.
    pub who: Who,
}

impl Settings {
    /// The settings of this environment.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that names file, line and key. There is no reading past a fault: the rest of the file without it
    /// could mean another identity.
    pub fn load(env: Env) -> Result<Self, Failure> {
        let places = file::places(&env)?;
        Self::read(env, places)
    }

    /// The same where the kubelet asks: with its deadline, and with root's cache where a node has it.
    ///
    /// # Errors
    ///
    /// As for [`Self::load`].
    pub fn load_for_kubelet(env: Env) -> Result<Self, Failure> {
        Ok(Self {
            is_kubelets: true,
            ..Self::load(env)?
        })
    }

    /// The same for whoever writes the file that AWS_ECR_CONFIG_FILE names: it need not be there yet.
    ///
    /// # Errors
    ///
    /// As for [`Self::load`].
    pub fn load_to_change(env: Env) -> Result<Self, Failure> {
        let places = file::places(&env)?.into_iter().map(Place::optional).collect();
        Self::read(env, places)
    }

    fn read(env: Env, places: Vec<Place>) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for place in places {
            let Some(text) = file::read(&place, &env)? else {
                continue;
            };
            let path = place.path;
            let settings = parse::parse(&text).map_err(|fault| {
                let what = format!("{} line {}: {}", path.display(), fault.line, fault.what);
                Failure::new(Reason::Configuration, what, "correct that line")
            })?;
            files.push(File { path, text, settings });
        }
        Ok(Self {
            env,
            files,
            is_kubelets: false,
        })
    }

    /// The environment alone, as if there were no files.
    pub fn without_files(env: Env) -> Self {
        Self { env, ..Self::default() }
    }

    /// The environment.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The files that were read, the one that goes first first.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The registry that a host is or stands for, and whose credentials are for it; none where it is not ECR.
    pub fn target(&self, host: &str) -> Option<Target> {
        target(host, self.rule(host).map(|(_, rule)| rule))
    }

    /// The same if the user's file had this text, and the line of its rule for the host, counted from 1; no line where
    /// it has none.
    ///
    /// # Errors
    ///
    /// Line and fault of a text that could not be read, to stand behind the file's name.
    pub fn target_if(&self, text: &str, host: &str) -> Result<(Option<Target>, Option<usize>), String> {
        let settings = parse::parse(text).map_err(|fault| format!("line {}: {}", fault.line, fault.what))?;
        let users = file::users(&self.env).ok().flatten();
        let others = self.files.iter().filter(|file| Some(&file.path) != users.as_ref());
        let of_text = settings.rules.iter().find(|rule| rule.matches(host));
        let rule = of_text.or_else(|| {
            let mut others = others.flat_map(|file| &file.settings.rules);
            others.find(|rule| rule.matches(host))
        });
        let line = of_text.map(|rule| parse::line_at(text, rule.begin()));
        Ok((target(host, rule), line))
    }

    /// Whether this program answers for a server.
    pub fn is_ours(&self, server: &ServerUrl) -> bool {
        server.host().is_some_and(|host| self.target(host).is_some())
    }

    /// The first rule for a host, and the file that it is in.
    pub fn rule(&self, host: &str) -> Option<(&File, &Rule)> {
        self.rules().find(|(_, rule)| rule.matches(host))
    }

    /// Everybody whom the settings choose for some registry, the environment's own first, each once.
    pub fn everybody(&self) -> Vec<Who> {
        let mut everybody = vec![Who::Environment];
        for (_, rule) in self.rules() {
            if !everybody.contains(rule.who()) {
                everybody.push(rule.who().clone());
            }
        }
        everybody
    }

    fn rules(&self) -> impl Iterator<Item = (&File, &Rule)> {
        self.files
            .iter()
            .flat_map(|file| file.settings.rules.iter().map(move |rule| (file, rule)))
    }

    /// Who answers for registries that are not ECR, if anybody does.
    pub fn fallback(&self) -> Option<&Fallback> {
        self.first(|settings| settings.fallback.as_ref())
    }

    /// The deadline of a `get`.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that names the variable, where its value is no time above 0.
    pub fn timeout(&self) -> Result<Duration, Failure> {
        let chosen = self.chosen_timeout().transpose()?;
        Ok(match self.is_kubelets {
            true => chosen.map_or(KUBELET_TIMEOUT, |chosen| chosen.min(KUBELET_TIMEOUT)),
            false => chosen.unwrap_or(DEFAULT_TIMEOUT),
        })
    }

    fn chosen_timeout(&self) -> Option<Result<Duration, Failure>> {
        let Some(value) = self.env.get(env::AWS_ECR_TIMEOUT) else {
            return self.first(|settings| settings.timeout).map(Ok);
        };
        Some(duration::parse(&value).ok_or_else(|| {
            Failure::new(
                Reason::Configuration,
                format!("AWS_ECR_TIMEOUT is {value:?}, which is not a number of seconds above 0"),
                "set it to a number such as 30, or unset it",
            )
        }))
    }

    /// Where the cache and the log are, or why they are nowhere.
    ///
    /// # Errors
    ///
    /// A text that says what is missing.
    pub fn cache_dir(&self) -> Result<Dir, String> {
        match self.is_kubelets {
            true => Dir::locate_on_node(&self.env),
            false => Dir::locate(&self.env),
        }
    }

    /// Whether a failure's reason goes to stdout too, where every client takes it for a hard error.
    pub fn is_strict(&self) -> bool {
        match self.env.raw(env::AWS_ECR_STRICT) {
            Some(_) => is_yes(&self.env, env::AWS_ECR_STRICT),
            None => self.first(|settings| settings.strict).unwrap_or_default(),
        }
    }

    /// What is written to the log; none where nothing is.
    ///
    /// # Errors
    ///
    /// A text that names the variable, where its value is no level.
    pub fn log_level(&self) -> Result<Option<Level>, String> {
        match self.env.get(env::AWS_ECR_LOG) {
            Some(value) => Level::or_off(&value)
                .ok_or_else(|| format!("AWS_ECR_LOG is {value:?}: expected error, warn, info, debug or trace")),
            None => Ok(self.first(|settings| settings.log).flatten()),
        }
    }

    /// Whether the cache is off: AWS_ECR_DISABLE_CACHE with any value but 0 and false, as the Go helper reads it.
    pub fn cache_is_disabled(&self) -> bool {
        let value = self.env.get(env::AWS_ECR_DISABLE_CACHE);
        value.is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Whether `store` and `erase` are to succeed without doing anything.
    pub fn ignores_storage(&self) -> bool {
        is_yes(&self.env, env::AWS_ECR_IGNORE_CREDS_STORAGE)
    }

    /// What the first file that says something of it says.
    fn first<'a, T>(&'a self, of: impl Fn(&'a parse::Settings) -> Option<T>) -> Option<T> {
        self.files.iter().find_map(|file| of(&file.settings))
    }
}

/// What a host is or stands for by the rule for it, if there is one.
fn target(host: &str, rule: Option<&Rule>) -> Option<Target> {
    let own = Registry::from_host(host);
    let Some(rule) = rule else {
        return own.map(|registry| Target {
            registry,
            who: Who::Environment,
        });
    };
    let registry = match rule.alias() {
        Some(behind) => behind.clone().under(host),
        None => own?,
    };
    Some(Target {
        registry,
        who: rule.who().clone(),
    })
}

/// What people write for true, in any case.
fn is_yes(env: &Env, name: &str) -> bool {
    const YES: [&str; 5] = ["1", "t", "true", "yes", "on"];
    env.get(name)
        .is_some_and(|value| YES.contains(&value.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(vars: &[(&str, &str)], files: &[&str]) -> Settings {
        let files = files.iter().map(|text| File {
            path: PathBuf::from("/config.toml"),
            text: (*text).to_owned(),
            settings: parse::parse(text).unwrap(),
        });
        Settings {
            env: Env::from_vars(vars.iter().copied()),
            files: files.collect(),
            is_kubelets: false,
        }
    }

    #[test]
    fn the_cache_is_on_unless_told_otherwise() {
        for (value, disabled) in [
            ("", false),
            ("0", false),
            ("false", false),
            ("FALSE", false),
            ("1", true),
            ("true", true),
            ("no", true),
        ] {
            let settings = settings(&[("AWS_ECR_DISABLE_CACHE", value)], &[]);
            assert_eq!(settings.cache_is_disabled(), disabled, "{value:?}");
        }
    }

    #[test]
    fn variables_go_before_files_and_the_users_file_before_the_systems() {
        let files = [
            "timeout = 5\nlog = \"off\"",
            "timeout = 6\nlog = \"info\"\nstrict = true",
        ];
        let from_files = settings(&[], &files);
        assert_eq!(from_files.timeout(), Ok(Duration::from_secs(5)));
        assert_eq!(from_files.log_level(), Ok(None));
        assert!(from_files.is_strict());
        let vars = [
            ("AWS_ECR_TIMEOUT", "7s"),
            ("AWS_ECR_LOG", "debug"),
            ("AWS_ECR_STRICT", "false"),
        ];
        let from_vars = settings(&vars, &files);
        assert_eq!(from_vars.timeout(), Ok(Duration::from_secs(7)));
        assert_eq!(from_vars.log_level(), Ok(Some(Level::Debug)));
        assert!(!from_vars.is_strict());
        assert_eq!(settings(&[], &[]).timeout(), Ok(DEFAULT_TIMEOUT));
    }

    #[test]
    fn the_kubelet_never_waits_for_longer_than_it_would() {
        for (vars, files, seconds) in [
            (&[][..], &[][..], 45),
            (&[], &["timeout = 5"], 5),
            (&[], &["timeout = \"2m\""], 45),
            (&[("AWS_ECR_TIMEOUT", "7s")], &["timeout = 5"], 7),
            (&[("AWS_ECR_TIMEOUT", "59")], &[], 45),
        ] {
            let settings = Settings {
                is_kubelets: true,
                ..settings(vars, files)
            };
            assert_eq!(
                settings.timeout(),
                Ok(Duration::from_secs(seconds)),
                "{vars:?} {files:?}"
            );
        }
        let env = Env::from_vars([("AWS_ECR_CONFIG_FILE", "/dev/null"), ("AWS_ECR_TIMEOUT", "59")]);
        let loaded = Settings::load_for_kubelet(env).unwrap();
        assert_eq!(loaded.timeout(), Ok(KUBELET_TIMEOUT));
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for wrong in ["abc", "0", "-1", "nan", "5h"] {
            let failure = settings(&[("AWS_ECR_TIMEOUT", wrong)], &[]).timeout().unwrap_err();
            assert!(failure.what.contains("AWS_ECR_TIMEOUT"), "{wrong}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides_and_only_ecr_makes_ecr() {
        let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let users = format!(
            "[[registry]]\nmatch = \"*.corp.example\"\necr = \"{ecr}\"\nprofile = \"a\"\n\
             [[registry]]\nmatch = \"*\"\nprofile = \"b\""
        );
        let settings = settings(
            &[],
            &[&users, "[[registry]]\nmatch = \"*.amazonaws.com\"\nprofile = \"c\""],
        );
        let profile = |host: &str| Some(settings.target(host)?.who.profile()?.to_owned());
        assert_eq!(profile(ecr).as_deref(), Some("b"));
        assert_eq!(profile("hub.corp.example").as_deref(), Some("a"));
        assert_eq!(settings.target("docker.io"), None);
        let alias = settings.target("hub.corp.example").unwrap().registry;
        assert_eq!((alias.host(), alias.region()), ("hub.corp.example", "eu-west-1"));
        assert_eq!(settings.everybody().len(), 4);
    }

    #[test]
    fn another_text_stands_in_the_place_of_the_users_file_alone() {
        let entry = |profile: &str| format!("[[registry]]\nmatch = \"*.aws\"\nprofile = \"{profile}\"\n");
        let mut settings = settings(
            &[("AWS_ECR_CONFIG_FILE", "/users.toml")],
            &[&entry("users"), &entry("all")],
        );
        settings.files[0].path = PathBuf::from("/users.toml");
        for (text, profile, line) in [("", "all", None), (&format!("\n{}", entry("new")), "new", Some(2))] {
            let (target, at) = settings.target_if(text, "public.ecr.aws").unwrap();
            assert_eq!((target.unwrap().who, at), (Who::Profile(profile.to_owned()), line));
        }
        let why = settings.target_if("\na = 1", "public.ecr.aws").unwrap_err();
        assert!(why.starts_with("line 2: "), "{why}");
    }
}
