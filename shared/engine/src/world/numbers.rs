//! An account's inventory of numbers.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, inventory::InventoryNumber};

use crate::StorageError;

/// One change of a number.
#[derive(Clone, Copy, Debug)]
pub struct NumberChange<'a> {
    /// As it was; `None` for one that comes into the inventory.
    pub before: Option<&'a InventoryNumber>,
    /// As it is to be.
    pub after: &'a InventoryNumber,
}

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

    /// Those of some numbers that are in the inventory, in any order. None is named twice.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn numbers_of(&self, account: &AccountId, numbers: &[CallerId])
    -> Result<Vec<InventoryNumber>, StorageError>;

    /// Writes numbers, each if what the table holds of it is still what it was before. Whether it is, by position.
    ///
    /// **An attempt that dies may have written some.** No number stands in two of the changes.
    ///
    /// # Errors
    /// When the table can't be read or written.
    async fn change_numbers(
        &self,
        account: &AccountId,
        changes: &[NumberChange<'_>],
        by: &Actor,
    ) -> Result<Vec<bool>, StorageError>;

    /// As [`Self::change_numbers`], of one.
    ///
    /// # Errors
    /// As there.
    async fn change_number(
        &self,
        account: &AccountId,
        before: Option<&InventoryNumber>,
        number: &InventoryNumber,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        let outcomes = self.change_numbers(account, &[NumberChange { before, after: number }], by).await?;
        Ok(outcomes == [true])
    }

    /// The numbers of all accounts that a schedule has something to do with on this day, or had before: a rest ends, or who has
    /// them is looked for once more. **What it says may be old**: the index follows changes
    /// by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn due_numbers(&self, today: Date) -> Result<Vec<(AccountId, CallerId)>, StorageError>;
}
