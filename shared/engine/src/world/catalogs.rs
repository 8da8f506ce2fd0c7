//! Accounts' roles, departments and teams.

use async_trait::async_trait;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    catalog::{CatalogEntry, CatalogKind},
};

use crate::StorageError;

/// Accounts' roles, departments and teams.
#[async_trait]
pub trait Catalogs: Send + Sync {
    /// Every entry of a kind, by ID. Catalogues are short: a company has tens of departments, not thousands.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn catalog(&self, account: &AccountId, kind: CatalogKind) -> Result<Vec<CatalogEntry>, StorageError>;

    /// Adds an entry, or replaces its name.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn put_entry(
        &self,
        account: &AccountId,
        kind: CatalogKind,
        entry: &CatalogEntry,
        by: Option<&Actor>,
    ) -> Result<(), StorageError>;
}
