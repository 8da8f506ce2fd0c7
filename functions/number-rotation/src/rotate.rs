//! The kind of job: pairs of numbers are held against everybody's lists.
//!
//! The order is what makes it safe. First the old numbers are marked in the inventory, so that lists take them no more; then
//! users are walked, each once, to see who has them; then each list is changed in one write; last, the numbers are retired.
//! What a job that began before the mark puts on a list after the walk, that job takes off again itself
//! (`shared/engine/src/retract.rs`).
//!
//! A rotation that is limited to some users marks nothing and retires nothing: the numbers stay in service for the others.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use rollcall_bulk::{
    left_out::LeftOut,
    report::Judgement,
    rotation::{
        self, Checked, Holder, Only, ROWS, RequestedPair, RotationLedger, RotationPlan, RotationRequest, Rules, check,
    },
};
use rollcall_engine::{
    Attempt, Done, Interrupt, ListAdditions, MAX_REQUEST_BYTES, Operation, Prepared, RowSource, Work,
};
use rollcall_model::{
    caller_id::CallerId,
    code::FileCode,
    inventory::InventoryNumber,
    jobs::{JobKind, ObjectVersion},
};
use rollcall_storage::{
    StorageError,
    directory::{ListChange, TableUsage, Walk},
};
use rollcall_tabular::{self, FileFault, Row, Schema};
use serde::{Deserialize, Serialize};

use crate::reservations;

/// Retires numbers, and replaces them.
pub struct Rotate;

/// One rotation.
pub struct RotationWork {
    rules: Rules,
    ledger: RotationLedger,
    /// What the walk has read of those who have the numbers: each is decided on it once, and read again after that.
    walked: Mutex<HashMap<String, Holder>>,
    marks: bool,
    quarantine_days: Option<u16>,
}

/// What was brought for a job.
#[derive(Serialize, Deserialize)]
struct Note {
    rows: ObjectVersion,
    pairs: Vec<Checked>,
    /// The numbers are marked, and retired in the end.
    marks: bool,
    quarantine_days: Option<u16>,
    allow_empty: bool,
}

/// What is asked for, however it was asked.
struct Wanted {
    preview: bool,
    pairs: Vec<RequestedPair>,
    only: Option<Only>,
    quarantine_days: Option<u16>,
    allow_empty: bool,
}

impl Operation for Rotate {
    type Work = RotationWork;
    const KINDS: &'static [JobKind] = &[JobKind::RotateCallerIds];

    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<RotationWork>, Interrupt> {
        let inventory = attempt.inventory().await?;
        let known = attempt.known().await?;
        let (note, walked) = match known {
            Some(note) => (note, Vec::new()),
            None => bring(attempt, &inventory).await?,
        };
        let work = RotationWork {
            rules: Rules::new(&note.pairs, &inventory, note.allow_empty),
            ledger: RotationLedger::new(note.pairs),
            walked: Mutex::new(walked.into_iter().map(|holder| (holder.login.clone(), holder)).collect()),
            marks: note.marks,
            quarantine_days: note.quarantine_days,
        };
        Ok(Prepared { work, rows: RowSource::Generated(note.rows) })
    }

    async fn conclude(&self, attempt: &mut Attempt<'_>, work: &RotationWork) -> Result<(), StorageError> {
        if !work.marks {
            return Ok(());
        }
        reservations::conclude(attempt, work.ledger.pairs(), &work.ledger.kept(), work.quarantine_days).await
    }
}

/// Finds out what is to be done, as far as rows.
async fn bring(attempt: &mut Attempt<'_>, inventory: &[InventoryNumber]) -> Result<(Note, Vec<Holder>), Interrupt> {
    let wanted = read_request(attempt).await?;
    if wanted.preview {
        attempt.preview().await?;
    }
    let country = attempt.country(&attempt.settings().await?);
    let stale = reservations::stale(attempt, inventory).await?;
    let mut pairs = check(wanted.pairs, country, inventory, &stale);
    let marks = wanted.only.is_none();
    // Writes beside the lists: a preview makes none.
    if marks && !attempt.job.previews() {
        reservations::set(attempt, &mut pairs, inventory, &stale).await?;
    }
    let numbers: Vec<CallerId> = pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
    let walk = walk(attempt, &numbers, wanted.only.as_ref()).await?;
    let unknown = unknown(wanted.only.as_ref(), &walk);
    let (rows, count) = rotation::rows(&pairs, &walk.holders, &unknown);
    let most = attempt.engine.limits.rows;
    if count > most {
        if marks && !attempt.job.previews() {
            // All of them stay.
            reservations::conclude(attempt, &pairs, &numbers.into_iter().collect(), None).await?;
        }
        let message =
            format!("The numbers are on {count} lists together; one job takes {most}. Retire fewer at a time.");
        return Err(FileFault { code: FileCode::TooManyRows, line: None, message }.into());
    }
    let rows = attempt.save_rows(rows).await?;
    let Wanted { quarantine_days, allow_empty, .. } = wanted;
    let note = Note { rows, pairs, marks, quarantine_days, allow_empty };
    attempt.save_checkpoint(&note).await?;
    Ok((note, walk.holders))
}

