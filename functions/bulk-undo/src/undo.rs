//! The kind of job: the deeds of another are held against what the directory says now.

use std::collections::{HashMap, HashSet};

use rollcall_bulk::{
    job::Job,
    left_out::LeftOut,
    report::Judgement,
    undo::{self, COLUMNS, Effect, NumberPlan, SkipReason, UndoChange, UndoLedger, UndoPlan, UndoRequest, UndoTarget},
};
use rollcall_engine::{Attempt, Done, Interrupt, ListAdditions, Operation, Prepared, RowSource, Work};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::{Decision, JobKind, ObjectVersion},
    version::existed_at,
};
use rollcall_storage::{
    StorageError,
    decide::decide,
    directory::{ListChange, TableUsage, UserWrite},
};
use rollcall_tabular::{Row, Schema};
use serde::{Deserialize, Serialize};

use crate::effects;

/// Takes back what another job did.
pub struct Undo;

/// One undo.
pub struct UndoWork {
    ledger: UndoLedger,
    /// Numbers that lists take; `None` for an account without an inventory, where they take every number.
    taken: Option<HashSet<CallerId>>,
    list_limit: usize,
    undone: Job,
}

/// What was decided about numbers of the inventory, and where the rows are.
#[derive(Serialize, Deserialize)]
struct Note {
    /// `None` where there is nothing to take back.
    #[serde(default)]
    rows: Option<ObjectVersion>,
    numbers: Vec<NumberPlan>,
}

impl Operation for Undo {
    type Work = UndoWork;
    const KINDS: &'static [JobKind] = &[JobKind::Undo];

    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<UndoWork>, Interrupt> {
        let known: Option<Note> = attempt.known().await?;
        let (undone, preview) = find(attempt, known.is_some()).await?;
        attempt.job.undoes = Some(undone.id.clone());
        if preview {
            attempt.preview().await?;
        }
        let effects = effects::of(attempt, &undone).await?;
        let mut note = match known {
            Some(note) => note,
            None => bring(attempt, &undone, &effects).await?,
        };
        // Numbers first: lists don't take back what is retired still.
        for plan in &mut note.numbers {
            if attempt.writes() {
                restore(attempt, plan).await?;
            } else if !attempt.job.previews() {
                forget(attempt, plan).await?;
            }
        }
        let inventory = attempt.inventory().await?;
        let restored = note.numbers.iter().filter_map(|plan| Some(plan.change.as_ref().ok()?[1].number));
        let taken =
            inventory.iter().filter(|item| item.is_assignable()).map(|item| item.number).chain(restored).collect();
        let work = UndoWork {
            ledger: UndoLedger::new(effects, &note.numbers),
            taken: (!inventory.is_empty()).then_some(taken),
            list_limit: attempt.settings().await?.list_limit,
            undone,
        };
        Ok(Prepared { work, rows: note.rows.map_or(RowSource::None, RowSource::Generated) })
    }

    async fn conclude(&self, attempt: &mut Attempt<'_>, work: &UndoWork) -> Result<(), StorageError> {
        // Another undo of the same job may have been faster: it is undone all the same.
        decide(&attempt.engine.directory, &work.undone, Decision::Undo, &attempt.actor()).await.map(drop)
    }
}

/// The job that is to be undone, and whether only to be shown what that would be. `begun` says that an earlier attempt has come as far as
/// to do something: then it may have written already that the job is undone.
async fn find(attempt: &Attempt<'_>, begun: bool) -> Result<(Job, bool), Interrupt> {
    let request: UndoRequest = attempt.request().await?;
    let job = attempt.engine.directory.job(attempt.account(), &request.job).await?;
    let job = job.ok_or_else(|| Interrupt::refused(format!("The account has no job {}.", request.job)))?;
    if !job.upload.kind.has_undo() {
        return Err(Interrupt::refused(format!(
            "What a job of the kind {} did can't be taken back.",
            job.upload.kind.as_str()
        )));
    }
    match job.decide(Decision::Undo, &attempt.actor()) {
        Err(illegal) if !begun => Err(Interrupt::refused(illegal.to_string())),
        _ => Ok((job, request.preview)),
    }
}

async fn bring(attempt: &Attempt<'_>, undone: &Job, effects: &[Effect]) -> Result<Note, StorageError> {
    let (directory, account) = (&attempt.engine.directory, attempt.account());
    let mut numbers = Vec::new();
    for before in effects::numbers(attempt, undone).await? {
        let now = directory.number(account, before.number).await?;
        numbers.extend(NumberPlan::decide(before, now.as_ref(), &undone.id));
    }
    let nothing = effects.is_empty() && numbers.is_empty();
    let rows = if nothing { None } else { Some(attempt.save_rows(undo::rows(effects, &numbers)).await?) };
    let note = Note { rows, numbers };
    attempt.save_checkpoint(&note).await?;
    Ok(note)
}

