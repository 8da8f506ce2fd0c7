//! The kind of job: what the phone side says is held against the account's mappings.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rollcall_bulk::{
    job::{Failure, Stage},
    left_out::LeftOut,
    report::Judgement,
    resync::{
        self, Counter, Extent, MappingChange, ResyncLedger, ResyncPlan,
        state::{Ended, ResyncRequest, ResyncState, Resynced},
    },
};
use rollcall_connectors::smartflo::{self, MyNumbers, Smartflo};
use rollcall_engine::{Attempt, Done, Interrupt, Operation, Prepared, RowSource, Work};
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
use rollcall_storage::{StorageError, directory::TableUsage};
use rollcall_tabular::{Row, Schema};

use crate::{side::PhoneSystems, snapshot};

/// Brings accounts' mappings in step with their phone systems.
pub struct Resync {
    /// The phone systems.
    pub systems: PhoneSystems,
}

/// One resync.
pub struct ResyncWork {
    side: PhoneSide,
    inventory: Vec<InventoryNumber>,
    mappings: HashMap<CrmUserId, Mapping>,
    ledger: ResyncLedger,
    at: Timestamp,
    /// Where users' lists are to be set too: no read of it tells them, so that it is told.
    told: Option<(Smartflo, MyNumbers)>,
}

impl Operation for Resync {
    type Work = ResyncWork;
    const KINDS: &'static [JobKind] = &[JobKind::MappingResync, JobKind::PhoneSnapshot];

    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<ResyncWork>, Interrupt> {
        match self.prepare(attempt).await {
            Err(Interrupt::Ends(failure)) if attempt.writes() => {
                note_end(attempt, &failure).await?;
                Err(Interrupt::Ends(failure))
            }
            begun => begun,
        }
    }

    async fn conclude(&self, attempt: &mut Attempt<'_>, _: &ResyncWork) -> Result<(), StorageError> {
        let done = Resynced { job: attempt.job.id.clone(), at: Timestamp::now() };
        let change = |standing: &mut ResyncState| {
            (standing.done, standing.ended) = (Some(done.clone()), None);
        };
        attempt.engine.directory.change_resync_standing(attempt.account(), change).await
    }
}

impl Resync {
    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<ResyncWork>, Interrupt> {
        let request = request(attempt).await?;
        let settings = attempt.settings().await?;
        let (system, country) = (settings.phone_system, attempt.country(&settings));
        let mut inventory = attempt.inventory().await?;
        let told = match system {
            PhoneSystem::Smartflo if attempt.writes() => Some(self.take_in(attempt, &mut inventory).await?),
            _ => None,
        };
        let mappings = attempt.engine.directory.mappings(attempt.account()).await?;
        let confirmed = request.confirmed || attempt.job.stage == Stage::Executed;
        let new =
            if attempt.writes() { snapshot::new(attempt, system, confirmed, country, &inventory).await? } else { None };
        let side = if let Some(side) = recall(attempt).await? {
            side
        } else {
            let side = self.systems.read(attempt, system, new.as_ref(), &mappings).await?;
            attempt.save_checkpoint(&side).await?;
            side
        };

        let at = Timestamp::now();
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
        Ok(Prepared { work: ResyncWork { side, inventory, mappings, ledger: ResyncLedger::default(), at, told }, rows })
    }

    /// Takes in the numbers and departments that the phone system has and the account lacks. What the account has is left as it
    /// is: states and labels are kept here alone.
    async fn take_in(
        &self,
        attempt: &Attempt<'_>,
        inventory: &mut Vec<InventoryNumber>,
    ) -> Result<(Smartflo, MyNumbers), Interrupt> {
        let stop = |error: rollcall_connectors::ConnectorError| self.systems.stop(attempt, smartflo::SECRET, &error);
        let (directory, account) = (&attempt.engine.directory, attempt.account());
        let smartflo = self.systems.smartflo(attempt).await?;
        let known = directory.catalog(account, Department).await?;
        for entry in smartflo.departments(attempt.until).await.map_err(stop)? {
            if !known.iter().any(|known| known.id == entry.id) {
                directory.put_entry(account, Department, &entry, Some(&attempt.actor())).await?;
            }
        }
        let by = attempt.actor();
        let numbers = smartflo.my_numbers(attempt.until).await.map_err(stop)?;
        let owned: HashSet<CallerId> = inventory.iter().map(|item| item.number).collect();
        for number in numbers.iter().filter(|number| !owned.contains(number)) {
            let facts = NumberFacts { state: NumberState::New, ..NumberFacts::default() };
            let item = InventoryNumber::new(number, facts, Timestamp::now());
            if directory.change_number(account, None, &item, &by).await? {
                inventory.push(item);
            }
        }
        Ok((smartflo, numbers))
    }
}

impl ResyncWork {
    fn decide(&self, index: &MatchIndex<'_>, mapping: Option<&Mapping>) -> MappingChange {
        mapping.map_or_else(MappingChange::none, |mapping| resync::decide(mapping, index, &self.inventory, self.at))
    }
}

impl Work for ResyncWork {
    type Plan = ResyncPlan;

