//! The kind of job: pairs of numbers are held against everybody's lists.
//!
//! The order is what makes it safe. First the old numbers are reserved in the inventory, so that lists take them no more; then
//! users are walked, each once, to see who has them; then each list is changed in one write; last, the numbers are retired.
//! What a job that began before the reservation puts on a list after the walk, that job takes off again itself
//! (`retract.rs`).
//!
//! A rotation that is limited to some users reserves nothing and retires nothing: the numbers stay in service for the others.

mod again;
mod reservations;
mod scheduled;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use rollcall_bulk::{
    bulk_job::{Overtaken, Plan},
    left_out::LeftOut,
    note::Note,
    rotation::{
        self, Checked, Holder, Only, RequestedPair, RotationLedger, RotationPlan, RotationRequest, Rules, Terms, check,
    },
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::{JobKind, ObjectVersion},
    user::Policy,
};
use rollcall_tabular::ignored_columns;
use serde::{Deserialize, Serialize};

pub(crate) use reservations::before as numbers_before;
pub use scheduled::scheduled;

use self::again::reserve_again;
use super::resync::follow_users;
use crate::{
    Attempt, Interrupt, MAX_REQUEST_BYTES, Operation, Prepared, RowSource, StorageError,
    world::{Found, ListChange, Sought, TableUsage, Walk},
};

/// Retires numbers, and replaces them.
pub struct Rotate;

/// What a rotation was prepared with.
pub struct RotationContext {
    rules: Rules,
    /// What the walk has read of those who have the numbers: each is decided on it once, and read again after that.
    walked: Mutex<HashMap<String, Holder>>,
    checkpoint: Checkpoint,
    /// An earlier attempt has decided, by what the inventory was then.
    decided_before: bool,
}

/// What was brought for a job.
#[derive(Clone, Serialize, Deserialize)]
struct Checkpoint {
    rows: ObjectVersion,
    pairs: Vec<Checked>,
    /// What was asked for. Where the numbers are retired in the end, they are reserved until then.
    terms: Terms,
    quarantine_days: Option<u16>,
    /// Numbers that were released when the job was given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    released: Vec<CallerId>,
    /// Numbers that came back meanwhile onto lists of users who had been dealt with, and who would have no other, by folded login ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    came_back: Vec<(String, Vec<CallerId>)>,
}

/// What is asked for, however it was asked.
struct Wanted {
    preview: bool,
    pairs: Vec<RequestedPair>,
    only: Option<Only>,
    quarantine_days: Option<u16>,
    allow_empty: bool,
    keep_departments: bool,
}

impl Wanted {
    fn terms(&self) -> Terms {
        let (keep_departments, allow_empty) = (self.keep_departments, self.allow_empty);
        Terms { retires: self.only.is_none(), keep_departments, allow_empty }
    }
}

impl Checkpoint {
    fn rules(&self, inventory: &[InventoryNumber]) -> Rules {
        Rules::new(&self.pairs, inventory, self.terms)
    }
}

impl Operation for Rotate {
    type Job = RotationLedger;
    type Context = RotationContext;
    const KINDS: &'static [JobKind] = &[JobKind::RotateCallerIds];