/// Puts a number of the inventory back. Where somebody else was faster, it is passed over.
async fn restore(attempt: &Attempt<'_>, plan: &mut NumberPlan) -> Result<(), StorageError> {
    let Ok([now, restored]) = &plan.change else { return Ok(()) };
    let (directory, account) = (&attempt.engine.directory, attempt.account());
    if directory.change_number(account, Some(now), restored, &attempt.actor()).await? {
        return Ok(());
    }
    // Or an earlier attempt of this job was.
    let present: Option<InventoryNumber> = directory.number(account, restored.number).await?;
    if present.as_ref() != Some(restored) {
        plan.change = Err(if present.is_some() { SkipReason::Changed } else { SkipReason::Gone });
    }
    Ok(())
}

/// Of a job that is given up: a number that has not been put back stays as it is.
async fn forget(attempt: &Attempt<'_>, plan: &mut NumberPlan) -> Result<(), StorageError> {
    let Ok([_, restored]) = &plan.change else { return Ok(()) };
    let present = attempt.engine.directory.number(attempt.account(), restored.number).await?;
    if present.as_ref() != Some(restored) {
        plan.change = Err(SkipReason::NotRestored);
    }
    Ok(())
}

impl Work for UndoWork {
    type Plan = UndoPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    /// The rows say what the deeds say.
    fn take(&mut self, _row: &Row<'_>) {}

    fn finish_reading(&mut self) {}

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.ledger.is_decided(user)
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<UndoPlan>, StorageError> {
        let directory = &attempt.engine.directory;
        let effects: Vec<&Effect> = users.iter().map(|&user| self.ledger.effect(user)).collect();
        let logins: Vec<&str> = effects.iter().map(|effect| effect.login.as_str()).collect();
        let present = directory.whole_users(attempt.account(), &logins, attempt.until, usage).await?;
        // Whoever got a login ID after the job had ended is somebody else, to whom it has done nothing.
        let then = self.undone.ended;
        let present =
            |login: &str| present.get(login).filter(|user| then.is_none_or(|then| existed_at(user.version, then)));
        let wanted = effects.iter().flat_map(|effect| effect.claims());
        let owners = directory.owners(attempt.account(), wanted, attempt.until, usage).await?;
        let plans = users.iter().zip(&effects).map(|(&at, effect)| {
            let user = present(&effect.login);
            let (taken, limit) = (self.taken.as_ref(), self.list_limit);
            self.ledger.plan(at, UndoTarget { user, owners: &owners, taken, limit })
        });
        Ok(plans.collect())
    }

    fn waits(plan: &UndoPlan) -> bool {
        plan.waits
    }

    fn writes(plan: &UndoPlan) -> bool {
        plan.writes()
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        plans: &mut [&mut UndoPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        let (directory, account, job) = (&attempt.engine.directory, attempt.account(), &attempt.job.id);
        let (mut lists, mut users) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for (at, plan) in plans.iter().enumerate() {
            let write = match &plan.change {
                UndoChange::None => {
                    lists.0.push(at);
                    lists.1.push(ListChange { login: &plan.login, lists: plan.lists() });
                    continue;
                }
                UndoChange::Restore(change) => {
                    let [found, restored] = &**change;
                    UserWrite::Restore([found, restored], &plan.take_off)
                }
                // A plan of an earlier attempt has forgotten the list: then it must be empty.
                UndoChange::Delete(found) => UserWrite::Delete(found),
            };
            users.0.push(at);
            users.1.push(write);
        }
        let lists_left = directory.change_lists(account, &lists.1, job, attempt.until, usage).await?;
        let mut again: Vec<usize> = lists_left.outdated.into_iter().map(|at| lists.0[at]).collect();
        let users_left = directory.write_users(account, &users.1, job, attempt.until, usage).await?;
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
            directory.whole_users(account, &doubtful, attempt.until, usage).await?
        };
        let gone = |at: usize| doubtful.contains(&plans[at].login.as_str()) && !there.contains_key(&plans[at].login);
        again.extend(outdated.into_iter().filter(|&at| !gone(at)));
        for at in not_storable {
            plans[at].leave_out(LeftOut::NotStorable);
        }
        Ok(again)
    }

    fn is_done(plan: &UndoPlan, now: &UndoPlan) -> bool {
        plan.is_done(now)
    }

    fn merge_previous_attempt(plan: &mut UndoPlan, earlier: &UndoPlan) {
        plan.merge_previous_attempt(earlier);
    }

    fn leave_out(plan: &mut UndoPlan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &UndoPlan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &UndoPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &UndoPlan, done: &mut Done) {
        done.users_changed += u64::from(plan.writes());
        done.numbers_added += plan.put_back.len() as u64;
        done.numbers_removed += plan.take_off.len() as u64;
    }

    fn additions(plan: &mut UndoPlan) -> Option<ListAdditions<'_>> {
        Some(ListAdditions { login: &plan.login, added: &mut plan.put_back, retracted: &mut plan.retracted })
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        undo::judge(row, &self.ledger)
    }

    fn row_key(&self, row: &Row<'_>) -> u64 {
        undo::key(row)
    }
}
