//! The packed inventory: an account's numbers, read whole for a hundredth of what their items cost, and once for as long as they stay the
//! same.
//!
//! The items of the numbers are the truth. Beside them stand **parts**, which hold the same numbers packed, and a **head**, which names each
//! part's state and bears a **stamp**. A number, its part and the head are written in one transaction, so who finds the stamp that it knows
//! has the numbers as they are now: one read unit, whatever their number. What an answer has said of a number is therefore never taken back
//! by a later one, whichever process gives it.
//!
//! A stamp begins with the time, so that no later head of an account has one that an earlier had. Whoever writes an item past us, by the
//! table's own console, is followed by [`Directory::follow_numbers`].

mod known;
#[cfg(test)]
mod protocol;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};
use rollcall_engine::{
    Backoff,
    world::{NumberChange, TableUsage},
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    inventory::{Inventory, InventoryNumber, Part},
};
use tokio::time::{Duration, Instant};

use super::{
    Directory, Item, document,
    numbers::{READING, RECORD, VERSION, number_item, read_number},
    read_document,
    stream::CHANGED_BY,
    string,
    write_id::{WRITE_ID, WriteId},
};
pub use known::KnownInventory;
use known::{Head, KnownPart, Place, fitting, next_stamp};
pub(super) use known::{KnownInventories, nothing_known};

use crate::{
    ErrorKind, StorageError,
    error::failed,
    keys::{Key, PK, SK, numbers_pk},
};

const WRITING: &str = "writing the inventory";
/// How long the table may take over one change, with all who change numbers of the account at the same time.
const TIMEOUT: Duration = Duration::from_secs(20);
const HEAD: &str = "parts";
const STAMP: &str = "stamp";
const NAME: &str = "name";
const PACKED: &str = "packed";
/// Numbers that one transaction changes: it takes 100 items, of which each number may bring its part, and the head is one
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const TOGETHER: usize = 49;
/// Parts that one transaction writes. It takes 4 MB.
const PARTS_TOGETHER: usize = 90;
/// How often a reader begins again because parts were written while it read them.
const ROUNDS: usize = 5;

