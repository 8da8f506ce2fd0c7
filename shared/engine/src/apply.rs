//! Bringing users up to date, group by group.

use std::{collections::HashSet, ops::Range};

use rollcall_bulk::{
    bulk_job::{BulkJob, Done, Plan},
    left_out::LeftOut,
};

use crate::{
    Attempt, Backoff, Interrupt, Operation, PlanOf, StorageError,
    plan_log::{self, GROUP_NUMBERS, LoggedGroups, PlanGroup},
    portions::Portions,
    read::Reading,
    retract::AddedNumbers,
    world::TableUsage,
};

/// How often users are decided on anew because somebody else was faster. With the waits in between, somebody who changes a user every
/// few seconds doesn't keep the job from it.
const ROUNDS: u32 = 12;
const OPERATION: &str = "writing users";

/// Carries out what the rows ask for, and records what came of that. Gives the numbers that came onto lists by it.
pub(crate) async fn apply<O: Operation>(
    attempt: &mut Attempt<'_>,
    operation: &O,
    reading: &mut Reading<O>,
) -> Result<AddedNumbers, Interrupt> {
    let Reading { job, context, .. } = reading;
    let mut logged = LoggedGroups::before(attempt, O::GROUP);
    // What a directory gives may be fewer users than an earlier attempt has seen.
    attempt.job.progress.users_done = attempt.job.progress.users_done.min(job.users() as u64);
    let mut done = Done::default();
    let mut added = AddedNumbers::default();
    let mut waiting = Vec::new();
    let (mut number, mut start, mut portions) = (0, 0, Portions::default());
    let phase = Phase { operation, context };
    let mut group = recall(attempt, job, &mut logged, start).await?;
    let decided = phase.decide(attempt, job, (number, start), &mut group, &mut portions).await;
    let mut read = decided.map_err(|error| attempt.late(error))?;
    while start < job.users() {
        attempt.check_time()?;
        if group.is_open() {
            attempt.unsettle().await?;
        }
        let recalled = group.is_logged() && !group.is_open();
        // The next group is read while this one is written.
        let end = group.end(start, O::GROUP).min(job.users());
        let mut next = recall(attempt, job, &mut logged, end).await?;
        let (wrote, next_read) = tokio::join!(
            phase.write_group(attempt, job, number, &mut group),
            phase.decide(attempt, job, (number + 1, end), &mut next, &mut portions)
        );
        let wrote = wrote.map_err(|error| attempt.late(error))?;
        let next_read = next_read.map_err(|error| attempt.late(error))?;
        for plan in &mut group.plans {
            job.record(plan);
            plan.tally(&mut done);
            // Whoever reserves a number after an earlier attempt has looked again finds it on the list.
            if !attempt.settled {
                added.count(plan);
            }
            waiting.extend(job.user_of(plan).filter(|_| plan.waits()));
        }
        count(attempt, done, end, [read, wrote]);
        attempt.foresee(recalled);
        attempt.show().await?;
        (group, read, number, start) = (next, next_read, number + 1, end);
    }
    added.groups = number;
    phase.apply_waiting(attempt, job, waiting, done, (&mut added, logged)).await?;
    Ok(added)
}

/// What an earlier attempt has logged of a group.
async fn recall<J: BulkJob>(
    attempt: &mut Attempt<'_>,
    job: &mut J,
    logged: &mut LoggedGroups,
    start: usize,
) -> Result<PlanGroup<J::Plan>, StorageError> {
    // Behind the last group is that of those who waited for others.
    if start >= job.users() {
        return Ok(PlanGroup::default());
    }
    let mut group: PlanGroup<J::Plan> = logged.next().await?.unwrap_or_default();
    group.plans.iter().for_each(|plan| job.record(plan));
    group.recalled = group.plans.len();
    if group.is_open() {
        attempt.unsettle().await?;
    }
    Ok(group)
}

/// The operation and what it was prepared with, which every step of the phase needs.
struct Phase<'a, O: Operation> {
    operation: &'a O,
    context: &'a O::Context,
}

