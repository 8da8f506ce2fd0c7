//! The kind of job: what the phone side says is held against the account's mappings.
//!
//! A resync is a job like any other. Its rows are the account's mappings; what the phone system says is read before, whole or
//! not at all, and kept beside the results. A schedule has it ask for resyncs by itself, by dropping requests.

mod follow;
mod mark;
mod scheduled;
mod side;
mod snapshot;
mod write;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use rollcall_bulk::{
    bulk_job::Plan,
    job::Failure,
    left_out::LeftOut,
    note::Note,
    resync::{
        self, Extent, Facts, MappingChange, MappingOutcome, ResyncLedger, ResyncPlan,
        state::{Ended, ResyncRequest, ResyncState, Resynced},
    },
};
use rollcall_model::{
    caller_id::CallerId,
    catalog::CatalogKind::Department,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::{JobKind, ObjectVersion},
    mapping::{CrmUserId, Mapping, MatchIndex},
    phone_side::PhoneSide,
    settings::PhoneSystem,
};
use serde::{Deserialize, Serialize};

pub(super) use follow::follow_users;
pub use scheduled::scheduled;

use self::write::write_plans;
use super::turns::Line;
use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError, change_resync_state,
    world::{NumberChange, PhoneSystemClient, PhoneSystems, TableUsage},
};

/// Brings accounts' mappings in step with their phone systems.
pub struct Resync {
    /// The phone systems.
    pub systems: Arc<dyn PhoneSystems>,
}

/// What a resync was prepared with.
pub struct ResyncContext {
    side: Side,
    facts: Facts,
    /// What comes of those mappings that don't change, and when that was read which each holds. The others are looked at once more when their turn
    /// comes.
    settled: HashMap<CrmUserId, (MappingOutcome, Option<Timestamp>)>,
}

/// What the phone side says.
enum Side {
    /// All of it.
    Whole(PhoneSide),
    /// It is our own directory, which is asked for those that mappings are about, some at a time.
    Directory,
    /// A newer resync looks after the mappings.
    Overtaken,
}

/// What was brought for a job. **A later attempt reads the phone side anew**: what was true when an earlier one read it may be so no longer.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// `None` where there is no mapping.
    rows: Option<ObjectVersion>,
    /// What the phone side said, if it isn't our own directory: for a job that is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    side: Option<PhoneSide>,
}

