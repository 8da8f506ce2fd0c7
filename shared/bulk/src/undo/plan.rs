//! What an undo does to one user.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Effect, SkipReason, UserEffect};
use crate::{
    bulk_job::{Done, Overtaken, Plan, Retraction},
    left_out::LeftOut,
    logged_user,
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::DialableNumbers,
    user::{Claim, Policy, User},
};

/// One thing to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A number is taken off the list again.
    TakeOff(CallerId),
    /// A number comes back onto the list.
    PutBack(CallerId),
    /// A user whom the job created is deleted.
    DeleteUser,
    /// A user whom the job changed is as before.
    RestoreUser,
    /// A number of the inventory is as before.
    RestoreNumber(CallerId),
}

/// What an undo does to one user. Kept beside its own results before it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoPlan {
    /// The login ID, folded.
    pub login: String,
    /// Numbers taken off the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub take_off: Vec<CallerId>,
    /// Numbers put on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_back: Vec<CallerId>,
    /// Numbers of `put_back` that have been taken off again, since they were retired meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retracted: Vec<CallerId>,
    /// Numbers of `take_off` that are on the list again, since what they had replaced was retired meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<CallerId>,
    /// What was put back, each with what was taken off for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swaps: Vec<[CallerId; 2]>,
    /// The user has no number to dial from after it, as before the job that is undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaves_none: bool,
    /// What becomes of the user beside the list.
    pub change: UndoChange,
    /// What is passed over, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<(Act, SkipReason)>,
    /// Another user is about to give up what this one is to have again: to be decided again after that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// The list that this was decided on, as long as the attempt lives: a later one looks again.
    #[serde(skip)]
    pub list: Option<Vec<CallerId>>,
    /// By what the user dialled then.
    #[serde(skip)]
    pub policy: Policy,
}

/// What becomes of a user, but for its list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoChange {
    /// Nothing.
    #[default]
    None,
    /// It is deleted.
    #[serde(with = "logged_user")]
    Delete(Box<User>),
    /// From the first, it becomes the second.
    #[serde(with = "logged_user::pair")]
    Restore(Box<[User; 2]>),
}

/// Whether a user can have again what only one user can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nobody has it, or who has it has given it up in this undo.
    Free,
    /// Who has it is to give it up in this undo.
    Later,
    /// Somebody has it who keeps it.
    Taken,
}

/// What the directory says now.
#[derive(Clone, Copy)]
pub struct UndoTarget<'a> {
    /// The user, if there is one.
    pub user: Option<&'a User>,
    /// Who has what only one user can have: folded login IDs.
    pub owners: &'a HashMap<Claim, String>,
    /// What numbers are like once those of the inventory are given back.
    pub numbers: &'a NumbersNow,
    /// How many numbers a list takes.
    pub limit: usize,
    /// When that is.
    pub now: Timestamp,
    /// Users may be left without a number to dial from.
    pub allow_empty: bool,
}

/// What an undo has to know of the account's numbers.
#[derive(Clone, Debug, Default)]
pub struct NumbersNow {
    /// Numbers that lists take; `None` for an account without an inventory, where they take every number.
    pub taken: Option<HashSet<CallerId>>,
    /// Those that can be dialled from now, also such as a rotation has reserved.
    pub before: DialableNumbers,
    /// Those that can be dialled from when the undo is done.
    pub dialable: DialableNumbers,
}

impl NumbersNow {
    fn takes(&self, number: CallerId) -> bool {
        self.taken.as_ref().is_none_or(|taken| taken.contains(&number))
    }

    fn could(&self, user: &User, list: &[CallerId]) -> bool {
        self.before.reach(user.policy, user.profile.department.as_ref(), list)
    }

    fn can(&self, user: &User, list: &[CallerId]) -> bool {
        self.dialable.reach(user.policy, user.profile.department.as_ref(), list)
    }
}

impl UndoPlan {
    /// Decides for one user, given whether it can have again what only one user can have.
    pub(super) fn decide(effect: &Effect, present: UndoTarget<'_>, way: Way) -> Self {
        let mut plan = Self { login: effect.login.clone(), ..Self::default() };
        let Some(user) = present.user.filter(|user| effect.is_of(user)) else {
            plan.pass_over_all(effect, SkipReason::Gone);
            return plan;
        };
        plan.list = Some(user.caller_ids.clone());
        plan.policy = user.policy;
        match &effect.user {
            UserEffect::Created(created) => plan.take_back_creation(effect, created, user),
            UserEffect::Changed(change) => {
                plan.take_back_change(change, user, present, way);
                if plan.waits {
                    plan.pass_over_all(effect, SkipReason::Taken);
                } else {
                    plan.take_back_numbers(effect, user, present);
                }
            }
            UserEffect::None => plan.take_back_numbers(effect, user, present),
        }
        plan.leave_nobody_without(effect, user, present);
        plan
    }

