//! JSON text that is changed in one place and stays as it is everywhere else, to the byte.
//!
//! serde_json decides what is JSON, and tells where a value stands in the text (`RawValue`); the rest is cutting and
//! pasting. Numbers, escapes and white space are never read, and so never written anew.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What docker indents with, where a file has no habits of its own.
const INDENT: &str = "\t";

/// An object in a text: its members, and how it is laid out.
#[derive(Debug)]
pub struct Object<'a> {
    text: &'a str,
    /// Where the text between the braces begins and ends.
    inside: Range<usize>,
    members: Vec<Member<'a>>,
    /// What stands before an only member, and behind it.
    room: [String; 2],
    /// What stands between a name and its value.
    colon: String,
}

/// A name and its value.
#[derive(Debug)]
pub struct Member<'a> {
    /// The name, decoded.
    pub name: String,
    /// The value as it is written.
    pub value: &'a str,
    /// From the name's quotation mark to the end of the value.
    place: Range<usize>,
    /// What stands between name and value.
    colon: &'a str,
}

impl Member<'_> {
    /// The value, where it is a string.
    pub fn string(&self) -> Option<String> {
        serde_json::from_str(self.value).ok()
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        self.value == "null"
    }
}

impl<'a> Object<'a> {
    /// The object that a text holds.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text, without quoting it.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        // Its message is about places and what was expected there, never what was found.
        let invalid = |error: serde_json::Error| format!("is not valid JSON: {error}");
        serde_json::from_str::<IgnoredAny>(text).map_err(invalid)?;
        if !text.trim_start().starts_with('{') {
            return Err("is JSON, but not an object".to_owned());
        }
        let value: &RawValue = serde_json::from_str(text).map_err(invalid)?;
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let room = [format!("{line_end}{INDENT}"), line_end.to_owned()];
        Self::at(text, value.get(), room, ": ").map_err(invalid)
    }

    /// The object that is the value of a member; none where it is something else.
    pub fn inner(&self, member: &Member<'a>) -> Option<Self> {
        if !member.value.starts_with('{') {
            return None;
        }
        let before = self.gap(member);
        let room = match line_break(before) {
            // This object's own members are one step in, and those of its members another.
            Some((line_end, indent)) => [format!("{line_end}{indent}{indent}"), before.to_owned()],
            None => [String::new(), String::new()],
        };
        Self::at(self.text, member.value, room, &self.colon).ok()
    }

    fn at(text: &'a str, value: &'a str, room: [String; 2], colon: &str) -> serde_json::Result<Self> {
        let start = offset(text, value);
        let inside = start + 1..start + value.len().saturating_sub(1);
        let mut end = inside.start;
        let mut members = Vec::new();
        for (name, value) in serde_json::from_str::<Entries<'a>>(value)?.0 {
            let value = value.get();
            let value_start = offset(text, value);
            // Behind the member before it there is nothing but a comma and white space.
            let between = part(text, end..value_start);
            let name_start = end + between.find('"').unwrap_or_default();
            let name_end = end + between.rfind('"').map_or(0, |quote| quote + 1);
            end = value_start + value.len();
            members.push(Member {
                name,
                value,
                place: name_start..end,
                colon: part(text, name_end..value_start),
            });
        }
        let first = members.first().map_or(colon, |member| member.colon);
        Ok(Self {
            text,
            inside,
            room,
            colon: first.to_owned(),
            members,
        })
    }

    /// Where the value of a member stands in the text.
    pub fn place_of_value(&self, member: &Member<'_>) -> Range<usize> {
        member.place.end - member.value.len()..member.place.end
    }

    /// The members, in order.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The only member of this name, in any case: docker takes `CredsStore` for `credsStore`.
    ///
    /// # Errors
    ///
    /// Says so where there are several.
    pub fn in_any_case(&self, name: &str) -> Result<Option<&Member<'a>>, String> {
        self.only(name, |member| member.name.eq_ignore_ascii_case(name))
    }

    /// The only member of this very name.
    ///
    /// # Errors
    ///
    /// Says so where there are several.
    pub fn exactly(&self, name: &str) -> Result<Option<&Member<'a>>, String> {
        self.only(name, |member| member.name == name)
    }

    fn only(&self, name: &str, is_it: impl Fn(&Member<'a>) -> bool) -> Result<Option<&Member<'a>>, String> {
        let mut found = self.members.iter().filter(|member| is_it(member));
        match (found.next(), found.next()) {
            (member, None) => Ok(member),
            _ => Err(format!("has {name:?} twice; leave one of them")),
        }
    }

    /// The text with another value for a member.
    pub fn with_value(&self, member: &Member<'_>, value: &str) -> String {
        self.spliced(self.place_of_value(member), value)
    }

    /// The text with one more member behind the others.
    pub fn with_member(&self, name: &str, value: &str) -> String {
        let (name, colon) = (quoted(name), &self.colon);
        let Some(last) = self.members.last() else {
            let [before, after] = &self.room;
            return self.spliced(self.inside.clone(), &format!("{before}{name}{colon}{value}{after}"));
        };
        // A line of its own, if another has one.
        let gaps = || self.members.iter().rev().map(|member| self.gap(member));
        let gap = match gaps().find(|gap| gap.contains('\n')).unwrap_or(self.gap(last)) {
            // Behind a brace there may be no space, and behind a comma there is.
            "" if self.members.len() == 1 && colon.ends_with(' ') => " ",
            gap => gap,
        };
        self.spliced(last.place.end..last.place.end, &format!(",{gap}{name}{colon}{value}"))
    }

    /// The text without a member.
    pub fn without(&self, member: &Member<'_>) -> String {
        let others = |before: bool| {
            let is_there = move |other: &&Member<'a>| (other.place.start < member.place.start) == before;
            self.members
                .iter()
                .filter(|other| other.place != member.place)
                .filter(is_there)
        };
        let range = match (others(true).next_back(), others(false).next()) {
            (_, Some(next)) => member.place.start..next.place.start,
            (Some(last), None) => last.place.end..member.place.end,
            (None, None) => self.inside.clone(),
        };
        self.spliced(range, "")
    }

    /// The white space before a member, from the last end of a line on.
    fn gap(&self, member: &Member<'_>) -> &'a str {
        let before = part(self.text, 0..member.place.start);
        let gap = part(
            before,
            before.trim_end_matches([' ', '\t', '\r', '\n']).len()..before.len(),
        );
        match gap.rfind('\n') {
            Some(end) if part(gap, 0..end).ends_with('\r') => part(gap, end - 1..gap.len()),
            Some(end) => part(gap, end..gap.len()),
            None => gap,
        }
    }

    fn spliced(&self, range: Range<usize>, with: &str) -> String {
        let (before, after) = (
            part(self.text, 0..range.start),
            part(self.text, range.end..self.text.len()),
        );
        [before, with, after].concat()
    }
}

/// The end of a line and the white space behind it, where there is one.
fn line_break(gap: &str) -> Option<(&str, &str)> {
    let behind = gap.find('\n')? + 1;
    Some((part(gap, 0..behind), part(gap, behind..gap.len())))
}

/// A text as JSON has it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// The members of an object in their order, those that stand twice among them.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Each).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(text: &str) -> String {
        Object::parse(text).unwrap().with_member("new", "{}")
    }

    fn add_below(text: &str) -> String {
        let text = add(text);
        let object = Object::parse(&text).unwrap();
        let new = object.exactly("new").unwrap().unwrap();
        let text = object.inner(new).unwrap().with_member("x", "1");
        let object = Object::parse(&text).unwrap();
        let new = object.exactly("new").unwrap().unwrap();
        object.inner(new).unwrap().with_member("y", "2")
    }

    #[test]
    fn what_is_added_looks_like_what_is_there() {
        for (before, after) in [
            ("{}", "{\n\t\"new\": {\n\t\t\"x\": 1,\n\t\t\"y\": 2\n\t}\n}"),
            (
                "{ }\r\n",
                "{\r\n\t\"new\": {\r\n\t\t\"x\": 1,\r\n\t\t\"y\": 2\r\n\t}\r\n}\r\n",
            ),
            (r#"{"a":1}"#, r#"{"a":1,"new":{"x":1,"y":2}}"#),
            (r#"{"a": 1}"#, r#"{"a": 1, "new": {"x": 1, "y": 2}}"#),
            (
                r#"{ "a": 1, "b": 2 }"#,
                r#"{ "a": 1, "b": 2, "new": {"x": 1, "y": 2} }"#,
            ),
            (
                "{\n  \"a\" : 1\n}\n",
                "{\n  \"a\" : 1,\n  \"new\" : {\n    \"x\" : 1,\n    \"y\" : 2\n  }\n}\n",
            ),
            (
                "{\n\n\n    \"a\": 1\n\n}",
                "{\n\n\n    \"a\": 1,\n    \"new\": {\n        \"x\": 1,\n        \"y\": 2\n    }\n\n}",
            ),
            (
                "{\r\n \"a\":1\r\n}",
                "{\r\n \"a\":1,\r\n \"new\":{\r\n  \"x\":1,\r\n  \"y\":2\r\n }\r\n}",
            ),
        ] {
            assert_eq!(add_below(before), after, "{before:?}");
        }
    }

    #[test]
    fn what_is_removed_leaves_what_was_there() {
        for before in ["{\"a\" : [1,\n2]}", "{\n  \"a\": 1\n}\n", r#"{"a":1,"b":2}"#] {
            let text = add(before);
            let object = Object::parse(&text).unwrap();
            assert_eq!(object.without(object.exactly("new").unwrap().unwrap()), before);
        }
        let object = Object::parse("{\n  \"a\": 1 ,\n  \"b\": 2,\n  \"c\": 3\n}").unwrap();
        let without = |index: usize| object.without(&object.members()[index]);
        assert_eq!(without(0), "{\n  \"b\": 2,\n  \"c\": 3\n}");
        assert_eq!(without(1), "{\n  \"a\": 1 ,\n  \"c\": 3\n}");
        assert_eq!(without(2), "{\n  \"a\": 1 ,\n  \"b\": 2\n}");
    }

    #[test]
    fn names_are_decoded_and_told_apart() {
        let object = Object::parse(r#"{"\u0061\"b": 1, "A": {"x": null}, "a": "s"}"#).unwrap();
        let names: Vec<_> = object.members().iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a\"b", "A", "a"]);
        assert!(object.in_any_case("a").is_err());
        assert_eq!(object.exactly("a").unwrap().unwrap().string().as_deref(), Some("s"));
        assert!(object.inner(&object.members()[0]).is_none());
        assert!(object.inner(&object.members()[1]).unwrap().members()[0].is_null());
    }

    #[test]
    fn nothing_but_json_is_accepted() {
        for text in [
            "",
            "[]",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":1,}",
            "{} //",
            "{}{}",
            "{\"a\":01}",
            "{a:1}",
            "{\"a\":+1}",
            "{\"a\":NaN}",
        ] {
            assert!(Object::parse(text).is_err(), "{text}");
        }
    }
}