impl Directory {
    /// The account's numbers, as they are now.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn packed_inventory(&self, account: &AccountId) -> Result<Arc<Inventory>, StorageError> {
        Ok(Arc::clone(&self.known_inventory(account).await?.inventory))
    }

    /// An item, and the account's numbers, both as they are now: one request where the numbers are known.
    pub(super) async fn with_inventory(
        &self,
        account: &AccountId,
        key: Key,
    ) -> Result<(Option<Item>, Arc<KnownInventory>), StorageError> {
        let head = Key::inventory(account);
        let mut items = self.read_together(vec![key.clone(), head.clone()], true).await?;
        let head = items.remove(&head).as_ref().map(read_head).transpose()?;
        Ok((items.remove(&key), self.inventory_of(account, head).await?))
    }

    /// The same, with their stamp.
    ///
    /// # Errors
    /// As there.
    pub async fn known_inventory(&self, account: &AccountId) -> Result<Arc<KnownInventory>, StorageError> {
        let head = self.inventory_head(account).await?;
        self.inventory_of(account, head).await
    }

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
    pub(super) async fn pack_inventory(&self, account: &AccountId) -> Result<Arc<KnownInventory>, StorageError> {
        let mut patience = Backoff::new(Instant::now() + TIMEOUT);
        loop {
            let head = self.inventory_head(account).await?.map(|(stamp, _)| stamp);
            let numbers = self.number_items(account).await?;
            let stamp = next_stamp(head.unwrap_or(0));
            let new = KnownInventory::new(stamp, fitting(0, Part::of(numbers)));
            let parts = new.parts.clone();
            match self.write_inventory(account, head, new, &parts).await {
                Err(error) if error.kind == ErrorKind::Conflict => patience.wait(error).await?,
                done => return done,
            }
        }
    }

    /// See [`rollcall_engine::world::Numbers::change_numbers`].
    pub(super) async fn write_numbers(
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
            .item(HEAD, document(&new.head()))
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

    async fn inventory_head(&self, account: &AccountId) -> Result<Option<(u64, Head)>, StorageError> {
        let key = Key::inventory(account).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        read.send().await.map_err(failed(READING))?.item.as_ref().map(read_head).transpose()
    }

    /// The numbers that a head is about.
    async fn inventory_of(
        &self,
        account: &AccountId,
        mut head: Option<(u64, Head)>,
    ) -> Result<Arc<KnownInventory>, StorageError> {
        for _ in 0..ROUNDS {
            let Some((stamp, Head { parts: places })) = head else { break };
            let known = self.known.get(account);
            if let Some(known) = known.as_ref().filter(|known| known.stamp == stamp) {
                return Ok(Arc::clone(known));
            }
            if let Some(parts) = self.read_parts(account, &places, known.as_deref()).await? {
                let known = Arc::new(KnownInventory::new(stamp, parts));
                self.known.insert(account.clone(), Arc::clone(&known));
                return Ok(known);
            }
            // Parts have been written since.
            head = self.inventory_head(account).await?;
        }
        self.pack_inventory(account).await
    }

    /// The parts of these places; `None` where the table has others by now. Those that are known are not read.
    async fn read_parts(
        &self,
        account: &AccountId,
        places: &[Place],
        known: Option<&KnownInventory>,
    ) -> Result<Option<Vec<KnownPart>>, StorageError> {
        let known = known.into_iter().flat_map(|known| &known.parts);
        let mut parts: BTreeMap<u64, KnownPart> = known
            .filter(|known| places.contains(&known.place))
            .map(|known| (known.place.from, known.clone()))
            .collect();
        // A read that may be old costs half. Whether it is, the stamp says.
        for consistent in [false, true] {
            let lacking = places.iter().filter(|place| !parts.contains_key(&place.from));
            let keys: Vec<Key> = lacking.map(|place| Key::inventory_part(account, place.from)).collect();
            if keys.is_empty() {
                break;
            }
            let items = self.read_together(keys, consistent).await?;
            for place in places {
                let Some(item) = items.get(&Key::inventory_part(account, place.from)) else { continue };
                let packed = item.get(PACKED).and_then(|packed| packed.as_b().ok());
                if number(item, NAME) != Some(place.name) {
                    continue;
                }
                // What another version of the software has packed is packed anew.
                let Some(part) = packed.and_then(|packed| Part::unpack(packed.as_ref()).ok()) else { return Ok(None) };
                parts.insert(place.from, KnownPart { place: *place, part: Arc::new(part) });
            }
        }
        Ok((parts.len() == places.len()).then(|| parts.into_values().collect()))
    }

    /// The items of some keys, in as many requests as it takes.
    async fn read_together(&self, keys: Vec<Key>, consistent: bool) -> Result<HashMap<Key, Item>, StorageError> {
        /// Keys that one read takes (`BatchGetItem`).
        const BATCH: usize = 100;
        let mut found = HashMap::with_capacity(keys.len());
        let mut patience = Backoff::new(Instant::now() + TIMEOUT);
        let mut left: Vec<Item> = keys.into_iter().map(|key| key.attributes().into()).collect();
        while !left.is_empty() {
            let later = left.split_off(left.len().min(BATCH));
            let asked = left.len();
            let request = KeysAndAttributes::builder().consistent_read(consistent).set_keys(Some(left));
            let request = request.build().map_err(|error| StorageError::unreadable(READING, error))?;
            let read = self.client.batch_get_item().request_items(&self.table, request).send();
            let mut answer = read.await.map_err(failed(READING))?;
            let items = answer.responses.as_mut().and_then(|found| found.remove(&self.table)).unwrap_or_default();
            for item in items {
                let key = |name| string(&item, name).unwrap_or_default();
                found.insert(Key { pk: key(PK), sk: key(SK) }, item);
            }
            let unread = answer.unprocessed_keys.as_mut().and_then(|left| left.remove(&self.table));
            left = unread.map(|unread| unread.keys).unwrap_or_default();
            if left.len() == asked {
                patience.wait(StorageError::transient(READING, "the table asks for patience")).await?;
            }
            left.extend(later);
        }
        Ok(found)
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

    /// Those of some numbers that are in the inventory, as they are now.
    ///
    /// # Errors
    /// As [`Users::find_users`](rollcall_engine::world::Users::find_users).
    pub async fn numbers(
        &self,
        account: &AccountId,
        numbers: &[CallerId],
        until: Instant,
    ) -> Result<Vec<InventoryNumber>, StorageError> {
        let keys = numbers.iter().map(|number| Key::number(account, &number.to_string()));
        self.get_many(keys, &[RECORD], until, &mut TableUsage::default(), read_number).await
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
fn condition(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
    attribute: &str,
    before: Option<u64>,
) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    match before {
        None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
        Some(before) => put
            .condition_expression("#before = :before")
            .expression_attribute_names("#before", attribute)
            .expression_attribute_values(":before", AttributeValue::N(before.to_string())),
    }
}

fn written(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> TransactWriteItem {
    TransactWriteItem::builder().put(put.build().expect("an item has been given")).build()
}

fn read_head(item: &Item) -> Result<(u64, Head), StorageError> {
    let stamp = number(item, STAMP).ok_or_else(|| StorageError::unreadable(READING, "it has no stamp"))?;
    Ok((stamp, read_document(item, HEAD, READING)?))
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
