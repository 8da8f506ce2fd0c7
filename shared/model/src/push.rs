//! What a phone system with a list of its own for each user is to be told, and what it has been told.
//!
//! **What is wanted is never kept here, and never sent in a message.** A [mark](Mark) says only that what a user may dial from has changed; whoever
//! tells the phone system reads the user then. What was [told](Told) is remembered, so that the same is not told twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId, code::RowCode, fingerprint::fingerprint, jobs::JobId, phone_side::PhoneUserId,
    settings::PhoneSystem,
};

/// Numbers that are remembered of a list that was told. An item costs a write unit for each kilobyte: these are 7 KB. Of a longer list its
/// length and its hash are remembered alone.
pub const MOST_REMEMBERED: usize = 500;

/// That what a user may dial from has changed, and the phone system has not been told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The user, by folded login ID.
    pub login: String,
    /// Which change it was: another text for each. Who has told the phone system takes a mark away that still says the same.
    pub sequence: String,
    /// When the first of the changes was noticed that the phone system has not been told.
    pub since: Timestamp,
    /// Numbers may be to be taken away: that is told first.
    pub removes: bool,
    /// Why the phone system was told in vain. Such a user waits until something changes, or a person asks for another try.
    pub failed: Option<RowCode>,
    /// A telling was begun, or refused, and nobody has kept its end: what was told before says nothing of what the phone system has, nor of what it
    /// calls the user.
    pub unsure: bool,
}

/// What a phone system was told of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which phone system.
    pub system: PhoneSystem,
    /// What the phone system calls the user; `None` where it has nobody who is the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<PhoneUserId>,
    /// The hash of the list, in its order.
    pub hash: String,
    /// How many numbers it had.
    pub count: usize,
    /// The first of them: the one that the phone system may show for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<CallerId>,
    /// The list in its order, if it has no more than [`MOST_REMEMBERED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<CallerId>>,
    /// Numbers that the user may dial from and the phone system doesn't have. They were left out.
    #[serde(default)]
    pub missing: usize,
    /// Numbers that the user has there and the inventory doesn't know. They were left alone.
    #[serde(default)]
    pub foreign: usize,
    /// The telling was to take numbers away, and what the phone system has can't be read back: whether they are gone is known by a person alone.
    #[serde(default)]
    pub took_unseen: bool,
    /// When.
    pub at: Timestamp,
    /// The job that told it.
    pub job: JobId,
    /// How many numbers came on by it.
    #[serde(default)]
    pub added: usize,
    /// How many numbers went off by it.
    #[serde(default)]
    pub removed: usize,
}

/// How a user's list stands in the phone system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SwitchState {
    /// It has what the user may dial from.
    InStep,
    /// It is to be told.
    Pending,
    /// It was told in vain.
    Failed,
    /// It has nobody who is the user.
    NotThere,
    /// It was told to take numbers away, and nobody has seen yet whether it does so.
    Unverified,
}

impl SwitchState {
    /// As it stands in answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How a user stands of whom there is this mark, and whom the account's phone system was told this of. `None` where nobody has told it
    /// anything, nor is to.
    pub fn of(mark: Option<&Mark>, told: Option<&Told>, system: PhoneSystem, verified: &Verified) -> Option<Self> {
        match (mark, told.filter(|told| told.system == system)) {
            (Some(mark), _) if mark.failed.is_some() => Some(Self::Failed),
            (Some(_), _) => Some(Self::Pending),
            (None, None) => None,
            (None, Some(told)) if told.user.is_none() => Some(Self::NotThere),
            (None, Some(told)) if told.took_unseen && verified.doubts(told) => Some(Self::Unverified),
            (None, Some(_)) => Some(Self::InStep),
        }
    }
}

/// What a person has seen the account's phone system do with a list. `None` is what nobody has looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verified {
    /// A list that is told takes the place of the one before. Otherwise it is added to that.
    pub replaces: Option<bool>,
    /// An empty list takes the last number away.
    pub empties: Option<bool>,
    /// The first number of the list is the first one there.
    pub keeps_order: Option<bool>,
}

