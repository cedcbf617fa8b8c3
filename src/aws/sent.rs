//! The secrets that a request carries, so that no answer that quotes it is shown with them. Pure.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use zeroize::Zeroizing;

/// The header that carries an SSO login's access token.
pub const SSO_BEARER_TOKEN: &str = "x-amz-sso_bearer_token";

/// The headers that hold secrets.
const HEADERS: [&str; 4] = [
    "authorization",
    "x-amz-security-token",
    "x-aws-ec2-metadata-token",
    SSO_BEARER_TOKEN,
];

/// The fields of a form (STS) that do.
const FORM_FIELDS: [&str; 2] = ["WebIdentityToken", "SAMLAssertion"];

/// The members of a JSON body (SSO OIDC, sign-in) that do.
const JSON_MEMBERS: [&str; 3] = ["refreshToken", "clientSecret", "code"];

/// Every secret in a request.
pub fn secrets(request: &HttpRequest) -> Vec<Zeroizing<String>> {
    let headers = HEADERS
        .iter()
        .filter_map(|name| request.headers().get(name))
        .map(|value| Zeroizing::new(value.to_owned()));
    let body = request.body().bytes().unwrap_or_default();
    headers.chain(in_body(body)).collect()
}

fn in_body(body: &[u8]) -> Vec<Zeroizing<String>> {
    let text = Zeroizing::new(String::from_utf8_lossy(body).into_owned());
    match serde_json::from_str::<Value>(&text) {
        Ok(json) => JSON_MEMBERS
            .iter()
            .filter_map(|name| json.get(name)?.as_str())
            .map(|value| Zeroizing::new(value.to_owned()))
            .collect(),
        Err(_) => text
            .split('&')
            .filter_map(|field| field.split_once('='))
            .filter(|(name, _)| FORM_FIELDS.contains(name))
            .map(|(_, value)| decoded(value))
            .collect(),
    }
}

fn decoded(value: &str) -> Zeroizing<String> {
    Zeroizing::new(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<String> {
        let secrets = in_body(body.as_bytes());
        secrets.iter().map(|secret| secret.to_string()).collect()
    }

    #[test]
    fn secrets_are_found_in_forms_and_json() {
        let form = "Action=AssumeRoleWithWebIdentity&WebIdentityToken=a.b%2Bc%3D%0A&RoleArn=x";
        assert_eq!(found(form), ["a.b+c=\n"]);
        let json = r#"{"clientId":"id","clientSecret":"s","refreshToken":"r"}"#;
        assert_eq!(found(json), ["r", "s"]);
        assert_eq!(found(""), [""; 0]);
    }
}
