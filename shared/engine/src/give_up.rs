//! A job that is given up: it says what it has done, keeps a report on it, and can be undone.
//!
//! What was really done stands in the plans that were kept. A batch that was carried out whole says so. Of a batch that was being
//! carried out, each user is looked at once more: where nothing is left to do, the plan was carried out; where something is, it
//! was not, and the plan is forgotten, so that an undo takes back exactly what was done.

use std::collections::HashMap;

use rollcall_bulk::{
    bulk_job::{BulkJob, Done, Plan},
    job::{Failure, Phase},
};

use crate::{
    Attempt, DeliveryOutcome, Interrupt, Operation, PlanOf, StorageError,
    mail::mail,
    metrics,
    options::note_options,
    plan_log::{self, LoggedGroups, PlanGroup},
    read::{Reading, read},
    report::report,
    world::TableUsage,
};

/// Ends a job that can't go on: at its last delivery, or where something is refused for good.
pub(crate) async fn fail<O: Operation>(
    attempt: &mut Attempt<'_>,
    operation: &O,
    reason: String,
) -> Result<DeliveryOutcome, StorageError> {
    attempt.job.failure = Some(Failure::GaveUp { attempts: attempt.job.attempts, reason });
    give_up(attempt, operation, false).await
}

/// Gives a job up. `died` says that the last attempt didn't end by itself: whatever it died of, saying what came of the rows may die
/// of too. Then it is said first that the job has failed, since no later delivery comes to say it.
pub(crate) async fn give_up<O: Operation>(
    attempt: &mut Attempt<'_>,
    operation: &O,
    died: bool,
) -> Result<DeliveryOutcome, StorageError> {
    tracing::error!(attempts = attempt.job.attempts, "gave up");
    attempt.until = attempt.end;
    // A job may be given up over its mail alone, when every row has its outcome.
    let reported = attempt.job.phase == Phase::Mailing;
    if !died && !reported {
        take_stock(attempt, operation).await;
    }
    let counts = &mut attempt.job.counts;
    counts.unprocessed += attempt.job.progress.rows.saturating_sub(counts.rows());
    // An attempt that died early didn't come to note it.
    if attempt.job.asked_by.is_none()
        && let Ok(dropped) = attempt.world.bucket.open(&attempt.job.source).await
    {
        note_options(attempt, dropped.options()).await?;
    }
    // In the phase that it has come to: one that is at its mail has nothing else left to do.
    attempt.save().await?;
    if let Err(error) = mail(attempt).await {
        // Nobody comes after this delivery to say that the job has failed. Sent back from the dead-letter queue, it
        // sends its mail then.
        attempt.job.last_error = Some(error.chain());
    }
    if let Err(error) = operation.give_up(attempt).await {
        // The next round of the schedule does it.
        tracing::warn!(error = error.chain(), "what the job has reserved can't be released");
    }
    let lease = attempt.job.lease.clone();
    attempt.job.end(attempt.world.now());
    if reported {
        // Sent back, it has nothing else left to do.
        attempt.job.phase = Phase::Mailing;
    }
    if died && !reported {
        // Still its holder, who has something to add.
        attempt.job.lease = lease;
        attempt.save().await?;
        take_stock(attempt, operation).await;
        attempt.job.lease = None;
    }
    attempt.save().await?;
    metrics::job_ended(&attempt.job);
    Ok(DeliveryOutcome::GaveUp)
}

/// Says what came of each row, as far as it was decided and done. Where that can't be told, the job is given up without.
async fn take_stock<O: Operation>(attempt: &mut Attempt<'_>, operation: &O) {
    // A preview has done nothing.
    if attempt.job.previews() {
        return;
    }
    attempt.given_up = true;
    let (state, phase, counts) = (attempt.job.state, attempt.job.phase, attempt.job.counts);
    let told = match read(attempt, operation).await {
        Ok(mut reading) => match recall_done(attempt, operation, &mut reading).await {
            Ok(()) => report(attempt, &mut reading).await,
            Err(stop) => Err(stop),
        },
        Err(stop) => Err(stop),
    };
    (attempt.job.state, attempt.job.phase) = (state, phase);
    if let Err(stop) = told {
        attempt.job.counts = counts;
        let error = match stop {
            Interrupt::Error(error) => error.chain(),
            Interrupt::Ends(_) => "the rows can't be read".to_owned(),
            Interrupt::Time => "the time was up".to_owned(),
        };
        tracing::warn!(error, "what came of the rows of a job that was given up can't be told");
    }
}

/// Records what was done to users, and forgets what was only meant to be done.
async fn recall_done<O: Operation>(
    attempt: &mut Attempt<'_>,
    operation: &O,
    Reading { job, context, .. }: &mut Reading<O>,
) -> Result<(), Interrupt> {
    let (mut done, mut users) = (Done::default(), 0);
    let mut logged = LoggedGroups::of_job(&attempt.world.bucket, &attempt.keys, attempt.job.progress, O::GROUP);
    // The last is that of users who waited for others, if there is one.
    for number in 0.. {
        attempt.check_time()?;
        let Some(mut group) = logged.next::<PlanOf<O>>().await? else { break };
        if forget_undone(attempt, operation, (job, context), &mut group).await? {
            group.written = group.plans.len();
            plan_log::save(attempt, number, &group).await?;
        }
        for plan in &group.plans {
            job.record(plan);
            plan.tally(&mut done);
        }
        users += group.plans.iter().filter(|plan| !plan.waits()).count() as u64;
    }
    let progress = &mut attempt.job.progress;
    progress.users_done = users;
    (progress.users_changed, progress.users_created) = (done.users_changed, done.users_created);
    (progress.numbers_added, progress.numbers_removed) = (done.numbers_added, done.numbers_removed);
    Ok(())
}

/// Forgets what was only meant to be done of a batch. Whether it was not known to have been carried out whole.
async fn forget_undone<O: Operation>(
    attempt: &Attempt<'_>,
    operation: &O,
    (job, context): (&O::Job, &O::Context),
    group: &mut PlanGroup<PlanOf<O>>,
) -> Result<bool, Interrupt> {
    let open = (group.written..group.plans.len()).filter(|&at| group.plans[at].writes());
    let known = open.filter_map(|at| Some((at, job.user_of(&group.plans[at])?)));
    let (positions, users): (Vec<usize>, Vec<usize>) = known.unzip();
    if users.is_empty() {
        return Ok(false);
    }
    let now = operation.plan(attempt, job, context, &users, &mut TableUsage::default()).await?;
    let mut now: HashMap<usize, PlanOf<O>> = positions.into_iter().zip(now).collect();
    let mut at = 0..;
    group.plans.retain_mut(|plan| {
        let now = at.next().and_then(|at| now.remove(&at));
        now.is_none_or(|now| plan.keep_done(&now))
    });
    Ok(true)
}
