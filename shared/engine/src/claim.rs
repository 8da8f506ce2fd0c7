//! Who works on a job.

use rollcall_bulk::{
    job::{ClaimOutcome, Delivery, Job, claim},
    upload::InboxKey,
};
use rollcall_model::jobs::{JobId, ObjectVersion};

use crate::{Attempt, DeliveryOutcome, Engine, ErrorKind, StorageError};

/// What a delivery has come by.
pub(crate) enum Claimed<'a> {
    /// An attempt at the job.
    Attempt(Box<Attempt<'a>>),
    /// The same, and nothing is left to do but to give it up.
    GivenUp(Box<Attempt<'a>>),
    /// Nothing.
    Not(DeliveryOutcome),
}

impl Engine {
    /// Claims a job for a delivery, given the record that is there.
    ///
    /// # Errors
    /// When the record can't be written.
    pub(crate) async fn claim(
        &self,
        existing: Option<Job>,
        upload: &InboxKey,
        source: &ObjectVersion,
        delivery: &Delivery,
    ) -> Result<Claimed<'_>, StorageError> {
        let (job, gave_up) = match claim(existing.clone(), upload, source, delivery) {
            ClaimOutcome::Work(job) => (*job, false),
            ClaimOutcome::GiveUp(job) => (*job, true),
            ClaimOutcome::Busy => return Ok(Claimed::Not(DeliveryOutcome::Busy)),
            ClaimOutcome::Ended => return Ok(Claimed::Not(DeliveryOutcome::Ended)),
        };
        match self.world.jobs.claim_job(&job, existing.as_ref()).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::Conflict => {
                // Perhaps it was ourselves: an answer that is lost on its way makes the client ask once more.
                let holder = self.world.jobs.job(&upload.account, &JobId::of(source)).await?.and_then(|job| job.lease);
                if holder.is_none_or(|lease| lease.owner != delivery.invocation) {
                    return Ok(Claimed::Not(DeliveryOutcome::Busy));
                }
            }
            Err(error) => return Err(error),
        }
        tracing::info!(attempt = job.attempts, "claimed");
        let attempt = Box::new(Attempt::new(self, job, delivery));
        Ok(if gave_up { Claimed::GivenUp(attempt) } else { Claimed::Attempt(attempt) })
    }
}
