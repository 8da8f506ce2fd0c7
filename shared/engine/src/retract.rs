//! Numbers that were retired while they were being put on lists, or relied on.
//!
//! A job reads the inventory once, at its beginning. A rotation that begins later reserves the numbers that it retires, and only
//! then looks who has them. So whatever this job wrote before it looks again here was either seen by the rotation, or is
//! found here: **nobody gets a number back that a rotation has taken away.** What was taken off for such a number comes back.

use std::collections::{HashMap, HashSet};

use rollcall_bulk::bulk_job::{BulkJob, Done, Overtaken, Plan, Retraction};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{DialableNumbers, InventoryNumber, NumberState},
};

use crate::{
    Attempt, Interrupt, Operation, PlanOf, StorageError,
    plan_log::{self, LoggedGroups, PlanGroup},
    read::Reading,
    world::{Found, ListNumbers, TableUsage},
};

/// What plans have put on lists.
#[derive(Default)]
pub(crate) struct AddedNumbers {
    added: HashSet<CallerId>,
    /// Plans were carried out that an earlier attempt has corrected, and it may have died over it.
    corrected: bool,
    /// How many groups of plans are logged.
    pub groups: usize,
}

impl AddedNumbers {
    pub(crate) fn count(&mut self, plan: &mut impl Plan) {
        self.added.extend(plan.added());
        self.corrected |= plan.retract(&Overtaken::default()).is_some();
    }
}

/// How often numbers that came back onto lists are looked at in turn: a rotation may reserve those meanwhile.
const ROUNDS: usize = 4;

/// Takes back what others have overtaken: numbers come off lists again that this job has put there and that lists don't take any more, and what was
/// taken off for them comes back.
pub(crate) async fn retract<O: Operation>(
    attempt: &mut Attempt<'_>,
    operation: &O,
    reading: &mut Reading<O>,
    mut added: AddedNumbers,
) -> Result<(), Interrupt> {
    // A preview has put nothing on any list.
    if attempt.job.previews() || added.added.is_empty() && !added.corrected && !O::LOOKS_AGAIN {
        return Ok(());
    }
    for round in 0..ROUNDS {
        let inventory = attempt.inventory().await?;
        let fallen = operation.has_fallen(attempt, &mut reading.job, &reading.context, &inventory);
        let now = overtaken(attempt, &inventory, &added.added);
        if now.refused.is_empty() && !fallen && !(added.corrected && round == 0) {
            break;
        }
        let phase = Phase { operation, inventory: &inventory, fallen, now: &now };
        let mut back = HashSet::new();
        let mut logged = LoggedGroups::of(&attempt.world.bucket, &attempt.keys, added.groups);
        for number in 0..added.groups {
            attempt.check_time()?;
            let group = logged.expect_next().await.map_err(|error| attempt.late(error))?;
            let corrected = phase.retract_group(attempt, reading, (number, group), &mut back).await;
            corrected.map_err(|error| attempt.late(error))?;
        }
        if back.is_subset(&added.added) {
            break;
        }
        added.added.extend(back);
    }
    Ok(())
}

/// What has become of the account's numbers. An account without an inventory takes every number.
fn overtaken(attempt: &Attempt<'_>, inventory: &[InventoryNumber], added: &HashSet<CallerId>) -> Overtaken {
    // One that rested already when this job reserved it was on lists all the same.
    let gone = |item: &&InventoryNumber| {
        let reserved = item.reserved_by.as_ref() == Some(&attempt.job.id);
        !(item.is_assignable() || reserved && item.facts.state != NumberState::Retired)
    };
    let refused = inventory.iter().filter(|item| !item.is_assignable() && added.contains(&item.number));
    Overtaken {
        refused: refused.map(|item| item.number).collect(),
        gone: inventory.iter().filter(gone).map(|item| item.number).collect(),
    }
}

/// What every step of the phase needs.
struct Phase<'a, O> {
    operation: &'a O,
    inventory: &'a [InventoryNumber],
    fallen: bool,
    now: &'a Overtaken,
}

