//! The account's inventory.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::civil::Date;
use rollcall_engine::world::{NumberChange, Numbers};
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, inventory::InventoryNumber};

use tokio::time::Instant;

use super::{Directory, Item, document, inventory::TIMEOUT, read_document, string};
use crate::{
    StorageError,
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, RESTING, SK, number_of},
};

pub(super) const READING: &str = "reading the inventory";
pub(super) const RECORD: &str = "number";
pub(super) const VERSION: &str = "version";

impl Directory {
    /// Adds numbers to the inventory, or replaces what it says of them. Nobody is said to have done it.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_numbers(&self, account: &AccountId, numbers: &[InventoryNumber]) -> Result<(), StorageError> {
        /// Items that one request takes (`BatchWriteItem`).
        const BATCH: usize = 25;
        const OPERATION: &str = "writing the inventory";
        for batch in numbers.chunks(BATCH) {
            let mut requests: Vec<_> = batch.iter().map(|number| put_request(account, number)).collect();
            while !requests.is_empty() {
                let count = requests.len();
                self.writes.turn(count).await;
                let write = self.client.batch_write_item().request_items(&self.table, requests);
                let mut answer = write.send().await.map_err(failed(OPERATION))?;
                requests =
                    answer.unprocessed_items.as_mut().and_then(|left| left.remove(&self.table)).unwrap_or_default();
                self.writes.learn(count - requests.len(), requests.len());
            }
        }
        self.pack_inventory(account).await.map(drop)
    }
}

#[async_trait]
impl Numbers for Directory {
    async fn inventory(&self, account: &AccountId) -> Result<Vec<InventoryNumber>, StorageError> {
        Ok(self.packed_inventory(account).await?.whole().collect())
    }

    async fn number(&self, account: &AccountId, number: CallerId) -> Result<Option<InventoryNumber>, StorageError> {
        let key = Key::number(account, &number.to_string()).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        read.send().await.map_err(failed(READING))?.item.as_ref().map(read_number).transpose()
    }

    async fn numbers_of(
        &self,
        account: &AccountId,
        numbers: &[CallerId],
    ) -> Result<Vec<InventoryNumber>, StorageError> {
        self.numbers(account, numbers, Instant::now() + TIMEOUT).await
    }

    async fn change_numbers(
        &self,
        account: &AccountId,
        changes: &[NumberChange<'_>],
        by: &Actor,
    ) -> Result<Vec<bool>, StorageError> {
        self.write_numbers(account, changes, by).await
    }

    async fn due_numbers(&self, today: Date) -> Result<Vec<(AccountId, CallerId)>, StorageError> {
        const LISTING: &str = "listing numbers that are due";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_ACCOUNT)
            .key_condition_expression("#pk = :pk AND #sk <= :today")
            .projection_expression("#tablepk, #tablesk")
            .expression_attribute_names("#pk", ACCOUNT_PK)
            .expression_attribute_names("#sk", ACCOUNT_SK)
            .expression_attribute_names("#tablepk", PK)
            .expression_attribute_names("#tablesk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(RESTING.to_owned()))
            .expression_attribute_values(":today", AttributeValue::S(today.to_string()));
        let mut numbers = Vec::new();
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed(LISTING))?.items() {
                let text = |name| string(item, name).unwrap_or_default();
                let number = number_of(&text(PK), &text(SK));
                numbers.push(number.ok_or_else(|| StorageError::unreadable(LISTING, "an item is not a number's"))?);
            }
        }
        Ok(numbers)
    }
}

fn put_request(account: &AccountId, number: &InventoryNumber) -> WriteRequest {
    let put =
        PutRequest::builder().set_item(Some(number_item(account, number))).build().expect("an item has been given");
    WriteRequest::builder().put_request(put).build()
}

/// A number is one record: it is read and written whole. While a schedule has something to do with it, the index has it by the day.
pub(super) fn number_item(account: &AccountId, number: &InventoryNumber) -> Item {
    let mut item: Item = Key::number(account, &number.number.to_string()).attributes().into();
    item.insert(RECORD.to_owned(), document(number));
    item.insert(VERSION.to_owned(), AttributeValue::N(number.version.to_string()));
    if let Some(day) = number.due() {
        item.insert(ACCOUNT_PK.to_owned(), AttributeValue::S(RESTING.to_owned()));
        item.insert(ACCOUNT_SK.to_owned(), AttributeValue::S(day.to_string()));
    }
    item
}

pub(super) fn read_number(item: &Item) -> Result<InventoryNumber, StorageError> {
    read_document(item, RECORD, READING)
}
