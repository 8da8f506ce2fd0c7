//! What the trail's objects are called: `audit/{account}/{day}/{time}_{first}-{last}_{id}.jsonl`.
//!
//! Day and time are those of the object's completion, so that the order of names is the order in which objects came, and
//! **no object comes among those of a past range**. First and last are the seconds of the changes that it holds: where a
//! change may stand a second time is told by names alone.

use jiff::{SignedDuration, Timestamp};

use crate::account::AccountId;

/// What an object's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// When it was completed, to the millisecond.
    pub at: Timestamp,
    /// The second of the first change in it.
    pub first: Timestamp,
    /// The second of the last one.
    pub last: Timestamp,
    /// What tells it from others of the same time.
    pub id: String,
}

/// By how much the table's clock may be ahead of a function's. They are kept within milliseconds.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

const SUFFIX: &str = ".jsonl";

/// Where the trail of an account is kept.
pub fn folder(account: &AccountId) -> String {
    format!("audit/{account}/")
}

impl ObjectName {
    /// The name, below the account's folder.
    pub fn name(&self) -> String {
        let Self { at, first, last, id } = self;
        format!("{}_{}-{}_{id}{SUFFIX}", Self::beginning(*at), first.as_second(), last.as_second())
    }

    /// What the names of objects of this millisecond begin with: it comes before all of them, and after all before.
    pub fn beginning(at: Timestamp) -> String {
        at.strftime("%Y-%m-%d/%H-%M-%S.%3f").to_string()
    }

    /// Reads a name below the account's folder; `None` if it is none.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(SUFFIX)?.splitn(3, '_');
        let (time, seconds, id) = (parts.next()?, parts.next()?, parts.next()?);
        let (first, last) = seconds.split_once('-')?;
        let second = |text: &str| Timestamp::from_second(text.parse().ok()?).ok();
        let (day, time) = time.split_once('/')?;
        let at = format!("{day}T{}Z", time.replace('-', ":")).parse().ok()?;
        Some(Self { at, first: second(first)?, last: second(last)?, id: id.to_owned() })
    }

    /// Whether a change of this object may stand in the other one too.
    pub fn may_share(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(at: &str, first: i64, last: i64) -> ObjectName {
        let second = |second| Timestamp::from_second(second).unwrap();
        ObjectName { at: at.parse().unwrap(), first: second(first), last: second(last), id: "a_b".to_owned() }
    }

    #[test]
    fn a_name_says_when_and_is_read_back() {
        let object = name("2026-03-01T09:05:07.0421Z", 1_772_355_900, 1_772_355_906);
        assert_eq!(object.name(), "2026-03-01/09-05-07.042_1772355900-1772355906_a_b.jsonl");
        let read = ObjectName::parse(&object.name()).unwrap();
        assert_eq!(read, ObjectName { at: "2026-03-01T09:05:07.042Z".parse().unwrap(), ..object });
        for bad in ["", "x.jsonl", "2026-03-01/09-05-07.042_1-2.jsonl", "2026-03-01/09-05-07.042_1_a.jsonl"] {
            assert_eq!(ObjectName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_in_the_order_of_completion() {
        let times = [
            "2026-02-28T23:59:59.999Z",
            "2026-03-01T00:00:00Z",
            "2026-03-01T00:00:00.001Z",
            "2026-03-01T00:00:00.010Z",
            "2026-03-01T00:00:01Z",
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ];
        let mut names = Vec::new();
        for time in times {
            names.push(ObjectName::beginning(time.parse().unwrap()));
            names.push(name(time, 1, 2).name());
        }
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn objects_share_a_change_where_their_seconds_meet() {
        let at = "2026-03-01T00:00:00Z";
        let object = name(at, 10, 20);
        for (first, last, shares) in [(0, 9, false), (0, 10, true), (12, 13, true), (20, 30, true), (21, 30, false)] {
            assert_eq!(object.may_share(&name(at, first, last)), shares, "{first} to {last}");
        }
    }
}
