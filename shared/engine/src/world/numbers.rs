//! An account's inventory of numbers.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, inventory::InventoryNumber};

use crate::StorageError;

/// An account's inventory of numbers.
#[async_trait]
pub trait Numbers: Send + Sync {
    /// Every number of the account.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn inventory(&self, account: &AccountId) -> Result<Vec<InventoryNumber>, StorageError>;

    /// One number of the inventory.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn number(&self, account: &AccountId, number: CallerId) -> Result<Option<InventoryNumber>, StorageError>;

    /// Writes a number if what the table holds of it is still `before`. `false` when it isn't.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn change_number(
        &self,
        account: &AccountId,
        before: Option<&InventoryNumber>,
        number: &InventoryNumber,
        by: &Actor,
    ) -> Result<bool, StorageError>;

    /// The numbers of all accounts that a schedule has something to do with on this day, or had before: a rest ends, or who has
    /// them is looked for once more. **What it says may be old**: the index follows changes
    /// by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn due_numbers(&self, today: Date) -> Result<Vec<(AccountId, CallerId)>, StorageError>;
}
