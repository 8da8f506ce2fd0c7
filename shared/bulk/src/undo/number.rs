//! What an undo does to a number of the inventory.

use serde::{Deserialize, Serialize};

use super::SkipReason;
use rollcall_model::{inventory::InventoryNumber, jobs::JobId};

/// What an undo does to a number that a rotation has taken out of service. Kept before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberPlan {
    /// The number as it was before the rotation.
    pub before: InventoryNumber,
    /// The number as it was found and as it is to be; or why nothing is done.
    pub change: Result<[InventoryNumber; 2], SkipReason>,
}

/// How often a rotation writes a number: it marks it, and retires it at the end.
const WRITES: u64 = 2;

impl NumberPlan {
    /// Decides for one number; `None` where the rotation, this job, has left it in service, as it was. One that was given up may have
    /// marked the number and no more, or not even that.
    pub fn decide(before: InventoryNumber, now: Option<&InventoryNumber>, rotation: &JobId) -> Option<Self> {
        let change = match now {
            None => Err(SkipReason::Gone),
            Some(now) if now.version == before.version => return None,
            Some(now) if now.version == before.version + 1 && now.reserved_by.as_ref() == Some(rotation) => {
                Ok([now.clone(), InventoryNumber { version: now.version + 1, ..before.clone() }])
            }
            Some(now) if now.version != before.version + WRITES => Err(SkipReason::Changed),
            Some(now) if now.facts == before.facts => return None,
            Some(now) => Ok([now.clone(), InventoryNumber { version: now.version + 1, ..before.clone() }]),
        };
        Some(Self { before, change })
    }
}
