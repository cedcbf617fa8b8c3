//! What a person is told.

use std::path::Path;

use crate::error::one_line;
use crate::style::Style;

/// What became of one thing in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What was done to it.
    pub sign: Sign,
    name: String,
    value: String,
    note: String,
}

/// What was done to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It was not there.
    Added,
    /// It was another.
    Changed,
    /// It is there no more.
    Removed,
    /// Nothing.
    Kept,
}

impl Item {
    /// Something that has this value now, and had another or none.
    pub fn set(name: &str, value: &str, old: Option<&str>) -> Self {
        let (sign, note) = match old {
            None => (Sign::Added, String::new()),
            Some(old) if old == value => (Sign::Kept, "was there already".to_owned()),
            Some(old) => (Sign::Changed, format!("was {}", shown(old))),
        };
        Self::new(sign, name, value, note)
    }

    /// Something that had a value, and has none now, or that `goes` not.
    pub fn unset(name: &str, old: Option<&str>, goes: bool) -> Self {
        match old {
            Some(old) if goes => Self::new(Sign::Removed, name, old, String::new()),
            Some(old) => Self::new(Sign::Kept, name, old, "left as it is".to_owned()),
            None => Self::new(Sign::Kept, name, "", "was not there".to_owned()),
        }
    }

    /// Something that has this value now, and had none that counted.
    pub fn changed(name: &str, value: &str, why: &str) -> Self {
        Self::new(Sign::Changed, name, value, why.to_owned())
    }

    fn new(sign: Sign, name: &str, value: &str, note: String) -> Self {
        Self {
            sign,
            name: one_line(name),
            value: one_line(value),
            note: one_line(&note),
        }
    }

    /// The same, with a word that says what kind of value it is.
    pub fn labelled(self, label: &str) -> Self {
        Self {
            value: format!("{label} {}", shown(&self.value)),
            ..self
        }
    }

    /// The same, with another note.
    pub fn noted(self, note: &str) -> Self {
        Self {
            note: one_line(note),
            ..self
        }
    }

    fn line(&self, width: usize, style: Style) -> String {
        let Self { name, value, .. } = self;
        let words = match (value.as_str(), self.note.as_str()) {
            ("", note) => format!("{name:width$}   {note}"),
            (value, "") => format!("{name:width$}   {value}"),
            (value, note) => format!("{name:width$}   {value} ({note})"),
        };
        match self.sign {
            Sign::Added => style.ok(&format!("+ {words}")),
            Sign::Changed => style.warn(&format!("~ {words}")),
            Sign::Removed => style.bad(&format!("- {words}")),
            Sign::Kept => style.dim(&format!("= {words}")),
        }
    }
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

/// A file, and what became of each thing in it.
pub fn section(path: &Path, items: &[Item], style: Style) -> String {
    let width = items.iter().map(|item| item.name.len()).max().unwrap_or_default();
    let lines = items.iter().map(|item| format!("  {}\n", item.line(width, style)));
    format!(
        "{}\n{}",
        one_line(&path.display().to_string()),
        lines.collect::<String>()
    )
}
