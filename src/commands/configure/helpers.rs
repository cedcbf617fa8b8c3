//! What docker's config.json and podman's auth.json say about credential helpers, and how they are made to say
//! something else. Pure.

use super::json::{Object, quoted};

/// The name that the files know us by: docker-credential-NAME.
pub const OURS: &str = "ecr-login";

const HELPERS: &str = "credHelpers";
const STORE: &str = "credsStore";
const LOGINS: &str = "auths";

/// The members that are ours to write.
pub const WRITTEN: [&str; 2] = [HELPERS, STORE];

/// A client's file that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helpers {
    text: String,
    /// By registry, as the file has them.
    by_registry: Vec<(String, String)>,
    store: Option<String>,
}

/// What the file is to say.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The helper of these registries, or that they have none.
    pub registries: Vec<(String, Option<String>)>,
    /// The helper of all others, or that they have none.
    pub store: Option<Option<String>>,
}

impl Helpers {
    /// Reads a file's text. One without anything in it is an empty object, as docker has it.
    ///
    /// # Errors
    ///
    /// Says what is wrong, to stand behind the file's name.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = match text.trim_matches([' ', '\t', '\r', '\n']) {
            "" => format!("{{}}{text}"),
            _ => text.to_owned(),
        };
        let object = Object::parse(&text)?;
        let by_registry = match registries(&object)? {
            Some(inner) => entries(&inner)?,
            None => Vec::new(),
        };
        let store = match object.in_any_case(STORE)? {
            Some(member) if !member.is_null() => {
                let is_set = |store: &String| !store.is_empty();
                let store = member
                    .string()
                    .ok_or_else(|| format!("has a {STORE:?} that is no string"))?;
                Some(store).filter(is_set)
            }
            _ => None,
        };
        Ok(Self {
            by_registry,
            store,
            text,
        })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The registries that have a helper, and which.
    pub fn by_registry(&self) -> &[(String, String)] {
        &self.by_registry
    }

    /// The helper of a registry.
    pub fn of(&self, registry: &str) -> Option<&str> {
        let entry = self.by_registry.iter().find(|(name, _)| name == registry);
        entry.map(|(_, helper)| helper.as_str())
    }

    /// The helper of all other registries.
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// The registries whose logins the file itself holds.
    pub fn logins(&self) -> Vec<String> {
        let logins = || {
            let object = Object::parse(&self.text).ok()?;
            let logins = object.inner(object.in_any_case(LOGINS).ok()??)?;
            let has_secret = |login: &Object<'_>| {
                let names = ["auth", "identitytoken", "registrytoken", "password"];
                let is_secret = |name: &str| names.iter().any(|secret| secret.eq_ignore_ascii_case(name));
                let mut members = login.members().iter();
                members.any(|member| is_secret(&member.name) && member.string().is_some_and(|text| !text.is_empty()))
            };
            let with_secret = logins.members().iter();
            let with_secret = with_secret.filter(|member| logins.inner(member).is_some_and(|login| has_secret(&login)));
            Some(with_secret.map(|member| member.name.clone()).collect())
        };
        logins().unwrap_or_default()
    }

    /// The file with what is wanted, and everything else as it was.
    ///
    /// # Errors
    ///
    /// Says so where it would come out as anything else than that, which is a mistake of ours.
    pub fn with(&self, wanted: &Wanted) -> Result<Self, String> {
        let mut text = self.text.clone();
        for (registry, helper) in &wanted.registries {
            text = with_registry(&text, registry, helper.as_deref())?;
        }
        if let Some(store) = &wanted.store {
            text = with_store(&text, store.as_deref())?;
        }
        let changed = Self::read(&text)?;
        match self.differs_in_nothing_but(wanted, &changed) {
            true => Ok(changed),
            false => Err("would not come out as it should, and is left as it is; please report this".to_owned()),
        }
    }

    /// Whether a file is this one with what is wanted. Found by another way than the one it was made by.
    fn differs_in_nothing_but(&self, wanted: &Wanted, changed: &Self) -> bool {
        let mut expected = self.by_registry.clone();
        for (registry, helper) in &wanted.registries {
            let there = expected.iter_mut().find(|(name, _)| name == registry);
            match (there, helper) {
                (Some((_, old)), Some(new)) => old.clone_from(new),
                (None, Some(new)) => expected.push((registry.clone(), new.clone())),
                (_, None) => expected.retain(|(name, _)| name != registry),
            }
        }
        let store = wanted.store.as_ref().unwrap_or(&self.store);
        let rest = others(&self.text);
        changed.by_registry == expected && changed.store == *store && rest.is_some() && rest == others(&changed.text)
    }
}

/// The members that are not ours to write, as they are written.
fn others(text: &str) -> Option<Vec<(String, String)>> {
    let object = Object::parse(text).ok()?;
    let is_ours = |name: &str| WRITTEN.iter().any(|ours| ours.eq_ignore_ascii_case(name));
    let members = object.members().iter().filter(|member| !is_ours(&member.name));
    Some(
        members
            .map(|member| (member.name.clone(), member.value.to_owned()))
            .collect(),
    )
}

