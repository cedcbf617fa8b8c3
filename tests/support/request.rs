//! A recorded request: which operation it is, who signed it, and what it asks for.

use super::http::{RawRequest, find};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Instant;

pub const ECR: &str = "ecr:GetAuthorizationToken";
pub const ECR_PUBLIC: &str = "ecr-public:GetAuthorizationToken";
pub const STS_ASSUME_ROLE: &str = "sts:AssumeRole";
pub const STS_WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";
pub const STS_IDENTITY: &str = "sts:GetCallerIdentity";
/// What every client asks a registry first.
pub const REGISTRY: &str = "registry:v2";
/// Where a registry that takes no password gives out its own token for one.
pub const REGISTRY_TOKEN: &str = "registry:token";
pub const SSO: &str = "sso:GetRoleCredentials";
pub const SSO_OIDC: &str = "sso-oidc:CreateToken";
pub const SIGNIN: &str = "signin:CreateOAuth2Token";
pub const IMDS_TOKEN: &str = "imds:token";
pub const IMDS_ROLES: &str = "imds:roles";
pub const IMDS_CREDENTIALS: &str = "imds:credentials";
pub const CONTAINER: &str = "container:credentials";
pub const UNKNOWN: &str = "unknown";

/// Every name an operation can have; a test that misspells one is told so.
pub const OPERATIONS: [&str; 15] = [
    ECR,
    ECR_PUBLIC,
    STS_ASSUME_ROLE,
    STS_WEB_IDENTITY,
    STS_IDENTITY,
    REGISTRY,
    REGISTRY_TOKEN,
    SSO,
    SSO_OIDC,
    SIGNIN,
    IMDS_TOKEN,
    IMDS_ROLES,
    IMDS_CREDENTIALS,
    CONTAINER,
    UNKNOWN,
];

pub const IMDS_ROLE_PATH: &str = "/latest/meta-data/iam/security-credentials";

/// The connection a request came in on.
#[derive(Clone, Debug, Default)]
pub struct Via {
    pub over_tls: bool,
    pub connect_target: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub operation: String,
    pub method: String,
    /// With the query, without scheme and host even where the client sent those.
    pub path: String,
    /// The Host header.
    pub host: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub over_tls: bool,
    /// `host:port` of the CONNECT this came through.
    pub connect_target: Option<String>,
    /// Sent as to a forward proxy: `GET http://host/path`.
    pub absolute_form: bool,
    /// From the SigV4 Authorization header, as are the next two.
    pub access_key_id: Option<String>,
    pub region: Option<String>,
    pub signing_service: Option<String>,
    pub at: Instant,
}

