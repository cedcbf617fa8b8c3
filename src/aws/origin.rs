//! Scheme, host and port of a URL: as much of it as may be shown. Pure.

use std::fmt;

/// Where a request goes. Paths, queries and user info are left out, for they may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an http or https URL; none where it is no such URL.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_user_info, authority)| authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, if https { 443 } else { 80 }),
        };
        let host = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']')?,
            None => host,
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        (!host.is_empty() && host.chars().all(legal)).then(|| Self {
            https,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// Whether it is reached by TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host's name or address, in lower case, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where the URL left it out.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.https { "https://" } else { "http://" })?;
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        match (self.https, self.port) {
            (true, 443) | (false, 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_shows_nothing_but_where_it_is() {
        for (url, shown) in [
            ("https://A.example/path?secret=1", "https://a.example"),
            ("http://user:hunter2@h:8080", "http://h:8080"),
            ("https://[::1]:443", "https://[::1]"),
            ("http://[fd00::1]", "http://[fd00::1]"),
            ("http://127.0.0.1:80/x", "http://127.0.0.1"),
        ] {
            assert_eq!(Origin::parse(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_http_url_has_no_origin() {
        for url in [
            "",
            "localhost:4566",
            "ftp://h",
            "https://",
            "http://h:port",
            "http://a b",
            "http://[::1",
        ] {
            assert_eq!(Origin::parse(url), None, "{url}");
        }
    }
}
