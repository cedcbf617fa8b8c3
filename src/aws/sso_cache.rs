//! The token files of SSO logins, as far as it matters whether the SDK is about to rewrite one.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Deserialize;

use crate::env::Env;
use crate::files;
use crate::identity::sso_token_files;

/// The SDK refreshes a token in the last five minutes of its life; a minute more, for clocks and slow calls.
const REFRESH_BUFFER: Duration = Duration::from_secs(6 * 60);

/// What decides over a refresh. The secrets beside it are not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    expires_at: String,
    refresh_token: Option<serde::de::IgnoredAny>,
}

/// Whether some login is about to be refreshed, or is being rewritten at this moment.
pub fn refresh_is_due(env: &Env, now: SystemTime) -> bool {
    let Some(home) = env.home() else {
        return false;
    };
    let paths = sso_token_files(&home).unwrap_or_default();
    paths
        .iter()
        .any(|path| files::read(path).contents().is_some_and(|bytes| is_due(bytes, now)))
}

fn is_due(file: &[u8], now: SystemTime) -> bool {
    // Half of a file is one that is being written.
    let Ok(login) = serde_json::from_slice::<Login>(file) else {
        return true;
    };
    let expires = DateTime::from_str(&login.expires_at, Format::DateTimeWithOffset)
        .ok()
        .and_then(|expires| SystemTime::try_from(expires).ok());
    login.refresh_token.is_some() && expires.is_some_and(|expires| expires <= now + REFRESH_BUFFER)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_refresh_is_due_in_the_last_minutes_of_a_token_that_can_be_refreshed() {
        let due = |file: &str| is_due(file.as_bytes(), UNIX_EPOCH + Duration::from_secs(3600));
        assert!(due(r#"{"expiresAt":"1970-01-01T01:05:00Z","refreshToken":"r"}"#));
        assert!(!due(r#"{"expiresAt":"1970-01-01T01:07:00Z","refreshToken":"r"}"#));
        assert!(!due(r#"{"expiresAt":"1970-01-01T00:00:00Z"}"#));
        assert!(due(r#"{"expiresAt":"1970-01-"#), "half written");
    }
}
