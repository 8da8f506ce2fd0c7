//! What accounts' phone systems are to be told, and what they were told.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_bulk::push::state::PushState;
use rollcall_model::{
    account::AccountId,
    code::RowCode,
    push::{Mark, Told},
    settings::PhoneSystem,
};
use tokio::time::Instant;

use super::{TableUsage, Versioned};
use crate::StorageError;

/// A user who is to be marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMark {
    /// The user, by folded login ID.
    pub login: String,
    /// See [`Mark::sequence`].
    pub sequence: String,
    /// See [`Mark::removes`].
    pub removes: bool,
}

/// What the phone system was told of everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldTotals {
    /// Users of whom it was told.
    pub users: usize,
    /// Numbers, each counted for each of them.
    pub numbers: usize,
}

/// What accounts' phone systems are to be told, and what they were told.
#[async_trait]
pub trait Pushes: Send + Sync {
    /// How the account stands; `None` for one whose phone system was never to be told anything.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn push_state(&self, account: &AccountId) -> Result<Option<Versioned<PushState>>, StorageError>;

    /// Writes how the account stands, if that is still of the version before. `false` when it isn't.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn put_push_state(&self, account: &AccountId, state: &Versioned<PushState>) -> Result<bool, StorageError>;

    /// The accounts that have a state.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn pushed_accounts(&self) -> Result<Vec<AccountId>, StorageError>;

    /// Some marks, in the order of their login IDs, behind `after`, as they are now. The last page is empty.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn marks_after(&self, account: &AccountId, after: Option<&str>) -> Result<Vec<Mark>, StorageError>;

    /// The marks of these users, by folded login ID, as they are now.
    ///
    /// # Errors
    /// When the table can't be read in time, or what it holds can't.
    async fn marks_of(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Mark>, StorageError>;

    /// Marks users. One who is marked already keeps the time since when, and that numbers may be to be taken away; that it was in vain is forgotten.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn mark(&self, account: &AccountId, marks: &[NewMark], at: Timestamp) -> Result<(), StorageError>;

    /// Takes a mark away, if it is still of this change.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn unmark(&self, account: &AccountId, folded_login: &str, sequence: &str) -> Result<(), StorageError>;

    /// Says of a user's mark that the phone system is about to be told. `false` where there is none any more: somebody else has told it.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn begin_telling(&self, account: &AccountId, folded_login: &str) -> Result<bool, StorageError>;

    /// Says of a mark, if it is still of this change, that the phone system was told in vain. What it has is [unsure](Mark::unsure) then.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn fail_mark(
        &self,
        account: &AccountId,
        folded_login: &str,
        sequence: &str,
        code: RowCode,
    ) -> Result<(), StorageError>;

    /// Marks the account: what many may dial from has changed, and nobody has looked yet for whom.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn mark_everybody(&self, account: &AccountId, sequence: &str) -> Result<(), StorageError>;

    /// The mark of the account: which change it was.
    ///
    /// # Errors
    /// When the table can't be read.
    async fn everybody(&self, account: &AccountId) -> Result<Option<String>, StorageError>;

    /// Takes the account's mark away, if it is still of this change.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn unmark_everybody(&self, account: &AccountId, sequence: &str) -> Result<(), StorageError>;

    /// Some of the account's users, by folded login ID, and the place behind which there are more. The index that lists them follows changes by some
    /// milliseconds: who is created marks the user anyway.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn logins_after(
        &self,
        account: &AccountId,
        after: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), StorageError>;

    /// What this phone system was told of these users, by folded login ID. What another was told is kept apart: an account may go back to it.
    ///
    /// # Errors
    /// When the table can't be read in time, or what it holds can't.
    async fn told_of(
        &self,
        account: &AccountId,
        system: PhoneSystem,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Told>, StorageError>;

    /// Keeps what a phone system was told of a user.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn put_told(&self, account: &AccountId, folded_login: &str, told: &Told) -> Result<(), StorageError>;

    /// Of whom this phone system was told, by folded login ID, and whether it has anybody who is the user. Whom we have deleted since is among them.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn told_users(&self, account: &AccountId, system: PhoneSystem) -> Result<Vec<(String, bool)>, StorageError>;

    /// What this phone system was told of everybody, summed up.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn told_totals(&self, account: &AccountId, system: PhoneSystem) -> Result<ToldTotals, StorageError>;
}
