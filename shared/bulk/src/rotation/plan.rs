//! What a rotation does to one user.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Pair, Rules};
use crate::{
    bulk_job::{Done, Overtaken, Plan, Retraction},
    left_out::LeftOut,
};
use rollcall_model::{
    caller_id::CallerId,
    user::{Policy, Ref},
};

/// Somebody whom a rotation is about, as the directory says it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The login ID, folded.
    pub login: String,
    /// When the user was created, where that is known.
    pub created: Option<Timestamp>,
    /// The user's policy.
    pub policy: Policy,
    /// The user's department.
    pub department: Option<Ref>,
    /// The user's own list.
    pub caller_ids: Vec<CallerId>,
}

/// What a rotation does to one user. Kept beside the results before it is done, so that it can be undone: who takes `added`
/// off the list again and puts the old numbers of `removed` back has it as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationPlan {
    /// The login ID, folded.
    pub login: String,
    /// When the user was created, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Numbers taken off the list, each with what replaces it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Pair>,
    /// Numbers put on the list: those replacements that were not on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<CallerId>,
    /// Numbers of `added` that have been taken off again, since they were retired meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retracted: Vec<CallerId>,
    /// Replacements that were out of service by the time that this was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unusable: Vec<CallerId>,
    /// Numbers that were taken off, and are on the list again, since what was to stay in their place is out of service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<CallerId>,
    /// Numbers that the user keeps, since without them there would be none to dial from, or since what was to replace them can't.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<CallerId>,
    /// Why the user was left out, and keeps the numbers (`kept`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// The list that this was decided on, as long as the attempt lives: a later one looks again.
    #[serde(skip)]
    pub list: Option<Vec<CallerId>>,
    /// By what the user dialled then.
    #[serde(skip)]
    pub policy: Policy,
}

impl RotationPlan {
    /// Decides for one user; without a `holder`, for one who is not there any more.
    ///
    /// A list of nothing but numbers that are resting, retired, reserved or sold is as good as empty: nobody can dial from
    /// them.
    pub fn decide(login: &str, holder: Option<&Holder>, rules: &Rules) -> Self {
        let mut plan = Self { login: login.to_owned(), ..Self::default() };
        let Some(holder) = holder else { return plan };
        plan.created = holder.created;
        let (mut after, before) = (BTreeSet::new(), &holder.caller_ids);
        for &number in before {
            match rules.pairs.get(&number) {
                // What was to replace it has been retired since the pairs were checked.
                Some(&Some(new)) if !rules.after.contains(new) => {
                    plan.kept.push(number);
                    plan.unusable.push(new);
                    after.insert(number);
                }
                Some(&new) => plan.removed.push(Pair { old: number, new }),
                None => _ = after.insert(number),
            }
        }
        for new in plan.removed.iter().filter_map(|pair| pair.new) {
            if after.insert(new) {
                plan.added.push(new);
            }
        }
        let after: Vec<CallerId> = after.into_iter().collect();
        let (policy, department) = (holder.policy, holder.department.as_ref());
        // A list of numbers that only rest isn't emptied either.
        let emptied = policy == Policy::Custom
            && !plan.removed.is_empty()
            && plan.kept.is_empty()
            && !rules.allows_empty()
            && !rules.after.reach(policy, department, &after);
        if emptied || policy != Policy::Custom && rules.leaves(policy, department, before, &after) {
            plan.kept.extend(plan.removed.drain(..).map(|pair| pair.old));
            plan.kept.extend(rules.covered(holder));
            plan.kept.sort_unstable();
            plan.kept.dedup();
            plan.added.clear();
        }
        plan.list = Some(before.clone());
        plan.policy = policy;
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

    /// Takes the whole of it back, as far as numbers can come back: what it left to the user is out of service. Of what came for them, what others
    /// have taken off the `list` since is theirs to say.
    pub fn give_back(&mut self, now: &Overtaken, list: &[CallerId]) {
        let returned: Vec<CallerId> =
            self.removed.iter().map(|pair| pair.old).filter(|old| !now.gone.contains(old)).collect();
        if !returned.is_empty() {
            self.return_numbers(&returned);
            self.retracted.extend(self.added.drain(..).filter(|number| list.contains(number)));
        }
    }

    /// Whether this plan of an earlier attempt is of the user whom the plan of `now` is of.
    fn is_of(&self, now: &Self) -> bool {
        self.created.is_none_or(|created| now.created == Some(created))
    }

    fn return_numbers(&mut self, numbers: &[CallerId]) {
        self.removed.retain(|pair| !numbers.contains(&pair.old));
        self.returned.extend(numbers);
        self.kept.extend(numbers);
    }
}

impl Plan for RotationPlan {
    fn writes(&self) -> bool {
        !self.removed.is_empty()
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        // That the old numbers are off may be somebody else's doing; that the new ones came shows whose it is.
        let swapped = |list: &Vec<CallerId>| {
            self.is_of(now)
                && self.removed.iter().all(|pair| !list.contains(&pair.old))
                && self.added.iter().all(|new| list.contains(new))
        };
        now.list.as_ref().is_some_and(swapped)
    }

    fn merge_previous_attempt(&mut self, earlier: &Self) {
        // Whoever has the login ID after a deletion is somebody else.
        let Some(list) = self.list.as_ref().filter(|_| earlier.is_of(self)) else { return };
        let came = earlier.added.iter().filter(|number| list.contains(number)).count();
        let is_there = earlier.removed.iter().any(|pair| list.contains(&pair.old));
        if is_there || came == 0 && !earlier.added.is_empty() {
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

    fn numbers(&self) -> usize {
        self.list.as_ref().map_or(0, Vec::len) + 2 * self.removed.len() + self.added.len() + self.kept.len()
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.numbers_added += self.added.len() as u64;
        done.numbers_removed += self.removed.len() as u64;
    }

    fn added(&self) -> &[CallerId] {
        &self.added
    }

    fn takes_off(&self) -> bool {
        !self.removed.is_empty()
    }

    /// A swap is carried out whole or not at all: what a refused number had replaced comes back.
    fn retract(&mut self, now: &Overtaken) -> Option<Retraction<'_>> {
        let refused: Vec<CallerId> = self.added.extract_if(.., |number| now.refused.contains(number)).collect();
        let replaced = self.removed.iter().filter(|pair| pair.new.is_some_and(|new| refused.contains(&new)));
        let back: Vec<CallerId> = replaced.map(|pair| pair.old).filter(|old| !now.gone.contains(old)).collect();
        self.return_numbers(&back);
        self.retracted.extend(refused);
        let off: Vec<CallerId> =
            self.retracted.iter().copied().chain(self.returned.extract_if(.., |old| now.gone.contains(old))).collect();
        (!off.is_empty() || !self.returned.is_empty()).then_some(Retraction {
            login: &self.login,
            created: self.created,
            off,
            back: &self.returned,
        })
    }
}
