//! The kind of job: the deeds of another are held against what the directory says now.

use std::collections::{HashMap, HashSet};

use rollcall_engine::{Begun, Done, Operation, PutOn, RowsIn, Run, Stop, Work};
use rollcall_model::{
    caller_id::CallerId,
    csv_file::{Row, Schema},
    inventory::InventoryNumber,
    job::{Decision, Job},
    left_out::LeftOut,
    report::Judgement,
    undo::{self, COLUMNS, Change, Deed, Ledger, NumberPlan, Plan, Present, Since, UndoRequest},
    upload::{Kind, Source},
    version::existed_at,
};
use rollcall_platform::{
    Error,
    decide::decide,
    directory::{BulkWork, ListChange, UserWrite},
};
use serde::{Deserialize, Serialize};

use crate::deeds;

/// Takes back what another job did.
pub struct Undo;

/// One undo.
pub struct UndoWork {
    ledger: Ledger,
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
    rows: Option<Source>,
    numbers: Vec<NumberPlan>,
}

impl Operation for Undo {
    type Work = UndoWork;
    const KINDS: &'static [Kind] = &[Kind::Undo];

    async fn begin(&self, run: &mut Run<'_>) -> Result<Begun<UndoWork>, Stop> {
        let known: Option<Note> = run.known().await?;
        let (undone, preview) = find(run, known.is_some()).await?;
        run.job.undoes = Some(undone.id.clone());
        if preview {
            run.preview().await?;
        }
        let deeds = deeds::of(run, &undone).await?;
        let mut note = match known {
            Some(note) => note,
            None => bring(run, &undone, &deeds).await?,
        };
        // Numbers first: lists don't take back what is retired still.
        for plan in &mut note.numbers {
            if run.writes() {
                restore(run, plan).await?;
            } else if !run.job.previews() {
                forget(run, plan).await?;
            }
        }
        let inventory = run.inventory().await?;
        let restored = note.numbers.iter().filter_map(|plan| Some(plan.change.as_ref().ok()?[1].number));
        let taken =
            inventory.iter().filter(|item| item.joins_lists()).map(|item| item.number).chain(restored).collect();
        let work = UndoWork {
            ledger: Ledger::new(deeds, &note.numbers),
            taken: (!inventory.is_empty()).then_some(taken),
            list_limit: run.settings().await?.list_limit,
            undone,
        };
        Ok(Begun { work, rows: note.rows.map_or(RowsIn::Nowhere, RowsIn::Brought) })
    }

    async fn conclude(&self, run: &mut Run<'_>, work: &UndoWork) -> Result<(), Error> {
        // Another undo of the same job may have been faster: it is undone all the same.
        decide(&run.engine.directory, &work.undone, Decision::Undo, &run.actor()).await.map(drop)
    }
}

/// The job that is to be undone, and whether only to be shown what that would be. `begun` says that an earlier attempt has come as far as
/// to do something: then it may have written already that the job is undone.
async fn find(run: &Run<'_>, begun: bool) -> Result<(Job, bool), Stop> {
    let request: UndoRequest = run.request().await?;
    let job = run.engine.directory.job(run.account(), &request.job).await?;
    let job = job.ok_or_else(|| Stop::refused(format!("The account has no job {}.", request.job)))?;
    if !job.upload.kind.has_undo() {
        return Err(Stop::refused(format!(
            "What a job of the kind {} did can't be taken back.",
            job.upload.kind.as_str()
        )));
    }
    match job.decide(Decision::Undo, &run.actor()) {
        Err(illegal) if !begun => Err(Stop::refused(illegal.to_string())),
        _ => Ok((job, request.preview)),
    }
}

async fn bring(run: &Run<'_>, undone: &Job, deeds: &[Deed]) -> Result<Note, Error> {
    let (directory, account) = (&run.engine.directory, run.account());
    let mut numbers = Vec::new();
    for before in deeds::numbers(run, undone).await? {
        let now = directory.number(account, before.number).await?;
        numbers.extend(NumberPlan::decide(before, now.as_ref(), &undone.id));
    }
    let nothing = deeds.is_empty() && numbers.is_empty();
    let rows = if nothing { None } else { Some(run.keep_rows(undo::rows(deeds, &numbers)).await?) };
    let note = Note { rows, numbers };
    run.keep_note(&note).await?;
    Ok(note)
}

/// Puts a number of the inventory back. Where somebody else was faster, it is passed over.
async fn restore(run: &Run<'_>, plan: &mut NumberPlan) -> Result<(), Error> {
    let Ok([now, restored]) = &plan.change else { return Ok(()) };
    let (directory, account) = (&run.engine.directory, run.account());
    if directory.change_number(account, Some(now), restored, &run.actor()).await? {
        return Ok(());
    }
    // Or an earlier attempt of this job was.
    let present: Option<InventoryNumber> = directory.number(account, restored.number).await?;
    if present.as_ref() != Some(restored) {
        plan.change = Err(if present.is_some() { Since::Changed } else { Since::Gone });
    }
    Ok(())
}

