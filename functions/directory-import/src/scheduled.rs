//! The schedule's round: every account that has imported users is asked after.

use jiff::Timestamp;
use rollcall_bulk::{
    directory_import::request::{ImportRequest, Sync},
    upload::{InboxKey, SCHEDULED},
};
use rollcall_engine::Round;
use rollcall_model::{account::AccountId, audit::Actor, jobs::JobKind};
use rollcall_storage::{StorageError, ask::drop_request, directory::Directory, files::Files};

/// Asks for a sync of every account where one is due.
pub(crate) async fn scheduled(directory: &Directory, files: &Files, round: &Round) -> Result<(), StorageError> {
    let accounts = directory.accounts_of_schedule().await?;
    round.for_each_account(&accounts, async |account| ask(directory, files, account, round.now).await).await
}

async fn ask(directory: &Directory, files: &Files, account: &AccountId, now: Timestamp) -> Result<(), StorageError> {
    if !directory.standing(account).await?.is_some_and(|standing| standing.is_due(now)) {
        return Ok(());
    }
    let name = format!("{SCHEDULED}/{}.json", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let upload = InboxKey { account: account.clone(), kind: JobKind::DirectoryImport, name };
    let request = ImportRequest::Sync(Sync::default());
    // Should the note fail, another one is asked for, which finds nothing left to do.
    drop_request(directory, files, &upload, request.to_json(), (Actor::Schedule, None)).await?;
    directory.change_standing(account, |standing| standing.asked = Some(now)).await
}
