//! The normal answer of each operation, in the form its AWS API documents.

use super::errors;
use super::http::Answer;
use super::reply::Reply;
use super::request::{self, Request, fingerprint};
use super::token::encode_password;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The one role the fake instance has.
pub const IMDS_ROLE: &str = "ecr-pull-role";

const IMDS_TOKEN_VALUE: &str = "AQAEAfake-imds-token";
const IMDS_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TWELVE_HOURS: i64 = 12 * 3600;
const ONE_HOUR: i64 = 3600;

/// Answers as the service would; `reply` may set another expiry or password.
pub fn normal(request: &Request, reply: &Reply, serial: u64) -> Answer {
    match request.operation.as_str() {
        request::ECR | request::ECR_PUBLIC => authorization_token(request, reply, serial),
        request::STS_ASSUME_ROLE | request::STS_WEB_IDENTITY => assumed_role(request, reply),
        request::STS_IDENTITY => caller_identity(request),
        request::REGISTRY => registry(request),
        request::REGISTRY_TOKEN => match has_password(request) {
            true => json_answer("application/json", &json!({ "token": "the-registrys-own" })),
            false => Answer::new(401, "text/plain", "Not Authorized"),
        },
        request::SSO => role_credentials(request, reply),
        request::SSO_OIDC => oidc_token(request, reply),
        request::SIGNIN => signin_token(request, reply),
        request::IMDS_TOKEN => imds_token(request),
        request::IMDS_ROLES | request::IMDS_CREDENTIALS => imds(request, reply),
        request::CONTAINER => credential_document(request, reply),
        _ => errors::answer(
            &request.operation,
            404,
            "UnknownOperationException",
            "no such thing",
            None,
        ),
    }
}

fn authorization_token(request: &Request, reply: &Reply, serial: u64) -> Answer {
    let lifetime = reply.expires_in.unwrap_or(TWELVE_HOURS);
    let made = || encode_password(request, serial, now_millis() / 1000 + lifetime);
    let password = reply.password.clone().unwrap_or_else(made);
    let mut data = json!({
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        "expiresAt": (now_millis() + lifetime * 1000) as f64 / 1000.0,
    });
    if request.operation == request::ECR {
        let account = request.json()["registryIds"][0]
            .as_str()
            .unwrap_or("123456789012")
            .to_owned();
        let region = request.region.as_deref().unwrap_or("us-east-1");
        data["proxyEndpoint"] = format!("https://{account}.dkr.ecr.{region}.amazonaws.com").into();
        data = json!([data]);
    }
    json_answer("application/x-amz-json-1.1", &json!({ "authorizationData": data }))
}

fn assumed_role(request: &Request, reply: &Reply) -> Answer {
    let form = request.form();
    let field = |name: &str| errors::xml_escape(form.get(name).map_or("", String::as_str));
    let (action, session) = (field("Action"), field("RoleSessionName"));
    let arn = field("RoleArn")
        .replacen(":iam:", ":sts:", 1)
        .replacen(":role/", ":assumed-role/", 1);
    let subject = match request.operation.as_str() {
        request::STS_WEB_IDENTITY => {
            "<SubjectFromWebIdentityToken>system:serviceaccount:default:test\
                                      </SubjectFromWebIdentityToken>"
        }
        _ => "",
    };
    let (key, expiration) = (issued(request), rfc3339(expiry(reply)));
    Answer::new(
        200,
        "text/xml",
        format!(
            "<{action}Response xmlns=\"{ns}\"><{action}Result>{subject}\
             <AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:{session}</AssumedRoleId>\
             <Arn>{arn}/{session}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>secret-of-{key}</SecretAccessKey>\
             <SessionToken>session-of-{key}</SessionToken>\
             <Expiration>{expiration}</Expiration></Credentials></{action}Result>\
             <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
             </ResponseMetadata></{action}Response>",
            ns = errors::STS_NAMESPACE,
        ),
    )
}

fn caller_identity(request: &Request) -> Answer {
    let key = request.access_key_id.as_deref().unwrap_or_default();
    Answer::new(
        200,
        "text/xml",
        format!(
            "<GetCallerIdentityResponse xmlns=\"{ns}\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::123456789012:user/{key}</Arn><UserId>{key}</UserId><Account>123456789012</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
            ns = errors::STS_NAMESPACE,
        ),
    )
}