impl Verified {
    /// Whether numbers that were to be taken away by this may still be there.
    fn doubts(&self, told: &Told) -> bool {
        let seen = if told.count == 0 { self.empties } else { self.replaces };
        seen != Some(true)
    }
}

/// The numbers that a user may dial from, which are in order, as the phone system is told of them. **The first of a list means something there**: it
/// may be what the user's extension shows. So it is the user's default, where there is one; else the one that was first when the phone system was last
/// told stays the first, as long as the user may dial from it.
pub fn told_order(
    mut numbers: Vec<CallerId>,
    default: Option<CallerId>,
    last_told_first: Option<CallerId>,
) -> Vec<CallerId> {
    let place = |first: Option<CallerId>| numbers.iter().position(|number| Some(*number) == first);
    let first = place(default).or_else(|| place(last_told_first));
    if let Some(first) = first {
        numbers[..=first].rotate_right(1);
    }
    numbers
}

/// The hash of a list, in its order.
pub fn list_hash(list: &[CallerId]) -> String {
    let numbers: Vec<String> = list.iter().map(ToString::to_string).collect();
    hex::encode(fingerprint(numbers.iter().map(String::as_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(last: u8) -> CallerId {
        format!("+91987650000{last}").parse().unwrap()
    }

    fn told(count: usize) -> Told {
        Told {
            system: PhoneSystem::Smartflo,
            user: PhoneUserId::parse("7").ok(),
            hash: list_hash(&[]),
            count,
            first: None,
            list: None,
            missing: 0,
            foreign: 0,
            took_unseen: true,
            at: Timestamp::UNIX_EPOCH,
            job: JobId::parse(&"0".repeat(32)).unwrap(),
            added: 0,
            removed: 1,
        }
    }

    #[test]
    fn what_was_first_stays_first_as_long_as_it_may_be_dialled_from() {
        let order = |first| told_order([1, 2, 3].map(number).to_vec(), None, first);
        assert_eq!(order(None), [1, 2, 3].map(number));
        assert_eq!(order(Some(number(3))), [3, 1, 2].map(number));
        assert_eq!(order(Some(number(9))), [1, 2, 3].map(number));
        let default = |default| told_order([1, 2, 3].map(number).to_vec(), Some(number(default)), Some(number(3)));
        assert_eq!(default(2), [2, 1, 3].map(number), "the default is the first");
        assert_eq!(default(9), [3, 1, 2].map(number), "as long as it may be dialled from");
        assert_ne!(list_hash(&order(None)), list_hash(&order(Some(number(2)))), "another order is another list");
    }

    #[test]
    fn what_was_taken_away_unseen_is_doubted_until_a_person_has_looked() {
        let state = |told: &Told, verified| SwitchState::of(None, Some(told), PhoneSystem::Smartflo, &verified);
        let replaces = |seen| Verified { replaces: Some(seen), ..Verified::default() };
        assert_eq!(state(&told(2), Verified::default()), Some(SwitchState::Unverified));
        assert_eq!(state(&told(2), replaces(true)), Some(SwitchState::InStep));
        assert_eq!(state(&told(2), replaces(false)), Some(SwitchState::Unverified));
        assert_eq!(
            state(&told(0), replaces(true)),
            Some(SwitchState::Unverified),
            "an empty list may mean another thing"
        );
        let other = SwitchState::of(None, Some(&told(2)), PhoneSystem::ZoomPhone, &Verified::default());
        assert_eq!(other, None, "another phone system was told nothing");
    }

    #[test]
    fn a_user_who_changes_waits_though_the_last_try_was_in_vain() {
        let mark = |failed| Mark {
            login: "asha".into(),
            sequence: "1".into(),
            since: Timestamp::UNIX_EPOCH,
            removes: false,
            failed,
            unsure: false,
        };
        let state = |mark: Mark| SwitchState::of(Some(&mark), None, PhoneSystem::Smartflo, &Verified::default());
        assert_eq!(state(mark(None)), Some(SwitchState::Pending));
        assert_eq!(state(mark(Some(RowCode::PhoneUserRefused))), Some(SwitchState::Failed));
    }
}
