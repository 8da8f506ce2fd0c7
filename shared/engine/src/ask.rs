//! Jobs whose file is a request that we drop ourselves: for a call of the API, or for a schedule.

use jiff::Timestamp;
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_model::{audit::Actor, email::EmailAddress, jobs::ObjectVersion, permit::Permit};

use crate::{
    StorageError,
    world::{Bucket, Permits},
};

/// Drops a request. Its job says that `asked_by` has asked for it; `notify` gets the report, in place of the account's recipients.
///
/// # Errors
/// When AWS fails.
pub async fn drop_request(
    (permits, bucket): (&dyn Permits, &dyn Bucket),
    upload: &InboxKey,
    request: Vec<u8>,
    now: Timestamp,
    (asked_by, notify): (Actor, Option<EmailAddress>),
) -> Result<ObjectVersion, StorageError> {
    let permit = Permit { upload: upload.key(), asked_by, notify: notify.clone() };
    let permit = permits.permit(&upload.account, &permit, now).await?;
    let options = UploadOptions { notify, permit: Some(permit), ..UploadOptions::default() };
    bucket.drop_file(upload, request, &options).await
}