impl Request {
    pub fn new(raw: RawRequest, via: &Via) -> Self {
        let absolute = raw.target.split_once("://").map(|(_, rest)| rest);
        let path = match absolute {
            Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]).to_owned(),
            None => raw.target.clone(),
        };
        let authorization = raw.header("authorization").unwrap_or_default();
        let scope: Vec<String> = credential_scope(authorization);
        let mut request = Self {
            operation: String::new(),
            path,
            host: raw.header("host").unwrap_or_default().to_owned(),
            over_tls: via.over_tls,
            connect_target: via.connect_target.clone(),
            absolute_form: absolute.is_some(),
            access_key_id: scope.first().cloned(),
            region: scope.get(2).cloned(),
            signing_service: scope.get(3).cloned(),
            at: Instant::now(),
            method: raw.method,
            headers: raw.headers,
            body: raw.body,
        };
        request.operation = operation(&request).to_owned();
        request
    }

    /// What it asked for and who signed it; of STS, with what it was asked.
    pub fn summary(&self) -> serde_json::Value {
        let form = self.operation.starts_with("sts:").then(|| self.form());
        serde_json::json!({
            "operation": self.operation,
            "access_key_id": self.access_key_id,
            "region": self.region,
            "form": form,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The fields of a form body, as STS gets it.
    pub fn form(&self) -> BTreeMap<String, String> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The parameters of the path's query.
    pub fn query(&self) -> BTreeMap<String, String> {
        pairs(self.path.split_once('?').map_or("", |(_, query)| query))
    }

    /// The JSON of the body, null where there is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The temporary access key the fake gives in answer to this request, where it gives one.
    /// Like requests give the same key, and requests that differ in who asks or for what do not.
    pub fn issued_access_key_id(&self) -> Option<String> {
        let mut parts = vec![self.operation.clone()];
        match self.operation.as_str() {
            STS_ASSUME_ROLE => {
                let form = self.form();
                parts.push(self.access_key_id.clone().unwrap_or_default());
                parts.extend(["RoleArn", "RoleSessionName", "ExternalId"].map(|k| text(&form, k)));
            }
            STS_WEB_IDENTITY => {
                let form = self.form();
                let names = ["RoleArn", "RoleSessionName", "WebIdentityToken"];
                parts.extend(names.map(|k| text(&form, k)));
            }
            SSO => {
                parts.push(self.header("x-amz-sso_bearer_token").unwrap_or_default().to_owned());
                parts.extend(["account_id", "role_name"].map(|k| text(&self.query(), k)));
            }
            SIGNIN => parts.push(self.json()["refreshToken"].to_string()),
            IMDS_CREDENTIALS => parts.push(self.path.clone()),
            CONTAINER => {
                parts.push(self.path.clone());
                parts.push(self.header("authorization").unwrap_or_default().to_owned());
            }
            _ => return None,
        }
        Some(format!("ASIA{}", fingerprint(&parts.join("\n"))))
    }
}

/// Sixteen upper-case hexadecimal digits that stand for a text, as the tail of a key ID does.
pub fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02X}"))
        .collect()
}

fn text(map: &BTreeMap<String, String>, key: &str) -> String {
    map.get(key).cloned().unwrap_or_default()
}

fn operation(request: &Request) -> &'static str {
    let path = request.path.split('?').next().unwrap_or_default();
    match request.header("x-amz-target") {
        Some("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken") => return ECR,
        Some("SpencerFrontendService.GetAuthorizationToken") => return ECR_PUBLIC,
        Some(_) => return UNKNOWN,
        None => {}
    }
    match (request.method.as_str(), path) {
        ("POST", "/") => match request.form().get("Action").map(String::as_str) {
            Some("AssumeRole") => STS_ASSUME_ROLE,
            Some("AssumeRoleWithWebIdentity") => STS_WEB_IDENTITY,
            Some("GetCallerIdentity") => STS_IDENTITY,
            _ => UNKNOWN,
        },
        ("GET", "/v2/") => REGISTRY,
        ("GET", "/token/") => REGISTRY_TOKEN,
        ("GET", "/federation/credentials") => SSO,
        ("POST", "/token") => SSO_OIDC,
        ("POST", "/v1/token") => SIGNIN,
        ("PUT", "/latest/api/token") => IMDS_TOKEN,
        ("GET", _) if path.starts_with("/container-credentials") => CONTAINER,
        ("GET", _) => match path.strip_prefix(IMDS_ROLE_PATH) {
            Some("" | "/") => IMDS_ROLES,
            Some(_) => IMDS_CREDENTIALS,
            None => UNKNOWN,
        },
        _ => UNKNOWN,
    }
}

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …` cut at the slashes.
fn credential_scope(authorization: &str) -> Vec<String> {
    let scope = authorization.split_once("Credential=").map(|(_, rest)| rest);
    let scope = scope.and_then(|rest| rest.split([',', ' ']).next());
    scope
        .map(|scope| scope.split('/').map(str::to_owned).collect())
        .unwrap_or_default()
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (percent_decode(name), percent_decode(value)))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits after %")
            }
            _ => byte,
        });
    }
    String::from_utf8_lossy(&plain).into_owned()
}
