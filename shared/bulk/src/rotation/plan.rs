//! What a rotation does to one user.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Checked, Pair};
use crate::{
    bulk_job::{Done, ListAdditions, Plan},
    left_out::LeftOut,
};
use rollcall_model::{caller_id::CallerId, inventory::InventoryNumber, user::Policy};

/// Somebody who has numbers that are retired, as the directory says it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The login ID, folded.
    pub login: String,
    /// The user's policy.
    pub policy: Policy,
    /// The user's own list.
    pub caller_ids: Vec<CallerId>,
}

/// By what a rotation decides.
pub struct Rules {
    /// What takes the place of each number that is retired.
    pairs: HashMap<CallerId, Option<CallerId>>,
    /// What may be dialled from when the rotation is over.
    usable: HashSet<CallerId>,
    allow_empty: bool,
}

/// What a rotation does to one user. Kept beside the results before it is done, so that it can be undone: who takes `added`
/// off the list again and puts the old numbers of `removed` back has it as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationPlan {
    /// The login ID, folded.
    pub login: String,
    /// Numbers taken off the list, each with what replaces it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Pair>,
    /// Numbers put on the list: those replacements that were not on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<CallerId>,
    /// Numbers of `added` that have been taken off again, since they were retired meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retracted: Vec<CallerId>,
    /// Numbers that the user keeps, since without them there would be none to dial from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<CallerId>,
    /// Why the user was left out, and keeps the numbers (`kept`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// The list that this was decided on, as long as the attempt lives: a later one looks again.
    #[serde(skip)]
    pub list: Option<Vec<CallerId>>,
}

impl Rules {
    /// The rules of a rotation of these pairs, with the inventory as it is at its beginning.
    pub fn new(pairs: &[Checked], inventory: &[InventoryNumber], allow_empty: bool) -> Self {
        let pairs: HashMap<_, _> = pairs.iter().filter_map(Checked::good).map(|pair| (pair.old, pair.new)).collect();
        let stays = |item: &&InventoryNumber| {
            item.facts.state.is_usable() && item.reserved_by.is_none() && !pairs.contains_key(&item.number)
        };
        let usable = inventory.iter().filter(stays).map(|item| item.number).collect();
        Self { pairs, usable, allow_empty }
    }

    /// Whether a number is retired.
    pub fn retires(&self, number: CallerId) -> bool {
        self.pairs.contains_key(&number)
    }
}

impl RotationPlan {
    /// Decides for one user; without a `holder`, for one who is not there any more.
    ///
    /// A list of nothing but numbers that are resting, retired, leaving or sold is as good as empty: nobody can dial from
    /// them.
    pub fn decide(login: &str, holder: Option<&Holder>, rules: &Rules) -> Self {
        let mut plan = Self {
            login: login.to_owned(),
            removed: Vec::new(),
            added: Vec::new(),
            retracted: Vec::new(),
            kept: Vec::new(),
            left_out: None,
            list: None,
        };
        let Some(holder) = holder else { return plan };
        let (mut after, before) = (BTreeSet::new(), &holder.caller_ids);
        for &number in before {
            match rules.pairs.get(&number) {
                Some(&new) => plan.removed.push(Pair { old: number, new }),
                None => _ = after.insert(number),
            }
        }
        for new in plan.removed.iter().filter_map(|pair| pair.new) {
            if after.insert(new) {
                plan.added.push(new);
            }
        }
        let empty = !after.iter().any(|number| rules.usable.contains(number));
        if empty && !plan.removed.is_empty() && !rules.allow_empty && holder.policy == Policy::Custom {
            plan.kept = plan.removed.drain(..).map(|pair| pair.old).collect();
            plan.added.clear();
        }
        plan.list = Some(before.clone());
        plan
    }

    /// The list before and after, in order; `None` when another attempt has decided.
    pub fn change(&self) -> Option<[Vec<CallerId>; 2]> {
        let before = self.list.clone()?;
        let gone: HashSet<CallerId> = self.removed.iter().map(|pair| pair.old).collect();
        let mut after: Vec<CallerId> = before.iter().copied().filter(|number| !gone.contains(number)).collect();
        after.extend(&self.added);
        after.sort_unstable();
        after.dedup();
        Some([before, after])
    }
}

impl Plan for RotationPlan {
    fn writes(&self) -> bool {
        !self.removed.is_empty()
    }

    fn is_done(&self, now: &Self) -> bool {
        now.list.as_ref().is_some_and(|list| self.removed.iter().all(|pair| !list.contains(&pair.old)))
    }

    fn merge_previous_attempt(&mut self, earlier: &Self) {
        let Some(list) = &self.list else { return };
        if earlier.removed.iter().any(|pair| list.contains(&pair.old)) {
            return;
        }
        self.removed.extend(&earlier.removed);
        self.added.extend(earlier.added.iter().filter(|number| list.contains(number)));
    }

    fn leave_out(&mut self, why: LeftOut) {
        self.kept.extend(self.removed.drain(..).map(|pair| pair.old));
        self.added.clear();
        self.left_out = Some(why);
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.numbers_added += self.added.len() as u64;
        done.numbers_removed += self.removed.len() as u64;
    }

    fn additions(&mut self) -> Option<ListAdditions<'_>> {
        Some(ListAdditions { login: &self.login, added: &mut self.added, retracted: &mut self.retracted })
    }
}
