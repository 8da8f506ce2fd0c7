//! Numbers that were retired while they were being put on lists.
//!
//! A job reads the inventory once, at its beginning. A rotation that begins later marks the numbers that it retires, and only
//! then looks who has them. So whatever this job wrote before it looks again here was either seen by the rotation, or is
//! found here: **nobody gets a number back that a rotation has taken away.**

use std::collections::HashSet;

use rollcall_model::caller_id::CallerId;
use rollcall_storage::{StorageError, directory::TableUsage};

use crate::{Attempt, Done, Interrupt, ListAdditions, Work, apply::Batch};

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
    pub(crate) fn count<W: Work>(&mut self, plan: &mut W::Plan) {
        if let Some(ListAdditions { added, retracted, .. }) = W::additions(plan) {
            self.added.extend(added.iter());
            self.retracted.extend(retracted.iter());
        }
    }
}

impl Attempt<'_> {
    /// Takes numbers off lists again that this job has put there and that lists don't take any more.
    pub(crate) async fn retract<W: Work>(&mut self, work: &mut W, joined: AddedNumbers) -> Result<(), Interrupt> {
        // A preview has put nothing on any list.
        if self.job.previews() {
            return Ok(());
        }
        let AddedNumbers { added, retracted: mut refused, waited } = joined;
        if !added.is_empty() {
            let inventory = self.inventory().await?;
            let gone = inventory.iter().filter(|item| !item.is_assignable() && added.contains(&item.number));
            refused.extend(gone.map(|item| item.number));
        }
        if refused.is_empty() {
            return Ok(());
        }
        for number in 0..Self::batches(work) + usize::from(waited) {
            self.check_time()?;
            self.retract_batch(work, number, &refused).await.map_err(|error| self.late(error))?;
        }
        Ok(())
    }

    async fn retract_batch<W: Work>(
        &mut self,
        work: &mut W,
        number: usize,
        refused: &HashSet<CallerId>,
    ) -> Result<(), StorageError> {
        let mut batch: Batch<W::Plan> = self.kept(number).await?;
        let (mut before, mut after, mut changed) = (Done::default(), Done::default(), Vec::new());
        for (at, plan) in batch.plans.iter_mut().enumerate() {
            W::count(plan, &mut before);
            if let Some(ListAdditions { added, retracted, .. }) = W::additions(plan) {
                retracted.extend(added.extract_if(.., |number| refused.contains(number)));
                if !retracted.is_empty() {
                    changed.push(at);
                }
            }
            W::count(plan, &mut after);
        }
        if changed.is_empty() {
            return Ok(());
        }
        // Kept first: what is taken off is then known to have been put there by this job.
        self.keep(number, &batch).await?;
        let mut asked = TableUsage::default();
        let additions =
            batch.plans.iter_mut().filter_map(W::additions).filter(|additions| !additions.retracted.is_empty());
        let removals: Vec<(&str, &[CallerId])> =
            additions.map(|ListAdditions { login, retracted, .. }| (login, &**retracted)).collect();
        self.engine
            .directory
            .remove_caller_ids(self.account(), &removals, &self.actor(), self.until, &mut asked)
            .await?;
        drop(removals);
        for at in changed {
            work.record(&batch.plans[at]);
        }
        let progress = &mut self.job.progress;
        progress.users_changed -= before.users_changed - after.users_changed;
        progress.numbers_added -= before.numbers_added - after.numbers_added;
        progress.table_calls += asked.calls;
        progress.statements += asked.statements;
        progress.throttled += asked.throttled;
        Ok(())
    }
}
