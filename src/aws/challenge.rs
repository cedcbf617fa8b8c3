//! What a registry that answers 401 says about where its own tokens are to be had (RFC 9110, and the Distribution
//! project's token authentication). Pure.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::aws::origin::Origin;

/// What stands for itself in a query (RFC 3986's unreserved characters).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What cannot stand in a URL at all.
const ILLEGAL: &AsciiSet = &CONTROLS.add(b' ');

/// The challenge that asks for a registry's own token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bearer {
    /// Where the token is to be had: a URL, if it is well.
    pub realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Bearer {
    /// The first such challenge in WWW-Authenticate headers that names a realm.
    pub fn find<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        headers.into_iter().find_map(Self::in_header)
    }

    fn in_header(header: &str) -> Option<Self> {
        let mut bearer = Self::default();
        let mut is_bearer = false;
        for part in Parts(header) {
            match part {
                Part::Scheme(scheme) => {
                    if !bearer.realm.is_empty() {
                        break;
                    }
                    is_bearer = scheme.eq_ignore_ascii_case("bearer");
                }
                Part::Parameter(name, value) if is_bearer => match name.to_ascii_lowercase().as_str() {
                    "realm" => bearer.realm = value,
                    "service" => bearer.service = Some(value),
                    "scope" => bearer.scope = Some(value),
                    _ => {}
                },
                Part::Parameter(..) => {}
            }
        }
        (!bearer.realm.is_empty()).then_some(bearer)
    }

    /// The URL that a token is asked for at; none where the realm is anywhere else than at `origin`, with its scheme
    /// and port. The URL is made of that origin, so that no two ways to read a realm can make a difference.
    pub fn url_at(&self, origin: &Origin) -> Option<String> {
        if Origin::parse(&self.realm).as_ref() != Some(origin) {
            return None;
        }
        let (_, rest) = self.realm.split_once("://")?;
        let path = rest
            .find(['/', '?', '#'])
            .and_then(|at| rest.get(at..))
            .unwrap_or_default();
        let path = path.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut url = format!("{origin}{slash}{}", utf8_percent_encode(path, ILLEGAL));
        for (name, value) in [("service", &self.service), ("scope", &self.scope)] {
            if let Some(value) = value {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&format!("{name}={}", utf8_percent_encode(value, RESERVED)));
            }
        }
        Some(url)
    }
}

enum Part<'a> {
    /// A challenge begins.
    Scheme(&'a str),
    /// A parameter of the challenge that began last.
    Parameter(&'a str, String),
}

/// What is left of a header. Ends where it is no list of challenges any more.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let rest = self.0.trim_start_matches([' ', '\t', ',']);
        let (name, rest) = token(rest);
        if name.is_empty() {
            return None;
        }
        let Some(value) = rest.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            self.0 = rest;
            return Some(Part::Scheme(name));
        };
        let value = value.trim_start_matches([' ', '\t']);
        let (value, rest) = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, rest) = token(value);
                (value.to_owned(), rest)
            }
        };
        self.0 = rest;
        Some(Part::Parameter(name, value))
    }
}

/// A word, and what is behind it. More is taken for one than the RFC allows, as Go's clients do.
fn token(text: &str) -> (&str, &str) {
    let end = text.find([' ', '\t', ',', '=', '"']).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What is up to the closing quote, and what is behind that; none without one.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some((plain, characters.as_str())),
            '\\' => plain.push(characters.next()?),
            other => plain.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(header: &str) -> Option<String> {
        Bearer::find([header])?.url_at(&Origin::parse("https://h").unwrap())
    }

    #[test]
    fn where_a_token_is_to_be_had_is_read() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://h/token/",service="s",scope="aws""#,
                "https://h/token/?service=s&scope=aws",
            ),
            (r#"bearer  REALM = "https://H:443" "#, "https://h/"),
            (
                r#"Basic realm="x", Bearer realm="https://h/t", Digest realm="y""#,
                "https://h/t",
            ),
            (
                r#"Bearer scope="no realm", Bearer realm=https://h?a,"#,
                "https://h/?a&scope=no%20realm",
            ),
        ] {
            assert_eq!(url(header).as_deref(), Some(expected), "{header}");
        }
    }

    #[test]
    fn no_other_origin_is_asked() {
        for realm in [
            "https://i",
            "http://h",
            "https://h:8443",
            "https://h@i",
            "h",
            "/token",
            "https://h.i",
        ] {
            assert_eq!(url(&format!("Bearer realm=\"{realm}\"")), None, "{realm}");
        }
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        for header in [
            "",
            "Bearer",
            "=",
            ",,",
            "Bearer realm=\"https://h",
            "Bearer realm=\"\\",
            "Negotiate YWJj==",
        ] {
            assert_eq!(Bearer::find([header]), None, "{header}");
        }
    }
}