    const LOOKS_AGAIN: bool = true;

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let known = attempt.known().await?;
        let decided_before = known.is_some();
        let (checkpoint, walked) = match known {
            Some(checkpoint) => (reserve_again(attempt, checkpoint).await?, Vec::new()),
            None => bring(attempt).await?,
        };
        // As it is now that the numbers are reserved: what another rotation has reserved before stays with nobody.
        let inventory = attempt.inventory().await?;
        let rows = RowSource::Generated(checkpoint.rows.clone());
        let job = RotationLedger::new(checkpoint.pairs.clone()).keeping(checkpoint.came_back.clone());
        let walked = Mutex::new(walked.into_iter().map(|holder| (holder.login.clone(), holder)).collect());
        let context = RotationContext { rules: checkpoint.rules(&inventory), walked, checkpoint, decided_before };
        Ok(Prepared { job, context, rows })
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
        holders.extend(fresh.into_iter().map(|(login, found)| (login.clone(), holder(login, found))));
        Ok(logins.iter().map(|&login| RotationPlan::decide(login, holders.get(login), &context.rules)).collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        _: &RotationContext,
        plans: &mut [&mut RotationPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        let changes: Vec<_> = plans
            .iter()
            .map(|plan| ListChange { login: &plan.login, policy: plan.policy, lists: plan.change() })
            .collect();
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

    fn has_fallen(
        &self,
        attempt: &Attempt<'_>,
        job: &mut RotationLedger,
        context: &RotationContext,
        inventory: &[InventoryNumber],
    ) -> bool {
        let (now, terms) = (context.checkpoint.rules(inventory), context.checkpoint.terms);
        if terms.retires {
            job.keep_for_policies(&now);
        }
        // Once the first number has come to its end, what relies on replacements stays: it can't come back. Those of a rotation for some users
        // have none to come to.
        let ended = || inventory.iter().any(|item| item.state_by.as_ref() == Some(&attempt.job.id));
        let comes_back = !terms.retires || !attempt.settled || !ended();
        comes_back && !terms.allow_empty && (context.decided_before || context.rules.has_fallen(&now))
    }

    async fn look_again(
        &self,
        attempt: &Attempt<'_>,
        context: &RotationContext,
        plans: &mut [RotationPlan],
        inventory: &[InventoryNumber],
        now: &Overtaken,
        usage: &mut TableUsage,
    ) -> Result<(), StorageError> {
        let rules = context.checkpoint.rules(inventory);
        let logins: Vec<String> = plans.iter().filter(|plan| plan.writes()).map(|plan| plan.login.clone()).collect();
        let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
        let found = attempt.world.users.find_users(attempt.account(), &logins, attempt.until, usage).await?;
        for plan in plans.iter_mut().filter(|plan| plan.writes()) {
            let found = found
                .get(&plan.login)
                .filter(|found| plan.created.is_none_or(|created| found.created == Some(created)));
            let Some(found) = found else { continue };
            if found.policy == Policy::Custom
                && !rules.reaches(found.policy, found.department.as_ref(), &found.caller_ids)
            {
                plan.give_back(now, &found.caller_ids);
            }
        }
        Ok(())
    }

    async fn finish(
        &self,
        attempt: &mut Attempt<'_>,
        job: &RotationLedger,
        context: &RotationContext,
    ) -> Result<(), StorageError> {
        if context.checkpoint.terms.retires {
            let kept = job.kept();
            let days = context.checkpoint.quarantine_days;
            let left = reservations::conclude(attempt, &context.rules, job.pairs(), &kept, days).await?;
            attempt.job.note(Note::numbers_not_retired(&left));
        }
        let changed: HashSet<String> = job.changed().map(str::to_owned).collect();
        follow_users(attempt, &changed).await
    }

    async fn give_up(&self, attempt: &mut Attempt<'_>) -> Result<(), StorageError> {
        if attempt.job.previews() {
            return Ok(());
        }
        if let Some(mut checkpoint) = attempt.load_checkpoint::<Checkpoint>().await? {
            let me = Some(&attempt.job.id);
            let inventory = attempt.inventory().await?;
            let reserved = inventory.iter().filter(|item| item.reserved_by.as_ref() == me);
            checkpoint.released.extend(reserved.map(|item| item.number));
            attempt.save_checkpoint(&checkpoint).await?;
        }
        reservations::release(attempt.world, attempt.account(), &attempt.job.id, &attempt.actor()).await
    }
}

fn holder(login: String, found: Found) -> Holder {
    let Found { created, policy, department, caller_ids, .. } = found;
    Holder { login, created, policy, department, caller_ids }
}

/// Finds out what is to be done, as far as rows.
async fn bring(attempt: &mut Attempt<'_>) -> Result<(Checkpoint, Vec<Holder>), Interrupt> {
    let wanted = read_request(attempt).await?;
    if wanted.preview {
        attempt.preview().await?;
    }
    let country = attempt.country(&attempt.settings().await?);
    let mut inventory = attempt.inventory().await?;
    let stale = reservations::stale(attempt, &inventory).await?;
    let terms = wanted.terms();
    let mut pairs = check(wanted.pairs, country, &inventory, &stale);
    // Writes beside the lists: a preview makes none.
    if terms.retires && !attempt.job.previews() {
        reservations::set(attempt, &mut pairs, &inventory, &stale).await?;
        inventory = attempt.inventory().await?;
        let replacements = Rules::new(&pairs, &inventory, terms);
        reservations::keep(attempt, &pairs, replacements.takes_over(), &inventory).await?;
    }
    let rules = Rules::new(&pairs, &inventory, terms);
    let numbers: Vec<CallerId> = pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
    let sought = Sought { numbers: &numbers, policies: rules.left_by_policy(), only: wanted.only.as_ref() };
    let walk = walk(attempt, sought).await?;
    for pair in &mut pairs {
        pair.by_policy = pair.good().and_then(|good| rules.by_policy(good.old, &walk.policies));
    }
    let unknown = unknown(wanted.only.as_ref(), &walk);
    let rows = attempt.write_rows(rotation::rows(&pairs, &walk.holders, &rules, &unknown)).await?;
    let quarantine_days = wanted.quarantine_days;
    let checkpoint = Checkpoint { rows, pairs, terms, quarantine_days, released: Vec::new(), came_back: Vec::new() };
    attempt.save_checkpoint(&checkpoint).await?;
    let Walk { mut holders, cut, .. } = walk;
    holders.retain(|holder| !cut.contains(&holder.login));
    Ok((checkpoint, holders))
}

/// Those who are looked for. Nobody is looked at for no number, but for those who are named.
async fn walk(attempt: &mut Attempt<'_>, sought: Sought<'_>) -> Result<Walk, StorageError> {
    if sought.numbers.is_empty() && !matches!(sought.only, Some(Only::Logins(_))) {
        return Ok(Walk::default());
    }
    let mut usage = TableUsage::default();
    let walk = attempt.world.lists.holders(attempt.account(), sought, attempt.until, &mut usage).await?;
    attempt.count_usage(usage);
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
        return Ok(Wanted {
            preview: false,
            pairs,
            only: None,
            quarantine_days: None,
            allow_empty: false,
            keep_departments: false,
        });
    }
    let request: RotationRequest = crate::read_request(&bytes)?;
    let pairs =
        request.pairs().map_err(|fault| Interrupt::refused(format!("The request can't be understood: {fault}")))?;
    let RotationRequest { only, quarantine_days, allow_empty, keep_departments, preview, .. } = request;
    Ok(Wanted { preview, pairs, only, quarantine_days, allow_empty, keep_departments })
}

/// Whether a file is an object in JSON, whatever it is called: a request that was made from a file of pairs has that file's
/// name. No header of a file of pairs begins so.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}
