//! The kind of job: what the phone side says is held against the account's mappings.
//!
//! A resync is a job like any other. Its rows are the account's mappings; what the phone system says is read before, whole or
//! not at all, and kept beside the results. A schedule has it ask for resyncs by itself, by dropping requests.

mod scheduled;
mod side;
mod snapshot;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use rollcall_bulk::{
    bulk_job::Plan,
    job::{Failure, Stage},
    left_out::LeftOut,
    resync::{
        self, Counter, Extent, MappingChange, ResyncLedger, ResyncPlan,
        state::{Ended, ResyncRequest, ResyncState, Resynced},
    },
};
use rollcall_model::{
    caller_id::CallerId,
    catalog::CatalogKind::Department,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobKind,
    mapping::{CrmUserId, Mapping, MatchIndex},
    phone_side::PhoneSide,
    settings::PhoneSystem,
    user::Policy,
};

pub use scheduled::scheduled;

use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError, change_resync_state,
    world::{PhoneSystemClient, PhoneSystems, SystemFailure, TableUsage},
};

/// Brings accounts' mappings in step with their phone systems.
pub struct Resync {
    /// The phone systems.
    pub systems: Arc<dyn PhoneSystems>,
}

/// What a resync was prepared with.
pub struct ResyncContext {
    side: PhoneSide,
    inventory: Vec<InventoryNumber>,
    mappings: HashMap<CrmUserId, Mapping>,
    at: Timestamp,
    /// Where users' lists are set too, before their mappings are written.
    target: Option<Arc<dyn PhoneSystemClient>>,
}

const SETTING: &str = "setting a user's caller IDs in the phone system";

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
        let index = MatchIndex::of(&context.side);
        let mut plans: Vec<ResyncPlan> = users
            .iter()
            .map(|&user| {
                let crm_user = job.crm_user(user);
                ResyncPlan {
                    crm_user: crm_user.clone(),
                    change: context.decide(&index, context.mappings.get(crm_user)),
                }
            })
            .collect();
        // Most mappings don't change, and those that do are looked at once more: a person may have been at them.
        let changing: Vec<&CrmUserId> = plans.iter().filter(|plan| plan.writes()).map(|plan| &plan.crm_user).collect();
        let fresh = attempt.world.mappings.mappings_of(attempt.account(), &changing, attempt.until, usage).await?;
        for plan in plans.iter_mut().filter(|plan| plan.change.after.is_some()) {
            plan.change = context.decide(&index, fresh.get(&plan.crm_user));
        }
        Ok(plans)
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &ResyncContext,
        plans: &mut [&mut ResyncPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        let open: Vec<usize> = (0..plans.len()).filter(|&at| plans[at].writes()).collect();
        let Some(system) = &context.target else {
            return write_plans(attempt, plans, &open, usage).await;
        };
        // One after the other: the account has three calls a second. The phone system is told first, so that a death
        // between the two tells it again, and nobody sees a number that it doesn't allow.
        let mut again = Vec::new();
        for at in open {
            let Some(mapping) = &plans[at].change.after else { continue };
            let (account, crm_user) = (attempt.account(), &mapping.crm_user);
            if attempt.world.mappings.has_written_mapping(account, crm_user, &attempt.job.id).await? {
                continue;
            }
            set_list(&**system, mapping, attempt).await?;
            again.extend(write_plans(attempt, plans, &[at], usage).await?);
        }
        Ok(again)
    }

    async fn finish(&self, attempt: &mut Attempt<'_>, _: &ResyncLedger, _: &ResyncContext) -> Result<(), StorageError> {
        let done = Resynced { job: attempt.job.id.clone(), at: attempt.world.now() };
        let change = |state: &mut ResyncState| (state.done, state.ended) = (Some(done.clone()), None);
        change_resync_state(&*attempt.world.schedules, attempt.account(), change).await
    }
}

impl Resync {
    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let request = request(attempt).await?;
        let settings = attempt.settings().await?;
        let (system, country) = (settings.phone_system, attempt.country(&settings));
        let mut inventory = attempt.inventory().await?;
        let target = match system {
            PhoneSystem::Smartflo if attempt.writes() => Some(self.take_in(attempt, &mut inventory).await?),
            _ => None,
        };
        let mappings = attempt.world.mappings.mappings(attempt.account()).await?;
        let confirmed = request.confirmed || attempt.job.stage == Stage::Executed;
        let new =
            if attempt.writes() { snapshot::new(attempt, system, confirmed, country, &inventory).await? } else { None };
        let side = if let Some(side) = recall(attempt).await? {
            side
        } else {
            let side = side::read(attempt, &*self.systems, system, new.as_ref(), &mappings).await?;
            attempt.save_checkpoint(&side).await?;
            side
        };