    /// **Nobody is left without a number to dial from** who has one, unless that is asked for, or was so before the job.
    fn leave_nobody_without(&mut self, effect: &Effect, user: &User, present: UndoTarget<'_>) {
        let after = match &self.change {
            UndoChange::Delete(_) => return,
            UndoChange::Restore(users) => &users[1],
            UndoChange::None => user,
        };
        let Some([before, list]) = self.lists() else { return };
        if present.allow_empty || !present.numbers.could(user, &before) || present.numbers.can(after, &list) {
            return;
        }
        if effect.had_none {
            self.leaves_none = true;
        } else {
            self.pass_over_deeds(SkipReason::LeftWithout);
        }
    }

    /// Somebody whom the job created is deleted if nothing else has become of it: a profile that has been changed, or a list
    /// that holds more, is somebody's work.
    fn take_back_creation(&mut self, effect: &Effect, created: &User, user: &User) {
        let as_created = is_as_left(user, created);
        if as_created && user.caller_ids.iter().all(|number| effect.added.contains(number)) {
            self.change = UndoChange::Delete(Box::new(user.clone()));
            self.take_off_what_is_there(effect, user);
        } else {
            self.pass_over_all(effect, SkipReason::Changed);
        }
    }

    fn take_back_change(&mut self, [before, after]: &[User; 2], user: &User, present: UndoTarget<'_>, way: Way) {
        match way {
            _ if !is_as_left(user, after) => self.passed_over.push((Act::RestoreUser, SkipReason::Changed)),
            Way::Later => self.waits = true,
            Way::Taken => self.passed_over.push((Act::RestoreUser, SkipReason::Taken)),
            Way::Free => {
                let restored = before.clone().revised(user, present.now);
                self.change = UndoChange::Restore(Box::new([user.clone(), restored]));
            }
        }
    }

    /// Numbers on a list are taken back one by one; **a number that was swapped for another comes back with that one going, or neither does.**
    fn take_back_numbers(&mut self, effect: &Effect, user: &User, present: UndoTarget<'_>) {
        let mut list: HashSet<CallerId> = user.caller_ids.iter().copied().collect();
        // A replacement that the user had before stays, whatever becomes of the old number.
        let added: HashSet<CallerId> = effect.added.iter().copied().collect();
        let mine = |new: &CallerId| added.contains(new);
        let (before, mut stays, mut kept_off) = (list.clone(), HashSet::new(), HashSet::new());
        for &(old, new) in &effect.removed {
            let Some(new) = new.filter(mine) else { continue };
            if list.contains(&new) && !list.contains(&old) && !present.numbers.takes(old) {
                stays.insert(new);
                kept_off.insert(old);
                self.passed_over.push((Act::PutBack(old), SkipReason::Retired));
            }
        }
        for &number in &effect.added {
            if stays.contains(&number) {
                self.passed_over.push((Act::TakeOff(number), SkipReason::OldNotBack));
            } else if list.remove(&number) {
                self.take_off.push(number);
            } else {
                self.passed_over.push((Act::TakeOff(number), SkipReason::NotThere));
            }
        }
        for &(old, new) in &effect.removed {
            let mine = new.filter(mine);
            let since = match mine {
                _ if kept_off.contains(&old) => continue,
                _ if list.contains(&old) => Some(SkipReason::BackAlready),
                Some(mine) if !before.contains(&mine) => Some(SkipReason::ReplacementGone),
                _ if !present.numbers.takes(old) => Some(SkipReason::NotTaken),
                _ if list.len() >= present.limit => Some(SkipReason::ListFull),
                _ => None,
            };
            if let Some(since) = since {
                self.passed_over.push((Act::PutBack(old), since));
                continue;
            }
            list.insert(old);
            self.put_back.push(old);
            let taken_off = |mine: &CallerId| before.contains(mine) && !stays.contains(mine);
            self.swaps.extend(mine.filter(taken_off).map(|mine| [old, mine]));
        }
    }

    fn take_off_what_is_there(&mut self, effect: &Effect, user: &User) {
        for &number in &effect.added {
            if user.caller_ids.contains(&number) {
                self.take_off.push(number);
            } else {
                self.passed_over.push((Act::TakeOff(number), SkipReason::NotThere));
            }
        }
    }

