//! Numbers that were retired while they were being put on lists.
//!
//! A job reads the inventory once, at its beginning. A rotation that begins later marks the numbers that it retires, and only
//! then looks who has them. So whatever this job wrote before it looks again here was either seen by the rotation, or is
//! found here: **nobody gets a number back that a rotation has taken away.**

use std::collections::HashSet;

use rollcall_bulk::bulk_job::{BulkJob, Done, ListAdditions, Plan};
use rollcall_model::caller_id::CallerId;

use crate::{
    Attempt, Interrupt, StorageError,
    apply::groups,
    plan_log::{self, PlanGroup},
    world::{ListNumbers, TableUsage},
};

/// What plans have put on lists.
#[derive(Default)]
pub(crate) struct AddedNumbers {
    added: HashSet<CallerId>,
    /// Taken off again by an earlier attempt, which may have died over it.
    retracted: HashSet<CallerId>,
    /// There is a batch of those who had to wait for others, behind the other batches.
    pub waited: bool,
}

impl AddedNumbers {
    pub(crate) fn count(&mut self, plan: &mut impl Plan) {
        if let Some(ListAdditions { added, retracted, .. }) = plan.additions() {
            self.added.extend(added.iter());
            self.retracted.extend(retracted.iter());
        }
    }
}

/// Takes numbers off lists again that this job has put there and that lists don't take any more.
pub(crate) async fn retract<J: BulkJob>(
    attempt: &mut Attempt<'_>,
    job: &mut J,
    added: AddedNumbers,
) -> Result<(), Interrupt> {
    // A preview has put nothing on any list.
    if attempt.job.previews() {
        return Ok(());
    }
    let AddedNumbers { added, retracted: mut refused, waited } = added;
    if !added.is_empty() {
        let inventory = attempt.inventory().await?;
        let gone = inventory.iter().filter(|item| !item.is_assignable() && added.contains(&item.number));
        refused.extend(gone.map(|item| item.number));
    }
    if refused.is_empty() {
        return Ok(());
    }
    for number in 0..groups(job) + usize::from(waited) {
        attempt.check_time()?;
        retract_group(attempt, job, number, &refused).await.map_err(|error| attempt.late(error))?;
    }
    Ok(())
}

async fn retract_group<J: BulkJob>(
    attempt: &mut Attempt<'_>,
    job: &mut J,
    number: usize,
    refused: &HashSet<CallerId>,
) -> Result<(), StorageError> {
    let mut group: PlanGroup<J::Plan> = plan_log::load(attempt, number).await?;
    let (mut before, mut after, mut changed) = (Done::default(), Done::default(), Vec::new());
    for (at, plan) in group.plans.iter_mut().enumerate() {
        plan.tally(&mut before);
        if let Some(ListAdditions { added, retracted, .. }) = plan.additions() {
            retracted.extend(added.extract_if(.., |number| refused.contains(number)));
            if !retracted.is_empty() {
                changed.push(at);
            }
        }
        plan.tally(&mut after);
    }
    if changed.is_empty() {
        return Ok(());
    }
    // Kept first: what is taken off is then known to have been put there by this job.
    plan_log::save(attempt, number, &group).await?;
    let mut usage = TableUsage::default();
    let additions =
        group.plans.iter_mut().filter_map(Plan::additions).filter(|additions| !additions.retracted.is_empty());
    let removals: Vec<ListNumbers<'_>> =
        additions.map(|ListAdditions { login, retracted, .. }| (login, &**retracted)).collect();
    attempt
        .world
        .lists
        .remove_caller_ids(attempt.account(), &removals, &attempt.actor(), attempt.until, &mut usage)
        .await?;
    drop(removals);
    for at in changed {
        job.record(&group.plans[at]);
    }
    let progress = &mut attempt.job.progress;
    progress.users_changed -= before.users_changed - after.users_changed;
    progress.numbers_added -= before.numbers_added - after.numbers_added;
    progress.table_calls += usage.calls;
    progress.statements += usage.statements;
    progress.throttled += usage.throttled;
    Ok(())
}