/// The object of helpers by registry; none where it is null or not there.
fn registries<'a>(object: &Object<'a>) -> Result<Option<Object<'a>>, String> {
    match object.in_any_case(HELPERS)? {
        Some(member) if !member.is_null() => match object.inner(member) {
            Some(inner) => Ok(Some(inner)),
            None => Err(format!("has a {HELPERS:?} that is no object")),
        },
        _ => Ok(None),
    }
}

fn entries(helpers: &Object<'_>) -> Result<Vec<(String, String)>, String> {
    let mut entries = Vec::new();
    for member in helpers.members() {
        let name = &member.name;
        helpers.exactly(name).map_err(|why| format!("{why} (in {HELPERS:?})"))?;
        let helper = match member.is_null() {
            true => String::new(),
            false => member
                .string()
                .ok_or_else(|| format!("has {name:?} in {HELPERS:?}, which is no string"))?,
        };
        entries.push((name.clone(), helper));
    }
    Ok(entries)
}

fn with_registry(text: &str, registry: &str, helper: Option<&str>) -> Result<String, String> {
    let object = Object::parse(text)?;
    let Some(helpers) = registries(&object)? else {
        let Some(helper) = helper else {
            return Ok(text.to_owned());
        };
        let text = match object.in_any_case(HELPERS)? {
            Some(null) => object.with_value(null, "{}"),
            None => object.with_member(HELPERS, "{}"),
        };
        return with_registry(&text, registry, Some(helper));
    };
    Ok(match (helpers.exactly(registry)?, helper) {
        (Some(member), Some(helper)) => helpers.with_value(member, &quoted(helper)),
        (None, Some(helper)) => helpers.with_member(registry, &quoted(helper)),
        (Some(_), None) if helpers.members().len() == 1 => match object.in_any_case(HELPERS)? {
            Some(all) => object.without(all),
            None => text.to_owned(),
        },
        (Some(member), None) => helpers.without(member),
        (None, None) => text.to_owned(),
    })
}

fn with_store(text: &str, store: Option<&str>) -> Result<String, String> {
    let object = Object::parse(text)?;
    Ok(match (object.in_any_case(STORE)?, store) {
        (Some(member), Some(store)) => object.with_value(member, &quoted(store)),
        (None, Some(store)) => object.with_member(STORE, &quoted(store)),
        (Some(member), None) => object.without(member),
        (None, None) => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(registry: &str, helper: Option<&str>) -> Wanted {
        Wanted {
            registries: vec![(registry.to_owned(), helper.map(str::to_owned))],
            store: None,
        }
    }

    #[test]
    fn a_mistake_of_ours_would_be_noticed() {
        let before = Helpers::read(r#"{"a":1e400,"credHelpers":{"h":"x","i":"y"}}"#).unwrap();
        let after = before.with(&wanted("h", Some(OURS))).unwrap();
        assert_eq!(after.text(), r#"{"a":1e400,"credHelpers":{"h":"ecr-login","i":"y"}}"#);
        for (wrong, why) in [
            (
                r#"{"a":1e40,"credHelpers":{"h":"ecr-login","i":"y"}}"#,
                "another member",
            ),
            (r#"{"credHelpers":{"h":"ecr-login","i":"y"}}"#, "one member less"),
            (
                r#"{"a":1e400,"credHelpers":{"h":"ecr-login","i":"z"}}"#,
                "another registry",
            ),
            (r#"{"a":1e400,"credHelpers":{"h":"ecr-login"}}"#, "one registry less"),
            (r#"{"a":1e400,"credHelpers":{"h":"x","i":"y"}}"#, "nothing changed"),
            (
                r#"{"a":1e400,"credHelpers":{"h":"ecr-login","i":"y"},"credsStore":"z"}"#,
                "a store",
            ),
        ] {
            let wrong = Helpers::read(wrong).unwrap();
            assert!(
                !before.differs_in_nothing_but(&wanted("h", Some(OURS)), &wrong),
                "{why}"
            );
        }
    }

    #[test]
    fn null_is_nothing_and_other_types_are_refused() {
        let null = Helpers::read(r#"{"credHelpers":null,"credsStore":null}"#).unwrap();
        assert_eq!(
            null.with(&wanted("h", Some("x"))).unwrap().text(),
            r#"{"credHelpers":{"h":"x"},"credsStore":null}"#
        );
        for (text, key) in [
            (r#"{"credHelpers":[]}"#, "credHelpers"),
            (r#"{"credsStore":1}"#, "credsStore"),
            (r#"{"credHelpers":{"h":1}}"#, "\"h\""),
            (r#"{"credHelpers":{"h":"a","h":"a"}}"#, "\"h\""),
            (r#"{"credHelpers":{},"CREDHELPERS":{}}"#, "credHelpers"),
            (r#"{"credsStore":"","credsStore":""}"#, "credsStore"),
        ] {
            let why = Helpers::read(text).unwrap_err();
            assert!(why.contains(key), "{why}");
        }
    }

    #[test]
    fn logins_that_the_file_holds_are_found() {
        let text = r#"{"auths":{"a":{"auth":"x"},"b":{},"c":{"Auth":""},"d":{"identitytoken":"x"},"e":1}}"#;
        assert_eq!(Helpers::read(text).unwrap().logins(), ["a", "d"]);
        assert!(Helpers::read("\n").unwrap().logins().is_empty());
    }
}