/// Those who have one of the numbers. Nobody is looked at for no number, but for those who are named.
async fn walk(attempt: &mut Attempt<'_>, numbers: &[CallerId], only: Option<&Only>) -> Result<Walk, StorageError> {
    if numbers.is_empty() && !matches!(only, Some(Only::Logins(_))) {
        return Ok(Walk::default());
    }
    let mut asked = TableUsage::default();
    let walk = attempt.engine.directory.holders(attempt.account(), numbers, only, attempt.until, &mut asked).await?;
    attempt.job.progress.table_calls += asked.calls;
    attempt.job.progress.throttled += asked.throttled;
    Ok(walk)
}

/// The login IDs of a request that nobody has, by their places.
fn unknown(only: Option<&Only>, walk: &Walk) -> BTreeMap<usize, String> {
    let Some(Only::Logins(logins)) = only else { return BTreeMap::new() };
    let named = logins.iter().enumerate().filter(|(_, login)| walk.unknown.contains(&*login.folded()));
    named.map(|(at, login)| (at, login.as_str().to_owned())).collect()
}

async fn read_request(attempt: &mut Attempt<'_>) -> Result<Wanted, Interrupt> {
    let bytes = attempt.dropped(MAX_REQUEST_BYTES).await?;
    if !attempt.job.upload.name.to_ascii_lowercase().ends_with(".json") && !is_object(&bytes) {
        let pairs = rotation::read_file(&bytes)?;
        let ignored = rollcall_tabular::ignored_columns(&bytes, &rotation::COLUMNS);
        attempt.job.note(rollcall_bulk::note::Note::columns_ignored(&ignored));
        return Ok(Wanted { preview: false, pairs, only: None, quarantine_days: None, allow_empty: false });
    }
    let request: RotationRequest = rollcall_engine::read_request(&bytes)?;
    let pairs =
        request.pairs().map_err(|fault| Interrupt::refused(format!("The request can't be understood: {fault}")))?;
    let RotationRequest { only, quarantine_days, allow_empty, preview, .. } = request;
    Ok(Wanted { preview, pairs, only, quarantine_days, allow_empty })
}

/// Whether a file is an object in JSON, whatever it is called: a request that was made from a file of pairs has that file's
/// name. No header of a file of pairs begins so.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

impl Work for RotationWork {
    type Plan = RotationPlan;

    fn columns(&self) -> Schema {
        &ROWS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.ledger.take(row);
    }

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
    ) -> Result<Vec<RotationPlan>, StorageError> {
        let logins: Vec<&str> = users.iter().map(|&user| self.ledger.login(user)).collect();
        let mut holders: HashMap<String, Holder> = {
            let mut walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
            logins.iter().filter_map(|&login| walked.remove_entry(login)).collect()
        };
        let open: Vec<&str> = logins.iter().copied().filter(|&login| !holders.contains_key(login)).collect();
        let fresh = attempt.engine.directory.find_users(attempt.account(), &open, attempt.until, usage).await?;
        holders.extend(fresh.into_iter().map(|(login, found)| {
            (login.clone(), Holder { login, policy: found.policy, caller_ids: found.caller_ids })
        }));
        Ok(logins.iter().map(|&login| RotationPlan::decide(login, holders.get(login), &self.rules)).collect())
    }

    fn writes(plan: &RotationPlan) -> bool {
        plan.writes()
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        plans: &mut [&mut RotationPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        let changes: Vec<_> =
            plans.iter().map(|plan| ListChange { login: &plan.login, lists: plan.change() }).collect();
        let directory = &attempt.engine.directory;
        let not_written =
            directory.change_lists(attempt.account(), &changes, &attempt.job.id, attempt.until, usage).await?;
        drop(changes);
        for at in not_written.not_storable {
            plans[at].leave_out(LeftOut::NotStorable);
        }
        Ok(not_written.outdated)
    }

    fn is_done(plan: &RotationPlan, now: &RotationPlan) -> bool {
        plan.is_done(now)
    }

    fn merge_previous_attempt(plan: &mut RotationPlan, earlier: &RotationPlan) {
        plan.merge_previous_attempt(earlier);
    }

    fn leave_out(plan: &mut RotationPlan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &RotationPlan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &RotationPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &RotationPlan, done: &mut Done) {
        done.users_changed += u64::from(plan.writes());
        done.numbers_added += plan.added.len() as u64;
        done.numbers_removed += plan.removed.len() as u64;
    }

    fn additions(plan: &mut RotationPlan) -> Option<ListAdditions<'_>> {
        Some(ListAdditions { login: &plan.login, added: &mut plan.added, retracted: &mut plan.retracted })
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        rotation::judge(row, &self.ledger)
    }

    fn row_key(&self, row: &Row<'_>) -> u64 {
        rotation::key(row)
    }
}
