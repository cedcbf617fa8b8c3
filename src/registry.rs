//! A registry host name taken apart: which ECR service, account, region and kind of endpoint it stands for.
//!
//! The forms and suffixes are those that AWS documents for ECR in each partition, as collected in the endpoint rules
//! of the AWS SDKs and the ECR user guide ("Private registry authentication", "Dual-stack endpoints", "FIPS").

use std::fmt;

/// Suffixes of the IPv4-only host names `<account>.dkr.ecr[-fips].<region>.<suffix>`, one a partition.
const SUFFIXES: [&str; 7] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "sc2s.sgov.gov",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// The partitions by their names in ARNs, and the suffix of host names in each.
const PARTITIONS: [(&str, &str); 8] = [
    ("aws", "amazonaws.com"),
    ("aws-us-gov", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
    ("aws-eusc", "amazonaws.eu"),
    ("aws-iso", "c2s.ic.gov"),
    ("aws-iso-b", "sc2s.sgov.gov"),
    ("aws-iso-e", "cloud.adc-e.uk"),
    ("aws-iso-f", "csp.hci.ic.gov"),
];

/// Suffixes of the dual-stack host names `<account>.dkr-ecr[-fips].<region>.<suffix>`.
const DUAL_STACK_SUFFIXES: [&str; 2] = ["on.aws", "on.amazonwebservices.com.cn"];

/// The region whose API hands out tokens for the public gallery.
const PUBLIC_REGION: &str = "us-east-1";

/// Which of the two ECR services a registry belongs to. They have separate APIs, and their tokens are not
/// interchangeable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Amazon ECR: an account's own registry.
    Private,
    /// Amazon ECR Public: the gallery at `public.ecr.aws`.
    Public,
}

impl Service {
    /// The service's name in AWS's own spelling (its signing name).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "ecr",
            Self::Public => "ecr-public",
        }
    }
}

/// An ECR registry, as its host name describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    host: String,
    service: Service,
    account: Option<String>,
    region: String,
    fips: bool,
    dual_stack: bool,
    /// The ECR host that `host` is another name for.
    behind: Option<String>,
}

impl Registry {
    /// Takes apart a host name: lower case, without port or trailing dot.
    ///
    /// The whole name must match; `None` is "not ECR" and says nothing about whether such a host exists.
    ///
    /// ```
    /// use docker_credential_ecr_login::Registry;
    ///
    /// let registry = Registry::from_host("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com").unwrap();
    /// assert_eq!(registry.region(), "us-gov-west-1");
    /// assert!(registry.fips() && !registry.dual_stack());
    /// assert!(Registry::from_host("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example").is_none());
    /// ```
    pub fn from_host(host: &str) -> Option<Self> {
        match host {
            "public.ecr.aws" => Some(Self::public(host, false)),
            "ecr-public.aws.com" => Some(Self::public(host, true)),
            _ => Self::private(host),
        }
    }

    /// Whether a host name is ECR's.
    pub fn is_host(host: &str) -> bool {
        Self::from_host(host).is_some()
    }

    fn public(host: &str, dual_stack: bool) -> Self {
        Self {
            host: host.to_owned(),
            service: Service::Public,
            account: None,
            region: PUBLIC_REGION.to_owned(),
            fips: false,
            dual_stack,
            behind: None,
        }
    }

    /// All private registries of a region, for which one token is enough. None where that is no region's name.
    pub fn of_region(region: &str) -> Option<Self> {
        is_region(region).then(|| Self {
            host: String::new(),
            service: Service::Private,
            account: None,
            region: region.to_owned(),
            fips: false,
            dual_stack: false,
            behind: None,
        })
    }

    /// The host name of an account's registry in a region of a partition, by the partition's name in ARNs; none where there is
    /// no such partition, account or region.
    pub fn host_of(account: &str, region: &str, partition: &str) -> Option<String> {
        let (_, suffix) = PARTITIONS.into_iter().find(|(name, _)| *name == partition)?;
        let host = format!("{account}.dkr.ecr.{region}.{suffix}");
        Self::is_host(&host).then_some(host)
    }

    /// The same registry by another host name, which somebody put in front of it.
    pub fn under(self, host: &str) -> Self {
        Self {
            behind: Some(self.host),
            host: host.to_owned(),
            ..self
        }
    }