/// Lets in whoever has a password that the fake may have handed out. ECR Public takes a token of its own instead.
fn registry(request: &Request) -> Answer {
    let refused = |challenge| Answer::new(401, "text/plain", "Not Authorized").header("WWW-Authenticate", challenge);
    match request.host == "public.ecr.aws" {
        true => refused(r#"Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws""#),
        false if has_password(request) => json_answer("application/json", &json!({})),
        false => refused(r#"Basic realm="https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",service="ecr""#),
    }
}

fn has_password(request: &Request) -> bool {
    let pair = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    let pair = pair.and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
    pair.is_some_and(|pair| pair.starts_with("AWS:"))
}

fn role_credentials(request: &Request, reply: &Reply) -> Answer {
    let mut credentials = secrets(request);
    credentials["expiration"] = (expiry(reply) * 1000).into();
    json_answer("application/json", &json!({ "roleCredentials": credentials }))
}

fn oidc_token(request: &Request, reply: &Reply) -> Answer {
    let old = fingerprint(&request.json()["refreshToken"].to_string());
    json_answer(
        "application/json",
        &json!({
            "accessToken": format!("sso-access-token-{old}"),
            "refreshToken": format!("sso-refresh-token-{old}"),
            "expiresIn": reply.expires_in.unwrap_or(ONE_HOUR),
            "tokenType": "Bearer",
        }),
    )
}

fn signin_token(request: &Request, reply: &Reply) -> Answer {
    let old = fingerprint(&request.json()["refreshToken"].to_string());
    json_answer(
        "application/json",
        &json!({
            "accessToken": secrets(request),
            "refreshToken": format!("signin-refresh-token-{old}"),
            "expiresIn": reply.expires_in.unwrap_or(ONE_HOUR),
            "tokenType": "aws_sigv4",
        }),
    )
}

fn imds_token(request: &Request) -> Answer {
    match request.header(IMDS_TTL) {
        Some(ttl) => Answer::new(200, "text/plain", IMDS_TOKEN_VALUE).header(IMDS_TTL, ttl),
        None => Answer::new(400, "text/plain", "no lifetime asked for"),
    }
}

fn imds(request: &Request, reply: &Reply) -> Answer {
    if request.header("x-aws-ec2-metadata-token") != Some(IMDS_TOKEN_VALUE) {
        return Answer::new(401, "text/plain", "no session token");
    }
    let role = request.path.strip_prefix(request::IMDS_ROLE_PATH).unwrap_or_default();
    match role.trim_start_matches('/') {
        "" => Answer::new(200, "text/plain", IMDS_ROLE),
        IMDS_ROLE => credential_document(request, reply),
        _ => Answer::new(404, "text/plain", "no such role"),
    }
}

/// The document that instances and containers get their credentials in.
fn credential_document(request: &Request, reply: &Reply) -> Answer {
    let key = issued(request);
    json_answer(
        "application/json",
        &json!({
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": key,
            "SecretAccessKey": format!("secret-of-{key}"),
            "Token": format!("session-of-{key}"),
            "Expiration": rfc3339(expiry(reply)),
        }),
    )
}

fn secrets(request: &Request) -> Value {
    let key = issued(request);
    json!({
        "accessKeyId": key,
        "secretAccessKey": format!("secret-of-{key}"),
        "sessionToken": format!("session-of-{key}"),
    })
}

fn issued(request: &Request) -> String {
    request
        .issued_access_key_id()
        .expect("an operation that gives credentials")
}

fn json_answer(content_type: &str, body: &Value) -> Answer {
    Answer::new(200, content_type, body.to_string())
}

/// When temporary credentials end, in seconds since 1970.
fn expiry(reply: &Reply) -> i64 {
    now_millis() / 1000 + reply.expires_in.unwrap_or(ONE_HOUR)
}

fn now_millis() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(now.as_millis()).expect("a clock before the year 292 million")
}

/// `1970-01-01T00:00:00Z`, by Howard Hinnant's `civil_from_days`.
pub fn rfc3339(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * day + 2) / 153;
    let day = day - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