    /// Passes over whatever was to be done.
    fn pass_over_deeds(&mut self, since: SkipReason) {
        let user = match std::mem::replace(&mut self.change, UndoChange::None) {
            UndoChange::None => None,
            UndoChange::Delete(_) => Some(Act::DeleteUser),
            UndoChange::Restore(_) => Some(Act::RestoreUser),
        };
        let take_off = std::mem::take(&mut self.take_off).into_iter().map(Act::TakeOff);
        let put_back = std::mem::take(&mut self.put_back).into_iter().map(Act::PutBack);
        let left = user.into_iter().chain(take_off).chain(put_back);
        self.passed_over.extend(left.map(|act| (act, since)));
        self.swaps.clear();
    }

    fn pass_over_all(&mut self, effect: &Effect, since: SkipReason) {
        self.passed_over.extend(effect.acts().into_iter().map(|act| (act, since)));
    }

    /// The list before and after, in order; `None` when another attempt has decided.
    pub fn lists(&self) -> Option<[Vec<CallerId>; 2]> {
        let before = self.list.clone()?;
        let gone: HashSet<&CallerId> = self.take_off.iter().collect();
        let stay = before.iter().filter(|number| !gone.contains(number));
        let mut after: Vec<CallerId> = stay.chain(&self.put_back).copied().collect();
        after.sort_unstable();
        after.dedup();
        Some([before, after])
    }
}

/// Whether a user is as a job left it, whatever has become of its list: that is looked at number by number.
fn is_as_left(user: &User, left: &User) -> bool {
    User { caller_ids: Vec::new(), ..user.clone() } == User { caller_ids: Vec::new(), ..left.clone() }
}

impl Plan for UndoPlan {
    fn waits(&self) -> bool {
        self.waits
    }

    fn writes(&self) -> bool {
        self.change != UndoChange::None || !self.take_off.is_empty() || !self.put_back.is_empty()
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        if matches!(self.change, UndoChange::Delete(_)) {
            return now.list.is_none();
        }
        let Some(list) = &now.list else { return false };
        let listed = |number: &CallerId| list.contains(number);
        now.change == UndoChange::None && !self.take_off.iter().any(listed) && self.put_back.iter().all(listed)
    }

    fn merge_previous_attempt(&mut self, earlier: &Self) {
        let Some(list) = &self.list else { return };
        if earlier.change != UndoChange::None || earlier.take_off.iter().any(|number| list.contains(number)) {
            return;
        }
        let back: Vec<CallerId> = earlier.put_back.iter().copied().filter(|number| list.contains(number)).collect();
        self.passed_over.retain(|(act, _)| match act {
            Act::TakeOff(number) => !earlier.take_off.contains(number),
            Act::PutBack(number) => !back.contains(number),
            _ => true,
        });
        self.take_off.extend(&earlier.take_off);
        self.put_back.extend(back);
        self.swaps.extend(&earlier.swaps);
    }

    fn leave_out(&mut self, why: LeftOut) {
        self.pass_over_deeds(SkipReason::LeftOut(why));
    }

    fn numbers(&self) -> usize {
        self.list.as_ref().map_or(0, Vec::len) + self.take_off.len() + self.put_back.len() + 3 * self.passed_over.len()
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.numbers_added += self.put_back.len() as u64;
        done.numbers_removed += self.take_off.len() as u64;
    }

    fn added(&self) -> &[CallerId] {
        &self.put_back
    }

    fn takes_off(&self) -> bool {
        !self.take_off.is_empty()
    }

    /// What was taken off for a number that lists don't take any more comes back.
    fn retract(&mut self, now: &Overtaken) -> Option<Retraction<'_>> {
        let refused: Vec<CallerId> = self.put_back.extract_if(.., |number| now.refused.contains(number)).collect();
        let swapped = self.swaps.extract_if(.., |[old, _]| refused.contains(old));
        let back: Vec<CallerId> = swapped.map(|[_, mine]| mine).filter(|mine| !now.gone.contains(mine)).collect();
        self.take_off.retain(|number| !back.contains(number));
        self.returned.extend(back);
        self.retracted.extend(refused);
        let gone = self.returned.extract_if(.., |number| now.gone.contains(number));
        let off: Vec<CallerId> = self.retracted.iter().copied().chain(gone).collect();
        (!off.is_empty() || !self.returned.is_empty()).then_some(Retraction {
            login: &self.login,
            created: None,
            off,
            back: &self.returned,
        })
    }
}
