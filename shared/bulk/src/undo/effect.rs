//! What a job did, as far as it can be taken back.

use super::Act;
use crate::{append, rotation, user_upload};
use rollcall_model::{
    caller_id::CallerId,
    user::{Claim, User},
};

/// What a job did to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The login ID, folded.
    pub login: String,
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
        Self { login: plan.login, added: plan.add, removed: Vec::new(), user: UserEffect::None }
    }
}

impl From<rotation::RotationPlan> for Effect {
    fn from(plan: rotation::RotationPlan) -> Self {
        let removed = plan.removed.into_iter().map(|pair| (pair.old, pair.new)).collect();
        Self { login: plan.login, added: plan.added, removed, user: UserEffect::None }
    }
}

impl From<user_upload::UserPlan> for Effect {
    fn from(plan: user_upload::UserPlan) -> Self {
        let user = match plan.change {
            user_upload::UserChange::Create(user) => UserEffect::Created(user),
            user_upload::UserChange::Update { before, after } => UserEffect::Changed(Box::new([*before, *after])),
            user_upload::UserChange::None | user_upload::UserChange::Refused(_) => UserEffect::None,
        };
        Self { user, ..plan.numbers.into() }
    }
}
