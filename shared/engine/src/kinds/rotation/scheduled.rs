//! The schedule's round: numbers whose day has come go back into service, and who has a number that a rotation took out of service is
//! looked for once more.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use rollcall_bulk::rotation::Holder;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    inventory::{InventoryNumber, utc_day},
    jobs::JobId,
};
use tokio::time::Instant;

use super::reservations;
use crate::{
    Round, StorageError,
    world::{ListNumbers, NumberChange, Sought, TableUsage, World},
};

/// Rests that are ended together: what one share of a round may have begun in vain.
const TOGETHER: usize = 100;

/// Does what is due on this day, in UTC: a number that rests until the 9th is back in the first round of the 9th.
///
/// **Safe to run twice, and at the same time**: who is second finds nothing to do, or that the number has changed.
///
/// # Errors
/// The last of those that kept an account from being visited.
pub async fn scheduled(world: &World, round: &Round) -> Result<(), StorageError> {
    let (now, until) = (round.now, round.ends);
    let mut due: BTreeMap<AccountId, Vec<CallerId>> = BTreeMap::new();
    for (account, number) in world.numbers.due_numbers(utc_day(now)).await? {
        due.entry(account).or_default().push(number);
    }
    let accounts: Vec<AccountId> = due.keys().cloned().collect();
    // What is left of each account's rests, where it is visited in several shares of the round.
    let rests: BTreeMap<_, _> = due.iter().map(|(account, numbers)| (account, Mutex::new(numbers.clone()))).collect();
    let ask = async |account: &AccountId| {
        release_given_up(world, account, &due[account]).await?;
        look_again(world, account, &due[account], now, until).await?;
        end_rests(world, account, &rests[account], now).await
    };
    round.for_each_account(&accounts, ask).await
}

/// Releases numbers that rotations have reserved and left so: they were given up, and could not do it any more.
async fn release_given_up(world: &World, account: &AccountId, numbers: &[CallerId]) -> Result<(), StorageError> {
    let numbers = world.numbers.numbers_of(account, numbers).await?;
    let jobs: BTreeSet<JobId> = numbers.into_iter().filter_map(|number| number.reserved_by).collect();
    for job in jobs {
        if world.jobs.job(account, &job).await?.is_none_or(|record| record.ended.is_some()) {
            tracing::warn!(%account, job.id = %job, "a rotation that has ended had left numbers reserved");
            reservations::release(world, account, &job, &Actor::Schedule).await?;
        }
    }
    Ok(())
}

/// Takes numbers off the lists of those whom a rotation has passed over: somebody who is renamed while it walks the index, which is
/// ordered by name, is on no page of it. Each walk of an account reads each user once.
async fn look_again(
    world: &World,
    account: &AccountId,
    numbers: &[CallerId],
    now: Timestamp,
    until: Instant,
) -> Result<(), StorageError> {
    // The index may be behind, so what counts is what the table says now.
    let mut owed = world.numbers.numbers_of(account, numbers).await?;
    owed.retain(|number| number.look_due(utc_day(now)).is_some());
    if owed.is_empty() {
        return Ok(());
    }
    let numbers: Vec<CallerId> = owed.iter().map(|number| number.number).collect();
    let mut usage = TableUsage::default();
    let sought = Sought { numbers: &numbers, ..Sought::default() };
    let walk = world.lists.holders(account, sought, until, &mut usage).await?;
    // What has come back into service while users were looked at stays with them.
    let inventory = world.numbers.inventory(account).await?;
    owed.retain(|number| inventory.contains(number));
    let replacements = replacements(&owed, &inventory);
    let (mut come, mut go) = (Vec::new(), Vec::new());
    for Holder { login, created, caller_ids, .. } in &walk.holders {
        let mine: Vec<CallerId> =
            caller_ids.iter().copied().filter(|number| replacements.contains_key(number)).collect();
        if mine.is_empty() {
            continue;
        }
        let mut new: Vec<CallerId> = mine.iter().filter_map(|number| replacements[number]).collect();
        // Of a list that was cut it isn't known; a number that is on it already changes nothing.
        new.retain(|number| walk.cut.contains(login) || !caller_ids.contains(number));
        new.sort();
        new.dedup();
        come.push((login.as_str(), *created, new));
        go.push((login.as_str(), *created, mine));
    }
    if !go.is_empty() {
        tracing::warn!(%account, users = go.len(), "a rotation had passed over users, who are put right now");
        // What comes is written first, so that nobody is left with neither.
        come.retain(|(.., numbers)| !numbers.is_empty());
        world.lists.add_caller_ids(account, &numbers_of(&come), None, &Actor::Schedule, until, &mut usage).await?;
        world.lists.remove_caller_ids(account, &numbers_of(&go), &Actor::Schedule, until, &mut usage).await?;
    }
    // Of the same version: what undoes the rotation must find the number as the rotation has left it. One that somebody changes
    // meanwhile is met again in the next round.
    let looked: Vec<_> = owed.iter().map(|number| InventoryNumber { second_look: None, ..number.clone() }).collect();
    let changes = owed.iter().zip(&looked).map(|(number, after)| NumberChange { before: Some(number), after });
    let written = world.numbers.change_numbers(account, &changes.collect::<Vec<_>>(), &Actor::Schedule).await?;
    for (number, _) in owed.iter().zip(written).filter(|(_, written)| !written) {
        let now = world.numbers.number(account, number.number).await?;
        if now.is_some_and(|now| now.is_assignable() && now.facts.state.is_usable()) {
            // It came back into service at the same moment.
            let numbers = std::slice::from_ref(&number.number);
            let had = go.iter().filter(|(.., mine)| mine.contains(&number.number));
            let back: Vec<ListNumbers<'_>> =
                had.map(|&(login, created, _)| ListNumbers { login, created, numbers }).collect();
            world.lists.add_caller_ids(account, &back, None, &Actor::Schedule, until, &mut usage).await?;
        }
    }
    Ok(())
}

fn numbers_of<'a>(lists: &'a [(&'a str, Option<Timestamp>, Vec<CallerId>)]) -> Vec<ListNumbers<'a>> {
    lists.iter().map(|(login, created, numbers)| ListNumbers { login, created: *created, numbers }).collect()
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
    world: &World,
    account: &AccountId,
    numbers: &Mutex<Vec<CallerId>>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut ended = 0_usize;
    let left = || numbers.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let (rest, some) = {
            let left = left();
            let rest = left.len().saturating_sub(TOGETHER);
            (rest, left[rest..].to_vec())
        };
        if some.is_empty() {
            break;
        }
        // The index may be behind, so what counts is what the table says now.
        let resting = world.numbers.numbers_of(account, &some).await?;
        let rested = resting.iter().filter_map(|number| Some((number, number.rested(now)?)));
        let rested: Vec<(&InventoryNumber, InventoryNumber)> = rested.collect();
        let changes = rested.iter().map(|(number, after)| NumberChange { before: Some(*number), after });
        // One that somebody changes meanwhile is met again in the next round, if it rests still.
        let written = world.numbers.change_numbers(account, &changes.collect::<Vec<_>>(), &Actor::Schedule).await?;
        ended += written.into_iter().filter(|written| *written).count();
        // Only now: who is stopped before begins with the same in its next share of the round.
        left().truncate(rest);
    }
    tracing::info!(%account, ended, "rests have ended");
    Ok(())
}
