//! What the trail may be asked.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{Actor, AuditEntry, AuditSubject};
use crate::{caller_id::CallerId, jobs::JobId, user::LoginId};

/// Which entries are wanted: those that are about all that is said here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// About this user.
    pub user: Option<LoginId>,
    /// About this number: it came, it went, or its state changed.
    pub number: Option<CallerId>,
    /// By this job, or a decision about it.
    pub job: Option<JobId>,
}

impl AuditFilter {
    /// Whether an entry is wanted.
    pub fn takes(&self, entry: &AuditEntry) -> bool {
        let user = self.user.as_ref().is_none_or(
            |wanted| matches!(&entry.subject, AuditSubject::User(login) if login.folded() == wanted.folded()),
        );
        let number = self.number.is_none_or(|wanted| {
            entry.subject == AuditSubject::Number(wanted)
                || entry.added.binary_search(&wanted).is_ok()
                || entry.removed.binary_search(&wanted).is_ok()
        });
        let job = self.job.as_ref().is_none_or(|wanted| {
            matches!(&entry.by, Some(Actor::Job(job)) if job == wanted)
                || matches!(&entry.subject, AuditSubject::Job(job) if job == wanted)
        });
        user && number && job
    }
}

/// A stretch of the trail, by completion, to the millisecond: from its first moment, up to and without its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRange {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// The stretch is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRange {
    /// It begins after its end.
    Backwards,
    /// It is longer than one question may ask for.
    TooLong,
}

impl fmt::Display for BadRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backwards => f.write_str("It is later than the end of the range."),
            Self::TooLong => {
                write!(
                    f,
                    "One question spans {LONGEST_DAYS} days at most. Ask for a later beginning, or an earlier end."
                )
            }
        }
    }
}

/// Days that are shown unless said otherwise.
const USUAL_DAYS: i64 = 7;
/// Days that one question spans at most: a month, so that an answer is a bounded number of pages.
const LONGEST_DAYS: i64 = 31;

impl AuditRange {
    /// The stretch that is asked for, as far as it has settled: no end means that moment, and no beginning a week before
    /// the end.
    ///
    /// # Errors
    /// [`BadRange`].
    pub fn ask(from: Option<Timestamp>, to: Option<Timestamp>, settled: Timestamp) -> Result<Self, BadRange> {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        if matches!((from, to), (Some(from), Some(to)) if from > to) {
            return Err(BadRange::Backwards);
        }
        let to = to.map_or(settled, |to| to.min(settled));
        let from = match from {
            Some(from) => from,
            None => to.checked_sub(days(USUAL_DAYS)).unwrap_or(Timestamp::MIN),
        };
        if to.duration_since(from) > days(LONGEST_DAYS) {
            return Err(BadRange::TooLong);
        }
        Ok(Self { from, to: to.max(from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("{text}Z").parse().unwrap()
    }

    #[test]
    fn a_range_ends_where_the_trail_has_settled() {
        let settled = at("2026-03-31T00:00:00");
        let ask = |from: Option<&str>, to: Option<&str>| {
            let range = AuditRange::ask(from.map(at), to.map(at), settled)?;
            Ok((range.from.to_string(), range.to.to_string()))
        };
        let range = |from: &str, to: &str| Ok((format!("{from}Z"), format!("{to}Z")));
        let (day, now) = ("2026-03-24T00:00:00", "2026-03-31T00:00:00");
        assert_eq!(ask(None, None), range(day, now));
        assert_eq!(ask(Some(day), Some("2026-03-31T00:00:01")), range(day, now));
        assert_eq!(ask(None, Some("2026-03-08T00:00:00")), range("2026-03-01T00:00:00", "2026-03-08T00:00:00"));
        assert_eq!(ask(Some("2026-02-28T00:00:00"), None), range("2026-02-28T00:00:00", now));
        assert_eq!(ask(Some("2026-02-27T23:59:59"), None), Err(BadRange::TooLong));
        assert_eq!(ask(Some(now), Some(day)), Err(BadRange::Backwards));
        let later = "2026-03-31T00:00:05";
        assert_eq!(ask(Some(later), None), range(later, later), "nothing has settled yet");
    }
}