impl Operation for Resync {
    type Job = ResyncLedger;
    type Context = ResyncContext;
    const KINDS: &'static [JobKind] = &[JobKind::MappingResync, JobKind::PhoneSnapshot];

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        match self.begin(attempt).await {
            Err(Interrupt::Ends(failure)) if attempt.writes() => {
                note_end(attempt, &failure).await?;
                Err(Interrupt::Ends(failure))
            }
            begun => begun,
        }
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &ResyncLedger,
        context: &ResyncContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<ResyncPlan>, StorageError> {
        let crm_users = users.iter().map(|&user| job.crm_user(user));
        // Most mappings don't change, and those that do are looked at once more: a person may have been at them.
        let changing: Vec<&CrmUserId> =
            crm_users.clone().filter(|crm_user| !context.settled.contains_key(*crm_user)).collect();
        let mut fresh = context.decide(attempt, &changing, usage).await?;
        let plans = crm_users.map(|crm_user| {
            let settled = || {
                let (kind, found) = context.settled[crm_user];
                (MappingChange { kind, ..MappingChange::none() }, found)
            };
            let (change, found) = fresh.remove(crm_user).unwrap_or_else(settled);
            ResyncPlan { crm_user: crm_user.clone(), change, found, done: false }
        });
        Ok(plans.collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &ResyncContext,
        plans: &mut [&mut ResyncPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        if !Line::Resyncs.goes_on(attempt).await? {
            for plan in plans.iter_mut() {
                plan.leave_out(LeftOut::Overtaken);
            }
            return Ok(Vec::new());
        }
        let open = (0..plans.len()).filter(|&at| plans[at].writes());
        // What was decided on an older reading, by an earlier attempt, is decided again.
        let (open, mut again): (Vec<usize>, Vec<usize>) = open
            .partition(|&at| plans[at].change.after.as_ref().and_then(|after| after.read) == Some(context.facts.read));
        again.extend(write_plans(attempt, plans, &open, usage).await?);
        Ok(again)
    }

    async fn finish(
        &self,
        attempt: &mut Attempt<'_>,
        _: &ResyncLedger,
        context: &ResyncContext,
    ) -> Result<(), StorageError> {
        if let Side::Whole(side) = &context.side {
            mark::who_is_not_in_step(attempt, side, &context.facts.inventory).await?;
        }
        let done = Resynced { job: attempt.job.id.clone(), at: attempt.world.now() };
        let change = |state: &mut ResyncState| {
            if state.turn.is_of(&done.job, done.at) {
                (state.done, state.ended) = (Some(done.clone()), None);
            }
            state.turn.give_up(&done.job, done.at);
        };
        change_resync_state(&*attempt.world.schedules, attempt.account(), change).await
    }
}

impl Resync {
    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let request = request(attempt).await?;
        if request.preview {
            attempt.preview().await?;
        }
        let settings = attempt.settings().await?;
        let known: Option<Checkpoint> = attempt.known().await?;
        if attempt.writes() && !Line::Resyncs.take(attempt, known.is_some()).await? {
            let rows = known.and_then(|known| known.rows).map_or(RowSource::None, RowSource::Generated);
            let facts = Facts::new(Vec::new(), attempt.world.now());
            let context = ResyncContext { side: Side::Overtaken, facts, settled: HashMap::new() };
            return Ok(Prepared { job: ResyncLedger::default(), context, rows });
        }
        let (system, country) = (settings.phone_system, attempt.country(&settings));
        let mut inventory = attempt.inventory().await?;
        let client = match system {
            PhoneSystem::Smartflo if !attempt.given_up => Some(self.take_in(attempt, &mut inventory).await?),
            _ => None,
        };
        let confirmed = request.confirmed || attempt.job.is_confirmed();
        let new = if attempt.given_up {
            None
        } else {
            snapshot::new(attempt, system, confirmed, country, &inventory).await?
        };
        let facts = Facts::new(inventory, attempt.world.now());
        let (mut rows, kept) = known.map_or((None, None), |known| (Some(known.rows), known.side));
        let side = match system {
            // Our own users are looked up by name: who isn't there is gone, and nothing else can be meant.
            PhoneSystem::Builtin => Side::Directory,
            _ if !attempt.given_up => {
                Side::Whole(side::read(attempt, (&*self.systems, client), system, new.as_ref()).await?)
            }
            _ => Side::Whole(kept.unwrap_or_default()),
        };
        let mut context = ResyncContext { side, facts, settled: HashMap::new() };
        let (extent, written) = context.look_through(attempt, rows.is_none()).await?;
        if attempt.writes() {
            admit(attempt, extent, confirmed).await?;
            if let Some(new) = &new {
                snapshot::put_in_force(attempt, new).await?;
            }
        } else if attempt.job.previews() {
            ask_threshold(attempt, extent).await?;
        }
        let rows = rows.get_or_insert(written).clone();
        if !attempt.given_up {
            let side = match &context.side {
                Side::Whole(side) => Some(side.clone()),
                Side::Directory | Side::Overtaken => None,
            };
            attempt.save_checkpoint(&Checkpoint { rows: rows.clone(), side }).await?;
        }
        let rows = rows.map_or(RowSource::None, RowSource::Generated);
        Ok(Prepared { job: ResyncLedger::default(), context, rows })
    }

    /// Takes in the numbers and departments that the phone system has and the account lacks. What the account has is left as it
    /// is: states and labels are kept here alone. A preview knows of them, and writes none.
    async fn take_in(
        &self,
        attempt: &Attempt<'_>,
        inventory: &mut Vec<InventoryNumber>,
    ) -> Result<Arc<dyn PhoneSystemClient>, Interrupt> {
        let failed = |failure| attempt.system_failed(failure);
        let (world, account, by) = (attempt.world, attempt.account(), attempt.actor());
        let client = self.systems.connect(account, PhoneSystem::Smartflo).await.map_err(failed)?;
        let known = world.catalogs.catalog(account, Department).await?;
        for entry in client.departments(attempt.until).await.map_err(failed)? {
            if attempt.writes() && !known.iter().any(|known| known.id == entry.id) {
                world.catalogs.put_entry(account, Department, &entry, Some(&by)).await?;
            }
        }
        let owned: HashSet<CallerId> = inventory.iter().map(|item| item.number).collect();
        let numbers = client.numbers(attempt.until).await.map_err(failed)?;
        let lacking: BTreeSet<CallerId> = numbers.into_iter().filter(|number| !owned.contains(number)).collect();
        let facts = NumberFacts { state: NumberState::New, ..NumberFacts::default() };
        let new = lacking.into_iter().map(|number| InventoryNumber::new(number, facts.clone(), world.now()));
        let mut new: Vec<InventoryNumber> = new.collect();
        if attempt.writes() {
            let changes: Vec<_> = new.iter().map(|after| NumberChange { before: None, after }).collect();
            let mut added = world.numbers.change_numbers(account, &changes, &by).await?.into_iter();
            // Whoever was faster has said what the number is.
            new.retain(|_| added.next() == Some(true));
        }
        inventory.extend(new);
        Ok(client)
    }
}

impl ResyncContext {
    /// Looks through all mappings, some at a time: what would be revoked of them all, and which don't change. Writes them as rows where there are none
    /// yet; the rows stay those of the first attempt.
    async fn look_through(
        &mut self,
        attempt: &Attempt<'_>,
        writes_rows: bool,
    ) -> Result<(Extent, Option<ObjectVersion>), Interrupt> {
        let mut extent = Extent::default();
        let mut rows = attempt.begin_rows();
        rows.csv.record(resync::HEADER);
        let whole = match &self.side {
            Side::Whole(side) => Some(MatchIndex::of(side)),
            Side::Directory | Side::Overtaken => None,
        };
        let mut after: Option<CrmUserId> = None;
        loop {
            attempt.check_time()?;
            let page = attempt.world.mappings.mappings_after(attempt.account(), after.as_ref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.crm_user.clone());
            let silent = matches!(&self.side, Side::Whole(side) if side.users.is_empty());
            if silent && page.iter().any(|mapping| mapping.permission.is_some()) {
                return Err(Interrupt::refused(
                    "The phone system says that it has no users at all. Nothing was revoked over that.",
                ));
            }
            let ours = if whole.is_none() { side::builtin(attempt, &page).await? } else { PhoneSide::default() };
            let ours = MatchIndex::of(&ours);
            for mapping in page {
                let change = resync::decide(&mapping, whole.as_ref().unwrap_or(&ours), &self.facts);
                let sees = mapping.permission.as_ref().map_or(0, |permission| self.facts.count(permission));
                extent.add(sees, &change);
                if writes_rows {
                    resync::write_row(&mut rows.csv, &mapping, &change);
                    rows.pass_on().await?;
                }
                if change.after.is_none() {
                    self.settled.insert(mapping.crm_user, (change.kind, mapping.read));
                }
            }
        }
        if !writes_rows || after.is_none() {
            return Ok((extent, None));
        }
        Ok((extent, Some(rows.finish().await?)))
    }

