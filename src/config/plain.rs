//! TOML in the form that nearly every config.toml has, read at a tenth of the cost. Pure.
//!
//! A line is empty, a comment, `[[registry]]`, or a bare key with a string without escapes, a whole number or a boolean.
//! Where a line is anything else, or a key stands twice, there is no answer, and the `toml` crate gives one.

use crate::config::document::{Document, Entry, Table, Value};

const HEADING: &str = "[[registry]]";

const SPACE: [char; 2] = [' ', '\t'];

/// Reads a text, if every line of it has one of these forms.
pub fn read(text: &str) -> Option<Document<'_>> {
    let mut document = Document {
        globals: Vec::new(),
        registries: Vec::new(),
    };
    let mut begin = 0;
    for line in text.split('\n') {
        let content = line.trim_start_matches(SPACE);
        let at = begin + (line.len() - content.len());
        begin += line.len() + 1;
        if is_end(content)? {
            continue;
        }
        if let Some(rest) = content.strip_prefix(HEADING) {
            if !is_end(rest)? {
                return None;
            }
            document.registries.push(Table {
                begin: at,
                entries: Vec::new(),
            });
            continue;
        }
        let entries = match document.registries.last_mut() {
            Some(table) => &mut table.entries,
            None => &mut document.globals,
        };
        let entry = entry(content, at)?;
        if entries.iter().any(|other| other.key == entry.key) {
            return None;
        }
        entries.push(entry);
    }
    // As a key, it would be the tables' own name.
    let is_plain = document.globals.iter().all(|entry| entry.key != "registry");
    is_plain.then_some(document)
}

/// `key = value`, which begins at that byte.
fn entry(content: &str, at: usize) -> Option<Entry<'_>> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let after_key = content.trim_start_matches(is_bare);
    let key = content.get(..content.len() - after_key.len())?;
    let after_sign = after_key.trim_start_matches(SPACE).strip_prefix('=')?;
    let rest = after_sign.trim_start_matches(SPACE);
    let (value, behind) = value(rest)?;
    (!key.is_empty() && is_end(behind)?).then(|| Entry {
        key: key.into(),
        key_begin: at,
        value,
        value_begin: at + (content.len() - rest.len()),
    })
}

/// A value, and what stands behind it.
fn value(text: &str) -> Option<(Value<'_>, &str)> {
    if let Some(rest) = text.strip_prefix('"') {
        let (inside, behind) = rest.split_once('"')?;
        // `""` may be the beginning of `"""`.
        let may_be_long = inside.is_empty() && behind.starts_with('"');
        let is_simple = !may_be_long && !inside.bytes().any(|byte| byte == b'\\' || is_control(byte));
        return is_simple.then_some((Value::Text(inside.into()), behind));
    }
    for (word, flag) in [("true", true), ("false", false)] {
        if let Some(behind) = text.strip_prefix(word) {
            return Some((Value::Flag(flag), behind));
        }
    }
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.get(..text.len() - behind.len())?;
    let is_whole = number.len() <= 9 && (number == "0" || number.starts_with(|c| matches!(c, '1'..='9')));
    is_whole.then_some((Value::Number(number.into()), behind))
}

/// Whether there is nothing more in a line but space and a comment; none where a comment is none that TOML knows.
fn is_end(rest: &str) -> Option<bool> {
    let rest = rest.trim_start_matches(SPACE);
    match rest.strip_prefix('#') {
        Some(comment) => (!comment.bytes().any(is_control)).then_some(true),
        None => Some(rest.is_empty()),
    }
}

/// Control characters, which TOML knows none of but the tabulator and the end of a line.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the crate says of the same text.
    fn of_toml(text: &str) -> Option<Document<'_>> {
        Document::of_toml(text).ok()
    }

    #[test]
    fn the_usual_file_is_plain() {
        let text = include_str!("../../docs/config.toml")
            .replace("\n#", "\n")
            .replace("\n ", "\n# ");
        let read = read(&text).unwrap();
        assert_eq!(read.registries.len(), 3);
        assert_eq!(Some(read), of_toml(&text));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_crate() {
        for text in [
            "a = \"\\u0041\"",
            "a = 'b'",
            "a = \"\"\"b\"\"\"",
            "a = \"b\" c",
            "a = truex",
            "a = 1.5",
            "a = 01",
            "a = 1_000",
            "a.b = 1",
            "\"a\" = 1",
            "a = 1\na = 1",
            "[registry]",
            "[[registry]] x",
            "registry = 1",
            "a = \"b\"\r\n",
            "# \u{1}",
            "a = \"b",
            "= 1",
            "\u{feff}a = 1",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Lines made of pieces that are likely to be taken for something else, in an order that is the same each time.
    #[test]
    fn it_says_what_the_crate_says_or_nothing() {
        const PIECES: [&str; 36] = [
            "a",
            "key",
            " ",
            "\t",
            "=",
            " = ",
            "\"",
            "\"b\"",
            "\"\"",
            "#",
            "# c",
            "true",
            "false",
            "0",
            "12",
            "-1",
            "1.5",
            "é",
            "'",
            "\\",
            "[[registry]]",
            "[[registry]]",
            "[registry]",
            "registry",
            "[[",
            "]]",
            "\n",
            "\n",
            "\n",
            "\r",
            ".",
            ",",
            "{",
            "\u{7f}",
            "match = \"x\"\n",
            "a = 1 # b\n",
        ];
        let mut state: u64 = 42;
        let mut next = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut answered = 0;
        for _ in 0..200_000 {
            let length = next(9);
            let text: String = (0..length).map(|_| PIECES[next(PIECES.len())]).collect();
            if let Some(read) = read(&text) {
                assert_eq!(Some(read), of_toml(&text), "{text:?}");
                answered += 1;
            }
        }
        assert!(answered > 10_000, "{answered}");
    }
}
