//! A Kubernetes service account, as the token says that the kubelet hands over for a pod (KEP-4412). Pure.
//!
//! The claims are those that Kubernetes documents for bound service account tokens. Their signature is not checked: AWS
//! does that, and whoever may run this program as its user can read that user's cache anyway.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::identity;
use crate::secret::Secret;

/// The longest session name that STS takes, in characters.
const LONGEST_SESSION_NAME: usize = 64;

/// As much of a namespace as there is always room for in a session's name.
const NAMESPACE_ROOM: usize = 27;

/// As much of a hash as tells two names apart whose beginnings are the same.
const HASH_ROOM: usize = 8;

/// A pod's service account, and the role that its token is exchanged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// `arn:<partition>:iam::<account>:role/<name>`
    pub role_arn: String,
    /// The token.
    pub token: Secret,
    /// What the token says of the account; none where that cannot be read.
    pub claims: Option<Claims>,
    /// When the token ends; none where it does not say so.
    pub expires: Option<SystemTime>,
}

/// What a service account token says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The cluster: the URL of its OIDC issuer.
    pub issuer: String,
    /// `system:serviceaccount:<namespace>:<name>`
    pub subject: String,
    /// Whom the token is for.
    pub audiences: Vec<String>,
    /// The namespace of the service account.
    pub namespace: String,
    /// The name of the service account.
    pub name: String,
    /// Tells it from one of the same name that was there before.
    pub uid: String,
}

impl ServiceAccount {
    /// The service account of a token, and the role that was chosen for it.
    pub fn new(role_arn: String, token: Secret) -> Self {
        let payload = payload(token.expose());
        let expires = payload.as_deref().and_then(expiry);
        Self {
            // Without an end there is no telling later whether they still hold.
            claims: expires.and(payload.as_deref()).and_then(Claims::of),
            expires,
            role_arn,
            token,
        }
    }

    /// Whether the token says that it is over. Then it is nobody's proof of anything that was cached.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The service account for people: `service account <namespace>/<name>`.
    pub fn who(&self) -> String {
        match &self.claims {
            Some(Claims { namespace, name, .. }) => format!("service account {namespace}/{name}"),
            None => "a service account token".to_owned(),
        }
    }

    /// The name of the session in the role, for CloudTrail to show: `<name>@<namespace>`, made to fit what STS takes.
    pub fn session_name(&self) -> String {
        let Some(Claims { namespace, name, .. }) = &self.claims else {
            return env!("CARGO_PKG_NAME").to_owned();
        };
        let whole = format!("{name}@{namespace}");
        if whole.len() <= LONGEST_SESSION_NAME {
            return whole;
        }
        let beginning = |text: &str, length: usize| text.chars().take(length).collect::<String>();
        let hash = identity::name_of("session-name", &[("whole", whole.as_bytes())]);
        let namespace = beginning(namespace, NAMESPACE_ROOM);
        let room = LONGEST_SESSION_NAME - HASH_ROOM - "-@".len() - namespace.len();
        let (name, hash) = (beginning(name, room), beginning(&hash, HASH_ROOM));
        format!("{name}-{hash}@{namespace}")
    }
}

/// The JSON object in the middle of a JWT.
fn payload(token: &str) -> Option<Vec<u8>> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    // serde takes a list for the fields in their order.
    payload.trim_ascii().starts_with(b"{").then_some(payload)
}

/// When a token ends, whatever else it says.
fn expiry(payload: &[u8]) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Payload {
        exp: u64,
    }
    let Payload { exp } = serde_json::from_slice(payload).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(exp))
}

impl Claims {
    /// Reads the payload of a token; none where that is no bound service account token whose claims agree.
    fn of(payload: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Payload {
            iss: String,
            sub: String,
            aud: Audiences,
            #[serde(rename = "kubernetes.io")]
            kubernetes: Kubernetes,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Audiences {
            One(String),
            Many(Vec<String>),
        }
        #[derive(Deserialize)]
        struct Kubernetes {
            namespace: String,
            serviceaccount: Account,
        }
        #[derive(Deserialize)]
        struct Account {
            name: String,
            uid: String,
        }
        let payload: Payload = serde_json::from_slice(payload).ok()?;
        let Kubernetes {
            namespace,
            serviceaccount: Account { name, uid },
        } = payload.kubernetes;
        let claims = Self {
            issuer: payload.iss,
            subject: payload.sub,
            audiences: match payload.aud {
                Audiences::One(audience) => vec![audience],
                Audiences::Many(audiences) => audiences,
            },
            namespace,
            name,
            uid,
        };
        claims.is_sound().then_some(claims)
    }

    /// Whether everything is there, the names are ones that Kubernetes allows, and the subject is the account.
    fn is_sound(&self) -> bool {
        let Self {
            issuer,
            subject,
            audiences,
            namespace,
            name,
            uid,
        } = self;
        let is_there = |text: &String| !text.is_empty();
        [issuer, uid].into_iter().all(is_there)
            && [namespace, name].into_iter().all(|name| is_dns_name(name))
            && !audiences.is_empty()
            && audiences.iter().all(is_there)
            && *subject == format!("system:serviceaccount:{namespace}:{name}")
    }
}

/// Whether Kubernetes takes a text for the name of a namespace or service account: a DNS subdomain (RFC 1123). STS takes
/// such a name in that of a session, and a terminal shows it as it is.
fn is_dns_name(text: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| is_alphanumeric(byte) || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn payload() -> Value {
        json!({
            "aud": ["sts.amazonaws.com"],
            "exp": 4_000_000_000_u64,
            "iat": 1,
            "iss": "https://oidc.example",
            "jti": "1",
            "kubernetes.io": {
                "namespace": "team-a",
                "pod": { "name": "p", "uid": "2" },
                "serviceaccount": { "name": "puller", "uid": "3" },
            },
            "sub": "system:serviceaccount:team-a:puller",
        })
    }

    fn account(payload: &Value) -> ServiceAccount {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload.to_string());
        let token = Secret::from(format!("e30.{payload}.c2lnbmF0dXJl"));
        ServiceAccount::new("arn:aws:iam::123456789012:role/pull".to_owned(), token)
    }

