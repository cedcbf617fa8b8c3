//! Our own config.toml, as text that is changed in one place and stays as it is everywhere else. Pure.

use std::ops::Range;

use toml_edit::{Document, Item, Table};

use super::json::quoted;
use crate::config::line_at;

/// The text of our configuration file, which is valid TOML.
pub struct Settings<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

/// What the file says about one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The profile that is named.
    pub profile: Option<String>,
    /// The registry that is said to stand behind it.
    pub ecr: Option<String>,
    /// Whether it says no more than that.
    pub is_plain: bool,
    /// Whether somebody wrote a comment into its lines.
    pub has_comment: bool,
    /// Whether it names a role.
    pub has_role: bool,
    /// The number of its first line.
    pub line: usize,
}

impl<'a> Settings<'a> {
    /// Reads the file's text.
    ///
    /// # Errors
    ///
    /// Says what is wrong, to stand behind the file's name.
    pub fn read(text: &'a str) -> Result<Self, String> {
        let document = Document::parse(text).map_err(|error| {
            let line = line_at(text, error.span().unwrap_or_default().start);
            format!("is not valid TOML: line {line}: {}", error.message())
        })?;
        let line = |item: &Item| line_at(text, item.span().unwrap_or_default().start);
        match (document.get("registry"), document.get("fallback")) {
            (Some(other), _) if !other.is_array_of_tables() => Err(format!(
                "has registry in line {} in another form than [[registry]]; write it so, one for each",
                line(other)
            )),
            (_, Some(other)) if !other.is_str() => {
                Err(format!("has a fallback in line {} that is no string", line(other)))
            }
            _ => Ok(Self { text, document }),
        }
    }

    /// The entry whose `match` is exactly this host.
    pub fn entry(&self, host: &str) -> Option<Entry> {
        let table = self.table(host)?;
        let text = |key| table.get(key).and_then(Item::as_str).map(str::to_owned);
        let is_known = |key| matches!(key, "match" | "profile" | "ecr");
        Some(Entry {
            profile: text("profile"),
            ecr: text("ecr"),
            is_plain: table.iter().all(|(key, _)| is_known(key)),
            has_comment: self.has_comment(table),
            has_role: table.contains_key("role_arn"),
            line: line_at(self.text, header(table).start),
        })
    }

    /// The helper that is asked for other registries.
    pub fn fallback(&self) -> Option<&str> {
        self.document.get("fallback").and_then(Item::as_str)
    }

    /// The text with a new entry for a host. It stands in front of all others, since the first that matches wins.
    pub fn with_entry(&self, host: &str, ecr: Option<&str>, profile: &str) -> String {
        let line_end = self.line_end();
        let keys = [("match", Some(host)), ("ecr", ecr), ("profile", Some(profile))];
        let mut entry = format!("[[registry]]{line_end}");
        for (key, value) in keys {
            let line = value.map(|value| format!("{key} = {}{line_end}", quoted(value)));
            entry += &line.unwrap_or_default();
        }
        match self.tables().next() {
            Some(first) => {
                let start = self.with_comments(header(first).start);
                self.spliced(start..start, &format!("{entry}{line_end}"))
            }
            None => self.appended(&entry),
        }
    }

    /// The text with this profile in the entry for a host.
    pub fn with_profile(&self, host: &str, profile: &str) -> String {
        let (profile, line_end) = (quoted(profile), self.line_end());
        let Some(table) = self.table(host) else {
            return self.text.to_owned();
        };
        match span(table, "profile") {
            Some(place) => self.spliced(place, &profile),
            None => {
                let place = span(table, "match").unwrap_or_else(|| header(table));
                let (line, next) = (self.line_start(place.start), self.next_line(place.end));
                let line = self.text.get(line..).unwrap_or_default();
                let indent = line.split(|c: char| c != ' ' && c != '\t').next().unwrap_or_default();
                let missing = if self.is_line_start(next) { "" } else { line_end };
                self.spliced(next..next, &format!("{missing}{indent}profile = {profile}{line_end}"))
            }
        }
    }

    /// The text without the entry for this host.
    pub fn without_entry(&self, host: &str) -> String {
        let Some(table) = self.table(host) else {
            return self.text.to_owned();
        };
        let header = header(table);
        let ends = table.iter().filter_map(|(_, value)| Some(value.span()?.end));
        self.without_lines(header.start, ends.max().unwrap_or(header.end))
    }

