//! The schedule's round: numbers whose day has come go back into service.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_engine::visit_all;
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, inventory::utc_day};
use rollcall_platform::{Error, directory::Directory};

/// Ends every rest whose day has come, in UTC: a number that rests until the 9th is back in the first round of the 9th.
///
/// **Safe to run twice, and at the same time**: who is second finds no rest to end, or that the number has changed.
pub(crate) async fn visit(directory: &Directory, now: Timestamp) -> Result<(), Error> {
    let mut resting: BTreeMap<AccountId, Vec<CallerId>> = BTreeMap::new();
    for (account, number) in directory.rested_numbers(utc_day(now)).await? {
        resting.entry(account).or_default().push(number);
    }
    let accounts: Vec<AccountId> = resting.keys().cloned().collect();
    visit_all(&accounts, async |account| end_rests(directory, account, &resting[account], now).await).await
}

async fn end_rests(
    directory: &Directory,
    account: &AccountId,
    numbers: &[CallerId],
    now: Timestamp,
) -> Result<(), Error> {
    let mut ended = 0_usize;
    for number in numbers {
        // The index may be behind, so what counts is what the table says now.
        let resting = directory.number(account, *number).await?;
        let Some(rested) = resting.as_ref().and_then(|number| number.rested(now)) else { continue };
        // One that somebody changes meanwhile is met again in the next round, if it rests still.
        ended += usize::from(directory.change_number(account, resting.as_ref(), &rested, &Actor::Schedule).await?);
    }
    tracing::info!(%account, ended, "rests have ended");
    Ok(())
}
