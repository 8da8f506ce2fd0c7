//! How accounts stand with what is done for them by schedule: their own directories, and their resyncs.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_bulk::{directory_import::sync_state::SyncState, resync::state::ResyncState};
use rollcall_engine::world::{Schedules, Versioned};
use rollcall_model::account::AccountId;
use serde::{Serialize, de::DeserializeOwned};

use super::{Directory, Item, document, read_document, string, taken};
use crate::{
    StorageError,
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, RESYNCED, SCHEDULED},
};

const READING: &str = "reading how the account stands";
const WRITING: &str = "writing how the account stands";
const RECORD: &str = "standing";
/// Raised by every change, so that none is made on what has changed meanwhile.
const VERSION: &str = "version";

impl Directory {
    /// From now on, the account is resynced by schedule. However many say so at once.
    ///
    /// # Errors
    /// When the table can't be written.
    pub(super) async fn begin_resyncs(&self, account: &AccountId) -> Result<(), StorageError> {
        self.put_resync_state(account, &Versioned::default()).await.map(drop)
    }

    /// From now on, the account is not synced by schedule.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn end_syncs(&self, account: &AccountId) -> Result<(), StorageError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.set_key(Some(Key::standing(account).attributes().into()));
        delete.send().await.map(drop).map_err(failed(WRITING))
    }

    /// Writes it if its version is still this one; 0 is that of what isn't there.
    pub(super) async fn put_versioned(
        &self,
        account: &AccountId,
        key: &Key,
        visits: &str,
        state: &Versioned<impl Serialize>,
    ) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key.clone().attributes().into()))
            .item(ACCOUNT_PK, AttributeValue::S(visits.to_owned()))
            .item(ACCOUNT_SK, AttributeValue::S(account.to_string()))
            .item(RECORD, document(&state.value))
            .item(VERSION, AttributeValue::N((state.version + 1).to_string()))
            .condition_expression("attribute_not_exists(#pk) OR #version = :version")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":version", AttributeValue::N(state.version.to_string()));
        put.send().await.map(drop).map_err(failed(WRITING))
    }

    pub(super) async fn accounts(&self, visits: &str) -> Result<Vec<AccountId>, StorageError> {
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

    pub(super) async fn versioned<T: DeserializeOwned>(&self, key: Key) -> Result<Option<Versioned<T>>, StorageError> {
        let read = self.client.get_item().table_name(&self.table);
        let read = read.set_key(Some(key.attributes().into())).consistent_read(true);
        let Some(item) = read.send().await.map_err(failed(READING))?.item else { return Ok(None) };
        let version = item.get(VERSION).and_then(|value| value.as_n().ok()).and_then(|version| version.parse().ok());
        let version = version.ok_or_else(|| StorageError::unreadable(READING, "it has no version"))?;
        Ok(Some(Versioned { value: read_document(&item, RECORD, READING)?, version }))
    }
}

#[async_trait]
impl Schedules for Directory {
    async fn sync_state(&self, account: &AccountId) -> Result<Option<Versioned<SyncState>>, StorageError> {
        self.versioned(Key::standing(account)).await
    }

    async fn put_sync_state(&self, account: &AccountId, state: &Versioned<SyncState>) -> Result<bool, StorageError> {
        taken(self.put_versioned(account, &Key::standing(account), SCHEDULED, state).await)
    }

    async fn resync_state(&self, account: &AccountId) -> Result<Option<Versioned<ResyncState>>, StorageError> {
        self.versioned(Key::resync(account)).await
    }

    async fn put_resync_state(
        &self,
        account: &AccountId,
        state: &Versioned<ResyncState>,
    ) -> Result<bool, StorageError> {
        taken(self.put_versioned(account, &Key::resync(account), RESYNCED, state).await)
    }

    async fn synced_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        self.accounts(SCHEDULED).await
    }

    async fn resynced_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        self.accounts(RESYNCED).await
    }
}
