//! Which proxy a request goes through. Pure.
//!
//! The rules are those of Go's `golang.org/x/net/http/httpproxy`, which the Go helper and docker follow: HTTPS_PROXY,
//! HTTP_PROXY and NO_PROXY in either case; loopback never goes through a proxy; ALL_PROXY is not read. Metadata and
//! container credential endpoints are never asked through a proxy: it would answer for the wrong machine.

use std::net::IpAddr;

use crate::aws::origin::Origin;
use crate::env::{self, Env};
use crate::error::{Failure, Reason};

/// Addresses that only mean something on this machine: instance metadata, ECS and EKS credentials.
const LOCAL_ENDPOINTS: [&str; 5] = [
    "169.254.169.254",
    "fd00:ec2::254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::23",
];

/// The proxies that the environment names, and what goes past them.
pub struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    exceptions: Vec<Exception>,
    direct: Vec<Origin>,
}

/// One proxy. Its URL may hold a password; `Debug` is not implemented for that reason.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The URL with everything in it.
    pub url: String,
    /// The variable it comes from, for messages.
    pub variable: &'static str,
}

enum Exception {
    All,
    Network(IpAddr, u8),
    Address(IpAddr, Option<u16>),
    /// A name with a dot before it; and whether the name itself is meant as well as what is below it.
    Domain(String, bool, Option<u16>),
}

/// The proxies of an environment in a few words, without user info.
pub fn describe(env: &Env) -> String {
    let shown = [&env::HTTPS_PROXY, &env::HTTP_PROXY]
        .into_iter()
        .filter_map(|names| Proxy::from_env(env, names))
        .map(|proxy| format!("{} {}", proxy.variable, proxy.shown()));
    let exceptions = env.first(&env::NO_PROXY).map(|hosts| format!("NO_PROXY {hosts}"));
    let all: Vec<_> = shown.chain(exceptions).collect();
    match all.is_empty() {
        true => "no proxy".to_owned(),
        false => all.join(", "),
    }
}

/// Whether the proxies of an environment can be used at all.
///
/// # Errors
///
/// A [`Failure`] that names the variable.
pub fn check(env: &Env) -> Result<(), Failure> {
    let proxies = Proxies::new(env, Vec::new());
    for url in ["https://ecr.invalid", "http://ecr.invalid"] {
        if let Some(origin) = Origin::parse(url) {
            proxies.for_origin(&origin)?;
        }
    }
    Ok(())
}

impl Proxies {
    /// The proxies of this environment. `direct` are endpoints that are never asked through one.
    pub fn new(env: &Env, direct: Vec<Origin>) -> Self {
        let exceptions = env.first(&env::NO_PROXY).unwrap_or_default();
        Self {
            https: Proxy::from_env(env, &env::HTTPS_PROXY),
            http: Proxy::from_env(env, &env::HTTP_PROXY),
            exceptions: exceptions.split(',').filter_map(Exception::parse).collect(),
            direct,
        }
    }

    /// The proxy that requests to this origin go through.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that names the variable, where the proxy is of a kind that is not supported.
    pub fn for_origin(&self, origin: &Origin) -> Result<Option<&Proxy>, Failure> {
        let proxy = match origin.is_https() {
            true => self.https.as_ref(),
            false => self.http.as_ref(),
        };
        match proxy {
            Some(proxy) if !self.is_direct(origin) => proxy.check().map(|()| Some(proxy)),
            _ => Ok(None),
        }
    }

    fn is_direct(&self, origin: &Origin) -> bool {
        let host = origin.host();
        let ip = host.parse::<IpAddr>().ok();
        host == "localhost"
            || ip.is_some_and(|ip| ip.is_loopback())
            || LOCAL_ENDPOINTS.contains(&host)
            || self.direct.contains(origin)
            || self
                .exceptions
                .iter()
                .any(|exception| exception.covers(host, ip, origin.port()))
    }
}

