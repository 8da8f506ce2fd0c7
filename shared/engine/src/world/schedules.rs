//! How accounts stand with what is done for them by schedule.

use async_trait::async_trait;
use rollcall_bulk::{directory_import::sync_state::SyncState, resync::state::ResyncState};
use rollcall_model::account::AccountId;

use super::Versioned;
use crate::StorageError;

/// How accounts stand with what is done for them by schedule.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// How the account and its own directory stand; `None` for one that has never imported anybody.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn sync_state(&self, account: &AccountId) -> Result<Option<Versioned<SyncState>>, StorageError>;

    /// Writes how the account and its directory stand, if that is still of the version before. `false` when it isn't. From the first time
    /// on, the account is synced by schedule.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn put_sync_state(&self, account: &AccountId, state: &Versioned<SyncState>) -> Result<bool, StorageError>;

    /// How the account stands with its resyncs; `None` for one that has no mappings.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn resync_state(&self, account: &AccountId) -> Result<Option<Versioned<ResyncState>>, StorageError>;

    /// Writes how the account stands with its resyncs, if that is still of the version before. `false` when it isn't. From the first
    /// time on, the account is resynced by schedule.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn put_resync_state(&self, account: &AccountId, state: &Versioned<ResyncState>)
    -> Result<bool, StorageError>;

    /// The accounts whose own directories are synced by schedule.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn synced_accounts(&self) -> Result<Vec<AccountId>, StorageError>;

    /// The accounts whose mappings are resynced by schedule.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn resynced_accounts(&self) -> Result<Vec<AccountId>, StorageError>;
}
