//! Docker's wire format: what clients send on stdin, and the answers they expect. Pure; nothing here reads or prints.
//!
//! Source: the `credentials` and `client` packages of docker/docker-credential-helpers, and what clients were seen to
//! send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::Secret;

/// A user name and password for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name: `AWS` for every token that ECR hands out.
    pub username: String,
    /// The password.
    pub secret: Secret,
}

/// The server that a client asks about: as it was given, and the host in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    given: String,
    host: Option<String>,
}

impl ServerUrl {
    /// Reads a server from what a client wrote to stdin, in any of the forms clients send: white space around it, a
    /// scheme, a port, a path, a query, upper case, one trailing dot.
    ///
    /// # Errors
    ///
    /// [`Error::MissingServerUrl`] where there is nothing but white space; [`Error::Request`] where it cannot be a
    /// server's name. A name that is merely not ECR's is no error.
    pub fn parse(input: &[u8]) -> Result<Self, Error> {
        let text =
            std::str::from_utf8(input).map_err(|_| Error::Request("server URL is not valid UTF-8".to_owned()))?;
        let given = text.trim();
        if given.is_empty() {
            return Err(Error::MissingServerUrl);
        }
        // Names are ASCII; what is not is looked at character by character.
        let is_odd = match given.is_ascii() {
            true => !given.bytes().all(|byte| byte.is_ascii_graphic()),
            false => given.chars().any(|c| c.is_control() || c.is_whitespace()),
        };
        if is_odd {
            return Err(invalid(given));
        }
        Ok(Self {
            given: given.to_owned(),
            host: host(given)?,
        })
    }

    /// The server as the client gave it, without the white space around it.
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// The host in lower case, without port and trailing dot. None behind another scheme than http and https, and
    /// where user info stands before the host: that is never a registry's name, and may be there to disguise another
    /// host.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}

impl ServerUrl {
    /// Where the registry is reached: the host, and the port if one was given.
    pub fn address(&self) -> Option<String> {
        let host = self.host()?;
        let rest = after_http(&self.given).unwrap_or(&self.given);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        Some(match port.filter(|port| !port.is_empty() && !port.contains(']')) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    }
}

fn host(given: &str) -> Result<Option<String>, Error> {
    let rest = match after_http(given) {
        Some(rest) => rest,
        None if has_scheme(given) => return Ok(None),
        None => given,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Ok(None);
    }
    let (host, after) = if authority.starts_with('[') {
        let end = authority.find(']').ok_or_else(|| invalid(given))?;
        authority.split_at(end + 1)
    } else {
        authority.split_at(authority.find(':').unwrap_or(authority.len()))
    };
    let port = match after {
        "" => "",
        _ => after.strip_prefix(':').ok_or_else(|| invalid(given))?,
    };
    if port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid(given));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    Ok(Some(host.to_ascii_lowercase()))
}

/// What stands behind `http://` or `https://`.
pub(crate) fn after_http(given: &str) -> Option<&str> {
    let (scheme, rest) = given.split_once(':')?;
    let is_http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    rest.strip_prefix("//").filter(|_| is_http)
}

/// A scheme stands at the very beginning: behind a slash, "://" is part of a path.
fn has_scheme(given: &str) -> bool {
    given.contains(':')
        && given
            .split_once("://")
            .is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']))
}

/// What was given is quoted, unless it may hold a password.
fn invalid(given: &str) -> Error {
    const SHOWN: usize = 100;
    let shown: String = given.chars().take(SHOWN).collect();
    Error::Request(match given.contains('@') {
        true => "server URL is not valid".to_owned(),
        false => format!("server URL is not valid: {shown:?}"),
    })
}

/// What `docker login` hands over to be kept.
#[derive(Debug)]
pub struct StoreRequest {
    /// The registry that was logged in to.
    pub server: ServerUrl,
    /// What the registry accepted.
    pub credentials: Credentials,
}

impl StoreRequest {
    /// Reads the JSON that clients write to stdin for `store`. Fields that are not known are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::MissingServerUrl`], [`Error::MissingUsername`], or [`Error::Request`], which never quotes the input.
    pub fn parse(input: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "ServerURL", default)]
            server_url: String,
            #[serde(rename = "Username", default)]
            username: String,
            #[serde(rename = "Secret", default = "no_secret")]
            secret: Secret,
        }
        let wire: Wire = serde_json::from_slice(input).map_err(|error| {
            // serde's message quotes what it found, which may be the password.
            Error::Request(format!(
                "store expects JSON with ServerURL, Username and Secret (column {} of line {} is wrong)",
                error.column(),
                error.line()
            ))
        })?;
        let server = ServerUrl::parse(wire.server_url.as_bytes())?;
        if wire.username.is_empty() {
            return Err(Error::MissingUsername);
        }
        if wire.secret.expose().is_empty() {
            return Err(Error::Request("no credentials secret".to_owned()));
        }
        Ok(Self {
            server,
            credentials: Credentials {
                username: wire.username,
                secret: wire.secret,
            },
        })
    }
}

fn no_secret() -> Secret {
    Secret::from(String::new())
}

/// The answer to `get`: one line of JSON, with its end.
pub fn get_answer(server: &ServerUrl, credentials: &Credentials) -> Zeroizing<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Wire<'a> {
        #[serde(rename = "ServerURL")]
        server_url: &'a str,
        username: &'a str,
        secret: &'a str,
    }
    let wire = Wire {
        server_url: server.as_given(),
        username: &credentials.username,
        secret: credentials.secret.expose(),
    };
    let strings = [wire.server_url, wire.username, wire.secret];
    json_line(&wire, strings.map(str::len).iter().sum())
}

