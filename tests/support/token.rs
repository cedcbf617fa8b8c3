//! The passwords the fake hands out: of ECR's form, each one different, and each says for whom
//! and when it was made.

use super::request::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What a password of the fake says about the call that got it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenInfo {
    pub access_key_id: String,
    pub region: String,
    /// The service of the signature: `ecr` or `ecr-public`.
    pub service: String,
    /// Rises with each call for a token to one fake, from 1; calls that got an error count too.
    pub serial: u64,
    /// Seconds since 1970.
    pub expiration: i64,
}

/// Real passwords are base64 of JSON with these very members and about this long, which matters
/// to whatever might cut or limit them.
pub fn encode_password(request: &Request, serial: u64, expiration: i64) -> String {
    let payload = json!({
        "accessKeyId": request.access_key_id,
        "region": request.region,
        "service": request.signing_service,
        "serial": serial,
        "filler": "x".repeat(1024),
    });
    let password = json!({
        "payload": STANDARD.encode(payload.to_string()),
        "datakey": STANDARD.encode([7; 184]),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": expiration,
    });
    STANDARD.encode(password.to_string())
}

/// Reads a password that a fake made; panics on any other.
pub fn decode_password(password: &str) -> TokenInfo {
    let outer = decode(password);
    let payload = decode(outer["payload"].as_str().expect("a payload in the password"));
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    TokenInfo {
        access_key_id: text("accessKeyId"),
        region: text("region"),
        service: text("service"),
        serial: payload["serial"].as_u64().expect("a serial in the password"),
        expiration: outer["expiration"].as_i64().expect("an expiration in the password"),
    }
}

fn decode(text: &str) -> Value {
    let bytes = STANDARD
        .decode(text)
        .unwrap_or_else(|why| panic!("not base64: {why}: {text}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|why| panic!("not JSON: {why}: {text}"))
}
