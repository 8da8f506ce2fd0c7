//! How numbers are written: with their parts and the head, in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, builders::PutBuilder};
use rollcall_engine::{Backoff, world::NumberChange};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    inventory::{InventoryNumber, Part},
};
use tokio::time::{Duration, Instant, timeout};

use super::{
    HEAD, NAME, PACKED, STAMP, TIMEOUT,
    known::{KnownInventory, KnownPart, fitting, next_stamp},
};
use crate::{
    ErrorKind, StorageError,
    directory::{
        Directory,
        numbers::{READING, VERSION, number_item, read_number},
        stream::CHANGED_BY,
        string,
        write_id::{WRITE_ID, WriteId},
    },
    error::failed,
    keys::{Key, PK, numbers_pk},
};

const WRITING: &str = "writing the inventory";
/// Numbers that one transaction changes: it takes 100 items, of which each number may bring its part, and the head is one
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const TOGETHER: usize = 49;
/// Parts that one transaction writes. It takes 4 MB.
const PARTS_TOGETHER: usize = 90;

impl Directory {
    /// Makes the packed inventory the same as these numbers' items, whoever has written them.
    ///
    /// # Errors
    /// When the table can't be read or written, or what it holds can't be read.
    pub async fn follow_numbers(&self, account: &AccountId, numbers: &[CallerId]) -> Result<(), StorageError> {
        let until = Instant::now() + TIMEOUT;
        let mut patience = Backoff::new(until);
        loop {
            // First, so that what is read of the numbers is no older than the stamp that is asked for.
            let known = self.known_inventory(account).await?;
            let mut changes: BTreeMap<_, _> = numbers.iter().map(|number| (*number, None)).collect();
            for item in self.numbers(account, numbers, until).await? {
                changes.insert(item.number, Some(item));
            }
            let (new, parts) = known.changed(changes);
            if parts.is_empty() {
                return Ok(());
            }
            match self.write_inventory(account, Some(known.stamp), new, &parts).await {
                Err(error) if error.kind == ErrorKind::Conflict => patience.wait(error).await?,
                done => return done.map(drop),
            }
        }
    }

    /// Packs the account's numbers anew, from their items.
    pub(in crate::directory) async fn pack_inventory(
        &self,
        account: &AccountId,
    ) -> Result<Arc<KnownInventory>, StorageError> {
        let mut patience = Backoff::new(Instant::now() + TIMEOUT);
        loop {
            let (head, new) = self.items_packed(account).await?;
            let parts = new.parts.clone();
            match self.write_inventory(account, head, new, &parts).await {
                Err(error) if error.kind == ErrorKind::Conflict => patience.wait(error).await?,
                done => return done,
            }
        }
    }

    /// The same for who only reads: where the packed inventory can't be written now, the numbers are as their items say.
    pub(super) async fn read_and_pack(&self, account: &AccountId) -> Result<Arc<KnownInventory>, StorageError> {
        /// How long a reader waits for a table that takes nothing.
        const PATIENCE: Duration = Duration::from_secs(2);
        let (head, new) = self.items_packed(account).await?;
        let (stamp, parts) = (new.stamp, new.parts.clone());
        match timeout(PATIENCE, self.write_inventory(account, head, new, &parts)).await {
            Ok(Ok(known)) => Ok(known),
            // Somebody else packs it at the same time, or nothing is taken.
            Ok(Err(_)) | Err(_) => Ok(Arc::new(KnownInventory::new(stamp, parts))),
        }
    }

    /// The account's numbers by their items, packed but not written, and the stamp that the head had before they were read.
    async fn items_packed(&self, account: &AccountId) -> Result<(Option<u64>, KnownInventory), StorageError> {
        let head = self.inventory_head(account).await?.map(|(stamp, _)| stamp);
        let parts = fitting(0, Part::of(self.number_items(account).await?));
        Ok((head, KnownInventory::new(next_stamp(head.unwrap_or(0)), parts)))
    }

