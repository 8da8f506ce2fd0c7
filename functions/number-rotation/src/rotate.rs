//! The kind of job: pairs of numbers are held against everybody's lists.
//!
//! The order is what makes it safe. First the old numbers are marked in the inventory, so that lists take them no more; then
//! users are walked, each once, to see who has them; then each list is changed in one write; last, the numbers are retired.
//! What a job that began before the mark puts on a list after the walk, that job takes off again itself
//! (`shared/engine/src/take_back.rs`).
//!
//! A rotation that is limited to some users marks nothing and retires nothing: the numbers stay in service for the others.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use rollcall_engine::{Begun, Done, MAX_REQUEST_BYTES, Operation, PutOn, RowsIn, Run, Stop, Work};
use rollcall_model::{
    caller_id::CallerId,
    code::FileCode,
    csv_file::{self, FileFault, Row, Schema},
    inventory::InventoryNumber,
    left_out::LeftOut,
    report::Judgement,
    rotation::{self, Asked, Checked, Holder, Ledger, Only, ROWS, Request, Rules, UserPlan, check},
    upload::{Kind, Source},
};
use rollcall_platform::{
    Error,
    directory::{BulkWork, ListChange, Walk},
};
use serde::{Deserialize, Serialize};

use crate::marks;

/// Retires numbers, and replaces them.
pub struct Rotate;

/// One rotation.
pub struct RotationWork {
    rules: Rules,
    ledger: Ledger,
    /// What the walk has read of those who have the numbers: each is decided on it once, and read again after that.
    walked: Mutex<HashMap<String, Holder>>,
    marks: bool,
    quarantine_days: Option<u16>,
}

/// What was brought for a job.
#[derive(Serialize, Deserialize)]
struct Note {
    rows: Source,
    pairs: Vec<Checked>,
    /// The numbers are marked, and retired in the end.
    marks: bool,
    quarantine_days: Option<u16>,
    allow_empty: bool,
}

/// What is asked for, however it was asked.
struct Wanted {
    preview: bool,
    pairs: Vec<Asked>,
    only: Option<Only>,
    quarantine_days: Option<u16>,
    allow_empty: bool,
}

impl Operation for Rotate {
    type Work = RotationWork;
    const KINDS: &'static [Kind] = &[Kind::RotateCallerIds];

    async fn begin(&self, run: &mut Run<'_>) -> Result<Begun<RotationWork>, Stop> {
        let inventory = run.inventory().await?;
        let known = run.known().await?;
        let (note, walked) = match known {
            Some(note) => (note, Vec::new()),
            None => bring(run, &inventory).await?,
        };
        let work = RotationWork {
            rules: Rules::new(&note.pairs, &inventory, note.allow_empty),
            ledger: Ledger::new(note.pairs),
            walked: Mutex::new(walked.into_iter().map(|holder| (holder.login.clone(), holder)).collect()),
            marks: note.marks,
            quarantine_days: note.quarantine_days,
        };
        Ok(Begun { work, rows: RowsIn::Brought(note.rows) })
    }

    async fn conclude(&self, run: &mut Run<'_>, work: &RotationWork) -> Result<(), Error> {
        if !work.marks {
            return Ok(());
        }
        marks::conclude(run, work.ledger.pairs(), &work.ledger.kept(), work.quarantine_days).await
    }
}

/// Finds out what is to be done, as far as rows.
async fn bring(run: &mut Run<'_>, inventory: &[InventoryNumber]) -> Result<(Note, Vec<Holder>), Stop> {
    let wanted = read_request(run).await?;
    if wanted.preview {
        run.preview().await?;
    }
    let country = run.country(&run.settings().await?);
    let stale = marks::stale(run, inventory).await?;
    let mut pairs = check(wanted.pairs, country, inventory, &stale);
    let marks = wanted.only.is_none();
    // Writes beside the lists: a preview makes none.
    if marks && !run.job.previews() {
        marks::set(run, &mut pairs, inventory, &stale).await?;
    }
    let numbers: Vec<CallerId> = pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
    let walk = walk(run, &numbers, wanted.only.as_ref()).await?;
    let unknown = unknown(wanted.only.as_ref(), &walk);
    let (rows, count) = rotation::rows(&pairs, &walk.holders, &unknown);
    let most = run.engine.limits.rows;
    if count > most {
        if marks && !run.job.previews() {
            // All of them stay.
            marks::conclude(run, &pairs, &numbers.into_iter().collect(), None).await?;
        }
        let message =
            format!("The numbers are on {count} lists together; one job takes {most}. Retire fewer at a time.");
        return Err(FileFault { code: FileCode::TooManyRows, line: None, message }.into());
    }
    let rows = run.keep_rows(rows).await?;
    let Wanted { quarantine_days, allow_empty, .. } = wanted;
    let note = Note { rows, pairs, marks, quarantine_days, allow_empty };
    run.keep_note(&note).await?;
    Ok((note, walk.holders))
}

