//! When a schedule is due, in EventBridge Scheduler's words:
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::{Context, Result, StackError};

/// A `rate(…)` or a `cron(…)`, in UTC.
#[derive(Debug, Clone)]
pub enum Expression {
    /// So long after the last time. A day has 24 hours.
    Rate(SignedDuration),
    /// At these minutes.
    Cron(Box<Cron>),
}

/// The years that Scheduler knows.
const YEARS: std::ops::RangeInclusive<u16> = 1970..=2199;

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// If it is neither a rate nor a cron expression that Scheduler would take. One time, `at(…)`, isn't run here.
    pub fn parse(text: &str) -> Result<Self> {
        let argument = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let read = match (argument("rate"), argument("cron")) {
            (Some(rate), _) => parse_rate(rate).map(Self::Rate),
            (_, Some(fields)) => parse_cron(fields).map(|cron| Self::Cron(Box::new(cron))),
            _ => Err(StackError::new("only rate(value unit) and cron(fields) can be run on this machine")),
        };
        read.context(format!("the schedule {text:?}"))
    }

    /// The first time that a schedule is due that is made at `now`; `None` if it never is. "If you do not provide a `StartDate`
    /// for a rate-based schedule, your schedule starts invoking the target immediately."
    pub fn first(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate(_) => Some(now),
            Self::Cron(cron) => next(cron, now),
        }
    }

    /// The first time past `now` that a schedule is due that was due at `due`. Times in between, when there was no stack to
    /// run it, are passed over; those of a rate stay where they would have been without the gap.
    pub fn after(&self, due: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate(rate) => {
                let passed = now.as_millisecond().saturating_sub(due.as_millisecond()).max(0);
                let rate = i64::try_from(rate.as_millis()).ok()?;
                let steps = (passed / rate).checked_add(1)?;
                Timestamp::from_millisecond(due.as_millisecond().checked_add(steps.checked_mul(rate)?)?).ok()
            }
            Self::Cron(cron) => next(cron, now),
        }
    }
}

fn next(cron: &Cron, now: Timestamp) -> Option<Timestamp> {
    let next = cron.find_next_occurrence(&now.to_zoned(TimeZone::UTC), false);
    next.ok().map(|next| next.timestamp())
}

fn parse_rate(text: &str) -> Result<SignedDuration> {
    let malformed = || StackError::new("a rate is a positive whole number and minutes, hours or days");
    let (value, unit) = text.trim().split_once(' ').ok_or_else(malformed)?;
    let value = value.parse::<u32>().ok().filter(|value| *value > 0).ok_or_else(malformed)?;
    let minutes = match unit.trim_start() {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return Err(malformed()),
    };
    Ok(SignedDuration::from_mins(i64::from(value) * minutes))
}