    /// The text with a helper for other registries, at its top.
    pub fn with_fallback(&self, helper: &str) -> String {
        let line_end = self.line_end();
        let line = format!("fallback = {}{line_end}", quoted(helper));
        let is_comment = |line: &str| matches!(line.trim_start().chars().next(), None | Some('#'));
        let lines = self.text.split_inclusive('\n');
        let start: usize = lines.take_while(|line| is_comment(line)).map(str::len).sum();
        let first = self.text.get(start..).unwrap_or_default();
        if first.is_empty() {
            return match self.text {
                "" => line,
                text if text.ends_with('\n') => format!("{text}{line}"),
                text => format!("{text}{line_end}{line}"),
            };
        }
        let room = if first.trim_start().starts_with('[') {
            line_end
        } else {
            ""
        };
        let start = self.with_comments(start);
        self.spliced(start..start, &format!("{line}{room}"))
    }

    /// The text without a helper for other registries.
    pub fn without_fallback(&self) -> String {
        let key = self.document.key("fallback").and_then(|key| key.span());
        match (key, span(&self.document, "fallback")) {
            (Some(key), Some(value)) => self.without_lines(key.start, value.end),
            _ => self.text.to_owned(),
        }
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        let tables = self.document.get("registry").and_then(Item::as_array_of_tables);
        tables.into_iter().flat_map(|tables| tables.iter())
    }

    fn table(&self, host: &str) -> Option<&Table> {
        let is_it = |table: &&Table| match_of(table).is_some_and(|of| of.eq_ignore_ascii_case(host));
        self.tables().find(is_it)
    }

    /// Whether there is a comment in the lines of an entry, outside of its values.
    fn has_comment(&self, table: &Table) -> bool {
        let mut place = header(table).start;
        for value in table.iter().filter_map(|(_, value)| value.span()) {
            if self.has_hash(place..value.start) {
                return true;
            }
            place = value.end;
        }
        self.has_hash(place..self.next_line(place))
    }

    fn has_hash(&self, range: Range<usize>) -> bool {
        self.text.get(range).is_none_or(|text| text.contains('#'))
    }

