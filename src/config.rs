//! Our own settings: the AWS_ECR_* variables and what they mean.

use std::time::Duration;

use crate::env::{self, Env};
use crate::error::{Failure, Reason};

/// How long a `get` may take altogether, unless AWS_ECR_TIMEOUT says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Nobody waits longer than a day.
const LONGEST_TIMEOUT: f64 = 86_400.0;

/// Whether the cache is off: AWS_ECR_DISABLE_CACHE with any value but 0 and false, as the Go helper reads it.
pub fn cache_is_disabled(env: &Env) -> bool {
    env.get(env::AWS_ECR_DISABLE_CACHE)
        .is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
}

/// Whether `store` and `erase` are to succeed without doing anything.
pub fn ignores_storage(env: &Env) -> bool {
    is_yes(env, env::AWS_ECR_IGNORE_CREDS_STORAGE)
}

/// Whether a failure's reason goes to stdout too, where every client takes it for a hard error.
pub fn is_strict(env: &Env) -> bool {
    is_yes(env, env::AWS_ECR_STRICT)
}

/// The deadline of a `get`.
///
/// # Errors
///
/// A [`Failure`] that names the variable, where its value is no number of seconds above 0.
pub fn timeout(env: &Env) -> Result<Duration, Failure> {
    let Some(value) = env.get(env::AWS_ECR_TIMEOUT) else {
        return Ok(DEFAULT_TIMEOUT);
    };
    let number = value.trim().trim_end_matches('s');
    match number.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 => Ok(Duration::from_secs_f64(seconds.min(LONGEST_TIMEOUT))),
        _ => Err(Failure::new(
            Reason::Configuration,
            format!("AWS_ECR_TIMEOUT is {value:?}, which is not a number of seconds above 0"),
            "set it to a number such as 30, or unset it",
        )),
    }
}

/// What people write for true, in any case.
fn is_yes(env: &Env, name: &str) -> bool {
    const YES: [&str; 5] = ["1", "t", "true", "yes", "on"];
    env.get(name)
        .is_some_and(|value| YES.contains(&value.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_on_unless_told_otherwise() {
        for (value, disabled) in [
            ("", false),
            ("0", false),
            ("false", false),
            ("FALSE", false),
            ("1", true),
            ("true", true),
            ("no", true),
        ] {
            let env = Env::from_vars([("AWS_ECR_DISABLE_CACHE", value)]);
            assert_eq!(cache_is_disabled(&env), disabled, "{value:?}");
        }
    }

    #[test]
    fn a_timeout_is_a_number_of_seconds() {
        let of = |value| timeout(&Env::from_vars([("AWS_ECR_TIMEOUT", value)]));
        assert_eq!(of(""), Ok(DEFAULT_TIMEOUT));
        assert_eq!(of("5"), Ok(Duration::from_secs(5)));
        assert_eq!(of("2.5"), Ok(Duration::from_millis(2500)));
        assert_eq!(of("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(of("1e300"), Ok(Duration::from_secs(86_400)));
        for wrong in ["abc", "0", "-1", "nan", "5m"] {
            let failure = of(wrong).unwrap_err();
            assert!(failure.what.contains("AWS_ECR_TIMEOUT"), "{wrong}");
        }
    }
}
