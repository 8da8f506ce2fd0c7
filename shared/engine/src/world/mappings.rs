//! Mappings of CRM users.

use async_trait::async_trait;
use std::collections::HashMap;

use rollcall_model::{
    account::AccountId,
    jobs::JobId,
    mapping::{CrmUserId, Mapping},
};
use tokio::time::Instant;

use super::{NotWritten, TableUsage};
use crate::StorageError;

/// Mappings of CRM users.
#[async_trait]
pub trait Mappings: Send + Sync {
    /// Some of the account's mappings, as they are now, in order: those that follow after this CRM user, as many as one request gives. None
    /// after the last.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn mappings_after(
        &self,
        account: &AccountId,
        after: Option<&CrmUserId>,
    ) -> Result<Vec<Mapping>, StorageError>;

    /// Those of the CRM users that have mappings, as they are now. Repeats what the table puts off, until `until`.
    ///
    /// # Errors
    /// As [`Users::find_users`](super::Users::find_users).
    async fn mappings_of(
        &self,
        account: &AccountId,
        crm_users: &[&CrmUserId],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<CrmUserId, Mapping>, StorageError>;

    /// Writes mappings for a resync, each if it is still at the version before. Gives the positions of those that must be
    /// decided again, and of those that the table can't store. One that this resync has written already is left alone.
    ///
    /// # Errors
    /// As [`Users::find_users`](super::Users::find_users). What was written stays written.
    async fn write_mappings(
        &self,
        account: &AccountId,
        mappings: &[&Mapping],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError>;

    /// Whether this resync has written the mapping.
    ///
    /// # Errors
    /// When the table can't be read.
    async fn has_written_mapping(
        &self,
        account: &AccountId,
        crm_user: &CrmUserId,
        job: &JobId,
    ) -> Result<bool, StorageError>;
}
