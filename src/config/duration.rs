//! A time as people write it: `30`, `2.5s`, `500ms`, `2m`. Pure.

use std::time::Duration;

/// Nobody waits longer than a day.
const LONGEST: f64 = 86_400.0;

/// Reads a time above 0; a bare number is seconds. None where it is none.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match text.get(number.len()..).unwrap_or_default() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        _ => return None,
    };
    let value = number.trim_end().parse::<f64>().ok()? * seconds;
    (value > 0.0 && value.is_finite()).then(|| Duration::from_secs_f64(value.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        for (text, millis) in [
            ("30", 30_000),
            ("2.5", 2500),
            ("10s", 10_000),
            ("500ms", 500),
            ("2m", 120_000),
            (" 5 s ", 5000),
            ("1e300", 86_400_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "abc", "0", "-1", "nan", "inf s", "5h", "1 2", "5mm"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
