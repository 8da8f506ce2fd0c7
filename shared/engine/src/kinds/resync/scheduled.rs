//! The schedule's round: every account that has mappings is resynced.

use jiff::Timestamp;
use rollcall_bulk::{
    resync::state::ResyncRequest,
    upload::{InboxKey, SCHEDULED, UploadOptions},
};
use rollcall_model::{account::AccountId, audit::Actor, jobs::JobKind};

use crate::{Round, StorageError, drop_request, world::World};

/// Asks for a resync of every account where one is due.
///
/// # Errors
/// The last of those that kept an account from being visited.
pub async fn scheduled(world: &World, round: &Round) -> Result<(), StorageError> {
    let accounts = world.schedules.resynced_accounts().await?;
    round.for_each_account(&accounts, async |account| ask(world, account, round.now).await).await
}

async fn ask(world: &World, account: &AccountId, now: Timestamp) -> Result<(), StorageError> {
    // One that holds waits for a person, and would only hold again.
    if world.schedules.resync_state(account).await?.is_some_and(|state| state.value.is_on_hold()) {
        return Ok(());
    }
    let name = format!("{SCHEDULED}/{}.json", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let upload = InboxKey { account: account.clone(), kind: JobKind::MappingResync, name };
    let request = ResyncRequest::default().to_json();
    drop_request((&*world.permits, &*world.bucket), &upload, request, now, Actor::Schedule, UploadOptions::default())
        .await?;
    Ok(())
}
