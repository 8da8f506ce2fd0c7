//! The schedule's round: every account that has mappings is resynced.

use jiff::Timestamp;
use rollcall_bulk::{
    resync::state::ResyncRequest,
    upload::{InboxKey, SCHEDULED},
};
use rollcall_engine::Round;
use rollcall_model::{account::AccountId, audit::Actor, jobs::JobKind};
use rollcall_storage::{StorageError, ask::drop_request, directory::Directory, files::Files};

/// Asks for a resync of every account where one is due.
pub(crate) async fn scheduled(directory: &Directory, files: &Files, round: &Round) -> Result<(), StorageError> {
    let accounts = directory.resynced_accounts().await?;
    round.for_each_account(&accounts, async |account| ask(directory, files, account, round.now).await).await
}

async fn ask(directory: &Directory, files: &Files, account: &AccountId, now: Timestamp) -> Result<(), StorageError> {
    // One that holds waits for a person, and would only hold again.
    if directory.resync_standing(account).await?.is_some_and(|standing| standing.is_on_hold()) {
        return Ok(());
    }
    let name = format!("{SCHEDULED}/{}.json", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let upload = InboxKey { account: account.clone(), kind: JobKind::MappingResync, name };
    let request = ResyncRequest::default().to_json();
    drop_request(directory, files, &upload, request, (Actor::Schedule, None)).await?;
    Ok(())
}