impl Proxy {
    fn from_env(env: &Env, names: &[&'static str]) -> Option<Self> {
        let (variable, value) = names.iter().find_map(|name| Some((*name, env.get(name)?)))?;
        let value = value.trim();
        // Many write host:port alone.
        let url = match value.contains("://") {
            true => value.to_owned(),
            false => format!("http://{value}"),
        };
        Some(Self { url, variable })
    }

    /// Its URL without user info.
    pub fn shown(&self) -> String {
        Origin::parse(&self.url).map_or_else(|| self.variable.to_owned(), |origin| origin.to_string())
    }

    fn check(&self) -> Result<(), Failure> {
        let scheme = self.url.split("://").next().unwrap_or_default();
        let supported = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
        if supported && Origin::parse(&self.url).is_some() {
            return Ok(());
        }
        let what = match supported {
            true => format!("the proxy URL in {} is not valid", self.variable),
            false => format!("{} names a {scheme} proxy", self.variable),
        };
        Err(Failure::new(
            Reason::Configuration,
            what,
            "use an http:// or https:// proxy URL, or list the endpoint in NO_PROXY",
        ))
    }
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((network, bits)) = text.split_once('/')
            && let (Ok(network), Ok(bits)) = (network.parse(), bits.parse())
        {
            return Some(Self::Network(network, bits));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse() {
            return Some(Self::Address(address, None));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        if let Ok(address) = name.trim_matches(['[', ']']).parse() {
            return Some(Self::Address(address, port));
        }
        let name = name.strip_prefix('*').unwrap_or(name);
        match name.strip_prefix('.') {
            Some("") => None,
            Some(_) => Some(Self::Domain(name.to_owned(), false, port)),
            None if name.is_empty() => None,
            None => Some(Self::Domain(format!(".{name}"), true, port)),
        }
    }

    fn covers(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Self::All => true,
            Self::Network(network, bits) => ip.is_some_and(|ip| is_within(ip, *network, *bits)),
            Self::Address(address, wanted) => ip == Some(*address) && same_port(wanted),
            Self::Domain(dotted, itself, wanted) => {
                let below = host.ends_with(dotted.as_str());
                let same = *itself && dotted.strip_prefix('.') == Some(host);
                (below || same) && same_port(wanted)
            }
        }
    }
}

fn is_within(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (ip, network, width) = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => (u128::from(ip.to_bits()), u128::from(network.to_bits()), 32),
        (IpAddr::V6(ip), IpAddr::V6(network)) => (ip.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let Some(shift) = u32::checked_sub(width, u32::from(bits)) else {
        return false;
    };
    (ip ^ network).checked_shr(shift).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes_through(vars: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::new(&Env::from_vars(vars.iter().copied()), Vec::new());
        let origin = Origin::parse(url).unwrap();
        proxies.for_origin(&origin).unwrap().map(|proxy| proxy.url.clone())
    }

    #[test]
    fn each_scheme_has_its_variable_and_upper_case_wins() {
        let vars = [
            ("HTTPS_PROXY", "http://up:1"),
            ("https_proxy", "http://low:1"),
            ("http_proxy", "plain:2"),
        ];
        assert_eq!(goes_through(&vars, "https://a.example").as_deref(), Some("http://up:1"));
        assert_eq!(
            goes_through(&vars, "http://a.example").as_deref(),
            Some("http://plain:2")
        );
        let vars = [("HTTPS_PROXY", ""), ("https_proxy", "http://low:1")];
        assert_eq!(
            goes_through(&vars, "https://a.example").as_deref(),
            Some("http://low:1"),
            "empty is unset"
        );
    }

    #[test]
    fn what_is_local_goes_past_the_proxy() {
        let vars = [("HTTPS_PROXY", "http://p:1"), ("HTTP_PROXY", "http://p:1")];
        for url in [
            "http://localhost:4566",
            "https://127.0.0.2",
            "http://[::1]:8080",
            "http://169.254.169.254",
            "http://[fd00:ec2::254]",
            "http://169.254.170.23",
        ] {
            assert_eq!(goes_through(&vars, url), None, "{url}");
        }
    }

    #[test]
    fn no_proxy_has_gos_patterns() {
        for (rule, url, past) in [
            ("*", "https://a.example", true),
            ("a.example", "https://a.example", true),
            ("a.example", "https://b.a.example", true),
            ("a.example", "https://ba.example", false),
            (".a.example", "https://a.example", false),
            (".a.example", "https://b.a.example", true),
            ("*.a.example", "https://b.a.example", true),
            ("a.example:443", "https://a.example", true),
            ("a.example:8443", "https://a.example", false),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("0.0.0.0/0", "https://11.1.2.3", true),
            ("fd00::/16", "https://[fd00::5]", true),
            ("10.1.2.3", "https://10.1.2.3", true),
            ("10.1.2.3:80", "https://10.1.2.3", false),
            (" x.example , A.Example ", "https://a.example", true),
        ] {
            let vars = [("HTTPS_PROXY", "http://p:1"), ("no_proxy", rule)];
            assert_eq!(goes_through(&vars, url).is_none(), past, "{rule} {url}");
        }
    }

    #[test]
    fn a_proxy_that_is_not_supported_is_named_without_its_password() {
        for url in ["socks5://u:hunter2@p:1", "http://u:hunter2@"] {
            let proxies = Proxies::new(&Env::from_vars([("HTTPS_PROXY", url)]), Vec::new());
            let failure = proxies
                .for_origin(&Origin::parse("https://a.example").unwrap())
                .err()
                .unwrap();
            assert!(failure.what.contains("HTTPS_PROXY"), "{failure}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
