//! The schedule's round: every account that has imported users is asked after.

use jiff::Timestamp;
use rollcall_bulk::{
    directory_import::request::{ImportRequest, Sync},
    upload::{InboxKey, SCHEDULED, UploadOptions},
};
use rollcall_model::{account::AccountId, audit::Actor, jobs::JobKind};

use crate::{Round, StorageError, change_sync_state, drop_request, world::World};

/// Asks for a sync of every account where one is due.
///
/// # Errors
/// The last of those that kept an account from being visited.
pub async fn scheduled(world: &World, round: &Round) -> Result<(), StorageError> {
    let accounts = world.schedules.synced_accounts().await?;
    round.for_each_account(&accounts, async |account| ask(world, account, round.now).await).await
}

async fn ask(world: &World, account: &AccountId, now: Timestamp) -> Result<(), StorageError> {
    if !world.schedules.sync_state(account).await?.is_some_and(|state| state.value.is_due(now)) {
        return Ok(());
    }
    let name = format!("{SCHEDULED}/{}.json", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let upload = InboxKey { account: account.clone(), kind: JobKind::DirectoryImport, name };
    let request = ImportRequest::Sync(Sync::default());
    // Should the note fail, another one is asked for, which finds nothing left to do.
    drop_request(
        (&*world.permits, &*world.bucket),
        &upload,
        request.to_json(),
        now,
        Actor::Schedule,
        UploadOptions::default(),
    )
    .await?;
    change_sync_state(&*world.schedules, account, |state| state.asked = Some(now)).await
}
