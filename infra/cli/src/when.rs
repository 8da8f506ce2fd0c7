//! Times as people say them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What is said of a text that is no time.
const FORMS: &str =
    "write a time (2026-03-01T08:00:00Z), a day (2026-03-01, today, yesterday; in UTC), or how long ago (30m, 2h, 3d)";

/// The moment that is meant: a time, the beginning of a day, or so long before now.
///
/// # Errors
/// With the forms that there are.
pub fn parse(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let today = TimeZone::UTC.to_datetime(now).date();
    let day = match text {
        "now" => return Ok(now),
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        text => text.parse::<Date>().ok(),
    };
    if let Some(day) = day {
        return day.to_zoned(TimeZone::UTC).map(|day| day.timestamp()).map_err(|_| FORMS);
    }
    ago(text).and_then(|ago| now.checked_sub(ago).ok()).ok_or(FORMS)
}

/// A length of time: 30m, 2h, 1d, 1w.
///
/// # Errors
/// With the forms that there are.
pub fn length(text: &str) -> Result<SignedDuration, &'static str> {
    ago(text).filter(SignedDuration::is_positive).ok_or("write a length of time from one minute on: 30m, 2h, 1d, 1w")
}

fn ago(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(SignedDuration::from_secs(i64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_positive() {
        for (text, seconds) in [("1m", 60), ("15m", 900), ("2h", 7_200), ("1d", 86_400), ("1w", 604_800)] {
            assert_eq!(length(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0h", "-1h", "1", "1y", "for ever", "1 day"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_say_them() {
        let now: Timestamp = "2026-03-02T10:30:00Z".parse().unwrap();
        for (text, meant) in [
            ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z"),
            ("2026-03-01T08:00:00+05:30", "2026-03-01T02:30:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("today", "2026-03-02T00:00:00Z"),
            ("yesterday", "2026-03-01T00:00:00Z"),
            ("now", "2026-03-02T10:30:00Z"),
            ("30m", "2026-03-02T10:00:00Z"),
            ("2h", "2026-03-02T08:30:00Z"),
            ("3d", "2026-02-27T10:30:00Z"),
        ] {
            assert_eq!(parse(text, now).unwrap().to_string(), meant, "{text}");
        }
        for text in ["", "d", "yesterdy", "-1d", "1y", "é", "99999999999d", "2026-02-30"] {
            assert_eq!(parse(text, now), Err(FORMS), "{text}");
        }
    }
}
