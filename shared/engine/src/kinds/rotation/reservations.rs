//! What a rotation does to the numbers themselves: a reservation at the beginning, retirement or rest at the end.
//!
//! The reservation is also the permission to end what was begun: where it is gone, a person has decided about the number meanwhile, or an
//! earlier attempt has come this far.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    Attempt, StorageError,
    number_changes::{NumberFate, change_each},
    world::World,
};
use bytes::Bytes;
use jiff::{ToSpan, civil::Date};
use rollcall_bulk::{
    job::JobState,
    rotation::{Checked, Pair, PairVerdict, Rules},
    upload::ResultKeys,
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    code::RowCode,
    inventory::{InventoryNumber, NumberFacts, NumberState, SecondLook, utc_day},
    jobs::JobId,
    stored,
    user::Ref,
};
use serde::{Deserialize, Serialize};

/// The jobs whose reservations count for nothing: this one, and those that have ended without taking theirs away, since they were
/// given up.
pub(crate) async fn stale(attempt: &Attempt<'_>, inventory: &[InventoryNumber]) -> Result<Vec<JobId>, StorageError> {
    let mut stale = vec![attempt.job.id.clone()];
    let reserving: HashSet<&JobId> = inventory.iter().filter_map(|item| item.reserved_by.as_ref()).collect();
    for job in reserving {
        let record = attempt.world.jobs.job(attempt.account(), job).await?;
        if record.is_none_or(|record| record.state != JobState::Running) {
            stale.push(job.clone());
        }
    }
    Ok(stale)
}

/// Reserves the numbers that are retired. One that an earlier attempt has reserved, and that has come to be no good pair since, loses its
/// reservation. A pair whose number has been retired meanwhile is none any more.
pub(crate) async fn set(
    attempt: &Attempt<'_>,
    pairs: &mut [Checked],
    inventory: &[InventoryNumber],
    stale: &[JobId],
) -> Result<(), StorageError> {
    let inventory: HashMap<CallerId, &InventoryNumber> = inventory.iter().map(|item| (item.number, item)).collect();
    let retired: HashSet<CallerId> = pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
    let stays = |item: &&&InventoryNumber| {
        item.reserved_by.as_ref() == Some(&attempt.job.id) && !retired.contains(&item.number)
    };
    let stay: HashSet<CallerId> = inventory.values().filter(stays).map(|item| item.number).collect();
    let released: Vec<Pair> = stay.iter().map(|&old| Pair { old, new: None }).collect();
    end(attempt, &released, &stay, None).await?;

    let to_reserve = retired.iter().filter_map(|number| Some((*inventory.get(number)?).clone())).collect();
    let reserved = reserve(attempt, to_reserve, stale).await?;
    for pair in pairs.iter_mut() {
        let Some(old) = pair.good().map(|pair| pair.old).filter(|old| inventory.contains_key(old)) else { continue };
        if reserved.get(&old) == Some(&true) {
            continue;
        }
        pair.verdict = PairVerdict::Bad {
            code: RowCode::NumberRetired,
            field: rollcall_bulk::rotation::COLUMNS[0].name.to_owned(),
            message: "The number has been retired meanwhile, or another rotation is retiring it.".to_owned(),
        };
    }
    Ok(())
}

/// Numbers as they were before a rotation: what undoes it knows them by that.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct NumbersBefore {
    /// Those that it retires.
    pub retired: Vec<InventoryNumber>,
    /// Those that take over a department.
    pub replacements: Vec<InventoryNumber>,
    /// The rotation has come to its end, and has retired all of them.
    #[serde(default)]
    pub concluded: bool,
}

/// Keeps the numbers as they are when they are reserved: a change of state takes a reservation away, so that what is kept stays true until
/// the end. What a later attempt reserves anew is kept anew. What an earlier one has brought to its end stays as it was kept then.
pub(crate) async fn keep(
    attempt: &Attempt<'_>,
    pairs: &[Checked],
    takes_over: &BTreeMap<CallerId, Ref>,
    inventory: &[InventoryNumber],
) -> Result<(), StorageError> {
    let kept = if attempt.job.attempts > 1 { before(attempt, &attempt.keys).await? } else { None };
    let mut kept = kept.unwrap_or_default();
    let olds: HashSet<CallerId> = pairs.iter().filter_map(Checked::good).map(|pair| pair.old).collect();
    let me = Some(&attempt.job.id);
    for item in inventory {
        if olds.contains(&item.number) && item.state_by.as_ref() != me {
            put(&mut kept.retired, InventoryNumber { reserved_by: None, second_look: None, ..item.clone() });
        }
        if takes_over.contains_key(&item.number) && item.department_by.as_ref() != me {
            put(&mut kept.replacements, item.clone());
        }
    }
    let json = stored::to_json(&kept);
    attempt.world.bucket.put(&attempt.keys.numbers(), "application/json", json.into()).await
}

