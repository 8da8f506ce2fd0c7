//! Users' own lists of caller IDs.

use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashSet;

use rollcall_bulk::rotation::{Holder, LeftByPolicy, Only, PolicyCounts};
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, jobs::JobId, user::Policy};
use tokio::time::Instant;

use super::{NotWritten, TableUsage};
use crate::StorageError;

/// Numbers that come onto a list or go off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListNumbers<'a> {
    /// The user, by folded login ID.
    pub login: &'a str,
    /// When the user was created who is meant: whoever has the login ID after a deletion is somebody else. `None` for whoever has it.
    pub created: Option<Timestamp>,
    /// The numbers.
    pub numbers: &'a [CallerId],
}

impl ListNumbers<'_> {
    /// Whether a user who was created then is the one who is meant.
    pub fn is_about(&self, created: Option<Timestamp>) -> bool {
        self.created.is_none_or(|meant| created == Some(meant))
    }
}

/// What came of additions to lists, by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The user is not there any more, or is another one by now, or others have made its list too long for the numbers meanwhile: to be decided again.
    pub outdated: Vec<usize>,
    /// The user's item would become larger than the table takes.
    pub too_large: Vec<usize>,
    /// The table can't store it for another reason.
    pub not_storable: Vec<usize>,
}

/// What a walk over users has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Those who are looked for.
    pub holders: Vec<Holder>,
    /// Of these, by folded login ID, the lists hold no more than the numbers that were looked for: all of many long lists would take too much
    /// memory. What is decided by a whole list is decided when the user is read again.
    pub cut: HashSet<String>,
    /// Login IDs, folded, that were asked for and that nobody has.
    pub unknown: HashSet<String>,
    /// How many of those who were looked at dial by a policy.
    pub policies: PolicyCounts,
}

/// Who is looked for.
#[derive(Clone, Debug, Default)]
pub struct Sought<'a> {
    /// Those who have one of these on their own lists.
    pub numbers: &'a [CallerId],
    /// Those who dial by one of these policies.
    pub policies: LeftByPolicy,
    /// Among these; among all where nothing is said.
    pub only: Option<&'a Only>,
}

/// One list that is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListChange<'a> {
    /// The user, by folded login ID.
    pub login: &'a str,
    /// By what the user dialled when this was decided. A list that was not in force then is changed only as long as it isn't.
    pub policy: Policy,
    /// The list before and after; `None` where nothing is to be written, but only looked whether the job has done so.
    pub lists: Option<[Vec<CallerId>; 2]>,
}

/// Users' own lists of caller IDs.
#[async_trait]
pub trait Lists: Send + Sync {
    /// Looks at every user that is meant, each once, and gives those who are looked for. Users are
    /// listed by the index, which follows changes by some milliseconds; what counts of each is read as it is now.
    ///
    /// # Errors
    /// As [`Users::find_users`](super::Users::find_users).
    async fn holders(
        &self,
        account: &AccountId,
        sought: Sought<'_>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Walk, StorageError>;

    /// Adds numbers to users' lists, each with an outcome of its own: all of a user's numbers or none. Adding to a
    /// set is atomic, takes away nothing and changes nothing when it is repeated, so that a request whose answer was
    /// lost is simply sent again.
    ///
    /// **No list grows past `limit` by it**, whoever else adds to it at the same moment; `None` for numbers that take the places of others.
    /// Numbers that are all on the list have been added, also where it is full: by the request before, or by whoever asked for the same.
    ///
    /// # Errors
    /// As [`Users::find_users`](super::Users::find_users). What was added stays added.
    async fn add_caller_ids(
        &self,
        account: &AccountId,
        additions: &[ListNumbers<'_>],
        limit: Option<usize>,
        by: &Actor,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Added, StorageError>;

    /// Takes numbers off lists. Done once or twice, they are off; a user who isn't there, or is another one by now, has none.
    ///
    /// # Errors
    /// As [`Users::find_users`](super::Users::find_users); [`ErrorKind::Refused`](crate::ErrorKind::Refused) where the table doesn't take one of the removals.
    async fn remove_caller_ids(
        &self,
        account: &AccountId,
        removals: &[ListNumbers<'_>],
        by: &Actor,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<(), StorageError>;

    /// Writes lists for a job, each if it is still as it was, and if it hasn't come into force meanwhile. One that this job has written already is left alone. Users' versions are not raised: appends, which raise none either, make a
    /// list another one, and so does this.
    ///
    /// # Errors
    /// As [`Users::find_users`](super::Users::find_users). What was written stays written.
    async fn change_lists(
        &self,
        account: &AccountId,
        changes: &[ListChange<'_>],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError>;
}
