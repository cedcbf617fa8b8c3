//! What is to be done, and what of it the files do not say yet. Reads files and changes none.

use super::helpers::{Helpers, OURS, WRITTEN, Wanted};
use super::mask::masked;
use super::report::{Item, Sign};
use super::settings::{Entry, Settings};
use super::task::{Named, Task, once_each};
use crate::replace::UserFile;

/// A file, and what it is to say.
#[derive(Debug)]
pub struct Change {
    /// The file as it is.
    pub file: UserFile,
    /// Its new text; none where it stays as it is.
    pub text: Option<String>,
    /// What a person is told about it.
    pub items: Vec<Item>,
    /// Its text before and after, as it can be shown.
    pub shown: (String, String),
}

/// The files, in the order in which they are to be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// A change for each.
    pub changes: Vec<Change>,
    /// What the person should know beside it.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to be done.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.text.is_none())
    }
}

impl Task {
    /// Looks at the files as they are now.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what keeps it from being changed.
    pub fn plan(&self) -> Result<Plan, String> {
        let file = UserFile::read(&self.client_file)?;
        let helpers = Helpers::read(file.text()?).map_err(|why| about(&file, &why))?;
        match self.remove {
            true => self.removal(file, &helpers),
            false => self.addition(file, &helpers),
        }
    }

    fn addition(&self, file: UserFile, helpers: &Helpers) -> Result<Plan, String> {
        let (mut wanted, mut items, mut warnings) = (Wanted::default(), Vec::new(), Vec::new());
        for Named { key, .. } in &self.registries {
            let old = helpers.of(key);
            items.push(Item::set(key, OURS, old));
            if old != Some(OURS) {
                wanted.registries.push((key.clone(), Some(OURS.to_owned())));
            }
        }
        let previous = helpers.store().filter(|store| self.store && *store != OURS);
        if self.store {
            items.push(Item::set(STORE, OURS, helpers.store()));
            if helpers.store() != Some(OURS) {
                wanted.store = Some(Some(OURS.to_owned()));
            }
            if helpers.store().is_none() {
                warnings.extend(self.lost_logins(helpers));
            }
        }
        let mut changes = Vec::new();
        if self.profile.is_some() || previous.is_some() {
            changes.push(self.settings_addition(previous, &mut warnings)?);
        }
        changes.push(change(file, helpers, &wanted, items)?);
        Ok(Plan { changes, warnings })
    }

    /// With a store, docker does not look at what it kept itself.
    fn lost_logins(&self, helpers: &Helpers) -> Option<String> {
        let mut hosts = helpers.logins();
        hosts.retain(|host| helpers.of(host).is_none() && !self.registries.iter().any(|named| named.key == *host));
        (!hosts.is_empty()).then(|| {
            format!(
                "with a credsStore docker does not use the logins that {} holds itself: {}",
                self.client_file.display(),
                hosts.join(", ")
            )
        })
    }

    fn settings_addition(&self, previous: Option<&str>, warnings: &mut Vec<String>) -> Result<Change, String> {
        let file = UserFile::read(self.settings_file.as_ref().map_err(Clone::clone)?)?;
        let before = file.text()?.to_owned();
        let (mut text, mut items) = (before.clone(), Vec::new());
        let hosts: Vec<_> = once_each(self.registries.iter().map(|named| named.host.as_str())).collect();
        // Each new one is put in front of the others.
        for host in hosts.into_iter().rev() {
            let Some(profile) = &self.profile else { break };
            let settings = read(&file, &text)?;
            let entry = settings.entry(host);
            warnings.extend(entry.as_ref().and_then(|entry| shadowed(&file, host, entry)));
            let old = entry.map(|entry| entry.profile.unwrap_or_default());
            items.push(Item::set(host, profile, old.as_deref()).labelled("profile"));
            if old.as_ref() != Some(profile) {
                text = settings.with_profile(host, profile).map_err(|why| about(&file, &why))?;
            }
        }
        items.reverse();
        if let Some(helper) = previous {
            let settings = read(&file, &text)?;
            match settings.fallback() {
                Some(other) if other != helper => {
                    return Err(format!(
                        "credsStore in {} is {helper:?}, and fallback in {} is {other:?}: there can be one; remove the other",
                        self.client_file.display(),
                        file.path().display(),
                    ));
                }
                old => items.push(Item::set("fallback", helper, old)),
            }
            if settings.fallback().is_none() {
                text = settings.with_fallback(helper);
            }
        }
        settings_change(file, before, text, items)
    }