    /// Decides for some mappings, as they are now, and says when that was read which each holds.
    async fn decide(
        &self,
        attempt: &Attempt<'_>,
        crm_users: &[&CrmUserId],
        usage: &mut TableUsage,
    ) -> Result<HashMap<CrmUserId, (MappingChange, Option<Timestamp>)>, StorageError> {
        if matches!(self.side, Side::Overtaken) {
            let overtaken = crm_users.iter().map(|&crm_user| (crm_user.clone(), (MappingChange::overtaken(), None)));
            return Ok(overtaken.collect());
        }
        let mut decided: HashMap<CrmUserId, (MappingChange, Option<Timestamp>)> =
            crm_users.iter().map(|&crm_user| (crm_user.clone(), (MappingChange::none(), None))).collect();
        let fresh = attempt.world.mappings.mappings_of(attempt.account(), crm_users, attempt.until, usage).await?;
        let fresh: Vec<Mapping> = fresh.into_values().collect();
        let ours = match &self.side {
            Side::Whole(_) | Side::Overtaken => PhoneSide::default(),
            Side::Directory => side::builtin(attempt, &fresh).await?,
        };
        let index = match &self.side {
            Side::Whole(side) => MatchIndex::of(side),
            Side::Directory | Side::Overtaken => MatchIndex::of(&ours),
        };
        for mapping in fresh {
            let change = resync::decide(&mapping, &index, &self.facts);
            decided.insert(mapping.crm_user, (change, mapping.read));
        }
        Ok(decided)
    }
}

/// Asks the safety threshold. What a run revokes counts from here on, before any of it is done.
async fn admit(attempt: &Attempt<'_>, extent: Extent, confirmed: bool) -> Result<(), Interrupt> {
    if extent.revoked == 0 && !confirmed {
        return Ok(());
    }
    let (job, now) = (&attempt.job.id, attempt.world.now());
    let threshold = if confirmed { None } else { Some(attempt.settings().await?.safety_threshold) };
    let admit = |state: &mut ResyncState| state.admit(job, extent, threshold, now);
    let admitted = change_resync_state(&*attempt.world.schedules, attempt.account(), admit).await?;
    admitted.map_err(|reason| Interrupt::Ends(Failure::OnHold { reason }))
}

/// Notes what the safety threshold would say of it to a run that nobody watches.
async fn ask_threshold(attempt: &mut Attempt<'_>, extent: Extent) -> Result<(), StorageError> {
    let mut state = attempt.world.schedules.resync_state(attempt.account()).await?.unwrap_or_default().value;
    let threshold = attempt.settings().await?.safety_threshold;
    if let Err(reason) = state.admit(&attempt.job.id, extent, Some(threshold), attempt.world.now()) {
        attempt.job.note([Note::safety_threshold(&reason)]);
    }
    Ok(())
}

/// What is asked for. A snapshot asks for nothing but what it says.
async fn request(attempt: &Attempt<'_>) -> Result<ResyncRequest, Interrupt> {
    if attempt.job.upload.kind == JobKind::PhoneSnapshot {
        return Ok(ResyncRequest::default());
    }
    attempt.request().await
}

/// Keeps that a resync changed nothing, and why.
async fn note_end(attempt: &Attempt<'_>, failure: &Failure) -> Result<(), StorageError> {
    let (on_hold, reason) = match failure {
        Failure::OnHold { reason } => (true, reason),
        Failure::Refused { reason } => (false, reason),
        Failure::File(_) | Failure::GaveUp { .. } => return Ok(()),
    };
    let ended = Ended { job: attempt.job.id.clone(), at: attempt.world.now(), on_hold, reason: reason.clone() };
    let change = |state: &mut ResyncState| {
        state.turn.give_up(&ended.job, ended.at);
        state.ended = Some(ended.clone());
    };
    change_resync_state(&*attempt.world.schedules, attempt.account(), change).await
}
