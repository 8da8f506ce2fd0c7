//! Jobs whose file is a request that we drop ourselves: for a call of the API, or for a schedule.

use jiff::Timestamp;
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_model::{audit::Actor, email::EmailAddress, jobs::ObjectVersion, permit::Permit};

use crate::{StorageError, directory::Directory, files::Files};

/// Drops a request. Its job says that `asked_by` has asked for it; `notify` gets the report, in place of the account's recipients.
///
/// # Errors
/// When AWS fails.
pub async fn drop_request(
    directory: &Directory,
    files: &Files,
    upload: &InboxKey,
    request: Vec<u8>,
    (asked_by, notify): (Actor, Option<EmailAddress>),
) -> Result<ObjectVersion, StorageError> {
    let permit = Permit { upload: upload.key(), asked_by, notify: notify.clone() };
    let permit = directory.permit(&upload.account, &permit, Timestamp::now()).await?;
    files.drop_file(upload, request, &UploadOptions { notify, permit: Some(permit), ..UploadOptions::default() }).await
}
