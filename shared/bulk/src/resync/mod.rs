//! What a resync does: a difference between what CRM users see and what the phone side allows them now.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    bulk_job::{BulkJob, Done, Plan},
    left_out::LeftOut,
    report::{Judgement, Remark, RowStatus},
    safety_threshold,
};
use rollcall_model::mapping::{CrmUserId, Mapping, MappingState, MatchIndex};
use rollcall_model::{
    caller_id::CallerId,
    code::Warning,
    inventory::InventoryNumber,
    phone_side::{DialPermission, PhoneUserId},
    user::{Policy, Ref},
};
use rollcall_tabular::{Column, Row, Schema, Writer};

pub mod state;
#[cfg(test)]
mod tests;

/// What a resync does to one mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingChange {
    /// What came of it.
    pub kind: MappingOutcome,
    /// The mapping as it is to be; `None` when it is so already.
    pub after: Option<Mapping>,
    /// Numbers that the CRM user sees and didn't see.
    pub granted: Vec<CallerId>,
    /// Numbers that the CRM user doesn't see any more.
    pub revoked: Vec<CallerId>,
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
}

impl MappingChange {
    /// Of a mapping that isn't there any more.
    pub fn none() -> Self {
        Self { kind: MappingOutcome::Unchanged, after: None, granted: Vec::new(), revoked: Vec::new() }
    }

