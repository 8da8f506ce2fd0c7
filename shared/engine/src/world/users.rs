//! Users, and who has what only one user can have.

use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashMap;

use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    jobs::JobId,
    user::{Claim, DirectoryId, Policy, Ref, User},
};
use tokio::time::Instant;

use super::{NotWritten, TableUsage};
use crate::StorageError;

/// What the bulk path needs to know of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The user's policy.
    pub policy: Policy,
    /// When the user was created, where that is known.
    pub created: Option<Timestamp>,
    /// The user's department.
    pub department: Option<Ref>,
    /// The user's e-mail address, folded.
    pub email: Option<String>,
    /// The user's own list.
    pub caller_ids: Vec<CallerId>,
}

/// Numbers that are to come onto a list.
#[derive(Clone, Copy)]
pub struct ListRoom<'a> {
    /// The numbers: all of them or none.
    pub add: &'a [CallerId],
    /// How many the list may have then, those among them. It is looked at in the write, since others append at the same time.
    pub limit: usize,
}

/// One user to be written.
#[derive(Clone, Copy)]
pub enum UserWrite<'a> {
    /// It is to be created, with this list.
    Create(&'a User, &'a [CallerId]),
    /// The first is to become the second, and these numbers are to come onto its list, as far as that has room for them.
    Update([&'a User; 2], ListRoom<'a>),
    /// The first is to become the second, and these numbers are to go off its list.
    Restore([&'a User; 2], &'a [CallerId]),
    /// It is to be deleted, if its list is still this one.
    Delete(&'a User),
}

/// Users, and who has what only one user can have.
#[async_trait]
pub trait Users: Send + Sync {
    /// Those of the login IDs that are users, by folded login ID. Repeats what the table puts off, until `until`.
    ///
    /// # Errors
    /// [`ErrorKind::Transient`](crate::ErrorKind::Transient) when the table doesn't answer until then; otherwise when it refuses or holds what can't be
    /// read.
    async fn find_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Found>, StorageError>;

    /// Those of the login IDs that are users, with their lists, by folded login ID.
    ///
    /// # Errors
    /// As [`Users::find_users`].
    async fn whole_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, User>, StorageError>;

    /// Who has what only one user can have: folded login IDs. Claims that nobody has are left out.
    ///
    /// # Errors
    /// As [`Users::find_users`].
    async fn owners(
        &self,
        account: &AccountId,
        claims: Vec<Claim>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<Claim, String>, StorageError>;

    /// The account's users that came from its own directory: the directory's IDs, and folded login IDs. The index
    /// follows changes by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn linked_users(&self, account: &AccountId) -> Result<Vec<(DirectoryId, String)>, StorageError>;

    /// Writes users for a job, each whole or not at all. Gives those that were not written: they must be decided again, because
    /// the user is not what it was any more or somebody else has something of it, or the table can't store them.
    ///
    /// A user that this job has written already is left alone: so a request whose answer was lost, or a plan that is
    /// carried out again after a death, writes once.
    ///
    /// # Errors
    /// As [`Users::find_users`]. What was written stays written.
    async fn write_users(
        &self,
        account: &AccountId,
        writes: &[UserWrite<'_>],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError>;
}
