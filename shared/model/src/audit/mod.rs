//! The audit trail: who changed whose numbers, mappings, settings and catalogue, decided about a job or was refused, when, and from what
//! to what.
//!
//! It is made from what the table's stream tells after every write: what the item was and what it became. So a write
//! leaves on the item who did it, and costs no more than that. Names and addresses are not in the trail.

mod object;
mod question;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    account::AccountId,
    caller_id::CallerId,
    inventory::NumberState,
    jobs::{Decision, JobId},
    mapping::CrmUserId,
    user::{LoginId, Policy, Ref},
};

pub use object::{CLOCKS_DIFFER, ObjectName, folder};
pub use question::{AuditFilter, AuditRange, BadRange};

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
    /// Whoever dropped a file straight into the bucket. Who that was, AWS knows (`CloudTrail`'s data events) and we don't.
    Bucket,
}

impl Actor {
    /// An actor as an item says it; `None` for a text that names none.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "schedule" => return Some(Self::Schedule),
            "bucket" => return Some(Self::Bucket),
            _ => {}
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
            Self::Bucket => f.write_str("bucket"),
        }
    }
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The stream's name for the change. A change that was told twice has one name.
    pub id: String,
    /// When it came into the trail, to the millisecond. The trail is ordered by it.
    pub at: Timestamp,
    /// When the table took the change, rounded down to the second.
    pub changed: Timestamp,
    /// What was changed.
    #[serde(flatten)]
    pub subject: AuditSubject,
    /// What became of it.
    pub change: AuditAction,
    /// Who did it; `None` for who wrote the table past the API and the jobs.
    pub by: Option<Actor>,
    /// Who asked for the job that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<Actor>,
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
    /// What else changed, by name. Of what is personal data the name alone is kept, without values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FromTo<String>>,
    /// Why something was refused: the code of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditSubject {
    /// A user.
    User(LoginId),
    /// A user's list in the phone system, as it was told.
    #[serde(rename = "phone_list")]
    PhoneList(LoginId),
    /// A number of the inventory.
    Number(CallerId),
    /// The mapping of a CRM user.
    Mapping(CrmUserId),
    /// A role of the catalogue.
    Role(Ref),
    /// A department of the catalogue.
    Department(Ref),
    /// A team of the catalogue.
    Team(Ref),
    /// The account's settings, its phone system among them.
    Settings(AccountId),
    /// A key by which a company's directory pushes users in, by its ID. It is made and deleted, and is never another.
    #[serde(rename = "scim_key")]
    ScimKey(String),
    /// A job about which somebody has decided.
    Job(JobId),
    /// A route of the API that was refused to somebody, such as `POST /v1/jobs`.
    Route(String),
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditAction {
    /// It is new.
    Created,
    /// It was there before, and after.
    Changed,
    /// It is gone.
    Deleted,
    /// A job is to be executed.
    Executed,
    /// A job is not to be executed.
    Discarded,
    /// What a job did has been taken back.
    Undone,
    /// Somebody asked for what they may not do.
    Refused,
}

impl From<Decision> for AuditAction {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Execute => Self::Executed,
            Decision::Discard => Self::Discarded,
            Decision::Undo => Self::Undone,
        }
    }
}

/// A value that changed. `None` is what something has before it is there, and after.
/// Both are `None` where the value is personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo<T> {
    /// What it was.
    pub from: Option<T>,
    /// What it became.
    pub to: Option<T>,
}

/// What the trail looks at, of an item as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditImage {
    /// Whose.
    pub subject: AuditSubject,
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
    /// What else it says, by name.
    pub fields: BTreeMap<&'static str, AuditField>,
    /// What was done, where the item says that itself.
    pub told: Option<RecordedAction>,
}

/// A value that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditField {
    /// It is shown.
    Shown(String),
    /// It is personal data: the trail keeps that it has changed, and not from what to what.
    Private(String),
}

/// What an item says was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedAction {
    /// Somebody has decided about a job.
    Decided(Decision),
    /// Somebody was refused, with this code.
    Refused(String),
}

impl AuditImage {
    /// What there is of something at first: nothing but its name.
    pub fn of(subject: AuditSubject) -> Self {
        Self {
            subject,
            changed_by: None,
            deleted_by: None,
            caller_ids: BTreeSet::new(),
            policy: None,
            state: None,
            fields: BTreeMap::new(),
            told: None,
        }
    }
}

