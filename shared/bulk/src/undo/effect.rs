//! What a job did, as far as it can be taken back.

use std::collections::HashSet;

use std::collections::{HashMap, hash_map::Entry};

use super::{Act, UndoChange, UndoPlan};
use crate::{
    append::{self, AppendPlan},
    rotation::{self, RotationPlan},
    user_upload,
};
use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    user::{Claim, User},
};

/// What a job did to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The login ID, folded.
    pub login: String,
    /// When the user was created to whom it did so, where that is known.
    pub created: Option<Timestamp>,
    /// The user had no number to dial from before.
    pub had_none: bool,
    /// Numbers that it put on the user's list.
    pub added: Vec<CallerId>,
    /// Numbers that it took off the list, each with what it put in its place.
    pub removed: Vec<(CallerId, Option<CallerId>)>,
    /// What it did to the user beside the list.
    pub user: UserEffect,
}

/// What a job did to a user, but for its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserEffect {
    /// Nothing.
    None,
    /// It created the user, like this.
    Created(Box<User>),
    /// It turned the first into the second.
    Changed(Box<[User; 2]>),
}

impl Effect {
    /// Whether the job did anything to the user.
    pub fn is_any(&self) -> bool {
        !(self.added.is_empty() && self.removed.is_empty() && self.user == UserEffect::None)
    }

    /// Whether this user is the one to whom it was done. Of one of whom the time of creation isn't known, the login ID says it.
    pub fn is_of(&self, user: &User) -> bool {
        self.created.is_none_or(|created| user.created == Some(created))
    }

    /// The effects of a job, each user once. One whose rows several attempts could read in parts has several plans for a user.
    pub fn joined(effects: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::with_capacity(effects.len());
        let mut places: HashMap<(String, Option<Timestamp>), usize> = HashMap::new();
        for effect in effects {
            match places.entry((effect.login.clone(), effect.created)) {
                Entry::Occupied(place) => joined[*place.get()].join(effect),
                Entry::Vacant(place) => {
                    place.insert(joined.len());
                    joined.push(effect);
                }
            }
        }
        joined
    }

    fn join(&mut self, later: Self) {
        self.added.extend(later.added);
        self.removed.extend(later.removed);
        self.user = match (std::mem::replace(&mut self.user, UserEffect::None), later.user) {
            (UserEffect::Changed(first), UserEffect::Changed(second)) => {
                let ([before, _], [_, after]) = (*first, *second);
                UserEffect::Changed(Box::new([before, after]))
            }
            (UserEffect::Created(_), UserEffect::Changed(users)) => {
                let [_, after] = *users;
                UserEffect::Created(Box::new(after))
            }
            (UserEffect::None, user) | (user, _) => user,
        };
    }

    /// What is left of it, where an earlier undo has taken back a part.
    #[must_use]
    pub fn without(mut self, done: &UndoPlan) -> Self {
        let [off, back] = [&done.take_off, &done.put_back].map(|numbers| numbers.iter().collect::<HashSet<_>>());
        self.added.retain(|number| !off.contains(number));
        self.removed.retain(|(old, _)| !back.contains(old));
        if done.change != UndoChange::None {
            self.user = UserEffect::None;
        }
        self
    }

    /// What the user would have again that only one user can have.
    pub fn claims(&self) -> Vec<Claim> {
        match &self.user {
            UserEffect::Changed(users) => users[0].claims(),
            UserEffect::None | UserEffect::Created(_) => Vec::new(),
        }
    }

    /// Everything that would take it back.
    pub fn acts(&self) -> Vec<Act> {
        let user = match self.user {
            UserEffect::None => None,
            UserEffect::Created(_) => Some(Act::DeleteUser),
            UserEffect::Changed(_) => Some(Act::RestoreUser),
        };
        let take_off = self.added.iter().map(|&number| Act::TakeOff(number));
        let put_back = self.removed.iter().map(|&(number, _)| Act::PutBack(number));
        user.into_iter().chain(take_off).chain(put_back).collect()
    }
}

impl From<append::AppendPlan> for Effect {
    fn from(plan: append::AppendPlan) -> Self {
        let AppendPlan { login, created, had_none, add, .. } = plan;
        Self { login, created, had_none, added: add, removed: Vec::new(), user: UserEffect::None }
    }
}

impl From<rotation::RotationPlan> for Effect {
    fn from(plan: rotation::RotationPlan) -> Self {
        let removed = plan.removed.into_iter().map(|pair| (pair.old, pair.new)).collect();
        let RotationPlan { login, created, added, .. } = plan;
        Self { login, created, had_none: false, added, removed, user: UserEffect::None }
    }
}

impl From<user_upload::UserPlan> for Effect {
    fn from(plan: user_upload::UserPlan) -> Self {
        let created = match &plan.change {
            user_upload::UserChange::Create(user) => user.created,
            user_upload::UserChange::Update { before, .. } => before.created,
            user_upload::UserChange::None | user_upload::UserChange::Refused(_) => plan.numbers.created,
        };
        let user = match plan.change {
            user_upload::UserChange::Create(user) => UserEffect::Created(user),
            user_upload::UserChange::Update { before, after } => UserEffect::Changed(Box::new([*before, *after])),
            user_upload::UserChange::None | user_upload::UserChange::Refused(_) => UserEffect::None,
        };
        Self { created, user, ..plan.numbers.into() }
    }
}
