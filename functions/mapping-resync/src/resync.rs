//! The kind of job: what the phone side says is held against the account's mappings.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rollcall_engine::{Begun, Done, Operation, RowsIn, Run, Stop, Work};
use rollcall_model::{
    caller_id::CallerId,
    catalog::Kind::Department,
    csv_file::{Row, Schema},
    inventory::{InventoryNumber, NumberFacts, NumberState},
    job::{Failure, Stage},
    left_out::LeftOut,
    mapping::{
        CrmUserId, Index, Mapping,
        resync::{self, Change, Counter, Extent, Ledger, Plan},
        standing::{Ended, ResyncRequest, ResyncStanding, Resynced},
    },
    phone_side::PhoneSide,
    report::Judgement,
    settings::PhoneSystem,
    upload::Kind as JobKind,
    user::Policy,
};
use rollcall_platform::{Error, directory::BulkWork};
use rollcall_remote::smartflo::{self, MyNumbers, Smartflo};

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
    ledger: Ledger,
    at: Timestamp,
    /// Where users' lists are to be set too: no read of it tells them, so that it is told.
    told: Option<(Smartflo, MyNumbers)>,
}

impl Operation for Resync {
    type Work = ResyncWork;
    const KINDS: &'static [JobKind] = &[JobKind::MappingResync, JobKind::PhoneSnapshot];

    async fn begin(&self, run: &mut Run<'_>) -> Result<Begun<ResyncWork>, Stop> {
        match self.prepare(run).await {
            Err(Stop::Ends(failure)) if run.writes() => {
                note_end(run, &failure).await?;
                Err(Stop::Ends(failure))
            }
            begun => begun,
        }
    }

    async fn conclude(&self, run: &mut Run<'_>, _: &ResyncWork) -> Result<(), Error> {
        let done = Resynced { job: run.job.id.clone(), at: Timestamp::now() };
        let change = |standing: &mut ResyncStanding| {
            (standing.done, standing.ended) = (Some(done.clone()), None);
        };
        run.engine.directory.change_resync_standing(run.account(), change).await
    }
}

impl Resync {
    async fn prepare(&self, run: &mut Run<'_>) -> Result<Begun<ResyncWork>, Stop> {
        let request = request(run).await?;
        let settings = run.settings().await?;
        let (system, country) = (settings.phone_system, run.country(&settings));
        let mut inventory = run.inventory().await?;
        let told = match system {
            PhoneSystem::Smartflo if run.writes() => Some(self.take_in(run, &mut inventory).await?),
            _ => None,
        };
        let mappings = run.engine.directory.mappings(run.account()).await?;
        let confirmed = request.confirmed || run.job.stage == Stage::Executed;
        let new = if run.writes() { snapshot::new(run, system, confirmed, country, &inventory).await? } else { None };
        let side = if let Some(side) = recall(run).await? {
            side
        } else {
            let side = self.systems.read(run, system, new.as_ref(), &mappings).await?;
            run.keep_note(&side).await?;
            side
        };

        let at = Timestamp::now();
        let (index, counter) = (Index::of(&side), Counter::of(&inventory));
        let mut extent = Extent::default();
        let mut rows = resync::rows();
        for mapping in &mappings {
            let change = resync::decide(mapping, &index, &inventory, at);
            let sees = mapping.permission.as_ref().map_or(0, |permission| counter.count(permission, &inventory));
            extent.add(sees, &change);
            resync::write_row(&mut rows, mapping, &change);
        }
        if run.writes() {
            admit(run, extent, confirmed).await?;
            if let Some(new) = &new {
                snapshot::put_in_force(run, new).await?;
            }
        }
        let rows =
            if mappings.is_empty() { RowsIn::Nowhere } else { RowsIn::Brought(run.keep_rows(rows.take()).await?) };
        let mappings = mappings.into_iter().map(|mapping| (mapping.crm_user.clone(), mapping)).collect();
        Ok(Begun { work: ResyncWork { side, inventory, mappings, ledger: Ledger::default(), at, told }, rows })
    }

    /// Takes in the numbers and departments that the phone system has and the account lacks. What the account has is left as it
    /// is: states and labels are kept here alone.
    async fn take_in(
        &self,
        run: &Run<'_>,
        inventory: &mut Vec<InventoryNumber>,
    ) -> Result<(Smartflo, MyNumbers), Stop> {
        let stop = |error: rollcall_remote::Error| self.systems.stop(run, smartflo::SECRET, &error);
        let (directory, account) = (&run.engine.directory, run.account());
        let smartflo = self.systems.smartflo(run).await?;
        let known = directory.catalog(account, Department).await?;
        for entry in smartflo.departments(run.until).await.map_err(stop)? {
            if !known.iter().any(|known| known.id == entry.id) {
                directory.put_entry(account, Department, &entry, Some(&run.actor())).await?;
            }
        }
        let by = run.actor();
        let numbers = smartflo.my_numbers(run.until).await.map_err(stop)?;
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
    fn decide(&self, index: &Index<'_>, mapping: Option<&Mapping>) -> Change {
        mapping.map_or_else(Change::none, |mapping| resync::decide(mapping, index, &self.inventory, self.at))
    }
}

impl Work for ResyncWork {
    type Plan = Plan;