fn parse_cron(text: &str) -> Result<Cron> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields[..] else {
        return Err(StackError::new("cron has six fields: minutes, hours, day of month, month, day of week and year"));
    };
    if (day == "?") == (weekday == "?") {
        return Err(StackError::new("one of day of month and day of week must be ?, and the other not"));
    }
    // What croner takes beyond what Scheduler does.
    let is_known = |c: char| c.is_ascii_alphanumeric() || ",-*/?#".contains(c);
    let is_odd = |field: &str| field.starts_with('/') || field.contains(",/") || (field.contains('?') && field != "?");
    if !text.chars().all(|c| is_known(c) || c.is_whitespace()) || fields.iter().any(|field| is_odd(field)) {
        return Err(StackError::new("a field of cron can't be read"));
    }
    if weekday.contains(['0', '8', '9']) || (weekday.contains('#') && weekday.contains(',')) {
        return Err(StackError::new("a day of week is 1 (Sunday) to 7, or SUN to SAT, and only one can have a #"));
    }
    let numbers = year.split([',', '-']).filter_map(|part| part.split('/').next());
    if numbers.into_iter().any(|part| part != "*" && part.parse().ok().is_none_or(|year| !YEARS.contains(&year))) {
        return Err(StackError::new(format!("a year is {} to {}", YEARS.start(), YEARS.end())));
    }
    // The week's last day.
    let weekday = if weekday == "L" { "7" } else { weekday };
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    let pattern = format!("0 {minutes} {hours} {day} {month} {weekday} {year}");
    parser.parse(&pattern).context("a field of cron can't be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn read(text: &str) -> Expression {
        Expression::parse(text).unwrap_or_else(|error| panic!("{}", error.chain()))
    }

    #[test]
    fn a_rate_is_due_at_once_and_then_at_its_interval() {
        for (text, minutes) in [
            ("rate(1 minute)", 1),
            ("rate(5 minutes)", 5),
            ("rate(1 hour)", 60),
            ("rate(36 hours)", 36 * 60),
            ("rate(1 day)", 24 * 60),
            ("rate(2 days)", 48 * 60),
        ] {
            let made = at("2026-03-29T00:30:00.250Z");
            let rate = read(text);
            assert_eq!(rate.first(made), Some(made), "{text}");
            // A moment late, as schedules run.
            let due = rate.after(made, made + SignedDuration::from_millis(3));
            assert_eq!(due, Some(made + SignedDuration::from_mins(minutes)), "{text}");
        }
    }

    #[test]
    fn a_rate_keeps_its_times_over_a_gap() {
        let rate = read("rate(15 minutes)");
        let due = at("2026-01-01T10:07:00Z");
        for (now, next) in [
            ("2026-01-01T10:07:00Z", "2026-01-01T10:22:00Z"),
            ("2026-01-01T10:21:59.999Z", "2026-01-01T10:22:00Z"),
            ("2026-01-01T10:22:00Z", "2026-01-01T10:37:00Z"),
            ("2026-01-03T00:00:00Z", "2026-01-03T00:07:00Z"),
            // A clock that was set back.
            ("2025-12-31T00:00:00Z", "2026-01-01T10:22:00Z"),
        ] {
            assert_eq!(rate.after(due, at(now)), Some(at(next)), "{now}");
        }
        assert_eq!(read("rate(4294967295 days)").after(due, due), None);
    }

    #[test]
    fn cron_as_the_guide_has_it() {
        // A Thursday.
        let now = "2026-01-01T10:00:00Z";
        for (text, next) in [
            ("cron(0 10 * * ? *)", "2026-01-02T10:00:00Z"),
            ("cron(15 12 * * ? *)", "2026-01-01T12:15:00Z"),
            ("cron(0 18 ? * MON-FRI *)", "2026-01-01T18:00:00Z"),
            ("cron(0 8 1 * ? *)", "2026-02-01T08:00:00Z"),
            ("cron(0/15 * * * ? *)", "2026-01-01T10:15:00Z"),
            ("cron(1/10 * * * ? *)", "2026-01-01T10:01:00Z"),
            ("cron(0/10 * ? * mon-fri *)", "2026-01-01T10:10:00Z"),
            ("cron(0/5 8-17 ? * MON-FRI *)", "2026-01-01T10:05:00Z"),
            ("cron(0 9 ? * 1 *)", "2026-01-04T09:00:00Z"),
            ("cron(0 9 ? * SAT *)", "2026-01-03T09:00:00Z"),
            ("cron(0 9 ? * L *)", "2026-01-03T09:00:00Z"),
            ("cron(0 9 ? * 6L *)", "2026-01-30T09:00:00Z"),
            ("cron(0 9 ? * 3#2 *)", "2026-01-13T09:00:00Z"),
            ("cron(0 9 L * ? *)", "2026-01-31T09:00:00Z"),
            ("cron(0 9 3W * ? *)", "2026-01-02T09:00:00Z"),
            ("cron(0 9 29 FEB ? *)", "2028-02-29T09:00:00Z"),
            ("cron(0 9 1 JAN,JUL ? 2030-2031)", "2030-01-01T09:00:00Z"),
            ("cron(0 9 1 1 ? 2100/50)", "2100-01-01T09:00:00Z"),
        ] {
            let cron = read(text);
            assert_eq!(cron.first(at(now)), Some(at(next)), "{text}");
            assert_eq!(cron.after(at(now), at(now)), Some(at(next)), "{text}");
            let before = at(next) - SignedDuration::from_millis(1);
            assert_eq!(cron.first(before), Some(at(next)), "{text} a moment before");
        }
        assert_eq!(read("cron(0 9 1 1 ? 2025)").first(at(now)), None, "it is over");
        assert_eq!(read("cron(0 9 30 2 ? *)").first(at(now)), None, "there is no such day");
    }

    #[test]
    fn what_scheduler_would_not_take_is_refused() {
        for text in [
            "",
            "daily",
            "rate()",
            "rate(5)",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(1.5 hours)",
            "rate(30 seconds)",
            "rate(1 week)",
            "rate(5 minutes",
            "at(2026-01-01T00:00:00)",
            "cron(0 10 * * ?)",
            "cron(0 10 * * * *)",
            "cron(0 10 ? * ? *)",
            "cron(0 10 1 * MON *)",
            "cron(60 10 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 10 32 * ? *)",
            "cron(0 10 * 13 ? *)",
            "cron(0 10 ? * 8 *)",
            "cron(0 10 ? * 0 *)",
            "cron(0 10 ? * +MON *)",
            "cron(0 10 ? * 3#1,6#3 *)",
            "cron(/5 10 * * ? *)",
            "cron(0 10 * * ? 1969)",
            "cron(0 10 * * ? 2200)",
            "cron(0 10 * * ? 26)",
            "cron(0 10 x * ? *)",
            "cron(@daily)",
        ] {
            let error = Expression::parse(text).err().unwrap_or_else(|| panic!("{text} was read")).chain();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
