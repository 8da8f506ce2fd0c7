//! A job that is given up: it says what it has done, keeps a report on it, and can be undone.
//!
//! What was really done stands in the plans that were kept. A batch that was carried out whole says so. Of a batch that was being
//! carried out, each user is looked at once more: where nothing is left to do, the plan was carried out; where something is, it
//! was not, and the plan is forgotten, so that an undo takes back exactly what was done.

use std::collections::HashSet;

use jiff::Timestamp;
use rollcall_bulk::job::{Failure, Phase};
use rollcall_storage::directory::TableUsage;

use crate::{Attempt, DeliveryOutcome, Done, Interrupt, Operation, Work, apply::Batch, metrics};

impl Attempt<'_> {
    /// Ends a job that can't go on: at its last delivery, or where something is refused for good.
    pub(crate) async fn fail<O: Operation>(
        &mut self,
        operation: &O,
        reason: String,
    ) -> Result<DeliveryOutcome, rollcall_storage::StorageError> {
        self.job.failure = Some(Failure::GaveUp { attempts: self.job.attempts, reason });
        self.give_up(operation, false).await
    }

    /// Gives a job up. `died` says that the last attempt didn't end by itself: whatever it died of, saying what came of the rows may die
    /// of too. Then it is said first that the job has failed, since no later delivery comes to say it.
    pub(crate) async fn give_up<O: Operation>(
        &mut self,
        operation: &O,
        died: bool,
    ) -> Result<DeliveryOutcome, rollcall_storage::StorageError> {
        tracing::error!(attempts = self.job.attempts, "gave up");
        self.until = self.end;
        // A job may be given up over its mail alone, when every row has its outcome.
        let reported = self.job.phase == Phase::Mailing;
        if !died && !reported {
            self.take_stock(operation).await;
        }
        let counts = &mut self.job.counts;
        counts.unprocessed += self.job.progress.rows.saturating_sub(counts.rows());
        // An attempt that died early didn't come to note it.
        if self.job.asked_by.is_none()
            && let Ok(dropped) = self.engine.files.open(&self.job.source).await
        {
            self.note_terms(dropped.terms()).await?;
        }
        self.enter(Phase::Mailing).await?;
        if let Err(error) = self.mail().await {
            // Nobody comes after this delivery to say that the job has failed. Sent back from the dead-letter queue, it
            // sends its mail then.
            self.job.last_error = Some(error.chain());
        }
        let lease = self.job.lease.clone();
        self.job.end(Timestamp::now());
        if died && !reported {
            // Still its holder, who has something to add.
            self.job.lease = lease;
            self.save().await?;
            self.take_stock(operation).await;
            self.job.lease = None;
        }
        self.save().await?;
        metrics::job_ended(&self.job);
        Ok(DeliveryOutcome::GaveUp)
    }

    /// Says what came of each row, as far as it was decided and done. Where that can't be told, the job is given up without.
    async fn take_stock<O: Operation>(&mut self, operation: &O) {
        // A preview has done nothing.
        if self.job.previews() {
            return;
        }
        self.given_up = true;
        let (state, phase, counts) = (self.job.state, self.job.phase, self.job.counts);
        let told = match self.read(operation).await {
            Ok(mut reading) => match self.recall_done(&mut reading.work).await {
                Ok(()) => self.report(&mut reading).await,
                Err(stop) => Err(stop),
            },
            Err(stop) => Err(stop),
        };
        (self.job.state, self.job.phase) = (state, phase);
        if let Err(stop) = told {
            self.job.counts = counts;
            let error = match stop {
                Interrupt::Error(error) => error.chain(),
                Interrupt::Ends(_) => "the rows can't be read".to_owned(),
                Interrupt::Time => "the time was up".to_owned(),
            };
            tracing::warn!(error, "what came of the rows of a job that was given up can't be told");
        }
    }

    /// Records what was done to users, and forgets what was only meant to be done.
    async fn recall_done<W: Work>(&mut self, work: &mut W) -> Result<(), Interrupt> {
        let (mut done, mut users) = (Done::default(), 0);
        // The last is that of users who waited for others, if there is one.
        for number in 0..=Self::batches(work) {
            self.check_time()?;
            let Some(mut batch) = self.find::<W::Plan>(number).await? else { continue };
            let open = self.not_done(work, &batch).await?;
            if !open.is_empty() {
                let mut at = 0..;
                batch.plans.retain(|_| !at.next().is_some_and(|at| open.contains(&at)));
                batch.written = batch.plans.len();
                self.keep(number, &batch).await?;
            }
            for plan in &batch.plans {
                work.record(plan);
                W::count(plan, &mut done);
            }
            users += batch.plans.iter().filter(|plan| !W::waits(plan)).count() as u64;
        }
        let progress = &mut self.job.progress;
        progress.users_done = users;
        (progress.users_changed, progress.users_created) = (done.users_changed, done.users_created);
        (progress.numbers_added, progress.numbers_removed) = (done.numbers_added, done.numbers_removed);
        Ok(())
    }

    /// The positions of a batch's plans that were not carried out.
    async fn not_done<W: Work>(&self, work: &W, batch: &Batch<W::Plan>) -> Result<HashSet<usize>, Interrupt> {
        let open = (batch.written..batch.plans.len()).filter(|&at| W::writes(&batch.plans[at]));
        let known = open.filter_map(|at| Some((at, work.user_of(&batch.plans[at])?)));
        let (positions, users): (Vec<usize>, Vec<usize>) = known.unzip();
        if users.is_empty() {
            return Ok(HashSet::new());
        }
        let now = work.plan(self, &users, &mut TableUsage::default()).await?;
        let not_done = positions.into_iter().zip(now).filter(|(at, now)| !W::is_done(&batch.plans[*at], now));
        Ok(not_done.map(|(at, _)| at).collect())
    }
}
