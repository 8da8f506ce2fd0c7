//! The audit trail: who changed whose numbers, when, and from what to what.
//!
//! It is made from what the table's stream tells after every write: what the item was and what it became. So a write
//! leaves on the item who did it, and costs no more than that. Names and addresses are not in the trail.

mod object;
mod question;

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    inventory::NumberState,
    upload::JobId,
    user::{LoginId, Policy},
};

pub use object::{CLOCKS_DIFFER, ObjectName, folder};
pub use question::{BadRange, Filter, Range};

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A bulk job.
    Job(JobId),
    /// A call of the API, by the subject (`sub`) of its token; empty for a token that has none.
    Call(String),
    /// A schedule's round.
    Schedule,
}

impl Actor {
    /// An actor as an item says it; `None` for a text that names none.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "schedule" {
            return Some(Self::Schedule);
        }
        match text.split_once(':')? {
            ("job", id) => JobId::parse(id).map(Self::Job),
            ("call", subject) => Some(Self::Call(subject.to_owned())),
            _ => None,
        }
    }
}

/// As an item says it.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(id) => write!(f, "job:{id}"),
            Self::Call(subject) => write!(f, "call:{subject}"),
            Self::Schedule => f.write_str("schedule"),
        }
    }
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The stream's name for the change. A change that was told twice has one name.
    pub id: String,
    /// When it came into the trail, to the millisecond. The trail is ordered by it.
    pub at: Timestamp,
    /// When the table took the change, rounded down to the second.
    pub changed: Timestamp,
    /// What was changed.
    #[serde(flatten)]
    pub subject: Subject,
    /// What became of it.
    pub change: Kind,
    /// Who did it; `None` for who wrote the table past the API and the jobs.
    pub by: Option<Actor>,
    /// Numbers that came onto the user's list.
    pub added: Vec<CallerId>,
    /// Numbers that went off it.
    pub removed: Vec<CallerId>,
    /// The user's policy, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<FromTo<Policy>>,
    /// The number's state, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FromTo<NumberState>>,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A user.
    User(LoginId),
    /// A number of the inventory.
    Number(CallerId),
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is new.
    Created,
    /// It was there before, and after.
    Changed,
    /// It is gone.
    Deleted,
}

/// A value that changed. `None` is what something has before it is there, and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo<T> {
    /// What it was.
    pub from: Option<T>,
    /// What it became.
    pub to: Option<T>,
}

/// What the trail looks at, of an item as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Whose.
    pub subject: Subject,
    /// Who wrote it last.
    pub changed_by: Option<Actor>,
    /// Who was about to delete it.
    pub deleted_by: Option<Actor>,
    /// A user's own list.
    pub caller_ids: BTreeSet<CallerId>,
    /// A user's policy.
    pub policy: Option<Policy>,
    /// A number's state.
    pub state: Option<NumberState>,
}

/// A change that the stream tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The stream's name for it.
    pub id: String,
    /// When the table took it.
    pub changed: Timestamp,
    /// What was there.
    pub before: Option<Image>,
    /// What is there now.
    pub after: Option<Image>,
}

impl Change {
    /// The line of the trail that comes of it, completed at `at`; `None` if it is about nothing that the trail keeps.
    pub fn entry(self, at: Timestamp) -> Option<Entry> {
        let Self { id, changed, before, after } = self;
        let kind = match (&before, &after) {
            (None, Some(_)) => Kind::Created,
            (Some(_), Some(_)) => Kind::Changed,
            (Some(_), None) => Kind::Deleted,
            (None, None) => return None,
        };
        let list = |image: &Option<Image>| image.as_ref().map(|image| image.caller_ids.clone()).unwrap_or_default();
        let (had, has) = (list(&before), list(&after));
        let policy = |image: &Option<Image>| image.as_ref().and_then(|image| image.policy);
        let state = |image: &Option<Image>| image.as_ref().and_then(|image| image.state);
        let policy = FromTo::of(policy(&before), policy(&after));
        let state = FromTo::of(state(&before), state(&after));
        if kind == Kind::Changed && had == has && policy.is_none() && state.is_none() {
            return None;
        }
        let by = match (&before, &after) {
            // What is gone can't say who took it away. Who means to says so before.
            (Some(before), None) => before.deleted_by.clone(),
            (_, after) => after.as_ref().and_then(|after| after.changed_by.clone()),
        };
        let subject = after.or(before)?.subject;
        Some(Entry {
            id,
            at,
            changed,
            subject,
            change: kind,
            by,
            added: has.difference(&had).copied().collect(),
            removed: had.difference(&has).copied().collect(),
            policy,
            state,
        })
    }
}

impl<T: PartialEq> FromTo<T> {
    fn of(from: Option<T>, to: Option<T>) -> Option<Self> {
        (from != to).then_some(Self { from, to })
    }
}

#[cfg(test)]
mod tests;
