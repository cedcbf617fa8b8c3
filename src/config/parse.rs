//! The text of a config.toml, understood. Pure.
//!
//! The file chooses identities and programs, so nothing in it is passed over: a key that is not known may be a known
//! one misspelt.

use std::time::Duration;

use crate::config::document::{Document, Entry, Table, Value};
use crate::config::duration;
use crate::config::rule::{self, Rule, Wrong};
use crate::fallback::Fallback;
use crate::log::Level;
use crate::registry::Registry;
use crate::who::{Role, Who};

/// What a file says; none where it says nothing.
#[derive(Debug, Default)]
pub struct Settings {
    /// How long a `get` may take.
    pub timeout: Option<Duration>,
    /// Whether the reason of a failure is a hard error on stdout.
    pub strict: Option<bool>,
    /// The log's level; none inside is `off`.
    pub log: Option<Option<Level>>,
    /// Who answers for registries that are not ECR.
    pub fallback: Option<Fallback>,
    /// What is said of registries, in order.
    pub rules: Vec<Rule>,
}

/// What is wrong with a file, where, and in which key.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, with the key's name.
    pub what: String,
}

const GLOBAL_KEYS: [&str; 5] = ["timeout", "strict", "log", "fallback", "registry"];
const REGISTRY_KEYS: [&str; 9] = [
    "match",
    "profile",
    "role_arn",
    "external_id",
    "source_profile",
    "role_session_name",
    "session_name",
    "mfa_serial",
    "ecr",
];

impl Fault {
    /// Something that is wrong at that byte of a text.
    pub fn at(text: &str, place: usize, what: String) -> Self {
        Self {
            line: line_at(text, place),
            what,
        }
    }
}

/// Understands the text of a file.
///
/// # Errors
///
/// A [`Fault`] for the first thing that is wrong.
pub fn parse(text: &str) -> Result<Settings, Fault> {
    let document = Document::read(text)?;
    let mut settings = Settings::default();
    for entry in &document.globals {
        match entry.key.as_ref() {
            "timeout" => settings.timeout = Some(read(text, entry, timeout)?),
            "strict" => settings.strict = Some(read(text, entry, boolean)?),
            "log" => settings.log = Some(read(text, entry, level)?),
            "fallback" => settings.fallback = Some(read(text, entry, fallback)?),
            _ => return Err(unknown(text, entry, &GLOBAL_KEYS)),
        }
    }
    settings.rules.reserve_exact(document.registries.len());
    for table in &document.registries {
        settings.rules.push(rule(text, table)?);
    }
    Ok(settings)
}

/// What one `[[registry]]` says.
#[derive(Default)]
struct Said {
    /// And the place of its key.
    pattern: Option<(String, usize)>,
    profile: Option<String>,
    alias: Option<Box<Registry>>,
    arn: Option<String>,
    role: Box<Role>,
    /// The last key that is for roles alone, and its place.
    of_roles: Option<(String, usize)>,
}

fn rule(text: &str, table: &Table<'_>) -> Result<Rule, Fault> {
    let said = said(text, table)?;
    let fault = |place, what: &str| Err(Fault::at(text, place, what.to_owned()));
    let who = match (said.profile, said.arn, said.of_roles) {
        (Some(_), Some(_), _) => {
            return fault(
                table.begin,
                "profile and role_arn: an entry has one of them; source_profile is what a role is assumed with",
            );
        }
        (_, None, Some((name, place))) => return fault(place, &format!("{name}: only has a meaning with role_arn")),
        (Some(profile), None, None) => Who::Profile(profile),
        (None, Some(arn), _) => Who::Role(Box::new(Role { arn, ..*said.role })),
        (None, None, None) => Who::Environment,
    };
    let Some((pattern, place)) = said.pattern else {
        return fault(
            table.begin,
            "[[registry]] has no match: a host name, or a pattern such as \"123456789012.*\"",
        );
    };
    Rule::new(pattern, said.alias, who, table.begin).or_else(|Wrong(what)| fault(place, &what))
}

