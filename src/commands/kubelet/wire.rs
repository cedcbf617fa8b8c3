//! The kubelet's wire format: the request on its provider's stdin, and the answer it decodes strictly. Pure.
//!
//! Source: k8s.io/kubelet/pkg/apis/credentialprovider, versions v1, v1beta1 and v1alpha1. They differ in nothing but that
//! service accounts came with v1.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::commands::kubelet::image::Image;
use crate::error::{one_line, truncate};
use crate::protocol::json_line;
use crate::secret::Secret;
use crate::tokens::Grant;

const REQUEST_KIND: &str = "CredentialProviderRequest";
const RESPONSE_KIND: &str = "CredentialProviderResponse";

/// The annotation of a service account that names the role for its tokens. AWS's provider reads the same.
pub const ROLE_ANNOTATION: &str = "eks.amazonaws.com/ecr-role-arn";

/// What is left of a token that is not worth keeping, in seconds: when the kubelet would ask again, it had a minute.
const NEARLY_OVER: u64 = 2 * 60;

/// The versions of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(&'static str);

impl Version {
    const ALL: [Self; 3] = [
        Self("credentialprovider.kubelet.k8s.io/v1"),
        Self("credentialprovider.kubelet.k8s.io/v1beta1"),
        Self("credentialprovider.kubelet.k8s.io/v1alpha1"),
    ];
}

/// What the kubelet asks for.
#[derive(Debug)]
pub struct Request {
    /// The version to answer in.
    pub version: Version,
    /// The image that is to be pulled.
    pub image: Image,
    /// The token of the pod's service account, where the kubelet is configured to send it.
    pub token: Option<Secret>,
    /// The role in the service account's annotation.
    pub role: Option<String>,
}

impl Request {
    /// Reads a request. Fields that are not known are ignored: a newer kubelet may say more.
    ///
    /// # Errors
    ///
    /// A text that names the field, and never quotes the token.
    pub fn parse(input: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            kind: Option<String>,
            api_version: Option<String>,
            image: Option<String>,
            service_account_token: Option<Secret>,
            service_account_annotations: Option<BTreeMap<String, String>>,
        }
        match input.trim_ascii().first() {
            None => return Err("there is no request on stdin".to_owned()),
            // serde takes a list for the fields in their order.
            Some(b'[') => return Err(format!("the request is a list, and not the JSON of a {REQUEST_KIND}")),
            Some(_) => {}
        }
        let wire: Wire = serde_json::from_slice(input).map_err(|error| {
            // serde's message quotes what it found, which may be the token.
            format!(
                "the request is not the JSON of a {REQUEST_KIND} (column {} of line {} is wrong)",
                error.column(),
                error.line()
            )
        })?;
        let is_there = |text: &String| !text.is_empty();
        let kind = wire.kind.unwrap_or_default();
        if kind != REQUEST_KIND {
            return Err(unexpected("kind", &kind, REQUEST_KIND));
        }
        let version = wire.api_version.unwrap_or_default();
        let known = Version::ALL.into_iter().find(|known| known.0 == version);
        let version = known.ok_or_else(|| {
            let versions = Version::ALL.map(|version| version.0);
            unexpected("apiVersion", &version, &versions.join(", "))
        })?;
        let mut annotations = wire.service_account_annotations.unwrap_or_default();
        let role = annotations.remove(ROLE_ANNOTATION).map(|role| role.trim().to_owned());
        Ok(Self {
            version,
            image: Image::parse(&wire.image.unwrap_or_default())?,
            token: wire.service_account_token.filter(|token| !token.expose().is_empty()),
            role: role.filter(is_there),
        })
    }
}

fn unexpected(field: &str, found: &str, expected: &str) -> String {
    match found {
        "" => format!("the request has no {field}; expected {expected}"),
        found => format!(
            "the request's {field} is {:?}; expected {expected}",
            truncate(&one_line(found), 100)
        ),
    }
}

/// The answer to a request: one line of JSON, with its end. Without a grant, the image is pulled without credentials.
pub fn answer(request: &Request, grant: Option<&Grant>, now: SystemTime) -> Zeroizing<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        kind: &'a str,
        api_version: &'a str,
        cache_key_type: &'a str,
        cache_duration: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        auth: Option<BTreeMap<&'a str, Auth<'a>>>,
    }
    #[derive(Serialize)]
    struct Auth<'a> {
        username: &'a str,
        password: &'a str,
    }
    let auth = grant.map(|grant| Auth {
        username: &grant.credentials.username,
        password: grant.credentials.secret.expose(),
    });
    let registry = request.image.registry.as_str();
    let length = registry.len()
        + auth
            .as_ref()
            .map_or(0, |auth| auth.username.len() + auth.password.len());
    let wire = Wire {
        kind: RESPONSE_KIND,
        api_version: request.version.0,
        cache_key_type: "Registry",
        // That there is nothing to be had may change with the next role or config.toml.
        cache_duration: go_duration(grant.map_or(0, |grant| cache_seconds(grant.ends, now))),
        auth: auth.map(|auth| BTreeMap::from([(registry, auth)])),
    };
    json_line(&wire, length + RESPONSE_ROOM)
}

