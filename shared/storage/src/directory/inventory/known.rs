//! The packed inventory as a process knows it, and what changes make of it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    inventory::{Inventory, InventoryNumber, Part},
};
use serde::Deserialize;
use uuid::Uuid;

/// Bytes that a part has at most, packed; above, it becomes two. A change of one number writes one part: 32 units with this.
const MAX_PART: usize = 16 * 1024;

/// An account's numbers, as one process knows them.
pub struct KnownInventory {
    /// Who finds this stamp has these numbers. Every change of a number brings another.
    pub stamp: u64,
    pub(super) parts: Vec<KnownPart>,
    /// The numbers.
    pub inventory: Arc<Inventory>,
}

#[derive(Clone)]
pub(super) struct KnownPart {
    pub(super) place: Place,
    pub(super) part: Arc<Part>,
}

/// A part, as the head names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    /// The lowest number that belongs here; 0 of the first part. The next part's is where it ends.
    pub(super) from: u64,
    /// Its name: another for each time that it is written, since two processes may write parts of the same stamp.
    pub(super) name: u64,
}

/// What the head says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Head {
    pub(super) parts: Vec<Place>,
}

/// Bytes of a packed place: seven of the number, which has 15 digits at most, and eight of the name.
const PLACE: usize = 15;

impl Head {
    /// **Small, since whoever asks for a number reads it**: the head of 270 parts, 400,000 numbers or more, is one read unit.
    pub(super) fn pack(&self) -> Vec<u8> {
        let pack = |place: &Place| [&place.from.to_be_bytes()[1..], &place.name.to_be_bytes()].concat();
        self.parts.iter().flat_map(pack).collect()
    }

    /// `None` where it was cut: a head with fewer parts would be an inventory with fewer numbers.
    pub(super) fn unpack(packed: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let place = |place: &[u8]| Place { from: number(&place[..7]), name: number(&place[7..]) };
        let places = packed.chunks_exact(PLACE);
        places.remainder().is_empty().then(|| Self { parts: places.map(place).collect() })
    }
}

/// What [`Directory::known`] holds: by account, the least recently used go when they become too many.
pub(in crate::directory) type KnownInventories = quick_cache::sync::Cache<AccountId, Arc<KnownInventory>, Weight>;

/// How much of the memory an inventory takes.
#[derive(Clone)]
pub(in crate::directory) struct Weight;

impl quick_cache::Weighter<AccountId, Arc<KnownInventory>> for Weight {
    fn weight(&self, _: &AccountId, known: &Arc<KnownInventory>) -> u64 {
        known.parts.iter().map(|part| part.part.bytes() as u64).sum::<u64>() + 1
    }
}

/// Nothing is known yet. What is known of all accounts takes 64 MB at most: 2.5 million numbers.
pub(in crate::directory) fn nothing_known() -> KnownInventories {
    const BYTES: u64 = 64 * 1024 * 1024;
    const ACCOUNTS: usize = 1_000;
    quick_cache::sync::Cache::with_weighter(ACCOUNTS, BYTES, Weight)
}

impl KnownInventory {
    pub(super) fn new(stamp: u64, parts: Vec<KnownPart>) -> Self {
        let inventory = Arc::new(Inventory::of_parts(parts.iter().map(|known| Arc::clone(&known.part)).collect()));
        Self { stamp, parts, inventory }
    }

    /// What it becomes by changes, and of its parts those that are to be written. `None` for a number that is gone.
    pub(super) fn changed(&self, changes: BTreeMap<CallerId, Option<InventoryNumber>>) -> (Self, Vec<KnownPart>) {
        let stamp = next_stamp(self.stamp);
        let mut by_part: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for change in changes {
            by_part.entry(self.part_of(change.0)).or_default().push(change);
        }
        let (mut parts, mut written) = (self.parts.clone(), Vec::new());
        // From behind, since a part may become several.
        for (at, changes) in by_part.into_iter().rev() {
            let old = &self.parts[at];
            let new = old.part.changed(changes);
            if new == *old.part {
                continue;
            }
            let new = fitting(old.place.from, new);
            written.extend(new.iter().cloned());
            parts.splice(at..=at, new);
        }
        (Self::new(stamp, parts), written)
    }

    /// Where a number belongs.
    fn part_of(&self, number: CallerId) -> usize {
        self.parts.partition_point(|known| known.place.from <= number.get()) - 1
    }

    pub(super) fn head(&self) -> Head {
        Head { parts: self.parts.iter().map(|known| known.place).collect() }
    }
}

/// A part as parts that are not too large.
pub(super) fn fitting(from: u64, part: Part) -> Vec<KnownPart> {
    if part.len() > 1 && part.pack().len() > MAX_PART {
        let [lower, upper] = part.halves();
        let middle = upper.first().map_or(from, CallerId::get);
        let mut parts = fitting(from, lower);
        parts.extend(fitting(middle, upper));
        return parts;
    }
    vec![KnownPart { place: Place { from, name: Uuid::new_v4().as_u64_pair().1 }, part: Arc::new(part) }]
}

pub(super) fn next_stamp(before: u64) -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0).max(before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_packed() {
        let place = |from, name| Place { from, name };
        let head = Head { parts: vec![place(0, 1), place(919_876_500_000, u64::MAX), place(999_999_999_999_999, 0)] };
        let packed = head.pack();
        assert_eq!((packed.len(), Head::unpack(&packed)), (3 * PLACE, Some(head)));
        assert_eq!(Head::unpack(&packed[1..]), None);
    }
}