/// The answer to `list`: one line of JSON with its end, server to user name.
pub fn list_answer(servers: &BTreeMap<String, String>) -> Zeroizing<String> {
    json_line(servers, 0)
}

/// A value as JSON, in memory that holds the `length` of its strings and hardly ever has to grow: what is outgrown is
/// not wiped. Strings, and maps of strings, always serialise.
pub(crate) fn json_line(value: &impl Serialize, length: usize) -> Zeroizing<String> {
    const AROUND_STRINGS: usize = 128;
    let mut line = Vec::with_capacity(length + AROUND_STRINGS);
    let _ = serde_json::to_writer(&mut line, value);
    line.push(b'\n');
    Zeroizing::new(String::from_utf8(line).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

    fn host_of(input: &str) -> Option<String> {
        ServerUrl::parse(input.as_bytes()).unwrap().host().map(str::to_owned)
    }

    #[test]
    fn every_form_that_clients_send_names_the_same_host() {
        for form in [
            HOST.to_owned(),
            format!("{HOST}\n"),
            format!("{HOST}\r\n"),
            format!(" {HOST} \r\n"),
            format!("https://{HOST}"),
            format!("http://{HOST}:443/"),
            format!("{HOST}:443"),
            format!("{HOST}:"),
            format!("{HOST}."),
            format!("{HOST}.:443"),
            format!("https://{HOST}/v2/?n=1#x"),
            format!("{HOST}/repository"),
            format!("{HOST}?a=b"),
            HOST.to_uppercase(),
            format!("HTTPS://{}", HOST.to_uppercase()),
        ] {
            assert_eq!(host_of(&form).as_deref(), Some(HOST), "{form:?}");
        }
    }

    #[test]
    fn an_address_is_a_host_and_its_port() {
        let address = |input: &str| ServerUrl::parse(input.as_bytes()).unwrap().address();
        for (input, expected) in [
            ("Example.com", "example.com"),
            ("https://example.com:5000/v2/", "example.com:5000"),
            ("example.com.:", "example.com"),
            ("[::1]:5000/a", "[::1]:5000"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(address(input).as_deref(), Some(expected), "{input}");
        }
    }

    #[test]
    fn only_one_trailing_dot_is_taken_off() {
        assert_eq!(host_of("example.com..").as_deref(), Some("example.com."));
    }

    #[test]
    fn a_path_or_user_info_never_stands_for_the_host() {
        assert_eq!(
            host_of(&format!("evil.example/{HOST}")).as_deref(),
            Some("evil.example")
        );
        assert_eq!(
            host_of(&format!("evil.example?{HOST}")).as_deref(),
            Some("evil.example")
        );
        assert_eq!(
            host_of(&format!("evil.example/https://{HOST}")).as_deref(),
            Some("evil.example")
        );
        assert_eq!(host_of(&format!("evil.example://{HOST}")), None);
        assert_eq!(host_of(&format!("ftp://{HOST}")), None);
        assert_eq!(host_of(&format!("{HOST}@evil.example")), None);
        assert_eq!(host_of(&format!("https://user:word@{HOST}")), None);
        assert_eq!(host_of("[::1]:5000").as_deref(), Some("[::1]"));
    }

    #[test]
    fn what_cannot_be_a_server_is_an_error_and_never_quotes_user_info() {
        for input in [
            &b"https://[::1"[..],
            b"\xff\xfe",
            b"a\0b",
            b"a b",
            b"host:port",
            b"host:123456",
            b"[::1]x",
        ] {
            let error = ServerUrl::parse(input).unwrap_err();
            assert!(matches!(error, Error::Request(_)), "{input:?}: {error}");
        }
        let error = ServerUrl::parse(b"https://u:hunter2@h o").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        for empty in [&b""[..], b" \r\n"] {
            assert!(matches!(ServerUrl::parse(empty), Err(Error::MissingServerUrl)));
        }
    }

    #[test]
    fn a_store_request_needs_all_three_and_its_errors_quote_nothing() {
        let parse = |text: &str| StoreRequest::parse(text.as_bytes());
        let request = parse(r#"{"ServerURL":"h","Username":"AWS","Secret":"s","More":1}"#).unwrap();
        assert_eq!(request.credentials.secret.expose(), "s");
        assert!(matches!(
            parse(r#"{"Username":"AWS","Secret":"s"}"#),
            Err(Error::MissingServerUrl)
        ));
        assert!(matches!(
            parse(r#"{"ServerURL":"h","Secret":"s"}"#),
            Err(Error::MissingUsername)
        ));
        for text in [
            r#"{"ServerURL":"h","Username":"AWS"}"#,
            "",
            r#""hunter2""#,
            r#"{"ServerURL":"h","Username":{"a":"hunter2"},"Secret":"s"}"#,
        ] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, Error::Request(_)), "{text}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_answer_repeats_the_server_as_it_came() {
        let server = ServerUrl::parse(format!(" https://{HOST}/ \n").as_bytes()).unwrap();
        let credentials = Credentials {
            username: "AWS".to_owned(),
            secret: Secret::from("p\"w".to_owned()),
        };
        assert_eq!(
            *get_answer(&server, &credentials),
            format!("{{\"ServerURL\":\"https://{HOST}/\",\"Username\":\"AWS\",\"Secret\":\"p\\\"w\"}}\n")
        );
    }
}