/// Bytes that an answer takes beside the registry's name, user name and password, and beside what every line takes.
const RESPONSE_ROOM: usize = 256;

/// How long the kubelet is to keep a token: half of what is left of its life, so that it never uses a dead one.
fn cache_seconds(ends: SystemTime, now: SystemTime) -> u64 {
    // Whole seconds, as AWS's provider counts them.
    let unix = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let left = unix(ends).saturating_sub(unix(now));
    match left < NEARLY_OVER {
        true => 0,
        false => left / 2,
    }
}

/// Seconds in the form in which Go writes a duration.
fn go_duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::Credentials;

    fn request(version: &str, more: &str) -> Result<Request, String> {
        let text = format!(
            r#"{{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/{version}",
                "image":"public.ecr.aws:443/a"{more}}}"#
        );
        Request::parse(text.as_bytes())
    }

    #[test]
    fn an_answer_is_in_the_version_asked_and_has_no_field_more() {
        let now = SystemTime::now();
        let grant = Grant {
            credentials: Credentials {
                username: "AWS".to_owned(),
                secret: Secret::from("p\"w".to_owned()),
            },
            ends: now + Duration::from_secs(12 * 3600),
        };
        for version in ["v1", "v1beta1", "v1alpha1"] {
            let request = request(version, "").unwrap();
            let head = format!(
                r#"{{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/{version}","cacheKeyType":"Registry","cacheDuration":"#
            );
            assert_eq!(
                *answer(&request, Some(&grant), now),
                head.clone() + r#""6h0m0s","auth":{"public.ecr.aws:443":{"username":"AWS","password":"p\"w"}}}"# + "\n"
            );
            assert_eq!(*answer(&request, None, now), head + "\"0s\"}\n");
        }
    }

    #[test]
    fn the_kubelet_keeps_a_token_for_half_of_what_is_left() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (left, kept) in [(43_200, 21_600), (601, 300), (120, 60), (119, 0), (1, 0), (0, 0)] {
            assert_eq!(cache_seconds(now + Duration::from_secs(left), now), kept, "{left}");
        }
        assert_eq!(cache_seconds(now - Duration::from_secs(1), now), 0);
    }

    #[test]
    fn durations_are_written_as_go_does() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (3600, "1h0m0s"),
            (21_599, "5h59m59s"),
        ] {
            assert_eq!(go_duration(seconds), text);
        }
    }

    #[test]
    fn a_service_account_is_its_token_and_the_role_it_names() {
        let asked = |more: &str| {
            let request = request("v1", more).unwrap();
            (request.token.map(|token| token.expose().to_owned()), request.role)
        };
        assert_eq!(asked(""), (None, None));
        assert_eq!(
            asked(r#","serviceAccountToken":"","serviceAccountAnnotations":null"#),
            (None, None)
        );
        assert_eq!(
            asked(
                r#","serviceAccountToken":"t","serviceAccountAnnotations":{"a":"b","eks.amazonaws.com/ecr-role-arn":" r\n"}"#
            ),
            (Some("t".to_owned()), Some("r".to_owned()))
        );
        let empty = r#","serviceAccountToken":"t","serviceAccountAnnotations":{"eks.amazonaws.com/ecr-role-arn":""}"#;
        assert_eq!(asked(empty), (Some("t".to_owned()), None));
    }

    #[test]
    fn a_wrong_request_is_told_what_is_wrong_with_it_and_no_more() {
        for (input, what) in [
            ("", "no request"),
            (" \n", "no request"),
            ("{", "column 1 of line 1"),
            (r#"{"serviceAccountToken":hunter2}"#, "column"),
            (r#"{"image":{"hunter2":1}}"#, "column"),
            (r#"["CredentialProviderRequest"]"#, "a list"),
            ("{}", "no kind"),
            (
                r#"{"kind":"CredentialProviderResponse"}"#,
                "\"CredentialProviderResponse\"",
            ),
            (r#"{"kind":"CredentialProviderRequest"}"#, "no apiVersion"),
            (
                r#"{"kind":"CredentialProviderRequest","apiVersion":"v1"}"#,
                "apiVersion is \"v1\"",
            ),
            (
                r#"{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1"}"#,
                "names no image",
            ),
        ] {
            let why = Request::parse(input.as_bytes()).unwrap_err();
            assert!(why.contains(what) && !why.contains("hunter2"), "{input}: {why}");
        }
        assert!(request("v2", "").unwrap_err().contains("v1alpha1"));
        assert!(request("v1", ",\"new\":1").is_ok(), "a newer kubelet may say more");
    }
}
