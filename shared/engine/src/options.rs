//! What an upload says of its job, and who asked for it.

use rollcall_bulk::{job::NotifyIgnored, upload::UploadOptions};
use rollcall_model::{audit::Actor, email::EmailAddress, permit::Permit};

use crate::{Attempt, StorageError};

/// Notes what the upload says of its job, and who asked for it. The record says so before anything else is done, so that the
/// audit trail finds it there.
pub(crate) async fn note_options(attempt: &mut Attempt<'_>, options: &UploadOptions) -> Result<(), StorageError> {
    if attempt.job.asked_by.is_some() {
        return Ok(());
    }
    let permit = permit(attempt, options).await?;
    let (asked_by, notify) = match permit {
        Some(Permit { asked_by, notify, .. }) => (asked_by, Ok(notify)),
        None => (Actor::Bucket, notify(attempt, options).await?),
    };
    attempt.job.asked_by = Some(asked_by);
    match notify {
        Ok(notify) => attempt.job.notify = notify,
        Err(ignored) => attempt.job.notify_ignored = Some(ignored),
    }
    attempt.job.role.clone_from(&options.role);
    attempt.job.encoding = options.encoding.as_ref().and_then(|label| label.parse().ok());
    attempt.save().await
}

/// Whom a file in the bucket names, if the account allows that. Otherwise its recipients get the report, and the job says so.
async fn notify(
    attempt: &Attempt<'_>,
    options: &UploadOptions,
) -> Result<Result<Option<EmailAddress>, NotifyIgnored>, StorageError> {
    Ok(match &options.notify {
        _ if options.notify_unreadable => Err(NotifyIgnored::Unreadable),
        None => Ok(None),
        Some(notify) if attempt.settings().await?.allows_report_to(notify) => Ok(Some(notify.clone())),
        Some(_) => Err(NotifyIgnored::NotAllowed),
    })
}

/// What was agreed on about this very upload. An ID that is another upload's proves nothing.
async fn permit(attempt: &Attempt<'_>, options: &UploadOptions) -> Result<Option<Permit>, StorageError> {
    let Some(id) = &options.permit else { return Ok(None) };
    let permit = attempt.world.permits.permitted(attempt.account(), id).await?;
    Ok(permit.filter(|permit| permit.upload == attempt.job.upload.key()))
}
