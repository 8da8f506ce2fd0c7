//! What a resync does: a difference between what CRM users see and what the phone side allows them now.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    bulk_job::{Done, Plan},
    left_out::LeftOut,
};
use rollcall_model::mapping::{CrmUserId, Mapping, MappingState, MatchIndex};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{DialableNumbers, Inventory, InventoryNumber},
    phone_side::{DialPermission, PhoneUserId},
    safety_threshold::SafetyThreshold,
    user::Policy,
};
use rollcall_tabular::{Column, Writer};

mod ledger;
pub mod state;
#[cfg(test)]
mod tests;

pub use ledger::ResyncLedger;

/// What a resync does to one mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingChange {
    /// What came of it.
    pub kind: MappingOutcome,
    /// The mapping as it is to be; `None` when it is so already.
    pub after: Option<Mapping>,
    /// Numbers that the CRM user sees and didn't see.
    pub granted: Numbers,
    /// Numbers that the CRM user doesn't see any more.
    pub revoked: Numbers,
}

/// Numbers, of which no more are kept than people read: under the policy all, each of many mappings would have all of the account's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "LoggedNumbers")]
pub struct Numbers {
    /// How many they are.
    pub count: usize,
    /// The first ones, in order.
    pub first: Vec<CallerId>,
}

/// Numbers as plans keep them. Plans of before they were cut have them all.
#[derive(Deserialize)]
#[serde(untagged)]
enum LoggedNumbers {
    All(Vec<CallerId>),
    Cut { count: usize, first: Vec<CallerId> },
}

impl From<LoggedNumbers> for Numbers {
    fn from(logged: LoggedNumbers) -> Self {
        match logged {
            LoggedNumbers::All(numbers) => numbers.into(),
            LoggedNumbers::Cut { count, first } => Self { count, first },
        }
    }
}

impl From<Vec<CallerId>> for Numbers {
    fn from(mut numbers: Vec<CallerId>) -> Self {
        let count = numbers.len();
        numbers.truncate(MAX_NAMED);
        numbers.shrink_to_fit();
        Self { count, first: numbers }
    }
}

impl Numbers {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// What came of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MappingOutcome {
    /// The CRM user sees more.
    Granted,
    /// The CRM user sees less, and perhaps also more.
    Revoked,
    /// Who the CRM user is, or what the policy is called, has changed, and what is seen has not.
    Updated,
    /// Nothing has changed.
    Unchanged,
    /// Nobody of the phone system is the CRM user.
    Unmapped,
    /// Several could be.
    Ambiguous,
    /// The phone user is gone, and the numbers with it.
    Orphaned,
    /// What the CRM user was to see could not be written. What was to be revoked is revoked, if it could be.
    LeftOut(LeftOut),
    /// A newer resync has taken over, and looks after it.
    Overtaken,
}

/// Numbers, or phone users, that a cell of a row names; of more it says how many. A row is for people, and is read back by the CRM user
/// alone: with a list of 10,000 numbers it would be longer than a row may be. What a resync has done in full stands in its plans.
const MAX_NAMED: usize = 100;

/// The columns of the rows that a resync is carried out by: the CRM user finds its mapping, the others are for people.
pub static COLUMNS: [Column; 1] =
    [Column { name: "CRM User", aliases: &["crmuser"], required: true, takes_surplus: false }];

/// What a resync does to one mapping, kept beside the results before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncPlan {
    /// Whose mapping.
    pub crm_user: CrmUserId,
    /// What becomes of it.
    pub change: MappingChange,
    /// An earlier attempt has written it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
    /// When that was read which the mapping held when this was decided, as long as the attempt lives.
    #[serde(skip)]
    pub found: Option<Timestamp>,
}

impl MappingChange {
    /// Of a mapping that isn't there any more.
    pub fn none() -> Self {
        let (granted, revoked) = (Numbers::default(), Numbers::default());
        Self { kind: MappingOutcome::Unchanged, after: None, granted, revoked }
    }

    /// Of a mapping that a newer resync looks after.
    pub fn overtaken() -> Self {
        Self { kind: MappingOutcome::Overtaken, ..Self::none() }
    }

    /// Leaves out what the table can't store: the numbers that are granted. **What is revoked goes all the same**; where nothing is
    /// revoked, nothing is left to write.
    pub fn leave_out_grants(&mut self, before: Option<&Mapping>) {
        let had = before.and_then(|before| before.permission.as_ref());
        let had: HashSet<CallerId> = had.iter().flat_map(|permission| permission.caller_ids.iter().copied()).collect();
        let permission = self.after.as_mut().and_then(|after| after.permission.as_mut());
        match permission.filter(|permission| permission.policy == Policy::Custom && !self.revoked.is_empty()) {
            Some(permission) => permission.caller_ids.retain(|number| had.contains(number)),
            None => self.after = None,
        }
        self.granted = Numbers::default();
        self.kind = MappingOutcome::LeftOut(LeftOut::NotStorable);
    }

    /// Leaves the mapping as it is.
    pub fn leave_out(&mut self, why: LeftOut) {
        *self = Self { kind: MappingOutcome::LeftOut(why), ..Self::none() };
    }
}

impl MappingOutcome {
    /// As it stands in reports.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// By what a resync decides, beside the phone side.
pub struct Facts {
    /// The account's numbers.
    pub inventory: Inventory,
    /// Those that can be dialled from.
    pub dialable: DialableNumbers,
    /// When the phone side was read.
    pub read: Timestamp,
}

impl Facts {
    /// With these numbers, and a phone side that is read now.
    pub fn new(inventory: Vec<InventoryNumber>, read: Timestamp) -> Self {
        Self { dialable: DialableNumbers::of(&inventory), inventory: Inventory::of(inventory), read }
    }