/// A change that the stream tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditChange {
    /// The stream's name for it.
    pub id: String,
    /// When the table took it.
    pub changed: Timestamp,
    /// What was there.
    pub before: Option<AuditImage>,
    /// What is there now.
    pub after: Option<AuditImage>,
    /// Who asked for the job that did it, if one did.
    pub asked_by: Option<Actor>,
}

impl AuditChange {
    /// The line of the trail that comes of it, completed at `at`; `None` if it is about nothing that the trail keeps.
    pub fn entry(self, at: Timestamp) -> Option<AuditEntry> {
        let Self { id, changed, before, after, asked_by } = self;
        let told = after.as_ref().and_then(|after| after.told.clone());
        // What is written down for the trail alone comes and goes; so do jobs.
        let is_event = |image: &AuditImage| matches!(image.subject, AuditSubject::Job(_) | AuditSubject::Route(_));
        let kind = match (&before, &after, &told) {
            (_, _, Some(RecordedAction::Decided(decision))) => (*decision).into(),
            (_, _, Some(RecordedAction::Refused(_))) => AuditAction::Refused,
            (Some(image), _, None) | (None, Some(image), None) if is_event(image) => return None,
            (None, Some(_), None) => AuditAction::Created,
            (Some(_), Some(_), None) => AuditAction::Changed,
            (Some(_), None, None) => AuditAction::Deleted,
            (None, None, None) => return None,
        };
        let code = match told {
            Some(RecordedAction::Refused(code)) => Some(code),
            Some(RecordedAction::Decided(_)) | None => None,
        };
        let list =
            |image: &Option<AuditImage>| image.as_ref().map(|image| image.caller_ids.clone()).unwrap_or_default();
        let (had, has) = (list(&before), list(&after));
        let policy = |image: &Option<AuditImage>| image.as_ref().and_then(|image| image.policy);
        let state = |image: &Option<AuditImage>| image.as_ref().and_then(|image| image.state);
        let policy = FromTo::of(policy(&before), policy(&after));
        let state = FromTo::of(state(&before), state(&after));
        // What a new user begins with, or one who is gone had, says nothing.
        let is_user =
            after.as_ref().or(before.as_ref()).is_some_and(|image| matches!(image.subject, AuditSubject::User(_)));
        let fields = if is_user && kind != AuditAction::Changed {
            BTreeMap::new()
        } else {
            fields(before.as_ref(), after.as_ref())
        };
        if kind == AuditAction::Changed && had == has && policy.is_none() && state.is_none() && fields.is_empty() {
            return None;
        }
        let by = match (&before, &after) {
            // What is gone can't say who took it away. Who means to says so before.
            (Some(before), None) => before.deleted_by.clone(),
            (_, after) => after.as_ref().and_then(|after| after.changed_by.clone()),
        };
        let subject = after.or(before)?.subject;
        Some(AuditEntry {
            id,
            at,
            changed,
            subject,
            change: kind,
            by,
            asked_by,
            added: has.difference(&had).copied().collect(),
            removed: had.difference(&has).copied().collect(),
            policy,
            state,
            fields,
            code,
        })
    }

    /// The job that did it.
    pub fn job(&self) -> Option<&JobId> {
        let by = match (&self.before, &self.after) {
            (Some(before), None) => before.deleted_by.as_ref(),
            (_, after) => after.as_ref().and_then(|after| after.changed_by.as_ref()),
        };
        match by {
            Some(Actor::Job(job)) => Some(job),
            _ => None,
        }
    }
}

/// The fields that changed.
fn fields(before: Option<&AuditImage>, after: Option<&AuditImage>) -> BTreeMap<String, FromTo<String>> {
    let field = |image: Option<&AuditImage>, name: &str| image.and_then(|image| image.fields.get(name).cloned());
    let names = before.into_iter().chain(after).flat_map(|image| image.fields.keys());
    let changed = names.filter_map(|name| {
        let change = FromTo::of(field(before, name), field(after, name))?;
        let shown = |field| match field {
            Some(AuditField::Shown(text)) => Some(text),
            Some(AuditField::Private(_)) | None => None,
        };
        Some(((*name).to_owned(), FromTo { from: shown(change.from), to: shown(change.to) }))
    });
    changed.collect()
}

impl<T: PartialEq> FromTo<T> {
    fn of(from: Option<T>, to: Option<T>) -> Option<Self> {
        (from != to).then_some(Self { from, to })
    }
}

#[cfg(test)]
mod tests;