impl<O: Operation> Phase<'_, O> {
    async fn retract_group(
        &self,
        attempt: &mut Attempt<'_>,
        Reading { job, context, .. }: &mut Reading<O>,
        (number, mut group): (usize, PlanGroup<PlanOf<O>>),
        back: &mut HashSet<CallerId>,
    ) -> Result<(), StorageError> {
        let (mut before, mut after, mut usage) = (Done::default(), Done::default(), TableUsage::default());
        group.plans.iter().for_each(|plan| plan.tally(&mut before));
        if self.fallen {
            let plans = &mut group.plans;
            self.operation.look_again(attempt, context, plans, self.inventory, self.now, &mut usage).await?;
        }
        let (found, spared) = self.spared(attempt, &group.plans, &mut usage).await?;
        let now = |at: usize| spared.get(&at).unwrap_or(self.now);
        let mut changed = Vec::new();
        for (at, plan) in group.plans.iter_mut().enumerate() {
            changed.extend(plan.retract(now(at)).map(|_| at));
            plan.tally(&mut after);
        }
        if changed.is_empty() {
            return Ok(());
        }
        // Logged first: what is taken off is then known to have been put there by this job.
        plan_log::save(attempt, number, &group).await?;
        let chosen: HashSet<usize> = changed.iter().copied().collect();
        let plans = group.plans.iter_mut().enumerate().filter(|(at, _)| chosen.contains(at));
        let corrections: Vec<_> = plans.filter_map(|(at, plan)| plan.retract(now(at))).collect();
        let listed =
            |login: &str, number: &CallerId| found.get(login).is_some_and(|user| user.caller_ids.contains(number));
        back.extend(corrections.iter().flat_map(|correction| correction.back));
        let (account, by, lists) = (attempt.account(), attempt.actor(), &attempt.world.lists);
        // What comes back is written first, so that nobody is left with neither. Where somebody else has swapped the number meanwhile, nothing does.
        let comes =
            |one: &&Retraction<'_>| one.off.is_empty() || one.off.iter().any(|number| listed(one.login, number));
        let returns = corrections.iter().filter(|one| !one.back.is_empty()).filter(comes);
        let returns: Vec<ListNumbers<'_>> = returns.map(|one| numbers_of(one, one.back)).collect();
        lists.add_caller_ids(account, &returns, None, &by, attempt.until, &mut usage).await?;
        let removals: Vec<ListNumbers<'_>> =
            corrections.iter().filter(|one| !one.off.is_empty()).map(|one| numbers_of(one, &one.off)).collect();
        lists.remove_caller_ids(account, &removals, &by, attempt.until, &mut usage).await?;
        for at in changed {
            job.record(&group.plans[at]);
        }
        let progress = &mut attempt.job.progress;
        progress.users_changed = progress.users_changed + after.users_changed - before.users_changed;
        progress.numbers_added = progress.numbers_added + after.numbers_added - before.numbers_added;
        progress.numbers_removed = progress.numbers_removed + after.numbers_removed - before.numbers_removed;
        attempt.count_usage(usage);
        Ok(())
    }

    /// Reads the users whose lists are to be corrected, and says what of that is not to be, by the places of their plans.
    ///
    /// **What a rotation has only reserved stays with those who would have nothing else.** The rotation swaps it, or leaves it in service for them;
    /// where it had looked at them before, the look that the schedule owes the number takes it off.
    async fn spared(
        &self,
        attempt: &Attempt<'_>,
        plans: &[PlanOf<O>],
        usage: &mut TableUsage,
    ) -> Result<(HashMap<String, Found>, HashMap<usize, Overtaken>), StorageError> {
        let mut trials: Vec<PlanOf<O>> = plans.to_vec();
        let trials = trials.iter_mut().enumerate();
        let trials: Vec<(usize, Retraction<'_>)> =
            trials.filter_map(|(at, plan)| Some((at, plan.retract(self.now)?))).collect();
        let logins: Vec<&str> = trials.iter().map(|(_, one)| one.login).collect();
        let found = attempt.world.users.find_users(attempt.account(), &logins, attempt.until, usage).await?;
        let dialable = DialableNumbers::of(self.inventory);
        let reserved = self.inventory.iter().filter(|item| item.facts.state.is_usable() && item.reserved_by.is_some());
        let reserved: HashSet<CallerId> = reserved.map(|item| item.number).collect();
        let mut spared = HashMap::new();
        for (at, Retraction { login, off, back, .. }) in &trials {
            let stays: HashSet<CallerId> =
                plans[*at].added().iter().copied().filter(|one| off.contains(one) && reserved.contains(one)).collect();
            let Some(user) = found.get(*login).filter(|_| plans[*at].takes_off() && !stays.is_empty()) else {
                continue;
            };
            let mut after: Vec<CallerId> = user.caller_ids.iter().chain(*back).copied().collect();
            after.retain(|number| !off.contains(number));
            let can = |list: &[CallerId]| dialable.reach(user.policy, user.department.as_ref(), list);
            if can(&user.caller_ids) && !can(&after) {
                let refused = self.now.refused.difference(&stays).copied().collect();
                spared.insert(*at, Overtaken { refused, ..self.now.clone() });
            }
        }
        Ok((found, spared))
    }
}

fn numbers_of<'a>(one: &Retraction<'a>, numbers: &'a [CallerId]) -> ListNumbers<'a> {
    ListNumbers { login: one.login, created: one.created, numbers }
}
