//! The kind of job: pairs of numbers are held against everybody's lists.
//!
//! The order is what makes it safe. First the old numbers are reserved in the inventory, so that lists take them no more; then
//! users are walked, each once, to see who has them; then each list is changed in one write; last, the numbers are retired.
//! What a job that began before the reservation puts on a list after the walk, that job takes off again itself
//! (`retract.rs`).
//!
//! A rotation that is limited to some users reserves nothing and retires nothing: the numbers stay in service for the others.

mod reservations;
mod scheduled;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use rollcall_bulk::{
    bulk_job::Plan,
    left_out::LeftOut,
    note::Note,
    rotation::{
        self, Checked, Holder, Only, RequestedPair, RotationLedger, RotationPlan, RotationRequest, Rules, check,
    },
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::{JobKind, ObjectVersion},
};
use rollcall_tabular::ignored_columns;
use serde::{Deserialize, Serialize};

pub use scheduled::scheduled;

use crate::{
    Attempt, Interrupt, MAX_REQUEST_BYTES, Operation, Prepared, RowSource, StorageError,
    world::{ListChange, TableUsage, Walk},
};

/// Retires numbers, and replaces them.
pub struct Rotate;

/// What a rotation was prepared with.
pub struct RotationContext {
    rules: Rules,
    /// What the walk has read of those who have the numbers: each is decided on it once, and read again after that.
    walked: Mutex<HashMap<String, Holder>>,
    reserves: bool,
    quarantine_days: Option<u16>,
}

/// What was brought for a job.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    rows: ObjectVersion,
    pairs: Vec<Checked>,
    /// The numbers are reserved, and retired in the end.
    reserves: bool,
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
    type Job = RotationLedger;
    type Context = RotationContext;
    const KINDS: &'static [JobKind] = &[JobKind::RotateCallerIds];

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let inventory = attempt.inventory().await?;
        let (checkpoint, walked) = match attempt.known().await? {
            Some(checkpoint) => (checkpoint, Vec::new()),
            None => bring(attempt, &inventory).await?,
        };
        let Checkpoint { rows, pairs, reserves, quarantine_days, allow_empty } = checkpoint;
        let context = RotationContext {
            rules: Rules::new(&pairs, &inventory, allow_empty),
            walked: Mutex::new(walked.into_iter().map(|holder| (holder.login.clone(), holder)).collect()),
            reserves,
            quarantine_days,
        };
        Ok(Prepared { job: RotationLedger::new(pairs), context, rows: RowSource::Generated(rows) })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &RotationLedger,
        context: &RotationContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<RotationPlan>, StorageError> {
        let logins: Vec<&str> = users.iter().map(|&user| job.login(user)).collect();
        let mut holders: HashMap<String, Holder> = {
            let mut walked = context.walked.lock().unwrap_or_else(PoisonError::into_inner);
            logins.iter().filter_map(|&login| walked.remove_entry(login)).collect()
        };
        let open: Vec<&str> = logins.iter().copied().filter(|&login| !holders.contains_key(login)).collect();
        let fresh = attempt.world.users.find_users(attempt.account(), &open, attempt.until, usage).await?;
        holders.extend(fresh.into_iter().map(|(login, found)| {
            (login.clone(), Holder { login, policy: found.policy, caller_ids: found.caller_ids })
        }));
        Ok(logins.iter().map(|&login| RotationPlan::decide(login, holders.get(login), &context.rules)).collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        _: &RotationContext,
        plans: &mut [&mut RotationPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        let changes: Vec<_> =
            plans.iter().map(|plan| ListChange { login: &plan.login, lists: plan.change() }).collect();
        let not_written = attempt
            .world
            .lists
            .change_lists(attempt.account(), &changes, &attempt.job.id, attempt.until, usage)
            .await?;
        drop(changes);
        for at in not_written.not_storable {
            plans[at].leave_out(LeftOut::NotStorable);
        }
        Ok(not_written.outdated)
    }

    async fn finish(
        &self,
        attempt: &mut Attempt<'_>,
        job: &RotationLedger,
        context: &RotationContext,
    ) -> Result<(), StorageError> {
        if !context.reserves {
            return Ok(());
        }
        reservations::conclude(attempt, job.pairs(), &job.kept(), context.quarantine_days).await
    }
}

/// Finds out what is to be done, as far as rows.
async fn bring(
    attempt: &mut Attempt<'_>,
    inventory: &[InventoryNumber],
) -> Result<(Checkpoint, Vec<Holder>), Interrupt> {
    let wanted = read_request(attempt).await?;
    if wanted.preview {
        attempt.preview().await?;
    }
    let country = attempt.country(&attempt.settings().await?);
    let stale = reservations::stale(attempt, inventory).await?;
    let mut pairs = check(wanted.pairs, country, inventory, &stale);
    let reserves = wanted.only.is_none();
    // Writes beside the lists: a preview makes none.
    if reserves && !attempt.job.previews() {
        reservations::set(attempt, &mut pairs, inventory, &stale).await?;
    }
    let numbers: Vec<CallerId> = pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
    let walk = walk(attempt, &numbers, wanted.only.as_ref()).await?;
    let unknown = unknown(wanted.only.as_ref(), &walk);
    let rows = attempt.write_rows(rotation::rows(&pairs, &walk.holders, &unknown)).await?;
    let Wanted { quarantine_days, allow_empty, .. } = wanted;
    let checkpoint = Checkpoint { rows, pairs, reserves, quarantine_days, allow_empty };
    attempt.save_checkpoint(&checkpoint).await?;
    Ok((checkpoint, walk.holders))
}

/// Those who have one of the numbers. Nobody is looked at for no number, but for those who are named.
async fn walk(attempt: &mut Attempt<'_>, numbers: &[CallerId], only: Option<&Only>) -> Result<Walk, StorageError> {
    if numbers.is_empty() && !matches!(only, Some(Only::Logins(_))) {
        return Ok(Walk::default());
    }
    let mut usage = TableUsage::default();
    let walk = attempt.world.lists.holders(attempt.account(), numbers, only, attempt.until, &mut usage).await?;
    attempt.job.progress.table_calls += usage.calls;
    attempt.job.progress.throttled += usage.throttled;
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
        let ignored = ignored_columns(&bytes, &rotation::COLUMNS);
        attempt.job.note(Note::columns_ignored(&ignored));
        return Ok(Wanted { preview: false, pairs, only: None, quarantine_days: None, allow_empty: false });
    }
    let request: RotationRequest = crate::read_request(&bytes)?;
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
