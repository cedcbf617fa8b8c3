//! What the configuration says of some registries: one `[[registry]]`. Pure.

use glob::Pattern;

use crate::registry::Registry;
use crate::who::Who;

/// The characters that stand for others in a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// The same, and the end of a class.
const WILD_OR_CLASS: [char; 4] = ['*', '?', '[', ']'];

/// A pattern before and from its first such character; none where it has none.
fn split(pattern: &str) -> Option<(&str, &str)> {
    let is_wild = |byte| matches!(byte, b'*' | b'?' | b'[');
    pattern.split_at_checked(pattern.bytes().position(is_wild)?)
}

/// What is wrong with a pattern; none where it is one.
pub fn pattern_fault(text: &str) -> Option<&'static str> {
    // Without these, nothing can be.
    let bytes = text.as_bytes();
    let can_be_wrong = bytes.contains(&b'[') || bytes.windows(2).any(|pair| pair == b"**");
    let made = can_be_wrong.then(|| Pattern::new(text));
    made?.err().map(|error| error.msg)
}

/// Which hosts, whose credentials for them, and what ECR registry stands behind them.
#[derive(Debug, Clone)]
pub struct Rule {
    pattern: String,
    alias: Option<Box<Registry>>,
    who: Who,
    begin: usize,
}

/// Why there is no such rule.
#[derive(Debug)]
pub struct Wrong(pub String);

impl Rule {
    /// A rule for the hosts of a pattern, from that byte of its file.
    ///
    /// # Errors
    ///
    /// [`Wrong`] where the pattern would make ECR of hosts that anybody may have: whoever can have an image pulled from
    /// such a host would be sent the password.
    pub fn new(pattern: String, alias: Option<Box<Registry>>, who: Who, begin: usize) -> Result<Self, Wrong> {
        let text = pattern.as_str();
        // What stands behind the last such character is the domain that is written out: two whole names at least.
        let is_wide = || {
            let ending = text.rsplit(WILD_OR_CLASS).next().unwrap_or_default();
            let mut from_behind = ending.rsplitn(3, '.');
            let names = [from_behind.next(), from_behind.next()];
            from_behind.next().is_none() || names.iter().any(|name| name.is_none_or(str::is_empty))
        };
        if alias.is_some() && text.contains(WILD) && is_wide() {
            return Err(Wrong(format!(
                "match: {text:?} is too wide for an entry with ecr, whose password every such host would be sent; \
                 write out the domain: \"*.corp.example\""
            )));
        }
        Ok(Self {
            pattern,
            alias,
            who,
            begin,
        })
    }

    /// Whether it is for this host: lower case, without port.
    pub fn matches(&self, host: &str) -> bool {
        let Some((beginning, rest)) = split(&self.pattern) else {
            return self.pattern == host;
        };
        let Some(middle) = host.strip_prefix(beginning) else {
            return false;
        };
        // Nearly every pattern has one `*`, and making a `Pattern` of it takes longer than all the rest.
        match rest.strip_prefix('*') {
            Some(ending) if split(ending).is_none() => middle.ends_with(ending),
            _ => Pattern::new(&self.pattern).is_ok_and(|pattern| pattern.matches(host)),
        }
    }

    /// The registry that stands behind the hosts, where they are not ECR's own names.
    pub fn alias(&self) -> Option<&Registry> {
        self.alias.as_deref()
    }

    /// Whose credentials.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// The byte that it begins at.
    pub fn begin(&self) -> usize {
        self.begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_matched_as_the_crate_matches_them() {
        let hosts = ["a", "ab", "a.b", "ab.b", "axb", "", "a]", "b.a.b", "a-b"];
        let patterns = [
            "a", "a*", "*b", "*", "?", "a?b", "a[x-]b", "[a]", "*.b", "a*b", "[]]", "[!a]*", "a.b*", "*[b]", "a[]]",
        ];
        for text in patterns {
            assert_eq!(pattern_fault(text), None, "{text}");
            let rule = Rule::new(text.to_owned(), None, Who::Environment, 0).unwrap();
            for host in hosts {
                let expected = Pattern::new(text).unwrap().matches(host);
                assert_eq!(rule.matches(host), expected, "{text} {host}");
            }
        }
        for wrong in ["[", "a[b", "a**", "**b"] {
            assert!(pattern_fault(wrong).is_some(), "{wrong}");
        }
    }
}
