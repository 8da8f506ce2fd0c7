//! What an upload says of its job, and who asked for it.

use rollcall_model::{audit::Actor, permit::Permit, upload::Terms};
use rollcall_platform::Error;

use crate::Run;

impl Run<'_> {
    /// Notes what the upload says of its job, and who asked for it. The record says so before anything else is done, so that the
    /// audit trail finds it there.
    pub(crate) async fn note_terms(&mut self, terms: &Terms) -> Result<(), Error> {
        if self.job.asked_by.is_some() {
            return Ok(());
        }
        let permit = self.permit(terms).await?;
        let (asked_by, notify) = match permit {
            Some(Permit { asked_by, notify, .. }) => (asked_by, notify),
            None => (Actor::Bucket, terms.notify.clone()),
        };
        self.job.asked_by = Some(asked_by);
        self.job.notify = notify;
        self.job.role.clone_from(&terms.role);
        self.save().await
    }

    /// What was agreed on about this very upload. An ID that is another upload's proves nothing.
    async fn permit(&self, terms: &Terms) -> Result<Option<Permit>, Error> {
        let Some(id) = &terms.permit else { return Ok(None) };
        let permit = self.engine.directory.permitted(self.account(), id).await?;
        Ok(permit.filter(|permit| permit.upload == self.job.upload.key()))
    }
}
