//! A file that lies where no job takes it: a job that says so, and nothing else.

use rollcall_model::{
    audit::Actor,
    job::{Delivery, Failure},
    misplaced::Misplaced,
    upload::{JobId, Source},
};
use rollcall_platform::Error;

use crate::{Ending, Engine, claim::Claimed};

impl Engine {
    /// Ends the job of a misplaced file, and tells the account's recipients. Nothing of the file is read, what it says beside its bytes
    /// neither: the function that is told of it may read files of its own kind alone.
    ///
    /// # Errors
    /// When AWS fails: the next delivery says it.
    pub(crate) async fn refuse(
        &self,
        misplaced: &Misplaced,
        source: &Source,
        delivery: &Delivery,
    ) -> Result<Ending, Error> {
        let Misplaced { upload, fault } = misplaced;
        let existing = self.directory.job(&upload.account, &JobId::of(source)).await?;
        let mut run = match self.claim(existing, upload, source, delivery).await? {
            Claimed::Run(run) | Claimed::GivenUp(run) => run,
            Claimed::Not(ending) => return Ok(ending),
        };
        run.job.asked_by = Some(Actor::Bucket);
        run.job.failure = Some(Failure::File(fault.clone()));
        match run.finish().await {
            Ok(()) => Ok(Ending::Ended),
            // Nobody comes after the last delivery. Sent back from the dead-letter queue, the job sends its mail then.
            Err(error) if delivery.is_last() => {
                run.job.last_error = Some(error.chain());
                run.job.failure = Some(Failure::GaveUp { attempts: run.job.attempts, reason: fault.to_string() });
                run.end().await.map(|()| Ending::GaveUp)
            }
            Err(error) => {
                run.job.last_error = Some(error.chain());
                // The lease ends by itself, should this fail too.
                let _ = run.release().await;
                Err(error)
            }
        }
    }
}
