//! A Kubernetes node: what the kubelet sends its credential provider, and what it makes of the answer.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{FakeAws, Output, Running, Sandbox, TlsProxy, world, world_with_keys};

pub const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/pull";
pub const ANNOTATION: &str = "eks.amazonaws.com/ecr-role-arn";

pub const ECR: &str = "ecr:GetAuthorizationToken";
pub const ECR_PUBLIC: &str = "ecr-public:GetAuthorizationToken";
pub const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";

/// A fake AWS, and a node whose every call goes there. Tests run as root too, whose cache would be the machine's.
pub fn node() -> (FakeAws, Sandbox) {
    with_own_cache(world())
}

/// The same with the node's own credentials.
pub fn node_with_keys() -> (FakeAws, Sandbox) {
    with_own_cache(world_with_keys())
}

fn with_own_cache((fake, mut sandbox): (FakeAws, Sandbox)) -> (FakeAws, Sandbox) {
    let cache = sandbox.cache_dir();
    sandbox.env("AWS_ECR_CACHE_DIR", cache);
    (fake, sandbox)
}

/// From now on AWS is asked by its own names, all of which lead to the fake.
pub fn reach_by_names(sandbox: &mut Sandbox, fake: &FakeAws) -> TlsProxy {
    let proxy = TlsProxy::start(fake);
    let ca = sandbox.write("ca.pem", proxy.ca_pem());
    sandbox
        .unset("AWS_ENDPOINT_URL")
        .env("HTTPS_PROXY", proxy.url())
        .env("AWS_CA_BUNDLE", ca);
    proxy
}

/// The request for an image, in version v1.
pub fn request(image: &str) -> Value {
    json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": image,
    })
}

/// The same with a service account's token, and the role that its annotation names.
pub fn request_of(image: &str, token: &str, role: Option<&str>) -> Value {
    let mut request = request(image);
    request["serviceAccountToken"] = token.into();
    if let Some(role) = role {
        request["serviceAccountAnnotations"] = json!({ ANNOTATION: role });
    }
    request
}

/// A service account of a cluster, whose tokens differ from pod to pod.
#[derive(Clone)]
pub struct Account {
    claims: Value,
}

impl Account {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            claims: json!({
                "aud": ["sts.amazonaws.com"],
                "exp": 4_000_000_000_u64,
                "iat": 1_700_000_000,
                "iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
                "kubernetes.io": {
                    "namespace": namespace,
                    "serviceaccount": { "name": name, "uid": format!("uid-of-{namespace}-{name}") },
                },
                "nbf": 1_700_000_000,
                "sub": format!("system:serviceaccount:{namespace}:{name}"),
            }),
        }
    }

    /// The same with another value for the claim at this pointer.
    pub fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        *self.claims.pointer_mut(pointer).expect("a claim to change") = value.into();
        self
    }

    /// The token of one of its pods.
    pub fn token(&self, pod: &str) -> String {
        let mut claims = self.claims.clone();
        claims["jti"] = pod.into();
        claims["kubernetes.io"]["pod"] = json!({ "name": pod, "uid": pod });
        let part = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}",
            part("{}".into()),
            part(claims.to_string()),
            part(pod.into())
        )
    }
}

/// Asks as the kubelet does.
pub fn ask(sandbox: &Sandbox, request: &Value) -> Output {
    start(sandbox, request).wait()
}

pub fn start(sandbox: &Sandbox, request: &Value) -> Running {
    // The kubelet's encoder ends its line.
    sandbox.spawn("kubelet", format!("{request}\n"))
}

/// An answer as the kubelet decodes it: no field more than there are.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    pub kind: String,
    pub api_version: String,
    pub cache_key_type: String,
    pub cache_duration: String,
    #[serde(default)]
    pub auth: BTreeMap<String, Auth>,
}

#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub username: String,
    pub password: String,
}

/// The answer, with nothing beside it.
pub fn answer(output: &Output) -> Answer {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
    let answer: Answer = serde_json::from_str(&output.stdout).unwrap_or_else(|why| panic!("{why}\n{output}"));
    assert_eq!(answer.kind, "CredentialProviderResponse", "{output}");
    assert_eq!(answer.cache_key_type, "Registry", "{output}");
    answer
}

/// The password for a registry, which is the only one in the answer.
pub fn password(output: &Output, registry: &str) -> String {
    let mut answer = answer(output);
    let auth = answer
        .auth
        .remove(registry)
        .unwrap_or_else(|| panic!("{registry}\n{output}"));
    assert!(answer.auth.is_empty(), "{output}");
    assert_eq!(auth.username, "AWS");
    auth.password
}

/// That there is none, and that the kubelet asks again the next time.
pub fn assert_without_auth(output: &Output) {
    let answer = answer(output);
    assert_eq!(
        (answer.auth.len(), answer.cache_duration.as_str()),
        (0, "0s"),
        "{output}"
    );
    assert!(!output.stdout.contains("auth"), "{output}");
}

/// The line of a failure, which is all that is printed.
pub fn complaint(output: &Output) -> String {
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
    let line = output.stderr.strip_suffix('\n').unwrap_or_default();
    assert!(!line.is_empty() && !line.contains('\n') && line.len() < 500, "{output}");
    assert!(line.starts_with("docker-credential-ecr-login: "), "{output}");
    line.to_owned()
}