        let at = attempt.world.now();
        let (index, counter) = (MatchIndex::of(&side), Counter::of(&inventory));
        let mut extent = Extent::default();
        let mut rows = resync::rows();
        for mapping in &mappings {
            let change = resync::decide(mapping, &index, &inventory, at);
            let sees = mapping.permission.as_ref().map_or(0, |permission| counter.count(permission, &inventory));
            extent.add(sees, &change);
            resync::write_row(&mut rows, mapping, &change);
        }
        if attempt.writes() {
            admit(attempt, extent, confirmed).await?;
            if let Some(new) = &new {
                snapshot::put_in_force(attempt, new).await?;
            }
        }
        let rows = if mappings.is_empty() {
            RowSource::None
        } else {
            RowSource::Generated(attempt.save_rows(rows.take()).await?)
        };
        let mappings = mappings.into_iter().map(|mapping| (mapping.crm_user.clone(), mapping)).collect();
        let context = ResyncContext { side, inventory, mappings, at, target };
        Ok(Prepared { job: ResyncLedger::default(), context, rows })
    }

    /// Takes in the numbers and departments that the phone system has and the account lacks. What the account has is left as it
    /// is: states and labels are kept here alone.
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
            if !known.iter().any(|known| known.id == entry.id) {
                world.catalogs.put_entry(account, Department, &entry, Some(&by)).await?;
            }
        }
        let owned: HashSet<CallerId> = inventory.iter().map(|item| item.number).collect();
        let numbers = client.numbers(attempt.until).await.map_err(failed)?;
        for number in numbers.into_iter().filter(|number| !owned.contains(number)) {
            let facts = NumberFacts { state: NumberState::New, ..NumberFacts::default() };
            let item = InventoryNumber::new(number, facts, world.now());
            if world.numbers.change_number(account, None, &item, &by).await? {
                inventory.push(item);
            }
        }
        Ok(client)
    }
}

impl ResyncContext {
    fn decide(&self, index: &MatchIndex<'_>, mapping: Option<&Mapping>) -> MappingChange {
        mapping.map_or_else(MappingChange::none, |mapping| resync::decide(mapping, index, &self.inventory, self.at))
    }
}

/// Writes the mappings of these plans, and gives those that must be decided again. A mapping that the table can't store costs its own row: it is
/// written without what it grants, and left as it is where that can't be stored either.
async fn write_plans(
    attempt: &Attempt<'_>,
    plans: &mut [&mut ResyncPlan],
    positions: &[usize],
    usage: &mut TableUsage,
) -> Result<Vec<usize>, StorageError> {
    let mut again = Vec::new();
    let mut positions = positions.to_vec();
    for leave_out in
        [MappingChange::leave_out_grants, |change: &mut MappingChange| change.leave_out(LeftOut::NotStorable)]
    {
        let mappings: Vec<&Mapping> = positions.iter().filter_map(|&at| plans[at].change.after.as_ref()).collect();
        let (table, account) = (&attempt.world.mappings, attempt.account());
        let not_written = table.write_mappings(account, &mappings, &attempt.job.id, attempt.until, usage).await?;
        again.extend(not_written.outdated.iter().map(|&at| positions[at]));
        positions = not_written.not_storable.iter().map(|&at| positions[at]).collect();
        for &at in &positions {
            leave_out(&mut plans[at].change);
        }
        positions.retain(|&at| plans[at].writes());
        if positions.is_empty() {
            break;
        }
    }
    Ok(again)
}

/// Sets a phone user's list in the phone system, whole. An empty one is never sent, since what it means there is not known.
async fn set_list(
    system: &dyn PhoneSystemClient,
    mapping: &Mapping,
    attempt: &Attempt<'_>,
) -> Result<(), StorageError> {
    let permission = mapping.permission.as_ref().filter(|permission| permission.policy == Policy::Custom);
    let (Some(phone_user), Some(permission)) = (mapping.phone_user(), permission) else { return Ok(()) };
    if permission.caller_ids.is_empty() {
        return Ok(());
    }
    match system.set_caller_ids(phone_user, &permission.caller_ids, attempt.until).await {
        Ok(0) => {}
        Ok(numbers) => tracing::warn!(numbers, "the phone system doesn't have numbers of a list"),
        Err(SystemFailure::Failed(error)) => return Err(error),
        Err(SystemFailure::Refused(reason)) => return Err(StorageError::transient(SETTING, reason)),
    }
    Ok(())
}

/// Asks the safety threshold. What a run revokes counts from here on, before any of it is done.
async fn admit(attempt: &Attempt<'_>, extent: Extent, confirmed: bool) -> Result<(), Interrupt> {
    if extent.revoked == 0 && !confirmed {
        return Ok(());
    }
    let (job, now) = (&attempt.job.id, attempt.world.now());
    let admit = |state: &mut ResyncState| state.admit(job, extent, confirmed, now);
    let admitted = change_resync_state(&*attempt.world.schedules, attempt.account(), admit).await?;
    admitted.map_err(|reason| Interrupt::Ends(Failure::OnHold { reason }))
}

/// What is asked for. A snapshot asks for nothing but what it says.
async fn request(attempt: &Attempt<'_>) -> Result<ResyncRequest, Interrupt> {
    if attempt.job.upload.kind == JobKind::PhoneSnapshot {
        return Ok(ResyncRequest::default());
    }
    attempt.request().await
}

/// What an earlier attempt has read of the phone side.
async fn recall(attempt: &Attempt<'_>) -> Result<Option<PhoneSide>, StorageError> {
    attempt.known().await
}

/// Keeps that a resync changed nothing, and why.
async fn note_end(attempt: &Attempt<'_>, failure: &Failure) -> Result<(), StorageError> {
    let (on_hold, reason) = match failure {
        Failure::OnHold { reason } => (true, reason),
        Failure::Refused { reason } => (false, reason),
        Failure::File(_) | Failure::GaveUp { .. } => return Ok(()),
    };
    let ended = Ended { job: attempt.job.id.clone(), at: attempt.world.now(), on_hold, reason: reason.clone() };
    let change = |state: &mut ResyncState| state.ended = Some(ended.clone());
    change_resync_state(&*attempt.world.schedules, attempt.account(), change).await
}
