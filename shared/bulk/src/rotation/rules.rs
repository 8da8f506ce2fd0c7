//! By what a rotation decides: what can be dialled from before it and after it, and by whom.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{ByPolicy, Checked, Holder};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{DialableNumbers, InventoryNumber},
    user::{Policy, Ref},
};

/// What was asked for beside the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The numbers are retired, or rest; those of a rotation for some users stay in service.
    pub retires: bool,
    /// Replacements don't take over departments.
    pub keep_departments: bool,
    /// Users may be left without a number to dial from.
    pub allow_empty: bool,
}

/// By what a rotation decides.
pub struct Rules {
    /// What takes the place of each number that is retired.
    pub(super) pairs: HashMap<CallerId, Option<CallerId>>,
    terms: Terms,
    /// The departments of those old numbers that can be dialled from.
    departments: HashMap<CallerId, Option<Ref>>,
    takes_over: BTreeMap<CallerId, Ref>,
    before: DialableNumbers,
    pub(super) after: DialableNumbers,
}

/// Who dials by a policy, and would be left without a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftByPolicy {
    /// Those of these departments.
    pub departments: HashSet<Ref>,
    /// Those who may dial from all of the account's numbers.
    pub all: bool,
}

/// How many users dial by each policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyCounts {
    /// From all of the account's numbers.
    pub all: u64,
    /// From those of their department.
    pub departments: HashMap<Ref, u64>,
}

impl LeftByPolicy {
    /// Whether somebody with this policy and department is one of them.
    pub fn contains(&self, policy: Policy, department: Option<&Ref>) -> bool {
        match policy {
            Policy::All => self.all,
            Policy::Department => department.is_some_and(|id| self.departments.contains(id)),
            Policy::Custom => false,
        }
    }
}

impl PolicyCounts {
    /// Counts a user with this policy and department. Who dials from a list of their own isn't counted.
    pub fn count(&mut self, policy: Policy, department: Option<&Ref>) {
        match (policy, department) {
            (Policy::All, _) => self.all += 1,
            (Policy::Department, Some(id)) => *self.departments.entry(id.clone()).or_default() += 1,
            (Policy::Department, None) | (Policy::Custom, _) => {}
        }
    }
}

impl Rules {
    /// The rules of a rotation of these pairs, with the inventory as it is once its numbers are reserved.
    pub fn new(pairs: &[Checked], inventory: &[InventoryNumber], terms: Terms) -> Self {
        let good = || pairs.iter().filter_map(Checked::good);
        let items: HashMap<CallerId, &InventoryNumber> = inventory.iter().map(|item| (item.number, item)).collect();
        let olds: HashMap<CallerId, Option<CallerId>> = good().map(|pair| (pair.old, pair.new)).collect();
        let department = |number: &CallerId| items.get(number)?.facts.department.clone();
        let mut takes_over = BTreeMap::new();
        for pair in good().filter(|_| terms.retires && !terms.keep_departments) {
            let Some(new) = pair.new.filter(|new| items.contains_key(new) && department(new).is_none()) else {
                continue;
            };
            if let Some(department) = department(&pair.old) {
                takes_over.entry(new).or_insert(department);
            }
        }
        let usable = |item: &&InventoryNumber| item.facts.state.is_usable();
        // One that this rotation has given a department already, in an attempt before, has it.
        let stays =
            |item: &&InventoryNumber| usable(item) && item.reserved_by.is_none() && !olds.contains_key(&item.number);
        let before = inventory.iter().filter(usable).map(|item| (item.number, item.facts.department.as_ref()));
        let after = inventory.iter().filter(stays).map(|item| {
            let department = item.facts.department.as_ref().or_else(|| takes_over.get(&item.number));
            (item.number, department)
        });
        Self {
            terms,
            departments: inventory
                .iter()
                .filter(usable)
                .filter(|item| olds.contains_key(&item.number))
                .map(|item| (item.number, item.facts.department.clone()))
                .collect(),
            before: DialableNumbers::these(before),
            after: DialableNumbers::these(after),
            takes_over,
            pairs: olds,
        }
    }