    fn columns(&self) -> Schema {
        &resync::COLUMNS
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

    async fn plan(&self, run: &Run<'_>, users: &[usize], work: &mut BulkWork) -> Result<Vec<Plan>, Error> {
        let index = Index::of(&self.side);
        let mut plans: Vec<Plan> = users
            .iter()
            .map(|&user| {
                let crm_user = self.ledger.crm_user(user);
                Plan { crm_user: crm_user.clone(), change: self.decide(&index, self.mappings.get(crm_user)) }
            })
            .collect();
        // Most mappings don't change, and those that do are looked at once more: a person may have been at them.
        let changing: Vec<&CrmUserId> =
            plans.iter().filter(|plan| Self::writes(plan)).map(|plan| &plan.crm_user).collect();
        let fresh = run.engine.directory.mappings_of(run.account(), &changing, run.until, work).await?;
        for plan in plans.iter_mut().filter(|plan| plan.change.after.is_some()) {
            plan.change = self.decide(&index, fresh.get(&plan.crm_user));
        }
        Ok(plans)
    }

    fn writes(plan: &Plan) -> bool {
        plan.change.after.is_some()
    }

    async fn carry_out(
        &self,
        run: &Run<'_>,
        plans: &mut [&mut Plan],
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        let open: Vec<usize> = (0..plans.len()).filter(|&at| Self::writes(plans[at])).collect();
        let Some((smartflo, numbers)) = &self.told else {
            return write_plans(run, plans, &open, work).await;
        };
        // One after the other: the account has three calls a second. The phone system is told first, so that a death
        // between the two tells it again, and nobody sees a number that it doesn't allow.
        let mut again = Vec::new();
        for at in open {
            let Some(mapping) = &plans[at].change.after else { continue };
            if run.engine.directory.has_written_mapping(run.account(), &mapping.crm_user, &run.job.id).await? {
                continue;
            }
            tell(smartflo, numbers, mapping, run).await?;
            again.extend(write_plans(run, plans, &[at], work).await?);
        }
        Ok(again)
    }

    fn leave_out(plan: &mut Plan, why: LeftOut) -> bool {
        plan.change.leave_out(why);
        true
    }

    fn is_done(_: &Plan, now: &Plan) -> bool {
        !Self::writes(now)
    }

    fn user_of(&self, plan: &Plan) -> Option<usize> {
        self.ledger.user(&plan.crm_user)
    }

    fn record(&mut self, plan: &Plan) {
        self.ledger.record(plan);
    }

    fn count(plan: &Plan, done: &mut Done) {
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
    run: &Run<'_>,
    plans: &mut [&mut Plan],
    positions: &[usize],
    work: &mut BulkWork,
) -> Result<Vec<usize>, Error> {
    let mut again = Vec::new();
    let mut positions = positions.to_vec();
    for leave_out in [Change::leave_out_grants, |change: &mut Change| change.leave_out(LeftOut::NotStorable)] {
        let mappings: Vec<&Mapping> = positions.iter().filter_map(|&at| plans[at].change.after.as_ref()).collect();
        let directory = &run.engine.directory;
        let not_written = directory.write_mappings(run.account(), &mappings, &run.job.id, run.until, work).await?;
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
async fn tell(smartflo: &Smartflo, numbers: &MyNumbers, mapping: &Mapping, run: &Run<'_>) -> Result<(), Error> {
    let permission = mapping.permission.as_ref().filter(|permission| permission.policy == Policy::Custom);
    let (Some(phone_user), Some(permission)) = (mapping.phone_user(), permission) else { return Ok(()) };
    if permission.caller_ids.is_empty() {
        return Ok(());
    }
    let told = smartflo.set_caller_ids(phone_user, &permission.caller_ids, numbers, run.until).await;
    let missing = told.map_err(|error| Error::transient(error.operation, error.chain()))?;
    if !missing.is_empty() {
        tracing::warn!(numbers = missing.len(), "the phone system doesn't have numbers of a list");
    }
    Ok(())
}

/// Asks the brake. What a run revokes counts from here on, before any of it is done.
async fn admit(run: &Run<'_>, extent: Extent, confirmed: bool) -> Result<(), Stop> {
    if extent.revoked == 0 && !confirmed {
        return Ok(());
    }
    let (job, now) = (&run.job.id, Timestamp::now());
    let admit = |standing: &mut ResyncStanding| standing.admit(job, extent, confirmed, now);
    let admitted = run.engine.directory.change_resync_standing(run.account(), admit).await?;
    admitted.map_err(|reason| Stop::Ends(Failure::Held { reason }))
}

/// What is asked for. A snapshot asks for nothing but what it says.
async fn request(run: &Run<'_>) -> Result<ResyncRequest, Stop> {
    if run.job.upload.kind == JobKind::PhoneSnapshot {
        return Ok(ResyncRequest::default());
    }
    run.request().await
}

/// What an earlier attempt has read of the phone side.
async fn recall(run: &Run<'_>) -> Result<Option<PhoneSide>, Error> {
    run.known().await
}

/// Keeps that a resync changed nothing, and why.
async fn note_end(run: &Run<'_>, failure: &Failure) -> Result<(), Error> {
    let (held, reason) = match failure {
        Failure::Held { reason } => (true, reason),
        Failure::Refused { reason } => (false, reason),
        Failure::File(_) | Failure::GaveUp { .. } => return Ok(()),
    };
    let ended = Ended { job: run.job.id.clone(), at: Timestamp::now(), held, reason: reason.clone() };
    let change = |standing: &mut ResyncStanding| standing.ended = Some(ended.clone());
    run.engine.directory.change_resync_standing(run.account(), change).await
}
