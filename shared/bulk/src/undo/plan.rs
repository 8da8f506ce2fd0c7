//! What an undo does to one user.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Effect, UserEffect};
use crate::{
    bulk_job::{Done, ListAdditions, Plan},
    left_out::LeftOut,
    logged_user,
};
use rollcall_model::{
    caller_id::CallerId,
    user::{Claim, User},
};

/// One thing to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// Why something is passed over: what has happened since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The user has been deleted, or the number sold.
    Gone,
    /// The user, or the number, has been changed.
    Changed,
    /// Another user has the address, the extension or the person of the directory by now.
    Taken,
    /// The number is not on the list any more.
    NotThere,
    /// The number is on the list again.
    BackAlready,
    /// What had taken the number's place is not there any more.
    ReplacementGone,
    /// The number has been retired, or sold.
    Retired,
    /// The list has no room any more.
    ListFull,
    /// Nothing has: the undo was given up before its turn.
    NotRestored,
    /// Nothing has: it can't be written.
    LeftOut(LeftOut),
}

/// What an undo does to one user. Kept beside its own results before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// What becomes of a user, but for its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoChange {
    /// Nothing.
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
    /// Numbers that lists take; an account without an inventory takes every number.
    pub taken: Option<&'a HashSet<CallerId>>,
    /// How many numbers a list takes.
    pub limit: usize,
}

impl UndoPlan {
    /// Decides for one user, given whether it can have again what only one user can have.
    pub(super) fn decide(effect: &Effect, present: UndoTarget<'_>, way: Way) -> Self {
        let mut plan = Self {
            login: effect.login.clone(),
            take_off: Vec::new(),
            put_back: Vec::new(),
            retracted: Vec::new(),
            change: UndoChange::None,
            passed_over: Vec::new(),
            waits: false,
            list: None,
        };
        let Some(user) = present.user else {
            plan.pass_over_all(effect, SkipReason::Gone);
            return plan;
        };
        plan.list = Some(user.caller_ids.clone());
        match &effect.user {
            UserEffect::Created(created) => plan.take_back_creation(effect, created, user),
            UserEffect::Changed(change) => {
                plan.take_back_change(change, user, way);
                if plan.waits {
                    plan.pass_over_all(effect, SkipReason::Taken);
                } else {
                    plan.take_back_numbers(effect, user, present);
                }
            }
            UserEffect::None => plan.take_back_numbers(effect, user, present),
        }
        plan
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

    fn take_back_change(&mut self, [before, after]: &[User; 2], user: &User, way: Way) {
        match way {
            _ if !is_as_left(user, after) => self.passed_over.push((Act::RestoreUser, SkipReason::Changed)),
            Way::Later => self.waits = true,
            Way::Taken => self.passed_over.push((Act::RestoreUser, SkipReason::Taken)),
            Way::Free => {
                let restored = User { version: user.version + 1, ..before.clone() };
                self.change = UndoChange::Restore(Box::new([user.clone(), restored]));
            }
        }
    }

    /// Numbers on a list are taken back one by one. A number comes back only with what took its place going: otherwise somebody
    /// has decided about it since.
    fn take_back_numbers(&mut self, effect: &Effect, user: &User, present: UndoTarget<'_>) {
        self.take_off_what_is_there(effect, user);
        let mut list: HashSet<CallerId> = user.caller_ids.iter().copied().collect();
        self.take_off.iter().for_each(|number| _ = list.remove(number));
        for &(number, replacement) in &effect.removed {
            // A replacement that the user had before stays, whatever becomes of the old number.
            let mine = replacement.filter(|replacement| effect.added.contains(replacement));
            let since = match mine {
                _ if list.contains(&number) => Some(SkipReason::BackAlready),
                Some(mine) if !self.take_off.contains(&mine) => Some(SkipReason::ReplacementGone),
                _ if present.taken.is_some_and(|taken| !taken.contains(&number)) => Some(SkipReason::Retired),
                _ if list.len() >= present.limit => Some(SkipReason::ListFull),
                _ => None,
            };
            if let Some(since) = since {
                self.passed_over.push((Act::PutBack(number), since));
            } else {
                list.insert(number);
                self.put_back.push(number);
            }
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

    fn pass_over_all(&mut self, effect: &Effect, since: SkipReason) {
        self.passed_over.extend(effect.acts().into_iter().map(|act| (act, since)));
    }

    /// The list before and after, in order; `None` when another attempt has decided.
    pub fn lists(&self) -> Option<[Vec<CallerId>; 2]> {
        let before = self.list.clone()?;
        let mut after: Vec<CallerId> = before
            .iter()
            .copied()
            .filter(|number| !self.take_off.contains(number))
            .chain(self.put_back.clone())
            .collect();
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

    fn is_done(&self, now: &Self) -> bool {
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
    }

    fn leave_out(&mut self, why: LeftOut) {
        let user = match std::mem::replace(&mut self.change, UndoChange::None) {
            UndoChange::None => None,
            UndoChange::Delete(_) => Some(Act::DeleteUser),
            UndoChange::Restore(_) => Some(Act::RestoreUser),
        };
        let take_off = std::mem::take(&mut self.take_off).into_iter().map(Act::TakeOff);
        let put_back = std::mem::take(&mut self.put_back).into_iter().map(Act::PutBack);
        let left = user.into_iter().chain(take_off).chain(put_back);
        self.passed_over.extend(left.map(|act| (act, SkipReason::LeftOut(why))));
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.numbers_added += self.put_back.len() as u64;
        done.numbers_removed += self.take_off.len() as u64;
    }

    fn additions(&mut self) -> Option<ListAdditions<'_>> {
        Some(ListAdditions { login: &self.login, added: &mut self.put_back, retracted: &mut self.retracted })
    }
}
