//! What an AWS service says when it says no, in whichever of its protocols. Pure.

use serde_json::Value;

use crate::aws::journal::Answer;

/// Reads code and message from a refusal: JSON (ECR, SSO, sign-in), XML (STS), or the header that names the error's
/// type.
pub fn read(status: u16, error_type: Option<&str>, body: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(body);
    let (code, message) = match serde_json::from_str::<Value>(&text) {
        Ok(json) => (
            member(&json, &["__type", "code", "Code", "error"]),
            member(&json, &["message", "Message", "errorMessage", "error_description"]),
        ),
        Err(_) => (element(&text, "Code"), element(&text, "Message")),
    };
    let code = error_type.map(str::to_owned).or(code);
    Answer {
        status,
        code: code.as_deref().map(bare_code).filter(|code| !code.is_empty()),
        message: message.filter(|message| !message.trim().is_empty()),
    }
}

/// `com.amazonaws.ecr#Code` and `Code:http://…` are both `Code`.
fn bare_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().trim().to_owned()
}

fn member(json: &Value, names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| json.get(name)?.as_str().map(str::to_owned))
}

/// The text of the first element of this name. AWS's error documents are flat and have no attributes.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&"),
    )
}

/// What a refusal is about, whatever service it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Too many requests.
    Throttled,
    /// The clocks differ.
    ClockSkew,
    /// What was good once has ended.
    Expired,
    /// The keys are unknown or do not fit.
    Invalid,
    /// Known, and not allowed.
    Denied,
    /// The service itself failed.
    ServiceFailure,
    /// Anything else.
    Other,
}

/// Tells refusals apart by code; by status where there is none.
pub fn classify(answer: &Answer) -> Class {
    let code = answer.code.as_deref().unwrap_or_default();
    let says = |text: &str| answer.message.as_deref().is_some_and(|message| message.contains(text));
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "SlowDownException"
        | "LimitExceededException" => Class::Throttled,
        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Class::ClockSkew,
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "AuthFailure"
            if says("Signature expired") || says("Signature not yet current") =>
        {
            Class::ClockSkew
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Class::Expired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidIdentityToken"
        | "InvalidIdentityTokenException"
        | "NotAuthorized" => Class::Invalid,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "OptInRequired"
        | "ForbiddenException"
        | "RegionDisabledException"
        | "IDPRejectedClaim" => Class::Denied,
        _ if answer.status == 429 => Class::Throttled,
        _ if answer.status >= 500 => Class::ServiceFailure,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_read() {
        let expected = Answer {
            status: 400,
            code: Some("AccessDeniedException".to_owned()),
            message: Some("no <way>".to_owned()),
        };
        let json = br#"{"__type":"com.amazonaws.ecr#AccessDeniedException","message":"no <way>"}"#;
        assert_eq!(read(400, None, json), expected);
        let rest = br#"{"message":"no <way>"}"#;
        let header = Some("AccessDeniedException:http://internal.amazon.com/");
        assert_eq!(read(400, header, rest), expected);
        let xml = b"<ErrorResponse><Error><Code>AccessDeniedException</Code>\
                    <Message>no &lt;way&gt;</Message></Error></ErrorResponse>";
        assert_eq!(read(400, None, xml), expected);
        assert_eq!(
            read(502, None, b"<html>Bad gateway</html>"),
            Answer {
                status: 502,
                ..Answer::default()
            }
        );
    }

    #[test]
    fn refusals_are_told_apart() {
        let class = |status, code: &str, message: &str| {
            classify(&Answer {
                status,
                code: (!code.is_empty()).then(|| code.to_owned()),
                message: Some(message.to_owned()),
            })
        };
        assert_eq!(class(400, "ThrottlingException", ""), Class::Throttled);
        assert_eq!(class(429, "", ""), Class::Throttled);
        assert_eq!(class(503, "", ""), Class::ServiceFailure);
        assert_eq!(class(400, "ExpiredTokenException", ""), Class::Expired);
        assert_eq!(class(403, "AccessDenied", ""), Class::Denied);
        assert_eq!(
            class(403, "InvalidSignatureException", "Signature expired: …"),
            Class::ClockSkew
        );
        assert_eq!(class(403, "SignatureDoesNotMatch", "…"), Class::Invalid);
        assert_eq!(class(404, "", ""), Class::Other);
    }
}
