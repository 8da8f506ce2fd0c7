//! An account's settings.

use async_trait::async_trait;
use aws_sdk_dynamodb::{operation::put_item::builders::PutItemFluentBuilder, types::AttributeValue};
use rollcall_engine::world::Accounts;
use rollcall_model::{account::AccountId, audit::Actor, settings::Settings};

use super::{Directory, Item, document, read_document, stream::CHANGED_BY, write_id::WriteId};
use crate::{StorageError, error::failed, keys::Key};

const OPERATION: &str = "reading the account's settings";
const WRITING: &str = "writing the account's settings";
const RECORD: &str = "settings";
/// Not there on what was written by hand, or before settings had a version: that is version 0.
const VERSION: &str = "version";

impl Directory {
    /// Replaces the account's settings, whatever they are. Nobody is said to have done it.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_settings(&self, account: &AccountId, settings: &Settings) -> Result<(), StorageError> {
        self.put(account, settings).send().await.map_err(failed(WRITING))?;
        Ok(())
    }

    /// Replaces the settings of version `before`. `false` when somebody has changed them since.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn change_settings(
        &self,
        account: &AccountId,
        before: u64,
        settings: &Settings,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        let mark = WriteId::new();
        let (write_id, value) = mark.attribute();
        let put = self.put(account, settings).item(CHANGED_BY, AttributeValue::S(by.to_string())).item(write_id, value);
        let put = put.expression_attribute_names("#version", VERSION);
        let put = match before {
            0 => put.condition_expression("attribute_not_exists(#version)"),
            before => put
                .condition_expression("#version = :before")
                .expression_attribute_values(":before", AttributeValue::N(before.to_string())),
        };
        let written = put.send().await.map(drop).map_err(failed(WRITING));
        self.written(Key::settings(account), &mark, written).await
    }

    fn put(&self, account: &AccountId, settings: &Settings) -> PutItemFluentBuilder {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(Key::settings(account).attributes().into())).item(RECORD, document(settings));
        match settings.version {
            0 => put,
            version => put.item(VERSION, AttributeValue::N(version.to_string())),
        }
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
