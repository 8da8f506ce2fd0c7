//! Numbers of the inventory that are changed together, each by what it is at that moment.

use std::collections::HashMap;

use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, inventory::InventoryNumber};

use crate::{
    StorageError,
    world::{NumberChange, World},
};

/// What is to become of a number.
pub(crate) enum NumberFate<T> {
    /// It stays as it is.
    Stays(T),
    /// It is written so, and that is what comes of it.
    Becomes(Box<InventoryNumber>, T),
}

/// Decides on numbers by what they were when they were read, and writes them together. On one that somebody else has changed meanwhile it is
/// decided anew, on what it is then. Gives what has come of each; of one that isn't in the inventory, nothing.
///
/// # Errors
/// When the table can't be read or written. Some of the numbers may have been written.
pub(crate) async fn change_each<T>(
    world: &World,
    account: &AccountId,
    by: &Actor,
    mut open: Vec<InventoryNumber>,
    decide: impl Fn(&InventoryNumber) -> NumberFate<T>,
) -> Result<HashMap<CallerId, T>, StorageError> {
    let mut outcomes = HashMap::with_capacity(open.len());
    while !open.is_empty() {
        let mut writes = Vec::new();
        for before in open {
            match decide(&before) {
                NumberFate::Stays(outcome) => _ = outcomes.insert(before.number, outcome),
                NumberFate::Becomes(after, outcome) => writes.push((before, after, outcome)),
            }
        }
        let changes = writes.iter().map(|(before, after, _)| NumberChange { before: Some(before), after });
        let written = world.numbers.change_numbers(account, &changes.collect::<Vec<_>>(), by).await?;
        let mut again = Vec::new();
        for ((before, _, outcome), written) in writes.into_iter().zip(written) {
            if written {
                outcomes.insert(before.number, outcome);
            } else {
                again.push(before.number);
            }
        }
        open = if again.is_empty() { Vec::new() } else { world.numbers.numbers_of(account, &again).await? };
    }
    Ok(outcomes)
}
