//! What a resync does: a difference between what CRM users see and what the phone side allows them now.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Index, Mapping, State};
use crate::{
    brake,
    caller_id::CallerId,
    inventory::InventoryNumber,
    phone_side::{Permission, PhoneUserId},
    user::{Policy, Ref},
};

/// What a resync does to one mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What came of it.
    pub kind: Kind,
    /// The mapping as it is to be; `None` when it is so already.
    pub after: Option<Mapping>,
    /// Numbers that the CRM user sees and didn't see.
    pub granted: Vec<CallerId>,
    /// Numbers that the CRM user doesn't see any more.
    pub revoked: Vec<CallerId>,
}

/// What came of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
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
}

impl Kind {
    /// As it stands in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Unmapped => "unmapped",
            Self::Ambiguous => "ambiguous",
            Self::Orphaned => "orphaned",
        }
    }
}

/// Decides for one mapping.
pub fn decide(mapping: &Mapping, side: &Index<'_>, inventory: &[InventoryNumber], at: Timestamp) -> Change {
    let found = side.find(&mapping.given, &mapping.state);
    let permission = found.user.map(|user| user.permission.clone().unwrap_or_else(|| Permission::custom([])));
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
        State::Unmapped => Kind::Unmapped,
        State::Ambiguous { .. } => Kind::Ambiguous,
        State::Orphaned { .. } => Kind::Orphaned,
        State::Mapped { .. } if !revoked.is_empty() => Kind::Revoked,
        State::Mapped { .. } if !granted.is_empty() => Kind::Granted,
        State::Mapped { .. } if same => Kind::Unchanged,
        State::Mapped { .. } => Kind::Updated,
    };
    let after = (!same).then(|| Mapping {
        state: found.state,
        permission,
        changed: Some(at),
        version: mapping.version + 1,
        ..mapping.clone()
    });
    Change { kind, after, granted, revoked }
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
    pub fn add(&mut self, sees: usize, change: &Change) {
        self.grants += sees;
        self.revoked += change.revoked.len();
    }

    /// Why the run holds itself: it would revoke more than anybody may have meant.
    pub fn held(&self) -> Option<String> {
        brake::holds(self.revoked, self.grants).then(|| {
            format!(
                "It would revoke {} of the {} grants that the account's CRM users have. Past {} % of them, and {} at least, \
                 a person decides.",
                self.revoked,
                self.grants,
                brake::SHARE_PERCENT,
                brake::AT_LEAST
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
    pub fn count(&self, permission: &Permission, inventory: &[InventoryNumber]) -> usize {
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

/// The phone users that a resync's report names for a mapping.
pub fn named(state: &State) -> Vec<&PhoneUserId> {
    match state {
        State::Unmapped => Vec::new(),
        State::Ambiguous { candidates } => candidates.iter().collect(),
        State::Mapped { phone_user } | State::Orphaned { phone_user } => vec![phone_user],
    }
}
