//! An account's settings.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_engine::world::Accounts;
use rollcall_model::{account::AccountId, audit::Actor, settings::Settings};

use super::{Directory, Item, document, read_document, stream::CHANGED_BY};
use crate::{StorageError, error::failed, keys::Key};

const OPERATION: &str = "reading the account's settings";
const RECORD: &str = "settings";

impl Directory {
    /// Replaces the account's settings.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_settings(
        &self,
        account: &AccountId,
        settings: &Settings,
        by: Option<&Actor>,
    ) -> Result<(), StorageError> {
        let put =
            self.client.put_item().table_name(&self.table).set_item(Some(Key::settings(account).attributes().into()));
        let put = by.into_iter().fold(put, |put, by| put.item(CHANGED_BY, AttributeValue::S(by.to_string())));
        put.item(RECORD, document(settings)).send().await.map_err(failed("writing the account's settings"))?;
        Ok(())
    }
}

#[async_trait]
impl Accounts for Directory {
    async fn settings(&self, account: &AccountId) -> Result<Settings, StorageError> {
        let read =
            self.client.get_item().table_name(&self.table).set_key(Some(Key::settings(account).attributes().into()));
        match read.consistent_read(true).send().await.map_err(failed(OPERATION))?.item {
            None => Ok(Settings::default()),
            Some(item) => read_settings(&item),
        }
    }
}

pub(super) fn read_settings(item: &Item) -> Result<Settings, StorageError> {
    read_document(item, RECORD, OPERATION)
}
