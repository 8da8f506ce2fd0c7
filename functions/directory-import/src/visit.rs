//! The schedule's round: every account that has imported users is asked after.

use jiff::Timestamp;
use rollcall_model::{
    account::AccountId,
    directory_import::request::{Request, Sync},
    upload::{Kind, Terms, Upload},
};
use rollcall_platform::{Error, directory::Directory, files::Files};

/// Asks for a sync of every account where one is due. **One account that can't be visited holds no other back.**
///
/// # Errors
/// The last of those that kept an account from being visited.
pub(crate) async fn visit(directory: &Directory, files: &Files, now: Timestamp) -> Result<(), Error> {
    let accounts = directory.visited_accounts().await?;
    let mut failure = Ok(());
    let mut asked = 0;
    for account in &accounts {
        match ask(directory, files, account, now).await {
            Ok(due) => asked += u32::from(due),
            Err(error) => {
                tracing::error!(%account, error = error.chain(), "an account could not be visited");
                failure = Err(error);
            }
        }
    }
    tracing::info!(accounts = accounts.len(), accounts.asked = asked, "visited");
    failure
}

/// Whether a sync was due, and has been asked for.
async fn ask(directory: &Directory, files: &Files, account: &AccountId, now: Timestamp) -> Result<bool, Error> {
    if !directory.standing(account).await?.is_some_and(|standing| standing.is_due(now)) {
        return Ok(false);
    }
    let name = format!("scheduled/{}.json", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let upload = Upload { account: account.clone(), kind: Kind::DirectoryImport, name };
    let request = Request::Sync(Sync::default());
    // Should the note fail, another one is asked for, which finds nothing left to do.
    files.drop_file(&upload, request.to_json(), &Terms::default()).await?;
    directory.change_standing(account, |standing| standing.asked = Some(now)).await?;
    Ok(true)
}