fn said(text: &str, table: &Table<'_>) -> Result<Said, Fault> {
    let mut said = Said::default();
    for entry in &table.entries {
        let field = match entry.key.as_ref() {
            "match" => {
                said.pattern = Some((read(text, entry, host_pattern)?, entry.key_begin));
                continue;
            }
            "ecr" => {
                said.alias = Some(Box::new(read(text, entry, registry)?));
                continue;
            }
            "role_arn" => {
                said.arn = Some(read(text, entry, role_arn)?);
                continue;
            }
            "profile" => {
                said.profile = Some(read(text, entry, words)?);
                continue;
            }
            "external_id" => &mut said.role.external_id,
            "source_profile" => &mut said.role.source_profile,
            "role_session_name" | "session_name" => &mut said.role.session_name,
            "mfa_serial" => &mut said.role.mfa_serial,
            _ => return Err(unknown(text, entry, &REGISTRY_KEYS)),
        };
        if field.replace(read(text, entry, words)?).is_some() {
            let what = "role_session_name and session_name are one key by two names";
            return Err(Fault::at(text, entry.key_begin, what.to_owned()));
        }
        said.of_roles = Some((entry.key.clone().into_owned(), entry.key_begin));
    }
    Ok(said)
}

/// Reads a value, and names the key and its line where that cannot be done.
fn read<T>(text: &str, entry: &Entry<'_>, of: impl FnOnce(&Value<'_>) -> Result<T, String>) -> Result<T, Fault> {
    of(&entry.value).map_err(|why| Fault::at(text, entry.value_begin, format!("{}: {why}", entry.key)))
}

fn words(value: &Value<'_>) -> Result<String, String> {
    let text = value.text().ok_or("expected a text in quotes")?;
    // Nearly every text is ASCII, whose bytes are looked at in less time than its characters.
    let is_fine = match text.is_ascii() {
        true => !text.bytes().any(|byte| byte.is_ascii_control()) && text.bytes().any(|byte| byte != b' '),
        false => !text.chars().any(char::is_control) && !text.trim().is_empty(),
    };
    match is_fine {
        true => Ok(text.to_owned()),
        false => Err("expected a text that is not empty, on one line".to_owned()),
    }
}

fn boolean(value: &Value<'_>) -> Result<bool, String> {
    match value {
        Value::Flag(flag) => Ok(*flag),
        _ => Err("expected true or false".to_owned()),
    }
}

fn timeout(value: &Value<'_>) -> Result<Duration, String> {
    let text = match value {
        Value::Text(text) | Value::Number(text) => Some(text.as_ref()),
        _ => None,
    };
    text.and_then(duration::parse)
        .ok_or_else(|| "expected a time above 0, such as \"30s\" or \"2m\"".to_owned())
}

fn level(value: &Value<'_>) -> Result<Option<Level>, String> {
    let known = value.text().and_then(Level::or_off);
    known.ok_or_else(|| "expected \"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"".to_owned())
}

fn fallback(value: &Value<'_>) -> Result<Fallback, String> {
    Fallback::parse(&words(value)?)
}

fn host_pattern(value: &Value<'_>) -> Result<String, String> {
    let mut text = words(value)?;
    text.make_ascii_lowercase();
    // As in the host that a client names.
    if text.ends_with('.') {
        text.pop();
    }
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'@' | b':'))
    {
        return Err("expected a host name or a pattern of one, without scheme, port and path".to_owned());
    }
    match rule::pattern_fault(&text) {
        Some(why) => Err(format!("{text:?} is no pattern: {why}")),
        None => Ok(text),
    }
}

fn registry(value: &Value<'_>) -> Result<Registry, String> {
    let host = words(value)?.to_ascii_lowercase();
    Registry::from_host(&host).ok_or_else(|| format!("{host:?} is not the host name of an Amazon ECR registry"))
}

fn role_arn(value: &Value<'_>) -> Result<String, String> {
    let arn = words(value)?;
    match Role::is_arn(&arn) {
        true => Ok(arn),
        false => Err(format!("{arn:?} is no role's ARN: arn:aws:iam::123456789012:role/name")),
    }
}

fn unknown(text: &str, entry: &Entry<'_>, known: &[&str]) -> Fault {
    let what = format!("{:?} is not known; there are {}", entry.key, known.join(", "));
    Fault::at(text, entry.key_begin, what)
}

