//! The schedule's round: how long marks wait, and a push where none is at it.

use std::time::Duration;

use jiff::Timestamp;
use rollcall_model::account::AccountId;

use super::{ask, oldest_pending};
use crate::{
    Round, StorageError,
    telemetry::{Measure, measure},
    world::World,
};

/// Measures how long each account's oldest mark waits, and asks for a push where one is due. Who marks users wakes a push: the round is for what has
/// died or was refused.
///
/// # Errors
/// The last of those that kept an account from being visited.
pub async fn scheduled(world: &World, round: &Round) -> Result<(), StorageError> {
    let accounts = world.pushes.pushed_accounts().await?;
    round.for_each_account(&accounts, async |account| visit(world, account, round.now).await).await
}

async fn visit(world: &World, account: &AccountId, now: Timestamp) -> Result<(), StorageError> {
    if !world.accounts.settings(account).await?.phone_system.takes_lists() {
        return Ok(());
    }
    let oldest = oldest_pending(&*world.pushes, account).await?;
    if let Some(age) = oldest.and_then(|since| Duration::try_from(now.duration_since(since)).ok()) {
        measure(&[("account", account.as_str())], &[("PushLag", Measure::Age(age))]);
    }
    let due = world.pushes.push_state(account).await?.unwrap_or_default().value.is_due(now);
    if due && (oldest.is_some() || world.pushes.everybody(account).await?.is_some()) {
        ask((&*world.permits, &*world.bucket), account, now).await?;
    }
    Ok(())
}
