//! The kind of job: what another did is held against what the directory says now.
//!
//! An undo is a job like any other. Its rows are the effects of the other job, as that one has logged them beside its results.

mod effects;
mod register;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rollcall_bulk::{
    bulk_job::Plan,
    job::Job,
    left_out::LeftOut,
    undo::{
        self, Effect, NumberPlan, NumbersNow, SkipReason, UndoChange, UndoLedger, UndoPlan, UndoRequest, UndoTarget,
    },
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{DialableNumbers, InventoryNumber},
    jobs::{Decision, JobId, JobKind, ObjectVersion},
    user::Claim,
    version::existed_at,
};
use serde::{Deserialize, Serialize};

use super::{resync::follow_users, rotation::numbers_before};
use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError, decide,
    world::{ListChange, NumberChange, TableUsage, UserWrite},
};

/// Takes back what another job did.
pub struct Undo;

/// What an undo was prepared with.
pub struct UndoContext {
    numbers: NumbersNow,
    list_limit: usize,
    allow_empty: bool,
    /// When the job that is undone had ended.
    ended: Option<Timestamp>,
}

/// What was decided about numbers of the inventory, and where the rows are.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// `None` where there is nothing to take back.
    #[serde(default)]
    rows: Option<ObjectVersion>,
    numbers: Vec<NumberPlan>,
    /// Undos of the same job that had ended before, in order: what they have taken back is not taken back again.
    #[serde(default)]
    earlier: Vec<JobId>,
}

