//! The account's inventory.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use rollcall_model::{
    account::AccountId,
    inventory::{InventoryNumber, NumberState},
};

use super::{Directory, Item, string};
use crate::{
    Error,
    error::failed,
    keys::{Key, PK, SK, numbers_pk},
};

const READING: &str = "reading the inventory";

impl Directory {
    /// Every number of the account.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn inventory(&self, account: &AccountId) -> Result<Vec<InventoryNumber>, Error> {
        let mut numbers = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(numbers_pk(account)))
            .expression_attribute_values(":prefix", AttributeValue::S("NUM#".into()))
            .consistent_read(true)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed(READING))?.items() {
                numbers.push(read_number(item)?);
            }
        }
        Ok(numbers)
    }

    /// Adds numbers to the inventory, or replaces what it says of them.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_numbers(&self, account: &AccountId, numbers: &[InventoryNumber]) -> Result<(), Error> {
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
        Ok(())
    }
}

fn put_request(account: &AccountId, number: &InventoryNumber) -> WriteRequest {
    let text = number.number.to_string();
    let mut put = PutRequest::builder();
    for (name, value) in Key::number(account, &text).attributes() {
        put = put.item(name, value);
    }
    put = put.item("number", AttributeValue::S(text));
    let state = if number.state == NumberState::Retired { "retired" } else { "active" };
    put = put.item("state", AttributeValue::S(state.into()));
    if let Some(provider) = &number.provider {
        put = put.item("provider", AttributeValue::S(provider.clone()));
    }
    let put = put.build().expect("an item has been given");
    WriteRequest::builder().put_request(put).build()
}

fn read_number(item: &Item) -> Result<InventoryNumber, Error> {
    let number = string(item, "number").unwrap_or_default();
    let number = number.parse().map_err(|error| Error::unreadable(READING, error))?;
    let state = match string(item, "state").as_deref() {
        Some("active") | None => NumberState::Active,
        Some("retired") => NumberState::Retired,
        // Taking an unknown state for active could give a burned number to users.
        Some(_) => return Err(Error::unreadable(READING, "a number's state is unknown")),
    };
    Ok(InventoryNumber { number, provider: string(item, "provider"), state })
}
