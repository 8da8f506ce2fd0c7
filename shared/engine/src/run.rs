//! The order of a job: who works on it, its phases, and how an attempt ends.

use rollcall_bulk::{
    job::{Delivery, Job, Phase, Stage},
    report::Counts,
    upload::{InboxEvent, InboxKey},
};
use rollcall_model::{
    account::AccountId,
    jobs::{JobId, JobKind, ObjectVersion},
};

use crate::{
    Attempt, DeliveryOutcome, Engine, ErrorKind, Interrupt, Operation, StorageError,
    apply::apply,
    claim::Claimed,
    give_up::{fail, give_up},
    mail::mail,
    read::read,
    report::report,
    retract::retract,
};

impl Engine {
    /// Works on the job of one delivered file, as far as its time allows.
    ///
    /// # Errors
    /// When AWS fails; the job's record says why, and the next delivery goes on where this one stopped.
    pub async fn run<O: Operation>(
        &self,
        operation: &O,
        upload: &InboxKey,
        source: &ObjectVersion,
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let existing = self.world.jobs.job(&upload.account, &JobId::of(source)).await?;
        self.take_up(operation, existing, upload, source, delivery).await
    }

    /// The same for a job that a person has decided to execute.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn execute<O: Operation>(
        &self,
        operation: &O,
        account: &AccountId,
        (kind, id): (JobKind, &JobId),
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let job = self.world.jobs.job(account, id).await?;
        let job = job.filter(|job| job.stage == Stage::Executed && job.upload.kind == kind);
        self.take_up_known(operation, job.ok_or("nobody has decided to execute this job"), (account, id), delivery)
            .await
    }

    /// The same for a job that has stopped at its invocation's deadline, to go on at once.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn go_on<O: Operation>(
        &self,
        operation: &O,
        account: &AccountId,
        (kind, id): (JobKind, &JobId),
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let job = self.world.jobs.job(account, id).await?.filter(|job| job.upload.kind == kind);
        self.take_up_known(operation, job.ok_or("no job of this name is to go on"), (account, id), delivery).await
    }

    /// Takes up a job that has a record, or says why there is none to be taken up.
    async fn take_up_known<O: Operation>(
        &self,
        operation: &O,
        job: Result<Job, &'static str>,
        (account, id): (&AccountId, &JobId),
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let job = match job {
            Ok(job) => job,
            Err(why) => {
                tracing::warn!(job.id = %id, %account, "{why}");
                return Ok(DeliveryOutcome::Ended);
            }
        };
        let (upload, source) = (job.upload.clone(), job.source.clone());
        self.take_up(operation, Some(job), &upload, &source, delivery).await
    }

    async fn take_up<O: Operation>(
        &self,
        operation: &O,
        existing: Option<Job>,
        upload: &InboxKey,
        source: &ObjectVersion,
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        // An attempt that ends by itself gives its lease back.
        let died = existing.as_ref().is_some_and(|job| job.lease.is_some());
        let (mut attempt, gave_up) = match self.claim(existing, upload, source, delivery).await? {
            Claimed::Attempt(attempt) => (*attempt, false),
            Claimed::GivenUp(attempt) => (*attempt, true),
            Claimed::Not(ending) => return Ok(ending),
        };
        if gave_up {
            return give_up(&mut attempt, operation, died).await;
        }
        let stopped = match work(&mut attempt, operation).await {
            Ok(()) => return Ok(DeliveryOutcome::Ended),
            Err(stopped) => stopped,
        };
        match stopped {
            Interrupt::Ends(failure) => {
                attempt.job.failure = Some(failure);
                // One that was given up before may have counted rows otherwise.
                attempt.job.counts = Counts { unprocessed: attempt.job.progress.rows, ..Counts::default() };
                finish(&mut attempt).await?;
                Ok(DeliveryOutcome::Ended)
            }
            Interrupt::Time => {
                let further = attempt.job.pause();
                if !further && delivery.is_last() {
                    return fail(&mut attempt, operation, "its time ran out at the last delivery".into()).await;
                }
                // Before anybody is told to go on, who would find it taken.
                attempt.release().await?;
                tracing::info!(users.done = attempt.job.progress.users_done, further, "paused");
                let key = InboxEvent::continue_key(&attempt.job);
                Ok(if further { DeliveryOutcome::Paused(key) } else { DeliveryOutcome::Stuck })
            }
            // Whoever has the lease now goes on; nothing of this attempt is to be written any more.
            Interrupt::Error(error) if error.kind == ErrorKind::Conflict => Err(error),
            Interrupt::Error(error) if delivery.is_last() => fail(&mut attempt, operation, error.chain()).await,
            // No later delivery would come any further, so the event is done with now.
            Interrupt::Error(error) if error.kind.is_final() => {
                fail(&mut attempt, operation, error.chain()).await.map(|_| DeliveryOutcome::Ended)
            }
            Interrupt::Error(error) => {
                attempt.job.last_error = Some(error.chain());
                // The lease ends by itself, should this fail too.
                let _ = attempt.release().await;
                Err(error)
            }
        }
    }
}

/// The phases of an attempt.
async fn work<O: Operation>(attempt: &mut Attempt<'_>, operation: &O) -> Result<(), Interrupt> {
    // An attempt that died with its mail to be sent has nothing else left to do.
    if attempt.job.phase != Phase::Mailing {
        let mut reading = read(attempt, operation).await?;
        // Later attempts see by the phase that what was written has been looked at again.
        if !attempt.settled {
            attempt.enter(Phase::Applying).await?;
        }
        let added = apply(attempt, operation, &mut reading).await?;
        retract(attempt, operation, &mut reading, added).await?;
        attempt.enter(Phase::Reporting).await?;
        report(attempt, &mut reading).await?;
        // **Finished means every row.**
        if attempt.job.counts.unprocessed > 0 {
            let rows = format!("{} rows have come to no outcome", attempt.job.counts.unprocessed);
            return Err(StorageError::unreadable("reading rows back", rows).into());
        }
        if !attempt.job.previews() {
            operation.finish(attempt, &reading.job, &reading.context).await?;
        }
    }
    attempt.enter(Phase::Mailing).await?;
    mail(attempt).await?;
    // Last: a job that is given up before goes on here, once it is sent back.
    if attempt.writes() && attempt.job.failure.is_none() {
        operation.conclude(attempt).await?;
    }
    attempt.end().await.map_err(Interrupt::Error)
}

/// Sends the mail of a job of which nothing is done any more, if one is due, and ends it.
pub(crate) async fn finish(attempt: &mut Attempt<'_>) -> Result<(), StorageError> {
    attempt.enter(Phase::Mailing).await?;
    mail(attempt).await?;
    attempt.end().await
}