fn put(kept: &mut Vec<InventoryNumber>, item: InventoryNumber) {
    kept.retain(|other| other.number != item.number);
    kept.push(item);
}

/// Reserves numbers. Whether each is reserved: one may not be to be had any more.
async fn reserve(
    attempt: &Attempt<'_>,
    numbers: Vec<InventoryNumber>,
    stale: &[JobId],
) -> Result<HashMap<CallerId, bool>, StorageError> {
    let me = &attempt.job.id;
    let decide = |now: &InventoryNumber| {
        // It has come to its end before: a job that was sent back.
        if now.state_by.as_ref() == Some(me) {
            return NumberFate::Stays(true);
        }
        let others = now.reserved_by.as_ref().is_some_and(|job| !stale.contains(job));
        if now.facts.state == NumberState::Retired || others {
            return NumberFate::Stays(false);
        }
        if now.reserved_by.as_ref() == Some(me) {
            return NumberFate::Stays(true);
        }
        let reserved = InventoryNumber { reserved_by: Some(me.clone()), version: now.version + 1, ..now.clone() };
        NumberFate::Becomes(Box::new(reserved), true)
    };
    change_each(attempt.world, attempt.account(), &attempt.actor(), numbers, decide).await
}

/// Takes reservations of a job away, where it is left: whatever else has become of the numbers stays. Two who do it at once do it once.
pub(crate) async fn release(world: &World, account: &AccountId, job: &JobId, by: &Actor) -> Result<(), StorageError> {
    let decide = |now: &InventoryNumber| {
        if now.reserved_by.as_ref() != Some(job) {
            return NumberFate::Stays(());
        }
        let released = InventoryNumber { reserved_by: None, version: now.version + 1, ..now.clone() };
        NumberFate::Becomes(Box::new(released), ())
    };
    let inventory = world.numbers.inventory(account).await?;
    change_each(world, account, by, inventory, decide).await.map(drop)
}

/// Ends what the reservations began. Numbers that somebody keeps stay in service. Replacements take over departments first, so that nobody who dials by
/// one is without a number in between. Gives the numbers that are left as they are, since somebody has decided about them meanwhile, sorted.
pub(crate) async fn conclude(
    attempt: &Attempt<'_>,
    rules: &Rules,
    pairs: &[Checked],
    kept: &HashSet<CallerId>,
    quarantine_days: Option<u16>,
) -> Result<Vec<CallerId>, StorageError> {
    let gone: HashSet<CallerId> = pairs
        .iter()
        .filter_map(Checked::good)
        .filter(|pair| !kept.contains(&pair.old))
        .filter_map(|pair| pair.new)
        .collect();
    let takes = rules.takes_over().iter().filter(|(new, _)| gone.contains(new));
    take_over(attempt, &takes.map(|(&new, department)| (new, department)).collect()).await?;
    let day = utc_day(attempt.job.started);
    let until = quarantine_days.map(|days| day.saturating_add(i64::from(days).days()));
    let ends: Vec<Pair> = pairs.iter().filter_map(Checked::good).collect();
    let mut ended = end(attempt, &ends, kept, until).await?;
    let mut left: Vec<CallerId> =
        ended.extract_if(|_, ended| matches!(ended, Ended::Not)).map(|(number, _)| number).collect();
    left.retain(|number| !kept.contains(number));
    left.sort_unstable();
    let Some(mut before) = before(attempt, &attempt.keys).await? else { return Ok(left) };
    // An undo gives back what was so just before the end, and of those alone that have come to it.
    before.retired.retain(|item| ended.contains_key(&item.number));
    for item in &mut before.retired {
        if let Some(Ended::Now(was)) = ended.get(&item.number) {
            *item = InventoryNumber { reserved_by: None, second_look: None, ..(**was).clone() };
        }
    }
    before.concluded = true;
    attempt.world.bucket.put(&attempt.keys.numbers(), "application/json", stored::to_json(&before).into()).await?;
    Ok(left)
}