    fn named(namespace: &str, name: &str) -> ServiceAccount {
        let mut payload = payload();
        payload["kubernetes.io"]["namespace"] = namespace.into();
        payload["kubernetes.io"]["serviceaccount"]["name"] = name.into();
        payload["sub"] = format!("system:serviceaccount:{namespace}:{name}").into();
        account(&payload)
    }

    #[test]
    fn a_token_says_whose_it_is() {
        let mut payload = payload();
        let claims = account(&payload).claims.unwrap();
        assert_eq!(
            (claims.namespace.as_str(), claims.name.as_str(), claims.uid.as_str()),
            ("team-a", "puller", "3")
        );
        payload["aud"] = "sts.amazonaws.com".into();
        assert_eq!(
            account(&payload).claims,
            Some(claims),
            "one audience may stand by itself"
        );
    }

    #[test]
    fn what_is_not_whole_or_contradicts_itself_is_opaque() {
        let whole = payload();
        let with = |pointer: &str, value: Value| {
            let mut payload = whole.clone();
            *payload.pointer_mut(pointer).unwrap() = value;
            payload
        };
        for broken in [
            with("/sub", "system:serviceaccount:team-b:puller".into()),
            with("/iss", "".into()),
            with("/aud", json!([])),
            with("/aud", json!([1])),
            with("/exp", Value::Null),
            with("/exp", (-1).into()),
            with("/exp", u64::MAX.into()),
            with("/kubernetes.io", Value::Null),
            with("/kubernetes.io/serviceaccount/uid", "".into()),
            with("/kubernetes.io/namespace", 1.into()),
            json!([]),
        ] {
            assert_eq!(account(&broken).claims, None, "{broken}");
        }
        for token in ["", "opaque", "a.b", "a.b.c", "e30.e30.e30.e30", "...."] {
            let account = ServiceAccount::new(String::new(), Secret::from(token.to_owned()));
            assert_eq!((account.claims, account.expires), (None, None), "{token}");
        }
    }

    #[test]
    fn names_that_kubernetes_does_not_allow_are_nobodys() {
        for (namespace, name) in [
            ("a b", "x"),
            ("a", "é"),
            ("a", "x\n"),
            ("A", "x"),
            ("a", ""),
            ("a", "x:y"),
        ] {
            assert_eq!(named(namespace, name).claims, None, "{namespace:?} {name:?}");
        }
    }

    #[test]
    fn a_claim_that_stands_twice_is_not_believed() {
        let text = payload()
            .to_string()
            .replacen("{", "{\"iss\":\"https://other.example\",", 1);
        assert_eq!(Claims::of(text.as_bytes()), None);
    }

    #[test]
    fn a_token_is_over_at_its_end_also_where_nothing_else_can_be_read() {
        let end = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        for payload in [payload(), json!({ "exp": 4_000_000_000_u64, "sub": 1 })] {
            let account = account(&payload);
            assert!(!account.is_expired(end - Duration::from_secs(1)));
            assert!(account.is_expired(end));
        }
    }

    #[test]
    fn session_names_tell_accounts_apart_and_fit() {
        assert_eq!(named("team-a", "puller").session_name(), "puller@team-a");
        let long = "n".repeat(253);
        let (one, two) = (
            named("team-a", &format!("{long}1")),
            named("team-a", &format!("{long}2")),
        );
        for name in [one.session_name(), two.session_name()] {
            assert_eq!(name.len(), 64, "{name}");
            assert!(name.starts_with("nnn") && name.ends_with("@team-a"), "{name}");
        }
        assert_ne!(one.session_name(), two.session_name());
        assert_eq!(named(&"s".repeat(63), &long).session_name().len(), 64);
    }
}
