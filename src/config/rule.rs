//! What the configuration says of some registries: one `[[registry]]`. Pure.

use glob::Pattern;

use crate::registry::Registry;
use crate::who::Who;

/// Which hosts, whose credentials for them, and what ECR registry stands behind them.
#[derive(Debug, Clone)]
pub struct Rule {
    pattern: Pattern,
    alias: Option<Registry>,
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
    pub fn new(pattern: Pattern, alias: Option<Registry>, who: Who, begin: usize) -> Result<Self, Wrong> {
        const WILD: [char; 3] = ['*', '?', '['];
        let text = pattern.as_str();
        let is_wide = || {
            let mut from_behind = text.rsplitn(3, '.');
            let domain = [from_behind.next(), from_behind.next()];
            domain
                .iter()
                .any(|label| label.is_none_or(|label| label.contains(WILD)))
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
        self.pattern.matches(host)
    }

    /// The pattern as it was written, in lower case.
    pub fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    /// The registry that stands behind the hosts, where they are not ECR's own names.
    pub fn alias(&self) -> Option<&Registry> {
        self.alias.as_ref()
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
