//! What accounts have set.

use async_trait::async_trait;
use rollcall_model::{account::AccountId, settings::Settings};

use crate::StorageError;

/// What accounts have set.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The account's settings, or the defaults.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn settings(&self, account: &AccountId) -> Result<Settings, StorageError>;
}
