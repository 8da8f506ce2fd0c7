//! What an upload says of its job, and who asked for it.

use rollcall_bulk::{job::NotifyIgnored, upload::UploadOptions};
use rollcall_model::{audit::Actor, email::EmailAddress, permit::Permit};
use rollcall_storage::StorageError;

use crate::Attempt;

impl Attempt<'_> {
    /// Notes what the upload says of its job, and who asked for it. The record says so before anything else is done, so that the
    /// audit trail finds it there.
    pub(crate) async fn note_terms(&mut self, terms: &UploadOptions) -> Result<(), StorageError> {
        if self.job.asked_by.is_some() {
            return Ok(());
        }
        let permit = self.permit(terms).await?;
        let (asked_by, notify) = match permit {
            Some(Permit { asked_by, notify, .. }) => (asked_by, Ok(notify)),
            None => (Actor::Bucket, self.notify(terms).await?),
        };
        self.job.asked_by = Some(asked_by);
        match notify {
            Ok(notify) => self.job.notify = notify,
            Err(ignored) => self.job.notify_ignored = Some(ignored),
        }
        self.job.role.clone_from(&terms.role);
        self.job.encoding = terms.encoding.as_ref().and_then(|label| label.parse().ok());
        self.save().await
    }

    /// Whom a file in the bucket names, if the account allows that. Otherwise its recipients get the report, and the job says so.
    async fn notify(&self, terms: &UploadOptions) -> Result<Result<Option<EmailAddress>, NotifyIgnored>, StorageError> {
        Ok(match &terms.notify {
            _ if terms.notify_unreadable => Err(NotifyIgnored::Unreadable),
            None => Ok(None),
            Some(notify) if self.settings().await?.allows_report_to(notify) => Ok(Some(notify.clone())),
            Some(_) => Err(NotifyIgnored::NotAllowed),
        })
    }

    /// What was agreed on about this very upload. An ID that is another upload's proves nothing.
    async fn permit(&self, terms: &UploadOptions) -> Result<Option<Permit>, StorageError> {
        let Some(id) = &terms.permit else { return Ok(None) };
        let permit = self.engine.directory.permitted(self.account(), id).await?;
        Ok(permit.filter(|permit| permit.upload == self.job.upload.key()))
    }
}
