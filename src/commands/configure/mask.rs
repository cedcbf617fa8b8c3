//! JSON that can be shown to whoever looks over a shoulder.

use super::json::{Object, part};

/// The text with `…` for every string that is a value in it, other than those of these members: the other lines of a
/// client's file hold passwords, and not only under names that are known.
pub fn masked(text: &str, shown: &[&str]) -> String {
    let Ok(object) = Object::parse(text) else {
        return String::new();
    };
    let is_shown = |name: &str| shown.iter().any(|shown| shown.eq_ignore_ascii_case(name));
    let mut masked = String::new();
    let mut end = 0;
    for member in object.members().iter().filter(|member| !is_shown(&member.name)) {
        let place = object.place_of_value(member);
        masked += part(text, end..place.start);
        masked += &without_strings(member.value);
        end = place.end;
    }
    masked + part(text, end..text.len())
}

/// A value with `…` for every string in it that is no name.
fn without_strings(value: &str) -> String {
    let mut result = String::new();
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('"') {
        let length = string_length(behind);
        let after = part(behind, length..behind.len()).strip_prefix('"').unwrap_or_default();
        let is_name = after.trim_start().starts_with(':');
        let shown = if is_name { part(behind, 0..length) } else { "…" };
        result = result + before + "\"" + shown + "\"";
        rest = after;
    }
    result + rest
}

/// How long a string is whose first quotation mark is passed.
fn string_length(behind: &str) -> usize {
    let mut is_escaped = false;
    let is_end = |c: char| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    };
    behind.find(is_end).unwrap_or(behind.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_text_shows_no_value_that_is_not_ours() {
        let text = r#"{"auths":{"h":{"\u0061uth":"c2Vj\"cmV0","n":1}},"credHelpers":{"h":"x"},"t":["s"],"HttpHeaders":{"A":"b"}}"#;
        let shown =
            r#"{"auths":{"h":{"\u0061uth":"…","n":1}},"credHelpers":{"h":"x"},"t":["…"],"HttpHeaders":{"A":"…"}}"#;
        assert_eq!(masked(text, &["credHelpers"]), shown);
    }
}