    /// See [`rollcall_engine::world::Numbers::change_numbers`].
    pub(in crate::directory) async fn write_numbers(
        &self,
        account: &AccountId,
        changes: &[NumberChange<'_>],
        by: &Actor,
    ) -> Result<Vec<bool>, StorageError> {
        let mut outcomes = vec![false; changes.len()];
        let mut left: Vec<usize> = (0..changes.len()).collect();
        let mut patience = Backoff::new(Instant::now() + TIMEOUT);
        while !left.is_empty() {
            let known = self.known_inventory(account).await?;
            let batch: Vec<usize> = left.iter().copied().take(TOGETHER).collect();
            let after = batch.iter().map(|at| changes[*at].after);
            let (new, parts) = known.changed(after.map(|item| (item.number, Some(item.clone()))).collect());
            let mark = WriteId::new();
            let numbers = batch.iter().map(|at| self.number_put(account, &changes[*at], by, &mark));
            let items = numbers.chain(self.inventory_puts(account, Some(known.stamp), &new, &parts)).collect();
            let mut done: Vec<usize> = Vec::new();
            match self.write_patiently(items, &mark, WRITING).await {
                Ok(()) => {
                    self.known.insert(account.clone(), Arc::new(new));
                    done.clone_from(&batch);
                    for at in &done {
                        outcomes[*at] = true;
                    }
                }
                Err(error) if error.kind == ErrorKind::Conflict => {
                    for at in batch {
                        let change = &changes[at];
                        match self.standing_of(account, change.after.number, &mark).await? {
                            Standing::Ours => {
                                outcomes[at] = true;
                                done.push(at);
                            }
                            Standing::Version(version) if version == change.before.map(|before| before.version) => {}
                            Standing::Version(_) => done.push(at),
                        }
                    }
                    if done.is_empty() {
                        // Somebody has changed other numbers of the account meanwhile.
                        patience.wait(error).await?;
                    }
                }
                Err(error) => return Err(error),
            }
            left.retain(|at| !done.contains(at));
        }
        Ok(outcomes)
    }

    /// What the table has of a number by now.
    async fn standing_of(
        &self,
        account: &AccountId,
        number: CallerId,
        mark: &WriteId,
    ) -> Result<Standing, StorageError> {
        let key = Key::number(account, &number.to_string()).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let item = read.send().await.map_err(failed(READING))?.item;
        if item.as_ref().and_then(|item| string(item, WRITE_ID)).is_some_and(|id| id == mark.as_str()) {
            return Ok(Standing::Ours);
        }
        Ok(Standing::Version(item.as_ref().map(read_number).transpose()?.map(|item| item.version)))
    }

    fn number_put(
        &self,
        account: &AccountId,
        NumberChange { before, after }: &NumberChange<'_>,
        by: &Actor,
        mark: &WriteId,
    ) -> TransactWriteItem {
        let (write_id, value) = mark.attribute();
        let put = Put::builder().table_name(&self.table).set_item(Some(number_item(account, after)));
        let put = put.item(CHANGED_BY, AttributeValue::S(by.to_string())).item(write_id, value);
        written(condition(put, VERSION, before.map(|before| before.version)))
    }

    /// Writes the head and parts, if the head's stamp is still this one. A transaction takes some parts; where there are more, the head
    /// comes last, and who finds parts that the head doesn't name packs anew.
    async fn write_inventory(
        &self,
        account: &AccountId,
        before: Option<u64>,
        new: KnownInventory,
        parts: &[KnownPart],
    ) -> Result<Arc<KnownInventory>, StorageError> {
        let last = parts.len().saturating_sub(PARTS_TOGETHER);
        for parts in parts[..last].chunks(PARTS_TOGETHER) {
            let items = parts.iter().map(|part| self.part_put(account, part)).collect();
            self.write_patiently(items, &WriteId::new(), WRITING).await?;
        }
        let items = self.inventory_puts(account, before, &new, &parts[last..]).collect();
        self.write_patiently(items, &WriteId::new(), WRITING).await?;
        let new = Arc::new(new);
        self.known.insert(account.clone(), Arc::clone(&new));
        Ok(new)
    }

    fn inventory_puts<'a>(
        &'a self,
        account: &'a AccountId,
        before: Option<u64>,
        new: &KnownInventory,
        parts: &'a [KnownPart],
    ) -> impl Iterator<Item = TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(Key::inventory(account).attributes().into()))
            .item(HEAD, AttributeValue::B(new.head().pack().into()))
            .item(STAMP, AttributeValue::N(new.stamp.to_string()));
        let head = written(condition(put, STAMP, before));
        [head].into_iter().chain(parts.iter().map(|part| self.part_put(account, part)))
    }

    fn part_put(&self, account: &AccountId, KnownPart { place, part }: &KnownPart) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(Key::inventory_part(account, place.from).attributes().into()))
            .item(PACKED, AttributeValue::B(part.pack().into()))
            .item(NAME, AttributeValue::N(place.name.to_string()));
        written(put)
    }

    /// Every number, by its item: for packing anew.
    async fn number_items(&self, account: &AccountId) -> Result<Vec<InventoryNumber>, StorageError> {
        let mut numbers = Vec::new();
        let mut pages = self.partition(numbers_pk(account), "NUM#").into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed(READING))?.items() {
                numbers.push(read_number(item)?);
            }
        }
        Ok(numbers)
    }
}

/// How the table has a number that was to be written.
enum Standing {
    /// It has been written, and the answer was lost.
    Ours,
    /// It has this version; `None` where it isn't there.
    Version(Option<u64>),
}

/// With the condition that an attribute is still what it was; that there is no item, where there was none.
fn condition(put: PutBuilder, attribute: &str, before: Option<u64>) -> PutBuilder {
    match before {
        None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
        Some(before) => put
            .condition_expression("#before = :before")
            .expression_attribute_names("#before", attribute)
            .expression_attribute_values(":before", AttributeValue::N(before.to_string())),
    }
}

fn written(put: PutBuilder) -> TransactWriteItem {
    TransactWriteItem::builder().put(put.build().expect("an item has been given")).build()
}
