//! As of when each field of a user is known to be so.
//!
//! Files, imports, syncs and people change users, and any of them may come late: a job that waited knows what was so when it began. **A field is never
//! written over by what is older.** Fields that nobody has changed since the user was created are as of then.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Profile, User};

/// A field of a user that somebody says something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the field of that name")]
pub enum UserField {
    Name,
    Email,
    CallForwardNumber,
    DefaultCallerId,
    CallingAgent,
    Extension,
    Role,
    Department,
    Team,
    Designation,
    AgentStatus,
    WebLogin,
    Policy,
    DirectoryId,
}

/// When each field was last changed, in microseconds since 1970; only fields that were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AsOf(BTreeMap<UserField, i64>);

impl AsOf {
    /// Whether nothing has been changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As of when a field is known to be so, if it was changed.
    pub fn of(&self, field: UserField) -> Option<Timestamp> {
        self.0.get(&field).and_then(|micros| Timestamp::from_microsecond(*micros).ok())
    }
}

impl User {
    /// The fields in which two users differ.
    pub fn differences(&self, other: &Self) -> Vec<UserField> {
        use UserField as F;
        let (one, two) = (&self.profile, &other.profile);
        let fields = [
            (F::Name, one.name != two.name),
            (F::Email, one.email != two.email),
            (F::CallForwardNumber, one.call_forward_number != two.call_forward_number),
            (F::DefaultCallerId, one.default_caller_id != two.default_caller_id),
            (F::CallingAgent, one.calling_agent != two.calling_agent),
            (F::Extension, one.extension != two.extension),
            (F::Role, one.role != two.role),
            (F::Department, one.department != two.department),
            (F::Team, one.team != two.team),
            (F::Designation, one.designation != two.designation),
            (F::AgentStatus, self.agent_status != other.agent_status),
            (F::WebLogin, self.web_login != other.web_login),
            (F::Policy, self.policy != other.policy),
            (F::DirectoryId, self.directory_id != other.directory_id),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }

    /// The next version of `before`: what differs is known to be so as of this time.
    #[must_use]
    pub fn revised(self, before: &Self, as_of: Timestamp) -> Self {
        let mut known = before.as_of.clone();
        known.0.extend(self.differences(before).into_iter().map(|field| (field, as_of.as_microsecond())));
        Self { version: before.version + 1, created: before.created, as_of: known, ..self }
    }

    /// Whether something in which `after` differs is newer here than this time: it was changed since, or was said when the user was created since.
    pub fn is_newer_than(&self, after: &Self, time: Timestamp) -> bool {
        let micros = Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time);
        let blank = Self::new(self.login.clone(), Profile::of(self.profile.name.clone()));
        let said = self.differences(&blank);
        let known = |field| {
            let created = self.created.filter(|_| field == UserField::Name || said.contains(&field));
            self.as_of.of(field).or(created)
        };
        self.differences(after).into_iter().any(|field| known(field).is_some_and(|as_of| as_of > micros))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::user::{LoginId, Name, Profile, WebLogin};

    #[test]
    fn a_field_is_newer_than_what_was_known_before_it_was_changed() {
        let at = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let created = User::created(LoginId::parse("ana").unwrap(), Profile::named("Ana").unwrap(), at(1));
        let mut renamed = created.clone();
        renamed.profile.name = Name::parse("Anna").unwrap();
        let renamed = renamed.revised(&created, at(5));
        assert_eq!((renamed.version, renamed.created), (created.version + 1, created.created));
        let blocked = User { web_login: WebLogin::Blocked, ..renamed.clone() };
        // Of the name something newer is known than a job of the third minute knows; of the login there isn't.
        assert!(renamed.is_newer_than(&created, at(3)) && !renamed.is_newer_than(&created, at(5)));
        assert!(!renamed.is_newer_than(&blocked, at(3)) && renamed.is_newer_than(&created, at(0)));
        // Of the login nobody said anything when the user was created.
        assert!(!renamed.is_newer_than(&blocked, at(0)));
        let json = serde_json::to_string(&renamed.as_of).unwrap();
        assert_eq!(json, r#"{"name":300000000}"#);
        assert_eq!(serde_json::from_str::<AsOf>(&json).unwrap(), renamed.as_of);
    }
}