impl<O: Operation> Phase<'_, O> {
    /// Deals with those who wait for what another user of the file gives up, as often as that lets one of them go on. They are a
    /// group of their own, behind the others.
    async fn apply_waiting(
        &self,
        attempt: &mut Attempt<'_>,
        job: &mut O::Job,
        mut waiting: Vec<usize>,
        mut done: Done,
        (added, mut logged): (&mut AddedNumbers, LoggedGroups),
    ) -> Result<(), Interrupt> {
        if waiting.is_empty() {
            return Ok(());
        }
        let number = added.groups;
        let mut group: PlanGroup<PlanOf<O>> = logged.next().await?.unwrap_or_default();
        group.recalled = group.plans.len();
        if group.is_open() {
            attempt.unsettle().await?;
        }
        let (mut usage, mut recorded, mut decided) = (TableUsage::default(), 0, false);
        loop {
            attempt.check_time()?;
            let wrote =
                self.write_group(attempt, job, number, &mut group).await.map_err(|error| attempt.late(error))?;
            for plan in &mut group.plans[recorded..] {
                job.record(plan);
                plan.tally(&mut done);
                if !attempt.settled {
                    added.count(plan);
                }
                added.groups = number + 1;
            }
            recorded = group.plans.len();
            count(attempt, done, job.users(), [wrote, std::mem::take(&mut usage)]);
            let before = waiting.len();
            waiting.retain(|&user| !job.is_decided(user));
            if waiting.is_empty() || (waiting.len() == before && decided) {
                return Ok(());
            }
            let plans = self.operation.plan(attempt, job, self.context, &waiting, &mut usage).await;
            let mut plans = plans.map_err(|error| attempt.late(error))?;
            plans.retain(|plan| !plan.waits());
            if plans.is_empty() {
                count(attempt, done, job.users(), [usage, TableUsage::default()]);
                return Ok(());
            }
            group.plans.extend(plans);
            attempt.unsettle().await?;
            decided = true;
            plan_log::save(attempt, number, &group).await?;
        }
    }

    /// Adds to a group, which has this number and begins with this user, the plans for everybody whom no earlier attempt has decided on.
    async fn decide(
        &self,
        attempt: &Attempt<'_>,
        job: &O::Job,
        (number, start): (usize, usize),
        group: &mut PlanGroup<PlanOf<O>>,
        portions: &mut Portions,
    ) -> Result<TableUsage, Interrupt> {
        let mut usage = TableUsage::default();
        // Who waits for another's address has a plan, though nothing is settled yet: a second one would count twice.
        let waiting: HashSet<usize> =
            group.plans.iter().filter(|plan| plan.waits()).filter_map(|plan| job.user_of(plan)).collect();
        let open = |users: Range<usize>| -> Vec<usize> {
            users.filter(|user| !job.is_decided(*user) && !waiting.contains(user)).collect()
        };
        let is_new = !group.is_logged();
        let most = group.end(start, O::GROUP).min(job.users());
        if !is_new && !open(start..most).is_empty() {
            // What was meant for these users before is done first: what else they are to get is decided by what is there then.
            usage.add(self.write_group(attempt, job, number, group).await?);
        }
        let (mut end, mut numbers, before) = (start, 0, group.plans.len());
        while end < most && !(is_new && numbers >= GROUP_NUMBERS) {
            let users = if is_new { portions.next(GROUP_NUMBERS - numbers).min(most - end) } else { most - end };
            let open = open(end..end + users);
            end += users;
            if open.is_empty() {
                continue;
            }
            let plans = self.operation.plan(attempt, job, self.context, &open, &mut usage).await?;
            let held = plans.iter().map(Plan::numbers).sum();
            portions.learn(open.len(), held);
            numbers += held;
            group.plans.extend(plans);
        }
        if start < most && (is_new || group.plans.len() > before) {
            group.end = Some(end);
            plan_log::save(attempt, number, group).await?;
        }
        Ok(usage)
    }

    /// Writes the users of a group that are to change.
    async fn write_group(
        &self,
        attempt: &Attempt<'_>,
        job: &O::Job,
        number: usize,
        group: &mut PlanGroup<PlanOf<O>>,
    ) -> Result<TableUsage, Interrupt> {
        let mut usage = TableUsage::default();
        if attempt.job.previews() {
            return Ok(usage);
        }
        let mut open: Vec<usize> = (group.written..group.plans.len()).filter(|&at| group.plans[at].writes()).collect();
        if open.is_empty() {
            return Ok(usage);
        }
        let mut backoff = Backoff::new(attempt.until);
        for round in 1.. {
            if open.is_empty() {
                break;
            }
            let mut chosen = open.iter().copied().peekable();
            let mut plans: Vec<&mut PlanOf<O>> = Vec::with_capacity(open.len());
            for (at, plan) in group.plans.iter_mut().enumerate() {
                if chosen.next_if_eq(&at).is_some() {
                    plans.push(plan);
                }
            }
            let mut outdated = self.operation.write(attempt, self.context, &mut plans, &mut usage).await?;
            // In the order of the group, which is that of `open`.
            outdated.sort_unstable();
            open = outdated.into_iter().map(|at| open[at]).collect();
            if round == ROUNDS {
                // Whoever comes next decides on what is there then: somebody writes these users all the time, or something of them
                // will never be as the decision needs it.
                open.drain(..).for_each(|at| group.plans[at].leave_out(LeftOut::Changing));
            }
            self.decide_again(attempt, job, &open, group, &mut usage).await?;
            group.recalled = 0;
            open.retain(|&at| group.plans[at].writes());
            if !open.is_empty() {
                plan_log::save(attempt, number, group).await?;
                backoff.wait(StorageError::transient(OPERATION, "users are being changed by somebody else")).await?;
            }
        }
        group.written = group.plans.len();
        plan_log::save(attempt, number, group).await?;
        Ok(usage)
    }

    /// Replaces plans that the table has overtaken.
    async fn decide_again(
        &self,
        attempt: &Attempt<'_>,
        job: &O::Job,
        positions: &[usize],
        group: &mut PlanGroup<PlanOf<O>>,
        usage: &mut TableUsage,
    ) -> Result<(), Interrupt> {
        let known = positions.iter().filter_map(|&at| Some((at, job.user_of(&group.plans[at])?)));
        let (positions, users): (Vec<usize>, Vec<usize>) = known.unzip();
        if !users.is_empty() {
            let plans = self.operation.plan(attempt, job, self.context, &users, usage).await?;
            for (at, plan) in positions.into_iter().zip(plans) {
                let before = std::mem::replace(&mut group.plans[at], plan);
                if at < group.recalled {
                    group.plans[at].merge_previous_attempt(&before);
                }
            }
        }
        Ok(())
    }
}

fn count(attempt: &mut Attempt<'_>, done: Done, users_done: usize, usage: [TableUsage; 2]) {
    let progress = &mut attempt.job.progress;
    // Users are counted again from the groups that earlier attempts have logged. Until all of these are recalled, the job stays where it was.
    // What was asked of the table adds up.
    if users_done as u64 >= progress.users_done {
        progress.users_done = users_done as u64;
        progress.users_changed = done.users_changed;
        progress.users_created = done.users_created;
        progress.numbers_added = done.numbers_added;
        progress.numbers_removed = done.numbers_removed;
    }
    for usage in usage {
        attempt.count_usage(usage);
    }
}