impl Operation for Undo {
    type Job = UndoLedger;
    type Context = UndoContext;
    const KINDS: &'static [JobKind] = &[JobKind::Undo];

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let known: Option<Checkpoint> = attempt.known().await?;
        let (undone, request) = find(attempt, known.is_some()).await?;
        attempt.job.undoes = Some(undone.id.clone());
        if request.preview {
            attempt.preview().await?;
        }
        if known.is_none() && !effects::are_kept(attempt, &undone).await? {
            let reason =
                "What the job did is not kept any more, since its results have expired. So it can't be taken back.";
            return Err(Interrupt::refused(reason));
        }
        let earlier = match &known {
            Some(checkpoint) => checkpoint.earlier.clone(),
            // Entered before anything is done: whatever becomes of this one, a later one finds what it has taken back.
            None => register::earlier(attempt, &undone).await?,
        };
        let effects = effects::left(attempt, effects::of(attempt, &undone).await?, &earlier).await?;
        let mut checkpoint = match known {
            Some(checkpoint) => checkpoint,
            None => bring(attempt, &undone, &effects, (earlier, request.allow_empty)).await?,
        };
        // Numbers first: lists don't take back what is retired still.
        if attempt.writes() {
            restore(attempt, &mut checkpoint.numbers).await?;
        } else if !attempt.job.previews() {
            forget(attempt, &mut checkpoint.numbers).await?;
        }
        let context = UndoContext {
            numbers: numbers_now(attempt, &checkpoint.numbers).await?,
            list_limit: attempt.settings().await?.list_limit,
            allow_empty: request.allow_empty,
            ended: undone.ended,
        };
        let rows = checkpoint.rows.map_or(RowSource::None, RowSource::Generated);
        Ok(Prepared { job: UndoLedger::new(effects, &checkpoint.numbers), context, rows })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &UndoLedger,
        context: &UndoContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<UndoPlan>, StorageError> {
        let table = &attempt.world.users;
        let effects: Vec<&Effect> = users.iter().map(|&user| job.effect(user)).collect();
        let logins: Vec<&str> = effects.iter().map(|effect| effect.login.as_str()).collect();
        let present = table.whole_users(attempt.account(), &logins, attempt.until, usage).await?;
        // Whoever got a login ID after the job had ended is somebody else, to whom it has done nothing.
        let then = context.ended;
        let present =
            |login: &str| present.get(login).filter(|user| then.is_none_or(|then| existed_at(user.version, then)));
        let wanted: Vec<Claim> = effects.iter().flat_map(|effect| effect.claims()).collect();
        let owners = table.owners(attempt.account(), wanted, attempt.until, usage).await?;
        let plans = users.iter().zip(&effects).map(|(&at, effect)| {
            let user = present(&effect.login);
            let UndoContext { numbers, list_limit, allow_empty, .. } = context;
            let (limit, allow_empty, now) = (*list_limit, *allow_empty, attempt.as_of());
            job.plan(at, UndoTarget { user, owners: &owners, numbers, limit, allow_empty, now })
        });
        Ok(plans.collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        _: &UndoContext,
        plans: &mut [&mut UndoPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        let (world, account, job) = (attempt.world, attempt.account(), &attempt.job.id);
        let (mut lists, mut users) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for (at, plan) in plans.iter().enumerate() {
            let write = match &plan.change {
                UndoChange::None => {
                    lists.0.push(at);
                    lists.1.push(ListChange { login: &plan.login, policy: plan.policy, lists: plan.lists() });
                    continue;
                }
                UndoChange::Restore(change) => {
                    let [found, restored] = &**change;
                    UserWrite::Restore([found, restored], &plan.take_off)
                }
                UndoChange::Delete(found) => UserWrite::Delete(found),
            };
            users.0.push(at);
            users.1.push(write);
        }
        let lists_left = world.lists.change_lists(account, &lists.1, job, attempt.until, usage).await?;
        let mut again: Vec<usize> = lists_left.outdated.into_iter().map(|at| lists.0[at]).collect();
        let users_left = world.users.write_users(account, &users.1, job, attempt.until, usage).await?;
        let outdated: Vec<usize> = users_left.outdated.into_iter().map(|at| users.0[at]).collect();
        let not_storable = lists_left.not_storable.into_iter().map(|at| lists.0[at]);
        let not_storable: Vec<usize> =
            not_storable.chain(users_left.not_storable.into_iter().map(|at| users.0[at])).collect();
        // Who was to be deleted and isn't there has been deleted: by this job, as far as anybody can tell.
        let doubtful = outdated.iter().filter(|&&at| matches!(plans[at].change, UndoChange::Delete(_)));
        let doubtful: Vec<&str> = doubtful.map(|&at| plans[at].login.as_str()).collect();
        let there = if doubtful.is_empty() {
            HashMap::new()
        } else {
            world.users.whole_users(account, &doubtful, attempt.until, usage).await?
        };
        let gone = |at: usize| doubtful.contains(&plans[at].login.as_str()) && !there.contains_key(&plans[at].login);
        again.extend(outdated.into_iter().filter(|&at| !gone(at)));
        for at in not_storable {
            plans[at].leave_out(LeftOut::NotStorable);
        }
        Ok(again)
    }

    async fn finish(&self, attempt: &mut Attempt<'_>, job: &UndoLedger, _: &UndoContext) -> Result<(), StorageError> {
        let changed: HashSet<String> = job.changed().map(str::to_owned).collect();
        follow_users(attempt, &changed).await
    }

    async fn conclude(&self, attempt: &Attempt<'_>) -> Result<(), StorageError> {
        // **Undone is what nothing is left of**: else it can be asked again.
        let counts = attempt.job.counts;
        let Some(id) = attempt.job.undoes.as_ref().filter(|_| counts.applied == counts.rows()) else { return Ok(()) };
        let Some(undone) = attempt.world.jobs.job(attempt.account(), id).await? else { return Ok(()) };
        // Another undo of the same job may have been faster: it is undone all the same.
        decide(&*attempt.world.jobs, &undone, Decision::Undo, &attempt.actor()).await.map(drop)
    }
}

/// The account's numbers once those of the inventory are given back; in a preview, as they would be.
async fn numbers_now(attempt: &Attempt<'_>, plans: &[NumberPlan]) -> Result<NumbersNow, StorageError> {
    let mut inventory = attempt.inventory().await?;
    if attempt.job.previews() {
        let restored: HashMap<CallerId, &InventoryNumber> = plans
            .iter()
            .filter_map(|plan| Some(&plan.change.as_ref().ok()?[1]))
            .map(|item| (item.number, item))
            .collect();
        for item in &mut inventory {
            if let Some(restored) = restored.get(&item.number) {
                *item = (*restored).clone();
            }
        }
    }
    let taken = inventory.iter().filter(|item| item.is_assignable()).map(|item| item.number).collect();
    let usable = inventory.iter().filter(|item| item.facts.state.is_usable() && item.reserved_by.is_none());
    let usable = usable.map(|item| (item.number, item.facts.department.as_ref()));
    let before = DialableNumbers::of(&inventory);
    Ok(if inventory.is_empty() {
        NumbersNow { taken: None, dialable: before.clone(), before }
    } else {
        NumbersNow { taken: Some(taken), before, dialable: DialableNumbers::these(usable) }
    })
}

/// The job that is to be undone, and what was asked for. `begun` says that an earlier attempt has come as far as
/// to do something: then it may have written already that the job is undone.
async fn find(attempt: &Attempt<'_>, begun: bool) -> Result<(Job, UndoRequest), Interrupt> {
    let request: UndoRequest = attempt.request().await?;
    let job = attempt.world.jobs.job(attempt.account(), &request.job).await?;
    let job = job.ok_or_else(|| Interrupt::refused(format!("The account has no job {}.", request.job)))?;
    if !job.upload.kind.has_undo() {
        return Err(Interrupt::refused(format!(
            "What a job of the kind {} did can't be taken back.",
            job.upload.kind.as_str()
        )));
    }
    match job.decide(Decision::Undo, &attempt.actor()) {
        Err(illegal) if !begun => Err(Interrupt::refused(illegal.to_string())),
        _ => Ok((job, request)),
    }
}

async fn bring(
    attempt: &Attempt<'_>,
    undone: &Job,
    effects: &[Effect],
    (earlier, allow_empty): (Vec<JobId>, bool),
) -> Result<Checkpoint, StorageError> {
    let mut numbers = numbers_left(attempt, undone, &earlier).await?;
    if !numbers.is_empty() && !allow_empty {
        NumberPlan::keep_departments(&mut numbers, &attempt.inventory().await?);
    }
    let nothing = effects.is_empty() && numbers.is_empty();
    let rows = if nothing { None } else { Some(attempt.write_rows(undo::rows(effects, &numbers)).await?) };
    let checkpoint = Checkpoint { rows, numbers, earlier };
    attempt.save_checkpoint(&checkpoint).await?;
    Ok(checkpoint)
}

/// What is left to be taken back of what the job did to numbers of the inventory.
async fn numbers_left(attempt: &Attempt<'_>, undone: &Job, earlier: &[JobId]) -> Result<Vec<NumberPlan>, StorageError> {
    let mut given_back: HashSet<CallerId> = HashSet::new();
    for undo in earlier {
        let Some(undo) = attempt.world.jobs.job(attempt.account(), undo).await? else { continue };
        let kept: Option<Checkpoint> = attempt.checkpoint_at(&undo.keys()).await?;
        let done = kept.into_iter().flat_map(|kept| kept.numbers).filter(|plan| plan.change.is_ok());
        given_back.extend(done.map(|plan| plan.before.number));
    }
    let mut plans = Vec::new();
    if undone.upload.kind == JobKind::UploadNumbers {
        let mut effects = effects::of_numbers(attempt, undone).await?;
        effects.retain(|(_, after)| !given_back.contains(&after.number));
        let numbers: HashSet<CallerId> = effects.iter().map(|(_, after)| after.number).collect();
        let now = numbers_of(attempt, numbers).await?;
        for (before, after) in effects {
            let now = now.get(&after.number);
            plans.push(NumberPlan::of_upload(before, after, now, attempt.world.now()));
        }
        return Ok(plans);
    }
    let Some(before) = numbers_before(attempt, &undone.keys()).await? else { return Ok(plans) };
    let numbers: HashSet<CallerId> =
        before.retired.iter().chain(&before.replacements).map(|item| item.number).collect();
    let now = numbers_of(attempt, numbers).await?;
    let retired = before.retired.into_iter().map(|item| (item, before.concluded));
    for (item, retired) in retired.chain(before.replacements.into_iter().map(|item| (item, false))) {
        let retired = retired && !given_back.contains(&item.number);
        let now = now.get(&item.number);
        plans.extend(NumberPlan::decide(item, now, &undone.id, retired));
    }
    Ok(plans)
}

/// Puts numbers of the inventory back. One at which somebody else was faster is passed over.
async fn restore(attempt: &Attempt<'_>, plans: &mut [NumberPlan]) -> Result<(), StorageError> {
    let mut seen = HashSet::new();
    let changes = plans.iter().enumerate().filter_map(|(at, plan)| {
        let [now, restored] = plan.change.as_ref().ok()?;
        // One that was retired, and that had taken another's place before, is put back once.
        seen.insert(now.number).then_some((at, NumberChange { before: Some(now), after: restored }))
    });
    let (at, changes): (Vec<usize>, Vec<NumberChange<'_>>) = changes.unzip();
    let (inventory, account) = (&attempt.world.numbers, attempt.account());
    let written = inventory.change_numbers(account, &changes, &attempt.actor()).await?;
    let written: HashSet<usize> = at.into_iter().zip(written).filter(|(_, done)| *done).map(|(at, _)| at).collect();
    let left = plans.iter_mut().enumerate().filter(|(at, _)| !written.contains(at)).map(|(_, plan)| plan);
    // Or an earlier attempt of this job was.
    pass_over(attempt, left, |is_there| if is_there { SkipReason::Changed } else { SkipReason::Gone }).await
}

/// Of a job that is given up: a number that has not been put back stays as it is.
async fn forget(attempt: &Attempt<'_>, plans: &mut [NumberPlan]) -> Result<(), StorageError> {
    pass_over(attempt, plans.iter_mut(), |_| SkipReason::NotRestored).await
}

/// Passes over the numbers that aren't as they were to be put back, each for a reason, which may depend on whether it is in the inventory at all.
async fn pass_over(
    attempt: &Attempt<'_>,
    plans: impl Iterator<Item = &mut NumberPlan>,
    reason: impl Fn(bool) -> SkipReason,
) -> Result<(), StorageError> {
    let plans: Vec<_> = plans.filter(|plan| plan.change.is_ok()).collect();
    let numbers: HashSet<CallerId> = plans.iter().map(|plan| plan.before.number).collect();
    let present = numbers_of(attempt, numbers).await?;
    for plan in plans {
        let now = present.get(&plan.before.number);
        if plan.change.as_ref().is_ok_and(|[_, restored]| now != Some(restored)) {
            plan.change = Err(reason(now.is_some()));
        }
    }
    Ok(())
}

/// Numbers of the inventory, as they are now.
async fn numbers_of(
    attempt: &Attempt<'_>,
    numbers: HashSet<CallerId>,
) -> Result<HashMap<CallerId, InventoryNumber>, StorageError> {
    let numbers: Vec<CallerId> = numbers.into_iter().collect();
    let found = attempt.world.numbers.numbers_of(attempt.account(), &numbers).await?;
    Ok(found.into_iter().map(|item| (item.number, item)).collect())
}