    fn columns(&self) -> Schema {
        &resync::COLUMNS
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
    ) -> Result<Vec<ResyncPlan>, StorageError> {
        let index = MatchIndex::of(&self.side);
        let mut plans: Vec<ResyncPlan> = users
            .iter()
            .map(|&user| {
                let crm_user = self.ledger.crm_user(user);
                ResyncPlan { crm_user: crm_user.clone(), change: self.decide(&index, self.mappings.get(crm_user)) }
            })
            .collect();
        // Most mappings don't change, and those that do are looked at once more: a person may have been at them.
        let changing: Vec<&CrmUserId> =
            plans.iter().filter(|plan| Self::writes(plan)).map(|plan| &plan.crm_user).collect();
        let fresh = attempt.engine.directory.mappings_of(attempt.account(), &changing, attempt.until, usage).await?;
        for plan in plans.iter_mut().filter(|plan| plan.change.after.is_some()) {
            plan.change = self.decide(&index, fresh.get(&plan.crm_user));
        }
        Ok(plans)
    }

    fn writes(plan: &ResyncPlan) -> bool {
        plan.change.after.is_some()
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        plans: &mut [&mut ResyncPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        let open: Vec<usize> = (0..plans.len()).filter(|&at| Self::writes(plans[at])).collect();
        let Some((smartflo, numbers)) = &self.told else {
            return write_plans(attempt, plans, &open, usage).await;
        };
        // One after the other: the account has three calls a second. The phone system is told first, so that a death
        // between the two tells it again, and nobody sees a number that it doesn't allow.
        let mut again = Vec::new();
        for at in open {
            let Some(mapping) = &plans[at].change.after else { continue };
            if attempt
                .engine
                .directory
                .has_written_mapping(attempt.account(), &mapping.crm_user, &attempt.job.id)
                .await?
            {
                continue;
            }
            tell(smartflo, numbers, mapping, attempt).await?;
            again.extend(write_plans(attempt, plans, &[at], usage).await?);
        }
        Ok(again)
    }

    fn leave_out(plan: &mut ResyncPlan, why: LeftOut) -> bool {
        plan.change.leave_out(why);
        true
    }

    fn is_done(_: &ResyncPlan, now: &ResyncPlan) -> bool {
        !Self::writes(now)
    }

    fn user_of(&self, plan: &ResyncPlan) -> Option<usize> {
        self.ledger.user(&plan.crm_user)
    }

    fn record(&mut self, plan: &ResyncPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &ResyncPlan, done: &mut Done) {
        done.users_changed += u64::from(Self::writes(plan));
        done.numbers_added += plan.change.granted.len() as u64;
        done.numbers_removed += plan.change.revoked.len() as u64;
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        resync::judge(row, &self.ledger)
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
        let directory = &attempt.engine.directory;
        let not_written =
            directory.write_mappings(attempt.account(), &mappings, &attempt.job.id, attempt.until, usage).await?;
        again.extend(not_written.outdated.iter().map(|&at| positions[at]));
        positions = not_written.not_storable.iter().map(|&at| positions[at]).collect();
        for &at in &positions {
            leave_out(&mut plans[at].change);
        }
        positions.retain(|&at| ResyncWork::writes(plans[at]));
        if positions.is_empty() {
            break;
        }
    }
    Ok(again)
}

/// Sets a phone user's list in the phone system, whole. An empty one is never sent, since what it means there is not known.
async fn tell(
    smartflo: &Smartflo,
    numbers: &MyNumbers,
    mapping: &Mapping,
    attempt: &Attempt<'_>,
) -> Result<(), StorageError> {
    let permission = mapping.permission.as_ref().filter(|permission| permission.policy == Policy::Custom);
    let (Some(phone_user), Some(permission)) = (mapping.phone_user(), permission) else { return Ok(()) };
    if permission.caller_ids.is_empty() {
        return Ok(());
    }
    let told = smartflo.set_caller_ids(phone_user, &permission.caller_ids, numbers, attempt.until).await;
    let missing = told.map_err(|error| StorageError::transient(error.operation, error.chain()))?;
    if !missing.is_empty() {
        tracing::warn!(numbers = missing.len(), "the phone system doesn't have numbers of a list");
    }
    Ok(())
}

/// Asks the brake. What a run revokes counts from here on, before any of it is done.
async fn admit(attempt: &Attempt<'_>, extent: Extent, confirmed: bool) -> Result<(), Interrupt> {
    if extent.revoked == 0 && !confirmed {
        return Ok(());
    }
    let (job, now) = (&attempt.job.id, Timestamp::now());
    let admit = |standing: &mut ResyncState| standing.admit(job, extent, confirmed, now);
    let admitted = attempt.engine.directory.change_resync_standing(attempt.account(), admit).await?;
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
    let ended = Ended { job: attempt.job.id.clone(), at: Timestamp::now(), on_hold, reason: reason.clone() };
    let change = |standing: &mut ResyncState| standing.ended = Some(ended.clone());
    attempt.engine.directory.change_resync_standing(attempt.account(), change).await
}
