//! What a job did, as far as it can be taken back.

use super::Act;
use crate::{
    append,
    caller_id::CallerId,
    roster, rotation,
    user::{Claim, User},
};

/// What a job did to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The login ID, folded.
    pub login: String,
    /// Numbers that it put on the user's list.
    pub put_on: Vec<CallerId>,
    /// Numbers that it took off the list, each with what it put in its place.
    pub taken_off: Vec<(CallerId, Option<CallerId>)>,
    /// What it did to the user beside the list.
    pub user: UserDeed,
}

/// What a job did to a user, but for its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserDeed {
    /// Nothing.
    None,
    /// It created the user, like this.
    Created(Box<User>),
    /// It turned the first into the second.
    Changed(Box<[User; 2]>),
}

impl Deed {
    /// Whether the job did anything to the user.
    pub fn is_any(&self) -> bool {
        !(self.put_on.is_empty() && self.taken_off.is_empty() && self.user == UserDeed::None)
    }

    /// What the user would have again that only one user can have.
    pub fn claims(&self) -> Vec<Claim> {
        match &self.user {
            UserDeed::Changed(users) => users[0].claims(),
            UserDeed::None | UserDeed::Created(_) => Vec::new(),
        }
    }

    /// Everything that would take it back.
    pub fn acts(&self) -> Vec<Act> {
        let user = match self.user {
            UserDeed::None => None,
            UserDeed::Created(_) => Some(Act::DeleteUser),
            UserDeed::Changed(_) => Some(Act::RestoreUser),
        };
        let take_off = self.put_on.iter().map(|&number| Act::TakeOff(number));
        let put_back = self.taken_off.iter().map(|&(number, _)| Act::PutBack(number));
        user.into_iter().chain(take_off).chain(put_back).collect()
    }
}

impl From<append::UserPlan> for Deed {
    fn from(plan: append::UserPlan) -> Self {
        Self { login: plan.login, put_on: plan.add, taken_off: Vec::new(), user: UserDeed::None }
    }
}

impl From<rotation::UserPlan> for Deed {
    fn from(plan: rotation::UserPlan) -> Self {
        let taken_off = plan.removed.into_iter().map(|pair| (pair.old, pair.new)).collect();
        Self { login: plan.login, put_on: plan.added, taken_off, user: UserDeed::None }
    }
}

impl From<roster::Plan> for Deed {
    fn from(plan: roster::Plan) -> Self {
        let user = match plan.change {
            roster::Change::Create(user) => UserDeed::Created(user),
            roster::Change::Update { before, after } => UserDeed::Changed(Box::new([*before, *after])),
            roster::Change::None | roster::Change::Refused(_) => UserDeed::None,
        };
        Self { user, ..plan.numbers.into() }
    }
}