/// Of a job that is given up: a number that has not been put back stays as it is.
async fn forget(run: &Run<'_>, plan: &mut NumberPlan) -> Result<(), Error> {
    let Ok([_, restored]) = &plan.change else { return Ok(()) };
    let present = run.engine.directory.number(run.account(), restored.number).await?;
    if present.as_ref() != Some(restored) {
        plan.change = Err(Since::NotRestored);
    }
    Ok(())
}

impl Work for UndoWork {
    type Plan = Plan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    /// The rows say what the deeds say.
    fn take(&mut self, _row: &Row<'_>) {}

    fn settle(&mut self) {}

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_settled(&self, user: usize) -> bool {
        self.ledger.is_settled(user)
    }

    async fn plan(&self, run: &Run<'_>, users: &[usize], work: &mut BulkWork) -> Result<Vec<Plan>, Error> {
        let directory = &run.engine.directory;
        let deeds: Vec<&Deed> = users.iter().map(|&user| self.ledger.deed(user)).collect();
        let logins: Vec<&str> = deeds.iter().map(|deed| deed.login.as_str()).collect();
        let present = directory.whole_users(run.account(), &logins, run.until, work).await?;
        // Whoever got a login ID after the job had ended is somebody else, to whom it has done nothing.
        let then = self.undone.ended;
        let present =
            |login: &str| present.get(login).filter(|user| then.is_none_or(|then| existed_at(user.version, then)));
        let wanted = deeds.iter().flat_map(|deed| deed.claims());
        let owners = directory.owners(run.account(), wanted, run.until, work).await?;
        let plans = users.iter().zip(&deeds).map(|(&at, deed)| {
            let user = present(&deed.login);
            let (taken, limit) = (self.taken.as_ref(), self.list_limit);
            self.ledger.plan(at, Present { user, owners: &owners, taken, limit })
        });
        Ok(plans.collect())
    }

    fn waits(plan: &Plan) -> bool {
        plan.waits
    }

    fn writes(plan: &Plan) -> bool {
        plan.writes()
    }

    async fn carry_out(
        &self,
        run: &Run<'_>,
        plans: &mut [&mut Plan],
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        let (directory, account, job) = (&run.engine.directory, run.account(), &run.job.id);
        let (mut lists, mut users) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for (at, plan) in plans.iter().enumerate() {
            let write = match &plan.change {
                Change::None => {
                    lists.0.push(at);
                    lists.1.push(ListChange { login: &plan.login, lists: plan.lists() });
                    continue;
                }
                Change::Restore(change) => {
                    let [found, restored] = &**change;
                    UserWrite::Restore([found, restored], &plan.take_off)
                }
                // A plan of an earlier attempt has forgotten the list: then it must be empty.
                Change::Delete(found) => UserWrite::Delete(found),
            };
            users.0.push(at);
            users.1.push(write);
        }
        let lists_left = directory.change_lists(account, &lists.1, job, run.until, work).await?;
        let mut again: Vec<usize> = lists_left.outdated.into_iter().map(|at| lists.0[at]).collect();
        let users_left = directory.write_users(account, &users.1, job, run.until, work).await?;
        let outdated: Vec<usize> = users_left.outdated.into_iter().map(|at| users.0[at]).collect();
        let not_storable = lists_left.not_storable.into_iter().map(|at| lists.0[at]);
        let not_storable: Vec<usize> =
            not_storable.chain(users_left.not_storable.into_iter().map(|at| users.0[at])).collect();
        // Who was to be deleted and isn't there has been deleted: by this job, as far as anybody can tell.
        let doubtful = outdated.iter().filter(|&&at| matches!(plans[at].change, Change::Delete(_)));
        let doubtful: Vec<&str> = doubtful.map(|&at| plans[at].login.as_str()).collect();
        let there = if doubtful.is_empty() {
            HashMap::new()
        } else {
            directory.whole_users(account, &doubtful, run.until, work).await?
        };
        let gone = |at: usize| doubtful.contains(&plans[at].login.as_str()) && !there.contains_key(&plans[at].login);
        again.extend(outdated.into_iter().filter(|&at| !gone(at)));
        for at in not_storable {
            plans[at].leave_out(LeftOut::NotStorable);
        }
        Ok(again)
    }

    fn is_done(plan: &Plan, now: &Plan) -> bool {
        plan.is_done(now)
    }

    fn inherit(plan: &mut Plan, earlier: &Plan) {
        plan.inherit(earlier);
    }

    fn leave_out(plan: &mut Plan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &Plan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &Plan) {
        self.ledger.record(plan);
    }

    fn count(plan: &Plan, done: &mut Done) {
        done.users_changed += u64::from(plan.writes());
        done.numbers_added += plan.put_back.len() as u64;
        done.numbers_removed += plan.take_off.len() as u64;
    }

    fn put_on(plan: &mut Plan) -> Option<PutOn<'_>> {
        Some(PutOn { login: &plan.login, added: &mut plan.put_back, taken_back: &mut plan.taken_back })
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        undo::judge(row, &self.ledger)
    }

    fn row_key(&self, row: &Row<'_>) -> u64 {
        undo::key(row)
    }
}