/// Those who have one of the numbers. Nobody is looked at for no number, but for those who are named.
async fn walk(run: &mut Run<'_>, numbers: &[CallerId], only: Option<&Only>) -> Result<Walk, Error> {
    if numbers.is_empty() && !matches!(only, Some(Only::Logins(_))) {
        return Ok(Walk::default());
    }
    let mut asked = BulkWork::default();
    let walk = run.engine.directory.holders(run.account(), numbers, only, run.until, &mut asked).await?;
    run.job.progress.table_calls += asked.calls;
    run.job.progress.throttled += asked.put_off;
    Ok(walk)
}

/// The login IDs of a request that nobody has, by their places.
fn unknown(only: Option<&Only>, walk: &Walk) -> BTreeMap<usize, String> {
    let Some(Only::Logins(logins)) = only else { return BTreeMap::new() };
    let named = logins.iter().enumerate().filter(|(_, login)| walk.unknown.contains(&*login.folded()));
    named.map(|(at, login)| (at, login.as_str().to_owned())).collect()
}

async fn read_request(run: &mut Run<'_>) -> Result<Wanted, Stop> {
    let bytes = run.dropped(MAX_REQUEST_BYTES).await?;
    if !run.job.upload.name.to_ascii_lowercase().ends_with(".json") && !is_object(&bytes) {
        let pairs = rotation::read_file(&bytes)?;
        let ignored = csv_file::ignored_columns(&bytes, &rotation::COLUMNS);
        run.job.note(csv_file::Note::columns_ignored(&ignored));
        return Ok(Wanted { preview: false, pairs, only: None, quarantine_days: None, allow_empty: false });
    }
    let request: Request = rollcall_engine::read_request(&bytes)?;
    let pairs = request.pairs().map_err(|fault| Stop::refused(format!("The request can't be understood: {fault}")))?;
    let Request { only, quarantine_days, allow_empty, preview, .. } = request;
    Ok(Wanted { preview, pairs, only, quarantine_days, allow_empty })
}

/// Whether a file is an object in JSON, whatever it is called: a request that was made from a file of pairs has that file's
/// name. No header of a file of pairs begins so.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

impl Work for RotationWork {
    type Plan = UserPlan;

    fn columns(&self) -> Schema {
        &ROWS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.ledger.take(row);
    }

    fn settle(&mut self) {}

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_settled(&self, user: usize) -> bool {
        self.ledger.is_settled(user)
    }

    async fn plan(&self, run: &Run<'_>, users: &[usize], work: &mut BulkWork) -> Result<Vec<UserPlan>, Error> {
        let logins: Vec<&str> = users.iter().map(|&user| self.ledger.login(user)).collect();
        let mut holders: HashMap<String, Holder> = {
            let mut walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
            logins.iter().filter_map(|&login| walked.remove_entry(login)).collect()
        };
        let open: Vec<&str> = logins.iter().copied().filter(|&login| !holders.contains_key(login)).collect();
        let fresh = run.engine.directory.find_users(run.account(), &open, run.until, work).await?;
        holders.extend(fresh.into_iter().map(|(login, found)| {
            (login.clone(), Holder { login, policy: found.policy, caller_ids: found.caller_ids })
        }));
        Ok(logins.iter().map(|&login| UserPlan::decide(login, holders.get(login), &self.rules)).collect())
    }

    fn writes(plan: &UserPlan) -> bool {
        plan.writes()
    }

    async fn carry_out(
        &self,
        run: &Run<'_>,
        plans: &mut [&mut UserPlan],
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        let changes: Vec<_> =
            plans.iter().map(|plan| ListChange { login: &plan.login, lists: plan.change() }).collect();
        let directory = &run.engine.directory;
        let not_written = directory.change_lists(run.account(), &changes, &run.job.id, run.until, work).await?;
        drop(changes);
        for at in not_written.not_storable {
            plans[at].leave_out(LeftOut::NotStorable);
        }
        Ok(not_written.outdated)
    }

    fn is_done(plan: &UserPlan, now: &UserPlan) -> bool {
        plan.is_done(now)
    }

    fn inherit(plan: &mut UserPlan, earlier: &UserPlan) {
        plan.inherit(earlier);
    }

    fn leave_out(plan: &mut UserPlan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &UserPlan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &UserPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &UserPlan, done: &mut Done) {
        done.users_changed += u64::from(plan.writes());
        done.numbers_added += plan.added.len() as u64;
        done.numbers_removed += plan.removed.len() as u64;
    }

    fn put_on(plan: &mut UserPlan) -> Option<PutOn<'_>> {
        Some(PutOn { login: &plan.login, added: &mut plan.added, taken_back: &mut plan.taken_back })
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        rotation::judge(row, &self.ledger)
    }

    fn row_key(&self, row: &Row<'_>) -> u64 {
        rotation::key(row)
    }
}
