//! The schedule's round: numbers whose day has come go back into service, and who has a number that a rotation took out of service is
//! looked for once more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use rollcall_engine::Round;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    inventory::{InventoryNumber, utc_day},
};
use rollcall_storage::{
    StorageError,
    directory::{Directory, Exchange, TableUsage},
};
use tokio::time::Instant;

/// Does what is due on this day, in UTC: a number that rests until the 9th is back in the first round of the 9th.
///
/// **Safe to run twice, and at the same time**: who is second finds nothing to do, or that the number has changed.
pub(crate) async fn scheduled(directory: &Directory, round: &Round) -> Result<(), StorageError> {
    let (now, until) = (round.now, round.ends);
    let mut due: BTreeMap<AccountId, Vec<CallerId>> = BTreeMap::new();
    for (account, number) in directory.due_numbers(utc_day(now)).await? {
        due.entry(account).or_default().push(number);
    }
    let accounts: Vec<AccountId> = due.keys().cloned().collect();
    // What is left of each account's rests, where it is visited in several shares of the round.
    let rests: BTreeMap<_, _> = due.iter().map(|(account, numbers)| (account, Mutex::new(numbers.clone()))).collect();
    let ask = async |account: &AccountId| {
        look_again(directory, account, &due[account], now, until).await?;
        end_rests(directory, account, &rests[account], now).await
    };
    round.for_each_account(&accounts, ask).await
}

/// Takes numbers off the lists of those whom a rotation has passed over: somebody who is renamed while it walks the index, which is
/// ordered by name, is on no page of it. Each walk of an account reads each user once.
async fn look_again(
    directory: &Directory,
    account: &AccountId,
    numbers: &[CallerId],
    now: Timestamp,
    until: Instant,
) -> Result<(), StorageError> {
    let mut owed = Vec::new();
    for number in numbers {
        // The index may be behind, so what counts is what the table says now.
        let number = directory.number(account, *number).await?;
        owed.extend(number.filter(|number| number.look_due(utc_day(now)).is_some()));
    }
    if owed.is_empty() {
        return Ok(());
    }
    let inventory = directory.inventory(account).await?;
    let numbers: Vec<CallerId> = owed.iter().map(|number| number.number).collect();
    let mut work = TableUsage::default();
    let walk = directory.holders(account, &numbers, None, until, &mut work).await?;
    let replacements = replacements(&owed, &inventory);
    let exchanges: Vec<Exchange> = walk
        .holders
        .into_iter()
        .map(|holder| {
            let go: Vec<CallerId> =
                holder.caller_ids.iter().copied().filter(|number| replacements.contains_key(number)).collect();
            let mut come: Vec<CallerId> = go.iter().filter_map(|number| replacements[number]).collect();
            come.retain(|number| !holder.caller_ids.contains(number));
            come.sort();
            come.dedup();
            Exchange { login: holder.login, come, go }
        })
        .collect();
    if !exchanges.is_empty() {
        tracing::warn!(%account, users = exchanges.len(), "a rotation had passed over users, who are put right now");
        directory.exchange_caller_ids(account, &exchanges, &Actor::Schedule, until, &mut work).await?;
    }
    for number in &owed {
        // Of the same version: what undoes the rotation must find the number as the rotation has left it. One that somebody changes
        // meanwhile is met again in the next round.
        let looked = InventoryNumber { second_look: None, ..number.clone() };
        directory.change_number(account, Some(number), &looked, &Actor::Schedule).await?;
    }
    Ok(())
}

/// What takes the place of each number, where that is in service still.
fn replacements(owed: &[InventoryNumber], inventory: &[InventoryNumber]) -> HashMap<CallerId, Option<CallerId>> {
    let in_service = |number: &CallerId| {
        let item = inventory.iter().find(|item| item.number == *number);
        item.is_some_and(|item| item.is_assignable() && item.facts.state.is_usable())
    };
    let replacement =
        |number: &InventoryNumber| number.second_look.and_then(|look| look.replacement).filter(in_service);
    owed.iter().map(|number| (number.number, replacement(number))).collect()
}

async fn end_rests(
    directory: &Directory,
    account: &AccountId,
    numbers: &Mutex<Vec<CallerId>>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut ended = 0_usize;
    let next = || numbers.lock().unwrap_or_else(PoisonError::into_inner).pop();
    while let Some(number) = next() {
        // The index may be behind, so what counts is what the table says now.
        let resting = directory.number(account, number).await?;
        let Some(rested) = resting.as_ref().and_then(|number| number.rested(now)) else { continue };
        // One that somebody changes meanwhile is met again in the next round, if it rests still.
        ended += usize::from(directory.change_number(account, resting.as_ref(), &rested, &Actor::Schedule).await?);
    }
    tracing::info!(%account, ended, "rests have ended");
    Ok(())
}
