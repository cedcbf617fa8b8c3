//! An AWS error in the protocol of the operation it answers.

use super::http::Answer;
use super::request;
use serde_json::json;

pub const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub fn answer(operation: &str, status: u16, code: &str, message: &str, oauth: Option<&str>) -> Answer {
    match operation {
        request::STS_ASSUME_ROLE | request::STS_WEB_IDENTITY | request::STS_IDENTITY => xml(status, code, message),
        request::SSO | request::SSO_OIDC | request::SIGNIN => {
            let mut body = json!({ "message": message });
            if let Some(error) = oauth {
                body["error"] = error.into();
                body["error_description"] = message.into();
            }
            Answer::new(status, "application/json", body.to_string()).header("x-amzn-errortype", code)
        }
        request::IMDS_TOKEN | request::IMDS_ROLES | request::IMDS_CREDENTIALS | request::CONTAINER => {
            let body = json!({ "Code": code, "Message": message });
            Answer::new(status, "application/json", body.to_string())
        }
        _ => {
            let body = json!({ "__type": code, "message": message });
            Answer::new(status, "application/x-amz-json-1.1", body.to_string())
        }
    }
}

pub fn xml_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn xml(status: u16, code: &str, message: &str) -> Answer {
    let (code, message) = (xml_escape(code), xml_escape(message));
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    Answer::new(
        status,
        "text/xml",
        format!(
            "<ErrorResponse xmlns=\"{STS_NAMESPACE}\"><Error><Type>{fault}</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
        ),
    )
}