    /// How many numbers a permission gives.
    pub fn count(&self, permission: &DialPermission) -> usize {
        self.dialable.count(permission.policy, permission.department.as_ref(), &permission.caller_ids)
    }
}

/// Decides for one mapping. One whose permission was read later than this phone side is left as it is.
pub fn decide(mapping: &Mapping, side: &MatchIndex<'_>, facts: &Facts) -> MappingChange {
    if mapping.read.is_some_and(|read| read > facts.read) {
        return MappingChange::overtaken();
    }
    let found = side.find(&mapping.given, &mapping.state);
    let permission = found.user.map(|user| user.permission.clone().unwrap_or_else(|| DialPermission::custom([])));
    let same = permission == mapping.permission && found.state == mapping.state;
    let (mut granted, mut revoked) = (Numbers::default(), Numbers::default());
    if permission != mapping.permission {
        let before = mapping.visible(&facts.inventory);
        let after = permission.as_ref().map(|permission| facts.inventory.allowed(permission)).unwrap_or_default();
        let lacks = |all: &[CallerId], number: &CallerId| all.binary_search(number).is_err();
        granted = after.iter().copied().filter(|number| lacks(&before, number)).collect::<Vec<_>>().into();
        revoked = before.iter().copied().filter(|number| lacks(&after, number)).collect::<Vec<_>>().into();
    }
    let kind = match &found.state {
        MappingState::Unmapped => MappingOutcome::Unmapped,
        MappingState::Ambiguous { .. } => MappingOutcome::Ambiguous,
        MappingState::Orphaned { .. } => MappingOutcome::Orphaned,
        MappingState::Mapped { .. } if !revoked.is_empty() => MappingOutcome::Revoked,
        MappingState::Mapped { .. } if !granted.is_empty() => MappingOutcome::Granted,
        MappingState::Mapped { .. } if same => MappingOutcome::Unchanged,
        MappingState::Mapped { .. } => MappingOutcome::Updated,
    };
    let after = (!same).then(|| Mapping {
        state: found.state,
        permission,
        changed: Some(facts.read),
        read: Some(facts.read),
        version: mapping.version + 1,
        ..mapping.clone()
    });
    MappingChange { kind, after, granted, revoked }
}

/// A whole resync, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Numbers that CRM users see now, each counted for each of them.
    pub grants: usize,
    /// Of these, those that would be revoked.
    pub revoked: usize,
}

impl Extent {
    /// Takes in what would become of one mapping. `sees` is how many numbers its CRM user sees now.
    pub fn add(&mut self, sees: usize, change: &MappingChange) {
        self.grants += sees;
        self.revoked += change.revoked.count;
    }

    /// Why the run holds: with `before`, what others have revoked of late, it would revoke more than anybody may have meant. The share is of
    /// the grants that there were before all of them.
    pub fn held(&self, before: usize, threshold: SafetyThreshold) -> Option<String> {
        let (revoked, grants) = (self.revoked + before, self.grants + before);
        let of_a_day = match before {
            0 => String::new(),
            before => {
                format!(" With the {before} that were revoked in the last 24 hours, that is {revoked} of {grants}.")
            }
        };
        (self.revoked > 0 && threshold.holds(revoked, grants)).then(|| {
            format!(
                "It would revoke {} of the {} grants that the account's CRM users have.{of_a_day} Past {} % of them, and {} at \
                 least, a person decides.",
                self.revoked, self.grants, threshold.percent, threshold.at_least
            )
        })
    }
}

/// The header of the rows: what a resync would do, mapping by mapping.
pub const HEADER: [&str; 5] = ["CRM User", "Phone User", "Change", "Granted", "Revoked"];

/// Writes what a resync would do to one mapping.
pub fn write_row(csv: &mut Writer, mapping: &Mapping, change: &MappingChange) {
    let state = change.after.as_ref().map_or(&mapping.state, |after| &after.state);
    csv.record([
        mapping.crm_user.as_str(),
        &shown(&named(state), named(state).len()),
        change.kind.as_str(),
        &shown(&change.granted.first, change.granted.count),
        &shown(&change.revoked.first, change.revoked.count),
    ]);
}

/// The first of some things, and how many more there are.
fn shown<T: ToString>(first: &[T], count: usize) -> String {
    let mut text = first.iter().take(MAX_NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = count.checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

fn named(state: &MappingState) -> Vec<&PhoneUserId> {
    match state {
        MappingState::Unmapped => Vec::new(),
        MappingState::Ambiguous { candidates } => candidates.iter().collect(),
        MappingState::Mapped { phone_user } | MappingState::Orphaned { phone_user } => vec![phone_user],
    }
}

impl Plan for ResyncPlan {
    fn writes(&self) -> bool {
        self.change.after.is_some()
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        !now.writes()
    }

    /// What an earlier attempt has written is its doing, whatever is left to do.
    fn merge_previous_attempt(&mut self, earlier: &Self) {
        let wrote = earlier.change.after.as_ref().and_then(|after| after.read);
        if !self.writes() && wrote.is_some() && wrote == self.found {
            self.change = MappingChange { after: None, ..earlier.change.clone() };
            self.done = true;
        }
    }

    fn leave_out(&mut self, why: LeftOut) {
        match why {
            LeftOut::Overtaken => self.change = MappingChange::overtaken(),
            why => self.change.leave_out(why),
        }
    }

    fn numbers(&self) -> usize {
        let seen = self.change.after.as_ref().and_then(|after| after.permission.as_ref());
        seen.map_or(0, |permission| permission.caller_ids.len())
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes() || self.done);
        done.numbers_added += self.change.granted.count as u64;
        done.numbers_removed += self.change.revoked.count as u64;
    }
}