    /// Whether a number is retired.
    pub fn retires(&self, number: CallerId) -> bool {
        self.pairs.contains_key(&number)
    }

    /// The replacements that take over a department, and which.
    pub fn takes_over(&self) -> &BTreeMap<CallerId, Ref> {
        &self.takes_over
    }

    /// Whose policy leaves them without a number.
    pub fn left_by_policy(&self) -> LeftByPolicy {
        let departments = self.departments.values().flatten();
        LeftByPolicy {
            departments: departments
                .filter(|id| self.leaves(Policy::Department, Some(id), &[], &[]))
                .cloned()
                .collect(),
            all: !self.departments.is_empty() && self.leaves(Policy::All, None, &[], &[]),
        }
    }

    /// Whether an old number must stay for those whose policy leaves them without one.
    pub fn is_needed(&self, old: CallerId, left: &LeftByPolicy) -> bool {
        let Some(department) = self.departments.get(&old) else { return false };
        left.all || department.as_ref().is_some_and(|id| left.departments.contains(id))
    }

    /// Who dials from an old number by a policy.
    pub fn by_policy(&self, old: CallerId, counts: &PolicyCounts) -> Option<ByPolicy> {
        let department = self.departments.get(&old).filter(|_| self.terms.retires)?.as_ref();
        let of_department = department.and_then(|id| counts.departments.get(id)).copied().unwrap_or_default();
        let people = counts.all + of_department;
        let new = self.pairs[&old].filter(|new| self.after.contains(*new));
        let replaced = new.is_some_and(|new| of_department == 0 || self.after.is_of(new, department));
        (people > 0).then_some(ByPolicy { people, replaced })
    }

    /// The old numbers that the rotation is about for this user, in order: those on the list, and those that are the user's by a policy, where it
    /// would be left with none.
    pub fn olds_of(&self, holder: &Holder) -> Vec<CallerId> {
        let mut olds: Vec<CallerId> =
            holder.caller_ids.iter().copied().filter(|number| self.retires(*number)).collect();
        let list = &holder.caller_ids;
        if holder.policy != Policy::Custom && self.leaves(holder.policy, holder.department.as_ref(), list, list) {
            olds.extend(self.covered(holder));
            olds.sort_unstable();
            olds.dedup();
        }
        olds
    }

    /// Whether somebody who dials like this before, and like this after, could dial before and can't after. Unless that was asked for, it is not
    /// done.
    pub(super) fn leaves(
        &self,
        policy: Policy,
        department: Option<&Ref>,
        before: &[CallerId],
        after: &[CallerId],
    ) -> bool {
        // Numbers of a rotation for some users stay in service, so what a policy covers stays.
        let counts = !self.terms.allow_empty && (self.terms.retires || policy == Policy::Custom);
        counts && self.before.reach(policy, department, before) && !self.after.reach(policy, department, after)
    }

    /// The old numbers that are this user's by a policy.
    pub(super) fn covered(&self, holder: &Holder) -> Vec<CallerId> {
        let mut covered: Vec<CallerId> =
            self.departments.keys().copied().filter(|old| self.covers(holder, *old)).collect();
        covered.sort_unstable();
        covered
    }

    fn covers(&self, holder: &Holder, old: CallerId) -> bool {
        let department = self.departments.get(&old);
        match holder.policy {
            Policy::Custom => false,
            Policy::All => department.is_some(),
            Policy::Department => holder.department.is_some() && department == Some(&holder.department),
        }
    }

    /// Whether somebody with this policy, department and list can dial when the rotation is over.
    pub fn reaches(&self, policy: Policy, department: Option<&Ref>, list: &[CallerId]) -> bool {
        self.after.reach(policy, department, list)
    }

    pub(super) fn allows_empty(&self) -> bool {
        self.terms.allow_empty
    }

    /// Whether something that could be dialled from by these rules, when the rotation was over, can't be by others.
    pub fn has_fallen(&self, now: &Self) -> bool {
        !self.after.is_within(&now.after)
    }
}
