//! What was agreed on about uploads before they were dropped.

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_model::{
    account::AccountId,
    permit::{Permit, PermitId},
};

use crate::StorageError;

/// What was agreed on about uploads before they were dropped.
#[async_trait]
pub trait Permits: Send + Sync {
    /// What was agreed on under this ID; `None` when the account has no such permit.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn permitted(&self, account: &AccountId, id: &PermitId) -> Result<Option<Permit>, StorageError>;

    /// Keeps what was agreed on about an upload. Gives the ID that is to be bound to it.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn permit(&self, account: &AccountId, permit: &Permit, now: Timestamp) -> Result<PermitId, StorageError>;
}
