//! Jobs whose file we drop ourselves: for a call of the API, or for a schedule.

use jiff::Timestamp;
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_model::{audit::Actor, jobs::ObjectVersion, permit::Permit};

use crate::{
    StorageError,
    world::{Bucket, Permits},
};

/// Drops a file, which may be a request. Its job says that `asked_by` has asked for it.
///
/// # Errors
/// When AWS fails.
pub async fn drop_request(
    (permits, bucket): (&dyn Permits, &dyn Bucket),
    upload: &InboxKey,
    request: Vec<u8>,
    now: Timestamp,
    asked_by: Actor,
    options: UploadOptions,
) -> Result<ObjectVersion, StorageError> {
    let permit = Permit { upload: upload.key(), asked_by, notify: options.notify.clone() };
    let permit = permits.permit(&upload.account, &permit, now).await?;
    let options = UploadOptions { permit: Some(permit), ..options };
    bucket.drop_file(upload, request, &options).await
}