    fn removal(&self, file: UserFile, helpers: &Helpers) -> Result<Plan, String> {
        let (mut wanted, mut items) = (Wanted::default(), Vec::new());
        let registries = match (self.registries.is_empty(), self.store) {
            (true, false) => {
                let ours = helpers.by_registry().iter().filter(|(_, helper)| helper == OURS);
                ours.map(|(key, _)| Named::of_key(key)).collect()
            }
            _ => self.registries.clone(),
        };
        for Named { key, .. } in &registries {
            let old = helpers.of(key);
            items.push(Item::unset(key, old, old == Some(OURS)));
            if old == Some(OURS) {
                wanted.registries.push((key.clone(), None));
            }
        }
        let is_store = self.store && helpers.store() == Some(OURS);
        let (settings, fallback) = self.settings_removal(&registries, is_store)?;
        if is_store {
            items.push(match &fallback {
                Some(helper) => Item::set(STORE, helper, Some(OURS)),
                None => Item::unset(STORE, Some(OURS), true),
            });
            wanted.store = Some(fallback);
        } else if self.store {
            items.push(Item::unset(STORE, helpers.store(), false));
        }
        // The client's first: whatever happens between, what the fallback was is written somewhere.
        let mut changes = vec![change(file, helpers, &wanted, items)?];
        changes.extend(settings);
        Ok(Plan {
            changes,
            warnings: Vec::new(),
        })
    }

    /// Our own file without what belongs to these registries; and the fallback that it named, if that goes too.
    fn settings_removal(
        &self,
        registries: &[Named],
        is_store: bool,
    ) -> Result<(Option<Change>, Option<String>), String> {
        let Ok(path) = &self.settings_file else {
            return Ok((None, None));
        };
        let file = UserFile::read(path)?;
        let before = file.text()?.to_owned();
        let (mut text, mut items) = (before.clone(), Vec::new());
        for host in once_each(registries.iter().map(|named| named.host.as_str())) {
            let settings = read(&file, &text)?;
            let Some(entry) = settings.entry(host) else { continue };
            let profile = entry.profile.unwrap_or_default();
            let is_asked_for = self.profile.as_ref().is_none_or(|asked| *asked == profile);
            let goes = is_asked_for && entry.is_plain && !profile.is_empty();
            let item = Item::unset(host, Some(&profile), goes).labelled("profile");
            items.push(match entry.is_plain {
                true => item,
                false => item.noted(&format!("line {} says more than that: edit it by hand", entry.line)),
            });
            if goes {
                text = settings.without_entry(host);
            }
        }
        let settings = read(&file, &text)?;
        let fallback = settings.fallback().filter(|_| is_store).map(str::to_owned);
        if let Some(helper) = &fallback {
            items.push(Item::unset("fallback", Some(helper), true));
            text = settings.without_fallback();
        }
        let change = settings_change(file, before, text, items)?;
        Ok(((!change.items.is_empty()).then_some(change), fallback))
    }
}

/// How reports call the registries that are not named.
const STORE: &str = "credsStore";

fn change(file: UserFile, helpers: &Helpers, wanted: &Wanted, items: Vec<Item>) -> Result<Change, String> {
    let after = helpers.with(wanted).map_err(|why| about(&file, &why))?;
    let is_new = items.iter().any(|item| item.sign != Sign::Kept);
    Ok(Change {
        shown: (masked(file.text()?, &WRITTEN), masked(after.text(), &WRITTEN)),
        text: is_new.then(|| after.text().to_owned()),
        file,
        items,
    })
}

fn settings_change(file: UserFile, before: String, text: String, items: Vec<Item>) -> Result<Change, String> {
    // What was made of it has to be as valid as it was.
    read(&file, &text)?;
    Ok(Change {
        text: (text != before).then(|| text.clone()),
        shown: (before, text),
        file,
        items,
    })
}

fn read<'a>(file: &UserFile, text: &'a str) -> Result<Settings<'a>, String> {
    Settings::read(text).map_err(|why| about(file, &why))
}

/// Where an entry stands behind one that may match the same host: the first wins.
fn shadowed(file: &UserFile, host: &str, entry: &Entry) -> Option<String> {
    let (path, line) = (file.path().display(), entry.pattern_before?);
    Some(format!(
        "{path}: the match in line {line} stands in front of that for {host}; where both match, it wins"
    ))
}

fn about(file: &UserFile, why: &str) -> String {
    format!("{} {why}", file.path().display())
}
