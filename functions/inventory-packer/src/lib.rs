//! What the table's stream tells of numbers is held against the packed inventory. Rollcall writes both together, so there is a difference
//! only where somebody has written a number past it; then the packed inventory follows.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_model::{account::AccountId, caller_id::CallerId};
use rollcall_storage::{
    StorageError,
    connect::Aws,
    directory::{Directory, ToldNumber},
    environment::{BadEnvironment, variable},
};
use serde::Deserialize;

/// The function, as it stands between two events.
pub struct InventoryPacker {
    directory: Directory,
}

/// Records of a table's stream.
#[derive(Debug, Deserialize)]
pub struct Records {
    #[serde(rename = "Records")]
    records: Vec<ToldNumber>,
}

impl InventoryPacker {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        Ok(Self { directory: Directory::new(aws, variable::<String>("TABLE_NAME")?) })
    }

    /// Follows the numbers that the records are about.
    ///
    /// # Errors
    /// When the table can't be read or written: the records are to be told again, which does no harm to those that were followed.
    pub async fn handle(&self, Records { records }: Records) -> Result<(), StorageError> {
        let mut accounts: BTreeMap<AccountId, BTreeSet<CallerId>> = BTreeMap::new();
        for record in &records {
            if let Some((account, number)) = record.number() {
                accounts.entry(account).or_default().insert(number);
            } else {
                // Somebody has put something among the numbers that isn't one.
                tracing::warn!("a record is about no number");
            }
        }
        for (account, numbers) in accounts {
            let numbers: Vec<CallerId> = numbers.into_iter().collect();
            self.directory.follow_numbers(&account, &numbers).await?;
        }
        Ok(())
    }
}
