//! The mail about a job.

use rollcall_bulk::{
    job::{Failure, MailState},
    job_email::{FailedRows, JobEmail, plain_name},
    upload::file_name,
};
use rollcall_model::inventory::utc_day;

use crate::{
    Attempt, ErrorKind, StorageError,
    world::{Attachment, MAX_ATTACHED_BYTES},
};

/// Sends the mail, if one is due and none has been sent, and notes at once what became of it.
///
/// Between the service's taking it and the note lies the one moment in which a death makes a second mail: the next
/// attempt can't know. The other order would lose mails instead.
pub(crate) async fn mail(attempt: &mut Attempt<'_>) -> Result<(), StorageError> {
    if attempt.job.mail.is_some() {
        return Ok(());
    }
    let mail = send(attempt).await?;
    if let MailState::Refused { .. } = &mail {
        // The reason may name recipients.
        tracing::error!("the mail was refused; the job's record says why");
    }
    attempt.job.mail = Some(mail);
    attempt.save().await
}

async fn send(attempt: &Attempt<'_>) -> Result<MailState, StorageError> {
    if !attempt.job.is_mail_due() {
        return Ok(MailState::NotDue);
    }
    let settings = attempt.settings().await?;
    let recipients = match &attempt.job.notify {
        Some(address) => vec![address.clone()],
        None => settings.recipients.clone(),
    };
    if recipients.is_empty() {
        return Ok(MailState::NoRecipient);
    }
    let (today, most) = (utc_day(attempt.world.now()), attempt.limits.mails_a_day);
    let mails = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
    if !attempt.world.mail_quota.take_mails(attempt.account(), today, mails, most).await? {
        tracing::error!(most, "the account has sent as many mails today as it may; the report is kept");
        return Ok(MailState::TooMany { most });
    }
    let (enclosure, attachment) = failed_rows(attempt).await?;
    let job_email = JobEmail::about(&attempt.job, &enclosure, attempt.country(&settings));
    attempt.world.mails.send(&recipients, &job_email, attachment).await
}

/// The failed rows, attached if they are not too many.
async fn failed_rows(attempt: &Attempt<'_>) -> Result<(FailedRows, Option<Attachment>), StorageError> {
    // A job that was given up may have had the time to say what came of its rows.
    let is_told = matches!(attempt.job.failure, None | Some(Failure::GaveUp { .. }));
    if !is_told || attempt.job.counts.needs_correction() == 0 {
        return Ok((FailedRows::None, None));
    }
    let (bucket, key) = (&attempt.world.bucket, attempt.keys.failed());
    let size = match bucket.size(&key).await {
        Err(error) if error.kind == ErrorKind::NotFound && attempt.job.failure.is_some() => {
            return Ok((FailedRows::None, None));
        }
        size => size?,
    };
    if size > MAX_ATTACHED_BYTES {
        return Ok((FailedRows::At(format!("s3://{}/{key}", bucket.bucket())), None));
    }
    let bytes = bucket.get(&key).await?.unwrap_or_default().to_vec();
    let name = format!("failed-{}", base_name(&attempt.job.upload.name));
    Ok((FailedRows::Attached, Some(Attachment { name, bytes })))
}

/// The last part of a file's name, as a name for an attachment.
fn base_name(name: &str) -> String {
    let base = plain_name(file_name(name)).replace(['"', '\\'], "");
    let stem = base.rsplit_once('.').map_or(base.as_str(), |(stem, _)| stem);
    format!("{stem}.csv")
}