    fn private(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let (kind, rest) = rest.split_once('.')?;
        let (fips, dual_stack, rest) = match kind {
            "dkr" => {
                let (name, rest) = rest.split_once('.')?;
                match name {
                    "ecr" => (false, false, rest),
                    "ecr-fips" => (true, false, rest),
                    _ => return None,
                }
            }
            "dkr-ecr" => (false, true, rest),
            "dkr-ecr-fips" => (true, true, rest),
            _ => return None,
        };
        let (region, suffix) = rest.split_once('.')?;
        let known = if dual_stack {
            DUAL_STACK_SUFFIXES.contains(&suffix)
        } else {
            SUFFIXES.contains(&suffix)
        };
        (known && is_account(account) && is_region(region)).then(|| Self {
            host: host.to_owned(),
            service: Service::Private,
            account: Some(account.to_owned()),
            region: region.to_owned(),
            fips,
            dual_stack,
            behind: None,
        })
    }

    /// The host name that it is asked for by; empty for [`Self::of_region`].
    pub fn host(&self) -> &str {
        &self.host
    }

    /// ECR's own host name for it, where [`Self::host`] is another.
    pub fn behind(&self) -> Option<&str> {
        self.behind.as_deref()
    }

    /// The service whose API hands out its tokens.
    pub fn service(&self) -> Service {
        self.service
    }

    /// The twelve digits of the account that owns it; none for the public gallery.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The region that signs and answers its API calls.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether the host name asks for a FIPS 140 validated endpoint.
    pub fn fips(&self) -> bool {
        self.fips
    }

    /// Whether the host name is one that also has IPv6 addresses.
    pub fn dual_stack(&self) -> bool {
        self.dual_stack
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.as_str() {
            "" => write!(f, "Amazon ECR in {}", self.region),
            host => f.write_str(host),
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A region is a DNS label, and the SDK refuses to build an endpoint from anything else.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(host: &str) -> (String, String, bool, bool) {
        let registry = Registry::from_host(host).unwrap_or_else(|| panic!("{host} is ECR"));
        assert_eq!(registry.service(), Service::Private, "{host}");
        (
            registry.account().unwrap().to_owned(),
            registry.region().to_owned(),
            registry.fips(),
            registry.dual_stack(),
        )
    }

    #[test]
    fn every_form_under_every_suffix_is_recognised() {
        for suffix in SUFFIXES {
            for (name, fips) in [("ecr", false), ("ecr-fips", true)] {
                let host = format!("123456789012.dkr.{name}.xx-east-1.{suffix}");
                let expected = ("123456789012".to_owned(), "xx-east-1".to_owned(), fips, false);
                assert_eq!(private(&host), expected, "{host}");
            }
        }
        for suffix in DUAL_STACK_SUFFIXES {
            for (name, fips) in [("dkr-ecr", false), ("dkr-ecr-fips", true)] {
                let host = format!("123456789012.{name}.xx-east-1.{suffix}");
                let expected = ("123456789012".to_owned(), "xx-east-1".to_owned(), fips, true);
                assert_eq!(private(&host), expected, "{host}");
            }
        }
    }

    #[test]
    fn the_public_gallery_is_answered_by_us_east_1() {
        for (host, dual_stack) in [("public.ecr.aws", false), ("ecr-public.aws.com", true)] {
            let registry = Registry::from_host(host).unwrap();
            assert_eq!(registry.service(), Service::Public);
            assert_eq!(registry.region(), "us-east-1");
            assert_eq!(registry.account(), None);
            assert_eq!((registry.fips(), registry.dual_stack()), (false, dual_stack));
        }
    }

    #[test]
    fn look_alikes_are_not_ecr() {
        for host in [
            "",
            ".",
            "docker.io",
            "amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
            "evil.123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "12345678901.dkr.ecr.us-east-1.amazonaws.com",
            "1234567890123.dkr.ecr.us-east-1.amazonaws.com",
            "12345678901a.dkr.ecr.us-east-1.amazonaws.com",
            "１２３４５６７８９０１２.dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.",
            "123456789012.dkr.ecr.us_east_1.amazonaws.com",
            "123456789012.dkr.ecr.-.amazonaws.com",
            "123456789012.dkr.ecr.us.east.1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.on.aws",
            "123456789012.dkr-ecr.us-east-1.amazonaws.com",
            "123456789012.dkr-ecr-fips.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr-fipss.us-east-1.amazonaws.com",
            "123456789012.ecr.us-east-1.amazonaws.com",
            "123456789012-dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonawsXcom",
            "public.ecr.aws.evil.example",
            "xpublic.ecr.aws",
            "ecr-public.aws.com.cn",
        ] {
            assert_eq!(Registry::from_host(host), None, "{host}");
        }
    }
}
