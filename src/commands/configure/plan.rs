//! What is to be done, and what of it the files do not say yet. Reads files and changes none.

use super::helpers::{Helpers, OURS, WRITTEN, Wanted};
use super::mask::masked;
use super::report::{Item, Sign};
use super::settings::Settings;
use super::task::{Named, Task, once_each};
use crate::config::{self, Target};
use crate::replace::UserFile;
use crate::who::Who;

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
    pub fn plan(&self, in_force: &config::Settings) -> Result<Plan, String> {
        let file = UserFile::read(&self.client_file)?;
        let helpers = Helpers::read(file.text()?).map_err(|why| about(&file, &why))?;
        match self.remove {
            true => self.removal(file, &helpers, in_force),
            false => self.addition(file, &helpers, in_force),
        }
    }

    fn addition(&self, file: UserFile, helpers: &Helpers, in_force: &config::Settings) -> Result<Plan, String> {
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
            changes.push(self.settings_addition(previous, in_force)?);
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

    fn settings_addition(&self, previous: Option<&str>, in_force: &config::Settings) -> Result<Change, String> {
        let file = UserFile::read(self.settings_file.as_ref().map_err(Clone::clone)?)?;
        let before = file.text()?.to_owned();
        // What could not be changed is named by its line in the file as it is.
        let as_it_is = read(&file, &before)?;
        let (mut text, mut items) = (before.clone(), Vec::new());
        let hosts: Vec<_> = once_each(self.registries.iter().map(|named| named.host.as_str())).collect();
        // Each new one is put in front of the others.
        for host in hosts.iter().rev() {
            let Some(profile) = &self.profile else { break };
            let (target, deciding) = in_force.target_if(&before, host).map_err(|why| about(&file, &why))?;
            let ecr = target.as_ref().and_then(|target| target.registry.behind());
            let settings = read(&file, &text)?;
            let Some(entry) = as_it_is.entry(host) else {
                items.push(Item::set(host, profile, None).labelled("profile"));
                text = settings.with_entry(host, ecr, profile);
                continue;
            };
            let line = entry.line;
            if let Some(first) = deciding.filter(|first| *first != line) {
                if !entry.is_plain
                    || entry.has_comment
                    || entry.ecr.is_some() && !is_same_host(entry.ecr.as_deref(), ecr)
                {
                    let why = format!(
                        "has an entry for {host} in line {line} that the match in line {first} goes before; \
                         edit it by hand, it says more than a profile"
                    );
                    return Err(about(&file, &why));
                }
                let note = format!("moved in front of line {first}, which went first");
                items.push(Item::changed(host, profile, &note).labelled("profile"));
                let without = settings.without_entry(host);
                text = read(&file, &without)?.with_entry(host, ecr, profile);
                continue;
            }
            if entry.has_role {
                let why = format!("has role_arn for {host} in line {line}; edit it by hand");
                return Err(about(&file, &why));
            }
            let old = entry.profile.unwrap_or_default();
            items.push(Item::set(host, profile, Some(&old)).labelled("profile"));
            if old != *profile {
                text = settings.with_profile(host, profile);
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
        if let Some(profile) = &self.profile {
            let targets = |text: &str, host| in_force.target_if(text, host).map(|(target, _)| target);
            for host in hosts {
                let is_right =
                    targets(&before, host).and_then(|old| Ok(is_mapped(&old, &targets(&text, host)?, profile)));
                if is_right != Ok(true) {
                    let why = "would not come out as it should, and is left as it is; please report this";
                    return Err(about(&file, why));
                }
            }
        }
        settings_change(file, before, text, items)
    }

    fn removal(&self, file: UserFile, helpers: &Helpers, in_force: &config::Settings) -> Result<Plan, String> {
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
        let is_left = |key: &str| wanted.registries.iter().all(|(gone, _)| gone != key);
        let user = |host: &str| user_in(&file, helpers, host, is_left).or_else(|| self.other_user(&file, host));
        let (settings, fallback) = self.settings_removal(&registries, is_store, in_force, &user)?;
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

    /// The same of the other client's file. One that makes no sense may use anything.
    fn other_user(&self, file: &UserFile, host: &str) -> Option<String> {
        let other = match UserFile::read(self.other_file.as_ref()?) {
            Ok(other) if other.is_same(file) => return None,
            Ok(other) => other,
            Err(why) => return Some(why),
        };
        match other
            .text()
            .and_then(|text| Helpers::read(text).map_err(|why| about(&other, &why)))
        {
            Ok(helpers) => user_in(&other, &helpers, host, |_| true),
            Err(why) => Some(why),
        }
    }

    /// Our own file without what belongs to these registries; and the fallback that it named, if that goes too.
    fn settings_removal(
        &self,
        registries: &[Named],
        is_store: bool,
        in_force: &config::Settings,
        user: &dyn Fn(&str) -> Option<String>,
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
            let without = settings.without_entry(host);
            // What ecr says there may have been copied from the entry that is for the host otherwise.
            let otherwise = in_force.target_if(&without, host).ok().and_then(|(target, _)| target);
            let behind = otherwise.as_ref().and_then(|target| target.registry.behind());
            let is_plain = entry.is_plain && (entry.ecr.is_none() || is_same_host(entry.ecr.as_deref(), behind));
            let line = entry.line;
            let left = match (is_asked_for, is_plain) {
                (_, false) => Some(format!("line {line} says more than that: edit it by hand")),
                (false, _) => None,
                _ if entry.has_comment => Some(format!("left as it is: line {line} has a comment; edit it by hand")),
                _ => user(host).map(|user| format!("left as it is: {user}")),
            };
            let goes = is_asked_for && left.is_none() && !profile.is_empty();
            let item = Item::unset(host, Some(&profile), goes).labelled("profile");
            items.push(match left {
                None => item,
                Some(why) => item.noted(&why),
            });
            if goes {
                text = without;
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

/// The key of a client's file that names this helper for a host, in words.
fn user_in(file: &UserFile, helpers: &Helpers, host: &str, is_left: impl Fn(&str) -> bool) -> Option<String> {
    let is_it = |key: &str| Named::of_key(key).host.eq_ignore_ascii_case(host) && is_left(key);
    let mut ours = helpers.by_registry().iter().filter(|(_, helper)| helper == OURS);
    let (key, _) = ours.find(|(key, _)| is_it(key))?;
    Some(format!("{key} in {} still uses it", file.path().display()))
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

/// Whether a host is the same registry as it was, and this profile's.
fn is_mapped(old: &Option<Target>, new: &Option<Target>, profile: &str) -> bool {
    let behind = |target: &Target| target.registry.behind().map(str::to_owned);
    let (Some(old), Some(new)) = (old, new) else {
        return false;
    };
    behind(old) == behind(new) && new.who == Who::Profile(profile.to_owned())
}

fn is_same_host(one: Option<&str>, other: Option<&str>) -> bool {
    one.map(str::to_ascii_lowercase) == other.map(str::to_ascii_lowercase)
}

fn about(file: &UserFile, why: &str) -> String {
    format!("{} {why}", file.path().display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn a_mistake_of_ours_in_our_own_file_would_be_noticed() {
        let ecr = |host: &str| Registry::from_host(host).unwrap();
        let own = ecr("public.ecr.aws");
        let alias = own.clone().under("h");
        let other = ecr("123456789012.dkr.ecr.eu-west-1.amazonaws.com").under("h");
        let target = |registry: &Registry, who| {
            let registry = registry.clone();
            Some(Target { registry, who })
        };
        let dev = || Who::Profile("dev".to_owned());
        for (before, after, is_right) in [
            (target(&own, Who::Environment), target(&own, dev()), true),
            (target(&alias, Who::Environment), target(&alias, dev()), true),
            (target(&alias, Who::Environment), None, false),
            (None, target(&own, dev()), false),
            (target(&alias, Who::Environment), target(&other, dev()), false),
            (target(&own, Who::Environment), target(&alias, dev()), false),
            (
                target(&own, Who::Environment),
                target(&own, Who::Profile("x".to_owned())),
                false,
            ),
            (target(&own, Who::Environment), target(&own, Who::Environment), false),
        ] {
            assert_eq!(is_mapped(&before, &after, "dev"), is_right, "{before:?} {after:?}");
        }
    }
}