    /// Leaves out what the table can't store: the numbers that are granted. **What is revoked goes all the same**; where nothing is
    /// revoked, nothing is left to write.
    pub fn leave_out_grants(&mut self) {
        let granted: HashSet<CallerId> = std::mem::take(&mut self.granted).into_iter().collect();
        let permission = self.after.as_mut().and_then(|after| after.permission.as_mut());
        match permission.filter(|permission| permission.policy == Policy::Custom && !self.revoked.is_empty()) {
            Some(permission) => permission.caller_ids.retain(|number| !granted.contains(number)),
            None => self.after = None,
        }
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

/// Decides for one mapping.
pub fn decide(mapping: &Mapping, side: &MatchIndex<'_>, inventory: &[InventoryNumber], at: Timestamp) -> MappingChange {
    let found = side.find(&mapping.given, &mapping.state);
    let permission = found.user.map(|user| user.permission.clone().unwrap_or_else(|| DialPermission::custom([])));
    let same = permission == mapping.permission && found.state == mapping.state;
    let (mut granted, mut revoked) = (Vec::new(), Vec::new());
    if permission != mapping.permission {
        let before: HashSet<CallerId> = mapping.visible(inventory).into_iter().collect();
        let after = permission.as_ref().map(|permission| permission.resolve(inventory)).unwrap_or_default();
        granted = after.iter().copied().filter(|number| !before.contains(number)).collect();
        let after: HashSet<CallerId> = after.into_iter().collect();
        revoked = before.into_iter().filter(|number| !after.contains(number)).collect();
        revoked.sort_unstable();
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
        changed: Some(at),
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
        self.revoked += change.revoked.len();
    }

    /// Why the run holds: with `before`, what others have revoked of late, it would revoke more than anybody may have meant. The share is of
    /// the grants that there were before all of them.
    pub fn held(&self, before: usize) -> Option<String> {
        let (revoked, grants) = (self.revoked + before, self.grants + before);
        let of_a_day = match before {
            0 => String::new(),
            before => {
                format!(" With the {before} that were revoked in the last 24 hours, that is {revoked} of {grants}.")
            }
        };
        (self.revoked > 0 && safety_threshold::holds(revoked, grants)).then(|| {
            format!(
                "It would revoke {} of the {} grants that the account's CRM users have.{of_a_day} Past {} % of them, and {} at \
                 least, a person decides.",
                self.revoked,
                self.grants,
                safety_threshold::SHARE_PERCENT,
                safety_threshold::AT_LEAST
            )
        })
    }
}

/// Counts what a permission gives, without making the list: most mappings of an account don't change.
pub struct Counter {
    usable: HashSet<CallerId>,
    departments: HashMap<Ref, usize>,
}

impl Counter {
    /// Over this inventory.
    pub fn of(inventory: &[InventoryNumber]) -> Self {
        let usable = || inventory.iter().filter(|item| item.facts.state.is_usable());
        let mut departments = HashMap::new();
        for department in usable().filter_map(|item| item.facts.department.clone()) {
            *departments.entry(department).or_default() += 1;
        }
        Self { usable: usable().map(|item| item.number).collect(), departments }
    }

    /// How many numbers a permission gives.
    pub fn count(&self, permission: &DialPermission, inventory: &[InventoryNumber]) -> usize {
        if inventory.is_empty() {
            return permission.resolve(inventory).len();
        }
        match permission.policy {
            Policy::All => self.usable.len(),
            Policy::Department => {
                permission.department.as_ref().and_then(|id| self.departments.get(id)).copied().unwrap_or_default()
            }
            Policy::Custom => permission.caller_ids.iter().filter(|number| self.usable.contains(*number)).count(),
        }
    }
}

/// A file of rows: what a resync would do, mapping by mapping.
pub fn rows() -> Writer {
    let mut csv = Writer::new(b',');
    csv.record(["CRM User", "Phone User", "Change", "Granted", "Revoked"]);
    csv
}

/// Writes what a resync would do to one mapping.
pub fn write_row(csv: &mut Writer, mapping: &Mapping, change: &MappingChange) {
    let state = change.after.as_ref().map_or(&mapping.state, |after| &after.state);
    csv.record([
        mapping.crm_user.as_str(),
        &first_of(&named(state)),
        change.kind.as_str(),
        &first_of(&change.granted),
        &first_of(&change.revoked),
    ]);
}

/// The first of some things, and how many more there are.
fn first_of<T: ToString>(all: &[T]) -> String {
    let mut text = all.iter().take(MAX_NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = all.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
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

/// What came of each mapping of the rows.
#[derive(Default)]
pub struct ResyncLedger {
    crm_users: Vec<CrmUserId>,
    index: HashMap<CrmUserId, usize>,
    outcomes: Vec<Option<(MappingOutcome, bool)>>,
}

impl ResyncLedger {
    /// The CRM user number `user`.
    pub fn crm_user(&self, user: usize) -> &CrmUserId {
        &self.crm_users[user]
    }

    /// Which number a CRM user has.
    pub fn user(&self, crm_user: &CrmUserId) -> Option<usize> {
        self.index.get(crm_user).copied()
    }
}

impl BulkJob for ResyncLedger {
    type Plan = ResyncPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        let Some(crm_user) = row.value(0).and_then(|value| CrmUserId::parse(&value).ok()) else { return };
        let next = self.crm_users.len();
        if *self.index.entry(crm_user.clone()).or_insert(next) == next {
            self.crm_users.push(crm_user);
            self.outcomes.push(None);
        }
    }

    fn users(&self) -> usize {
        self.crm_users.len()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.outcomes[user].is_some()
    }

    fn user_of(&self, plan: &ResyncPlan) -> Option<usize> {
        self.user(&plan.crm_user)
    }

    fn record(&mut self, plan: &ResyncPlan) {
        if let Some(user) = self.user(&plan.crm_user) {
            self.outcomes[user] = Some((plan.change.kind, plan.change.after.is_some()));
        }
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        judge(row, self)
    }
}

impl Plan for ResyncPlan {
    fn writes(&self) -> bool {
        self.change.after.is_some()
    }

    fn is_done(&self, now: &Self) -> bool {
        !now.writes()
    }

    fn leave_out(&mut self, why: LeftOut) {
        self.change.leave_out(why);
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.numbers_added += self.change.granted.len() as u64;
        done.numbers_removed += self.change.revoked.len() as u64;
    }
}

/// Judges a row.
fn judge(row: &Row<'_>, ledger: &ResyncLedger) -> Judgement {
    let outcome = row.value(0).and_then(|value| CrmUserId::parse(&value).ok()).and_then(|id| ledger.user(&id));
    let Some((kind, changed)) = outcome.and_then(|user| ledger.outcomes[user]) else {
        return Judgement::unprocessed();
    };
    let field = row.header().name(0);
    let value = row.value(0).unwrap_or_default();
    if let MappingOutcome::LeftOut(why) = kind {
        let message = match why {
            LeftOut::NotStorable => {
                "The numbers that the CRM user was to see in addition are too many for one mapping. Use the policy all or department for the \
                 phone user, or a shorter list."
            }
            LeftOut::Changing => {
                "Somebody else changed the mapping each time that the job was about to. The next resync looks at it again."
            }
        };
        let remarks = vec![Remark::error(why.code(), field, &value, message)];
        return Judgement { status: if changed { RowStatus::Partial } else { RowStatus::Failed }, remarks };
    }
    let warning = match kind {
        MappingOutcome::Unmapped => Some((Warning::Unmapped, "No phone user has the CRM user's address or login.")),
        MappingOutcome::Ambiguous => {
            Some((Warning::Ambiguous, "Several phone users could be it. Choose one in the mapping."))
        }
        MappingOutcome::Orphaned => Some((Warning::Orphaned, "The phone user is gone, and the numbers with it.")),
        MappingOutcome::Granted
        | MappingOutcome::Revoked
        | MappingOutcome::Updated
        | MappingOutcome::Unchanged
        | MappingOutcome::LeftOut(_) => None,
    };
    let remarks = warning.into_iter().map(|(code, message)| Remark::warning(code, field, &value, message)).collect();
    Judgement { status: if changed { RowStatus::Applied } else { RowStatus::Unchanged }, remarks }
}