/// What a rotation has kept of its numbers, if anything.
pub(crate) async fn before(attempt: &Attempt<'_>, keys: &ResultKeys) -> Result<Option<NumbersBefore>, StorageError> {
    let bytes = attempt.world.bucket.get(&keys.numbers()).await?;
    let read = |bytes: Bytes| {
        stored::from_json(&bytes).map_err(|error| StorageError::unreadable("reading what became of numbers", error))
    };
    bytes.map(read).transpose()
}

/// Gives replacements the departments of the numbers whose places they take, unless they have got one meanwhile.
async fn take_over(attempt: &Attempt<'_>, departments: &HashMap<CallerId, &Ref>) -> Result<(), StorageError> {
    let decide = |before: &InventoryNumber| {
        if before.facts.department.is_some() {
            return NumberFate::Stays(());
        }
        let department = Some(departments[&before.number].clone());
        let Ok(mut after) = before.change(NumberFacts { department, ..before.facts.clone() }, attempt.world.now())
        else {
            return NumberFate::Stays(());
        };
        after.department_by = Some(attempt.job.id.clone());
        NumberFate::Becomes(Box::new(after), ())
    };
    change_present(attempt, departments.keys().copied().collect(), decide).await.map(drop)
}

/// Whether a rotation has brought a number to its end.
enum Ended {
    /// By this attempt: as it was just before.
    Now(Box<InventoryNumber>),
    /// By an earlier one.
    Before,
    /// It has not: somebody keeps it, or has decided about it meanwhile.
    Not,
}

/// As [`change_each`], by what the numbers are now.
async fn change_present<T>(
    attempt: &Attempt<'_>,
    numbers: Vec<CallerId>,
    decide: impl Fn(&InventoryNumber) -> NumberFate<T>,
) -> Result<HashMap<CallerId, T>, StorageError> {
    let (world, account) = (attempt.world, attempt.account());
    let present = if numbers.is_empty() { Vec::new() } else { world.numbers.numbers_of(account, &numbers).await? };
    change_each(world, account, &attempt.actor(), present, decide).await
}

/// Brings the old numbers of pairs to their ends, where this job has reserved them. One that somebody keeps only loses its reservation.
async fn end(
    attempt: &Attempt<'_>,
    pairs: &[Pair],
    kept: &HashSet<CallerId>,
    rests_until: Option<Date>,
) -> Result<HashMap<CallerId, Ended>, StorageError> {
    // A pair may stand twice.
    let replacements: HashMap<CallerId, Option<CallerId>> = pairs.iter().map(|pair| (pair.old, pair.new)).collect();
    let decide = |before: &InventoryNumber| {
        if before.reserved_by.as_ref() != Some(&attempt.job.id) {
            let mine = before.state_by.as_ref() == Some(&attempt.job.id);
            return NumberFate::Stays(if mine { Ended::Before } else { Ended::Not });
        }
        let (new, kept) = (replacements[&before.number], kept.contains(&before.number));
        let mut facts = before.facts.clone();
        if !kept {
            (facts.state, facts.resting_until) = match rests_until {
                Some(_) => (NumberState::Resting, rests_until),
                None => (NumberState::Retired, None),
            };
        }
        // One that has been retired meanwhile has lost its reservation by that.
        let Ok(mut after) = before.change(facts, attempt.world.now()) else { return NumberFate::Stays(Ended::Not) };
        (after.reserved_by, after.version) = (None, before.version + 1);
        if !kept {
            after.state_by = Some(attempt.job.id.clone());
        }
        if !after.facts.state.is_usable() {
            after.second_look = Some(SecondLook { from: utc_day(attempt.world.now()), replacement: new });
        }
        if after.facts.state == NumberState::Retired {
            after.replaced_by = new;
        }
        NumberFate::Becomes(Box::new(after), if kept { Ended::Not } else { Ended::Now(Box::new(before.clone())) })
    };
    change_present(attempt, replacements.keys().copied().collect(), decide).await
}
