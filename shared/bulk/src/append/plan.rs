//! What an append does to one user.

use hashbrown::HashSet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::left_out::LeftOut;
use rollcall_model::{caller_id::CallerId, user::Policy};

/// How the directory knows the login ID of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginLookup {
    /// It is a user's, under this policy.
    User(Policy),
    /// It is nobody's.
    Nobody,
    /// It is no login ID, but the e-mail address of a user who has another one. Nobody is guessed.
    EmailOnly,
    /// It is the login ID of one user and the e-mail address of another.
    Ambiguous,
    /// It is a user's, who was left out.
    LeftOut(LeftOut),
}

/// What a job does to one user, and why. Plans are kept beside the results before they are carried out, so that a
/// job that dies half-way still knows what was its own doing, and so that it can be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendPlan {
    /// The login ID, folded.
    pub login: String,
    /// When the user was created, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// The user had no number to dial from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub had_none: bool,
    /// Who that is.
    pub standing: LoginLookup,
    /// Numbers to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<CallerId>,
    /// Numbers that the user had before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub already_present: Vec<CallerId>,
    /// Numbers for which the list has no room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_limit: Vec<CallerId>,
    /// Numbers that were added and have been taken off again, since they were retired meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retracted: Vec<CallerId>,
    /// Users who may have been meant, where nobody has the login ID: folded login IDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
    /// The list that this was decided on, where an earlier attempt may have written it: what that one did is looked up in it.
    #[serde(skip)]
    pub list: Option<Vec<CallerId>>,
}

impl AppendPlan {
    /// Decides. `list` is what the user has now, `wanted` what it is to have, in the order of the file; the first ones
    /// that fit under `limit` are added.
    pub fn decide(
        login: &str,
        standing: LoginLookup,
        list: &[CallerId],
        wanted: impl Iterator<Item = CallerId>,
        limit: usize,
    ) -> Self {
        let mut plan = Self::nothing(login.to_owned(), standing);
        if !matches!(standing, LoginLookup::User(_)) {
            return plan;
        }
        let list: HashSet<CallerId> = list.iter().copied().collect();
        for number in wanted {
            if list.contains(&number) {
                plan.already_present.push(number);
            } else if list.len() + plan.add.len() < limit {
                plan.add.push(number);
            } else {
                plan.over_limit.push(number);
            }
        }
        plan
    }

    /// Nothing is added, as where nobody has the login ID.
    pub(crate) fn add_nothing(&mut self) {
        *self = Self::nothing(std::mem::take(&mut self.login), LoginLookup::Nobody);
    }

    pub(super) fn nothing(login: String, standing: LoginLookup) -> Self {
        Self {
            login,
            created: None,
            had_none: false,
            standing,
            add: Vec::new(),
            already_present: Vec::new(),
            over_limit: Vec::new(),
            retracted: Vec::new(),
            near: Vec::new(),
            list: None,
        }
    }

    /// Those numbers of this plan, which an earlier attempt has logged, that have come onto the list by it, by what would be decided `now`: all
    /// of them, or those that the file can't ask for any more, since they were retired meanwhile.
    pub(super) fn came(&self, now: &Self) -> Vec<CallerId> {
        // Whoever has the login ID after a deletion is somebody else.
        let same = self.created.is_none_or(|created| now.created == Some(created));
        let list = now.list.as_ref().filter(|_| same);
        let on_list = |number: &&CallerId| list.is_some_and(|list| list.contains(number));
        let came: Vec<CallerId> = self.add.iter().filter(on_list).copied().collect();
        if came.len() == self.add.len() {
            return came;
        }
        came.into_iter().filter(|number| !now.already_present.contains(number)).collect()
    }
}
