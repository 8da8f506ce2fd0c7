//! A file that lies where no job takes it: a job that says so, and nothing else.

use rollcall_bulk::{
    job::{Delivery, Failure},
    misplaced::Misplaced,
};
use rollcall_model::{
    audit::Actor,
    jobs::{JobId, ObjectVersion},
};

use crate::{DeliveryOutcome, Engine, StorageError, claim::Claimed, run::finish};

impl Engine {
    /// Ends the job of a misplaced file, and tells the account's recipients. Nothing of the file is read, what it says beside its bytes
    /// neither: the function that is told of it may read files of its own kind alone.
    ///
    /// # Errors
    /// When AWS fails: the next delivery says it.
    pub(crate) async fn refuse(
        &self,
        misplaced: &Misplaced,
        source: &ObjectVersion,
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let Misplaced { upload, fault } = misplaced;
        let existing = self.world.jobs.job(&upload.account, &JobId::of(source)).await?;
        let mut attempt = match self.claim(existing, upload, source, delivery).await? {
            Claimed::Attempt(attempt) | Claimed::GivenUp(attempt) => attempt,
            Claimed::Not(ending) => return Ok(ending),
        };
        attempt.job.asked_by = Some(Actor::Bucket);
        attempt.job.failure = Some(Failure::File(fault.clone()));
        match finish(&mut attempt).await {
            Ok(()) => Ok(DeliveryOutcome::Ended),
            // Nobody comes after the last delivery. Sent back from the dead-letter queue, the job sends its mail then.
            Err(error) if delivery.is_last() => {
                attempt.job.last_error = Some(error.chain());
                attempt.job.failure =
                    Some(Failure::GaveUp { attempts: attempt.job.attempts, reason: fault.to_string() });
                attempt.end().await.map(|()| DeliveryOutcome::GaveUp)
            }
            Err(error) => {
                attempt.job.last_error = Some(error.chain());
                // The lease ends by itself, should this fail too.
                let _ = attempt.release().await;
                Err(error)
            }
        }
    }
}