/// The line that a byte is in, counted from 1.
pub fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn fault(text: &str) -> (usize, String) {
        let fault = parse(text).unwrap_err();
        (fault.line, fault.what)
    }

    #[test]
    fn every_key_is_read() {
        let text = format!(
            "timeout = \"1.5s\"\nstrict = true\nlog = \"off\"\nfallback = \"desktop\"\n\
             [[registry]]\nmatch = \"123456789012.*\"\nprofile = \"prod\"\n\
             [[registry]]\nmatch = \"2*\"\nrole_arn = \"arn:aws:iam::210987654321:role/a/pull\"\nexternal_id = \"e\"\n\
             source_profile = \"s\"\nrole_session_name = \"n\"\nmfa_serial = \"m\"\n\
             [[registry]]\nmatch = \"Registry.Corp.example\"\necr = \"{HOST}\"\n"
        );
        let settings = parse(&text).unwrap();
        assert_eq!(settings.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(settings.strict, Some(true));
        assert_eq!(settings.log, Some(None));
        let who: Vec<_> = settings.rules.iter().map(Rule::who).collect();
        assert_eq!(who[0].profile(), Some("prod"));
        assert_eq!(who[1].profile(), Some("s"));
        assert_eq!(who[1].role().unwrap().session_name.as_deref(), Some("n"));
        assert!(settings.rules[2].matches("registry.corp.example"));
    }

    #[test]
    fn faults_name_line_and_key() {
        for (text, line, part) in [
            ("a = 1\n", 1, "\"a\" is not known"),
            ("\ntimeout = \"soon\"\n", 2, "timeout: expected a time"),
            ("timeout = -1", 1, "timeout"),
            ("strict = \"yes\"", 1, "strict: expected true or false"),
            ("log = \"loud\"", 1, "log: expected"),
            ("fallback = \"../x\"", 1, "fallback: "),
            ("\n\n[registry]\nmatch = \"a\"", 3, "[[registry]]"),
            ("[[registry]]\nprofile = \"p\"", 1, "has no match"),
            (
                "[[registry]]\nmatch = \"a\"\nprofil = \"p\"",
                3,
                "\"profil\" is not known",
            ),
            (
                "[[registry]]\nmatch = \"a\"\nprofile = \" \"",
                3,
                "profile: expected a text",
            ),
            ("[[registry]]\nmatch = \"a[\"", 2, "match: \"a[\" is no pattern"),
            ("[[registry]]\nmatch = \"https://a\"", 2, "match: expected a host"),
            (
                "[[registry]]\nmatch = \"a\"\nexternal_id = \"p\"",
                3,
                "external_id: only",
            ),
            (
                "[[registry]]\nmatch = \"a\"\nrole_arn = \"pull\"",
                3,
                "role_arn: \"pull\" is no role's ARN",
            ),
            (
                "[[registry]]\nmatch = \"a\"\necr = \"docker.io\"",
                3,
                "ecr: \"docker.io\" is not",
            ),
            ("strict = true\nstrict = true", 2, "duplicate key"),
            ("strict = \n", 1, "not valid TOML"),
        ] {
            let (at, what) = fault(text);
            assert_eq!(at, line, "{text}: {what}");
            assert!(what.contains(part), "{text}: {what}");
        }
        let both = "[[registry]]\nmatch = \"a\"\nprofile = \"p\"\nrole_arn = \"arn:aws:iam::123456789012:role/r\"";
        assert!(fault(both).1.contains("profile and role_arn"));
    }

    #[test]
    fn a_pattern_is_of_a_host_alone() {
        let matches = |pattern: &str| {
            let text = format!("[[registry]]\nmatch = \"{pattern}\"");
            Some(parse(&text).ok()?.rules[0].matches(HOST))
        };
        assert_eq!(matches(&format!("{HOST}.")), Some(true), "a trailing dot");
        assert_eq!(matches(&HOST.to_uppercase()), Some(true));
        for wrong in [
            format!("{HOST}:443"),
            format!("{HOST}/app"),
            format!("https://{HOST}"),
            "a b".to_owned(),
        ] {
            assert_eq!(matches(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_for_every_host() {
        let alias = |pattern: &str| parse(&format!("[[registry]]\nmatch = \"{pattern}\"\necr = \"{HOST}\""));
        for wide in [
            "*",
            "*.example",
            "registry.*",
            "registry.corp.e*",
            "?.com",
            "*corp.example",
            "*[a.corp.example]",
            "*[.].example",
        ] {
            assert!(alias(wide).is_err(), "{wide}");
        }
        for narrow in [
            "registry",
            "registry.corp.example",
            "*.corp.example",
            "r?-*.corp.example",
        ] {
            assert!(alias(narrow).is_ok(), "{narrow}");
        }
    }
}
