//! A config.toml as keys and values, not yet understood. Pure.
//!
//! Files are read by the `toml` crate; but those that are written as nearly everybody writes them by [`plain`], which
//! knows a few forms of lines and leaves everything else to the crate. Both give the same [`Document`].

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::parse::Fault;
use crate::config::plain;

/// The keys before the first table, and the tables headed `[[registry]]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The keys before the first table.
    pub globals: Vec<Entry<'a>>,
    /// The tables, in order.
    pub registries: Vec<Table<'a>>,
}

/// One `[[registry]]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Table<'a> {
    /// The byte that its heading begins at.
    pub begin: usize,
    /// Its keys, in order.
    pub entries: Vec<Entry<'a>>,
}

/// A key and its value. No table has a key twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The byte that the key begins at.
    pub key_begin: usize,
    /// The value.
    pub value: Value<'a>,
    /// The byte that the value begins at.
    pub value_begin: usize,
}

/// A value, as far as kinds of values matter.
#[derive(Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// An integer or a float, as it is written.
    Number(Cow<'a, str>),
    /// true or false.
    Flag(bool),
    /// Anything else.
    Other,
}

impl Value<'_> {
    /// The string, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Document<'a> {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// A [`Fault`] where it is no TOML.
    pub fn read(text: &'a str) -> Result<Self, Fault> {
        match plain::read(text) {
            Some(document) => Ok(document),
            None => Self::of_toml(text),
        }
    }

    /// The same, whatever the text looks like.
    pub(super) fn of_toml(text: &'a str) -> Result<Self, Fault> {
        let root = DeTable::parse(text).map_err(|error| {
            let what = format!("not valid TOML: {}", error.message());
            Fault::at(text, error.span().map_or(0, |span| span.start), what)
        })?;
        let mut root = root.into_inner();
        let registries = match root.remove("registry") {
            Some(value) => tables(text, value)?,
            None => Vec::new(),
        };
        Ok(Self {
            globals: entries(root),
            registries,
        })
    }
}

fn tables<'a>(text: &str, value: Spanned<DeValue<'a>>) -> Result<Vec<Table<'a>>, Fault> {
    let place = value.span().start;
    let expected = || {
        Fault::at(
            text,
            place,
            "registry: expected tables, each headed [[registry]]".to_owned(),
        )
    };
    let DeValue::Array(array) = value.into_inner() else {
        return Err(expected());
    };
    let tables = array.into_iter().map(|value| {
        let begin = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Ok(Table {
                begin,
                entries: entries(table),
            }),
            _ => Err(expected()),
        }
    });
    tables.collect()
}

fn entries(table: DeTable<'_>) -> Vec<Entry<'_>> {
    let mut entries: Vec<_> = table
        .into_iter()
        .map(|(key, value)| Entry {
            key_begin: key.span().start,
            key: key.into_inner(),
            value_begin: value.span().start,
            value: match value.into_inner() {
                DeValue::String(text) => Value::Text(text),
                DeValue::Boolean(flag) => Value::Flag(flag),
                DeValue::Integer(number) => Value::Number(number.as_str().to_owned().into()),
                DeValue::Float(number) => Value::Number(number.as_str().to_owned().into()),
                _ => Value::Other,
            },
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_begin);
    entries
}
