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
mod write;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rollcall_engine::world::TableUsage;
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    inventory::{Inventory, InventoryNumber, Part},
};
use tokio::time::{Duration, Instant};

use super::{
    Directory, Item,
    bulk::Reads,
    numbers::{READING, RECORD, read_number},
    read_document, string,
};
pub use known::KnownInventory;
use known::{Head, KnownPart, Place};
pub(super) use known::{KnownInventories, nothing_known};

use crate::{
    StorageError,
    error::failed,
    keys::{Key, PK, SK},
};

/// How long the table may take over one change, with all who change numbers of the account at the same time.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// The parts' places, packed.
const HEAD: &str = "places";
/// The same in stacks from before they were packed, until a number is changed.
const JSON_HEAD: &str = "parts";
const STAMP: &str = "stamp";
const NAME: &str = "name";
const PACKED: &str = "packed";
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
        self.read_and_pack(account).await
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
    pub(in crate::directory) async fn read_together(
        &self,
        keys: Vec<Key>,
        consistent: bool,
    ) -> Result<HashMap<Key, Item>, StorageError> {
        let whole = Reads { attributes: &[], consistent };
        let read = |item: &Item| {
            let key = |name| string(item, name).unwrap_or_default();
            Ok((Key { pk: key(PK), sk: key(SK) }, item.clone()))
        };
        let until = Instant::now() + TIMEOUT;
        let found = self.get_many(keys.into_iter(), whole, until, &mut TableUsage::default(), read).await?;
        Ok(found.into_iter().collect())
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
        self.get_many(keys, Reads::now(&[RECORD]), until, &mut TableUsage::default(), read_number).await
    }
}

fn read_head(item: &Item) -> Result<(u64, Head), StorageError> {
    let stamp = number(item, STAMP).ok_or_else(|| StorageError::unreadable(READING, "it has no stamp"))?;
    let head = match item.get(HEAD).and_then(|packed| packed.as_b().ok()) {
        Some(packed) => {
            Head::unpack(packed.as_ref()).ok_or_else(|| StorageError::unreadable(READING, "its head is cut"))?
        }
        None => read_document(item, JSON_HEAD, READING)?,
    };
    Ok((stamp, head))
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