    fn line_end(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn line_start(&self, place: usize) -> usize {
        let before = self.text.get(..place).unwrap_or_default();
        before.rfind('\n').map_or(0, |end| end + 1)
    }

    fn is_line_start(&self, place: usize) -> bool {
        self.line_start(place) == place
    }

    fn next_line(&self, place: usize) -> usize {
        let behind = self.text.get(place..).unwrap_or_default();
        behind.find('\n').map_or(self.text.len(), |end| place + end + 1)
    }

    /// Where the comments begin that stand directly above a line.
    fn with_comments(&self, place: usize) -> usize {
        let mut start = self.line_start(place);
        while start > 0 {
            let above = self.line_start(start - 1);
            if !self
                .text
                .get(above..start)
                .unwrap_or_default()
                .trim_start()
                .starts_with('#')
            {
                break;
            }
            start = above;
        }
        start
    }

    /// The text with a table at its end, behind an empty line.
    fn appended(&self, table: &str) -> String {
        let line_end = self.line_end();
        let text = self.text;
        match text {
            "" => table.to_owned(),
            _ if text.ends_with('\n') => format!("{text}{line_end}{table}"),
            _ => format!("{text}{line_end}{line_end}{table}"),
        }
    }

    /// The text without the lines from one place to another, and without the empty line that they would leave.
    fn without_lines(&self, first: usize, last: usize) -> String {
        let (start, end) = (self.line_start(first), self.next_line(last));
        let (before, after) = (
            self.text.get(..start).unwrap_or_default(),
            self.text.get(end..).unwrap_or_default(),
        );
        let is_apart = before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
        let line_end = self.line_end();
        match after.strip_prefix(line_end) {
            Some(after) if is_apart || after.trim_start().starts_with(['[', '#']) => [before, after].concat(),
            None if after.is_empty() && is_apart => before.strip_suffix(line_end).unwrap_or(before).to_owned(),
            _ => [before, after].concat(),
        }
    }

    fn spliced(&self, range: Range<usize>, with: &str) -> String {
        let before = self.text.get(..range.start).unwrap_or_default();
        let after = self.text.get(range.end..).unwrap_or_default();
        [before, with, after].concat()
    }
}

/// The hosts that an entry is for.
fn match_of(table: &Table) -> Option<&str> {
    table.get("match").and_then(Item::as_str)
}

/// Where a table's `[[registry]]` stands.
fn header(table: &Table) -> Range<usize> {
    table.span().unwrap_or_default()
}

/// Where the value of a key stands.
fn span(table: &Table, key: &str) -> Option<Range<usize>> {
    table.get(key)?.span()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str =
        "# mine\ntimeout = 5 # s\n\n# all of ours\n[[registry]] # x\nmatch = \"*.dkr.*\"\nrole_arn = \"r\"\n";

    fn settings(text: &str) -> Settings<'_> {
        Settings::read(text).unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    #[test]
    fn an_entry_is_put_in_front_and_taken_back() {
        for (before, after) in [
            ("", "[[registry]]\nmatch = \"h\"\nprofile = \"p\"\n".to_owned()),
            (
                "timeout = 1\n",
                "timeout = 1\n\n[[registry]]\nmatch = \"h\"\nprofile = \"p\"\n".to_owned(),
            ),
            (
                "timeout = 1\r\n",
                "timeout = 1\r\n\r\n[[registry]]\r\nmatch = \"h\"\r\nprofile = \"p\"\r\n".to_owned(),
            ),
            (
                OTHER,
                OTHER.replace("# all", "[[registry]]\nmatch = \"h\"\nprofile = \"p\"\n\n# all"),
            ),
        ] {
            let text = settings(before).with_entry("h", None, "p");
            assert_eq!(text, after);
            let entry = settings(&text).entry("h").unwrap();
            assert_eq!((entry.profile.as_deref(), entry.is_plain), (Some("p"), true));
            assert_eq!(settings(&text).without_entry("h"), before);
        }
    }

    #[test]
    fn an_entry_that_is_there_gets_another_profile() {
        for (before, after) in [
            (
                "[[registry]]\nprofile = 'a' # why\nmatch = \"h\"\n",
                "[[registry]]\nprofile = \"p\\\"\" # why\nmatch = \"h\"\n",
            ),
            (
                "[[registry]]\n  match = \"h\" # why\n  region = \"x\"\n",
                "[[registry]]\n  match = \"h\" # why\n  profile = \"p\\\"\"\n  region = \"x\"\n",
            ),
            (
                "[[registry]]\nmatch = \"h\"",
                "[[registry]]\nmatch = \"h\"\nprofile = \"p\\\"\"\n",
            ),
        ] {
            let text = settings(before).with_profile("h", "p\"");
            assert_eq!(text, after);
            assert_eq!(settings(&text).entry("h").unwrap().profile.as_deref(), Some("p\""));
        }
        assert!(settings(&OTHER.replace("*.dkr.*", "h")).entry("h").unwrap().has_role);
    }

    #[test]
    fn an_entry_with_a_comment_in_it_was_written_by_hand() {
        let is_plain = |text: &str| {
            let entry = settings(text).entry("h").unwrap();
            entry.is_plain && !entry.has_comment
        };
        for plain in [
            "# a\n[[registry]]\nmatch = \"h\"\n\n# b\n",
            "[[registry]]\nprofile = \"a#b\"\necr = '#'\nmatch = \"h\"",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for by_hand in [
            "[[registry]] # a\nmatch = \"h\"\n",
            "[[registry]]\nmatch = \"h\" # a\n",
            "[[registry]]\nmatch = \"h\"#",
            "[[registry]]\n# a\nmatch = \"h\"\n",
            "[[registry]]\nprofile = \"p\"\n\n# a\nmatch = \"h\"\n",
            "[[registry]]\nmatch = \"h\"\nregion = \"x\"\n",
        ] {
            assert!(!is_plain(by_hand), "{by_hand}");
        }
    }

    #[test]
    fn a_fallback_is_put_on_top_and_taken_back() {
        for (before, after) in [
            ("", "fallback = \"pass\"\n"),
            ("# mine\n", "# mine\nfallback = \"pass\"\n"),
            (
                "# mine\n\n[[registry]]\n",
                "# mine\n\nfallback = \"pass\"\n\n[[registry]]\n",
            ),
            ("[[registry]]\n", "fallback = \"pass\"\n\n[[registry]]\n"),
            ("# mine\ntimeout = 1\n", "fallback = \"pass\"\n# mine\ntimeout = 1\n"),
        ] {
            let text = settings(before).with_fallback("pass");
            assert_eq!(text, after);
            assert_eq!(settings(&text).fallback(), Some("pass"));
            assert_eq!(settings(&text).without_fallback(), before);
        }
    }

    #[test]
    fn what_cannot_be_changed_is_refused_by_its_line() {
        for (text, line) in [
            ("a = 1\nb =\n", "line 2"),
            ("a = 1\nregistry = [{ match = \"h\" }]\n", "line 2"),
            ("[registry]\n", "line 1"),
            ("fallback = 1\n", "line 1"),
        ] {
            let why = Settings::read(text).err().unwrap();
            assert!(why.contains(line), "{why}");
        }
    }
}
