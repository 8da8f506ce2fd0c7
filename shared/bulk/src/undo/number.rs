//! What an undo does to a number of the inventory.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SkipReason;
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobId,
    user::Ref,
};

/// What an undo does to a number that a rotation has changed. Kept before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberPlan {
    /// The number as it was before the rotation.
    pub before: InventoryNumber,
    /// The number as it was found and as it is to be; or why nothing is done.
    pub change: Result<[InventoryNumber; 2], SkipReason>,
}

impl NumberPlan {
    /// Decides for a number that an upload has added (`before` is `None`), or changed to `after`. **A number is never deleted**: one that the
    /// upload has added is retired.
    pub fn of_upload(
        before: Option<InventoryNumber>,
        after: InventoryNumber,
        now: Option<&InventoryNumber>,
        at: Timestamp,
    ) -> Self {
        let change = match now {
            None => Err(SkipReason::Gone),
            Some(now) if now.facts != after.facts || now.dates != after.dates || now.reserved_by.is_some() => {
                Err(SkipReason::Changed)
            }
            Some(now) => {
                let restored = if let Some(before) = &before {
                    InventoryNumber { version: now.version + 1, ..before.clone() }
                } else {
                    let facts = NumberFacts { state: NumberState::Retired, resting_until: None, ..now.facts.clone() };
                    now.change(facts, at).unwrap_or_else(|_| now.clone())
                };
                Ok([now.clone(), restored])
            }
        };
        Self { before: before.unwrap_or(after), change }
    }

    /// Decides for one number; `None` where nothing of the rotation, this job, is left to be taken back.
    ///
    /// **What the rotation did is known by its name on the number**, whatever else has been changed of it since: its state, its department where it has
    /// taken that over, and a reservation that it has left behind.
    /// `retired` says that the rotation has taken it out of service, and that no undo has taken that back.
    pub fn decide(
        before: InventoryNumber,
        now: Option<&InventoryNumber>,
        rotation: &JobId,
        retired: bool,
    ) -> Option<Self> {
        let Some(now) = now else { return Some(Self { before, change: Err(SkipReason::Gone) }) };
        let is_by = |by: &Option<JobId>| by.as_ref() == Some(rotation);
        let mut restored = now.clone();
        if is_by(&now.reserved_by) {
            restored.reserved_by = None;
        }
        if is_by(&now.state_by) {
            let NumberFacts { state, resting_until, .. } = before.facts;
            (restored.facts.state, restored.facts.resting_until) = (state, resting_until);
            (restored.dates, restored.state_by) = (before.dates, before.state_by.clone());
            (restored.replaced_by, restored.second_look) = (before.replaced_by, None);
        }
        if is_by(&now.department_by) {
            restored.facts.department.clone_from(&before.facts.department);
            restored.department_by.clone_from(&before.department_by);
        }
        let change = if restored != *now {
            restored.version = now.version + 1;
            Ok([now.clone(), restored])
        } else if retired {
            // Somebody else has given it a state since.
            Err(SkipReason::Changed)
        } else {
            return None;
        };
        Some(Self { before, change })
    }

    /// **Nobody who dials by a department is left without a number**: a replacement stays in the department that it has taken over, where nothing else
    /// of it would be in service when all of these are carried out. What a file has said of a number's department is taken back as it was said.
    pub fn keep_departments(plans: &mut [Self], inventory: &[InventoryNumber]) {
        let restored: HashMap<CallerId, &InventoryNumber> = plans
            .iter()
            .filter_map(|plan| Some(&plan.change.as_ref().ok()?[1]))
            .map(|item| (item.number, item))
            .collect();
        let after = inventory.iter().map(|item| restored.get(&item.number).copied().unwrap_or(item));
        let in_service = after.filter(|item| item.facts.state.is_usable() && item.reserved_by.is_none());
        let served: HashSet<Ref> = in_service.filter_map(|item| item.facts.department.clone()).collect();
        for plan in plans {
            let Ok([now, restored]) = &mut plan.change else { continue };
            let taken_over = now.department_by.is_some() && now.facts.state.is_usable();
            let department = now.facts.department.as_ref().filter(|_| taken_over);
            if restored.facts.department == now.facts.department || department.is_none_or(|id| served.contains(id)) {
                continue;
            }
            restored.facts.department.clone_from(&now.facts.department);
            restored.department_by.clone_from(&now.department_by);
            if (InventoryNumber { version: now.version, ..restored.clone() }) == *now {
                plan.change = Err(SkipReason::DepartmentLeft);
            }
        }
    }
}
