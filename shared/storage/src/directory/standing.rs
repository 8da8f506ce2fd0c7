//! How accounts stand with what is done for them by schedule: their own directories, and their resyncs.

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_bulk::{directory_import::sync_state::SyncState, resync::state::ResyncState};
use rollcall_model::account::AccountId;
use serde::{Serialize, de::DeserializeOwned};

use super::{Directory, Item, document, read_document, string, taken};
use crate::{
    ErrorKind, StorageError,
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, RESYNCED, SCHEDULED},
};

const READING: &str = "reading how the account stands";
const WRITING: &str = "writing how the account stands";
const RECORD: &str = "standing";
/// Raised by every change, so that none is made on what has changed meanwhile.
const VERSION: &str = "version";

impl Directory {
    /// How the account and its directory stand; `None` for one that has never imported anybody.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn standing(&self, account: &AccountId) -> Result<Option<SyncState>, StorageError> {
        Ok(self.versioned(Key::standing(account)).await?.map(|(standing, _)| standing))
    }

    /// Changes how the account and its directory stand, from what it is now, and gives what `change` gave. From the first time on, the
    /// account is visited.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn change_standing<R>(
        &self,
        account: &AccountId,
        change: impl Fn(&mut SyncState) -> R,
    ) -> Result<R, StorageError> {
        self.change_versioned(account, &Key::standing(account), SCHEDULED, change).await
    }

    /// How the account stands with its resyncs; `None` for one that has no mappings.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn resync_standing(&self, account: &AccountId) -> Result<Option<ResyncState>, StorageError> {
        Ok(self.versioned(Key::resync(account)).await?.map(|(standing, _)| standing))
    }

    /// Changes how the account stands with its resyncs, and gives what `change` gave. From the first time on, the account is resynced
    /// by schedule.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn change_resync_standing<R>(
        &self,
        account: &AccountId,
        change: impl Fn(&mut ResyncState) -> R,
    ) -> Result<R, StorageError> {
        self.change_versioned(account, &Key::resync(account), RESYNCED, change).await
    }

    /// From now on, the account is resynced by schedule. However many say so at once.
    ///
    /// # Errors
    /// When the table can't be written.
    pub(super) async fn begin_resyncs(&self, account: &AccountId) -> Result<(), StorageError> {
        let begun = self.put_versioned(account, &Key::resync(account), RESYNCED, &ResyncState::default(), 0).await;
        taken(begun).map(drop)
    }

    async fn change_versioned<T: Default + Serialize + DeserializeOwned, R>(
        &self,
        account: &AccountId,
        key: &Key,
        visits: &str,
        change: impl Fn(&mut T) -> R,
    ) -> Result<R, StorageError> {
        /// Who else changes it: the schedule, and the few jobs that may run at once.
        const TRIES: u32 = 10;
        let mut tries = 0;
        loop {
            let (mut standing, version) = self.versioned(key.clone()).await?.unwrap_or_default();
            let given = change(&mut standing);
            tries += 1;
            match self.put_versioned(account, key, visits, &standing, version).await {
                Err(error) if error.kind == ErrorKind::Conflict && tries < TRIES => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(given),
            }
        }
    }

    /// Writes it if its version is still this one; 0 is that of what isn't there.
    async fn put_versioned(
        &self,
        account: &AccountId,
        key: &Key,
        visits: &str,
        standing: &impl Serialize,
        version: u64,
    ) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key.clone().attributes().into()))
            .item(ACCOUNT_PK, AttributeValue::S(visits.to_owned()))
            .item(ACCOUNT_SK, AttributeValue::S(account.to_string()))
            .item(RECORD, document(standing))
            .item(VERSION, AttributeValue::N((version + 1).to_string()))
            .condition_expression("attribute_not_exists(#pk) OR #version = :version")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        put.send().await.map(drop).map_err(failed(WRITING))
    }

    /// The accounts whose directories are to be visited.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn accounts_of_schedule(&self) -> Result<Vec<AccountId>, StorageError> {
        self.accounts(SCHEDULED).await
    }

    /// The accounts whose mappings are to be resynced.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn resynced_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        self.accounts(RESYNCED).await
    }

    async fn accounts(&self, visits: &str) -> Result<Vec<AccountId>, StorageError> {
        const LISTING: &str = "listing accounts to visit";
        let mut accounts = Vec::new();
        let mut after: Option<Item> = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(BY_ACCOUNT)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", ACCOUNT_PK)
                .expression_attribute_values(":pk", AttributeValue::S(visits.to_owned()))
                .set_exclusive_start_key(after);
            let page = query.send().await.map_err(failed(LISTING))?;
            for item in page.items() {
                let account = string(item, ACCOUNT_SK).unwrap_or_default().parse();
                accounts.push(account.map_err(|error| StorageError::unreadable(LISTING, error))?);
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(accounts);
            }
        }
    }

    async fn versioned<T: DeserializeOwned>(&self, key: Key) -> Result<Option<(T, u64)>, StorageError> {
        let read = self.client.get_item().table_name(&self.table);
        let read = read.set_key(Some(key.attributes().into())).consistent_read(true);
        let Some(item) = read.send().await.map_err(failed(READING))?.item else { return Ok(None) };
        let version = item.get(VERSION).and_then(|value| value.as_n().ok()).and_then(|version| version.parse().ok());
        let version = version.ok_or_else(|| StorageError::unreadable(READING, "it has no version"))?;
        Ok(Some((read_document(&item, RECORD, READING)?, version)))
    }
}
