//! What a job did, by what it has kept.

use std::collections::{HashMap, hash_map::Entry};

use rollcall_bulk::{
    append,
    job::Job,
    number_upload::NumberUploadPlan,
    rotation,
    undo::{Effect, UndoPlan},
    user_upload,
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::{JobId, JobKind},
};
use serde::de::DeserializeOwned;

use crate::{Attempt, StorageError, plan_log::plans_of};

/// What it did to users, in the order of its rows.
pub(crate) async fn of(attempt: &Attempt<'_>, job: &Job) -> Result<Vec<Effect>, StorageError> {
    match job.upload.kind {
        JobKind::AppendCallerIds => read::<append::AppendPlan>(attempt, job).await,
        JobKind::UploadUsers => read::<user_upload::UserPlan>(attempt, job).await,
        JobKind::RotateCallerIds => read::<rotation::RotationPlan>(attempt, job).await,
        // Of numbers nothing is done to users; the others have no undo.
        JobKind::UploadNumbers
        | JobKind::DirectoryImport
        | JobKind::MappingResync
        | JobKind::PhoneSnapshot
        | JobKind::PushLists
        | JobKind::Undo => Ok(Vec::new()),
    }
}

/// Whether what it did is still kept. Of a job that did nothing, nothing is missing.
pub(crate) async fn are_kept(attempt: &Attempt<'_>, job: &Job) -> Result<bool, StorageError> {
    let (keys, done) = (job.keys(), job.progress);
    let changed_lists = done.users_changed + done.numbers_added + done.numbers_removed > 0;
    let is_there = async |key: String| attempt.world.bucket.get(&key).await.map(|bytes| bytes.is_some());
    if changed_lists && !is_there(keys.changes(0)).await? {
        return Ok(false);
    }
    let retired = job.upload.kind == JobKind::RotateCallerIds && job.counts.applied > 0;
    // One for some users retires nothing, and has plans.
    Ok(!retired || is_there(keys.numbers()).await? || is_there(keys.changes(0)).await?)
}

/// What an upload of numbers did to each: what was there, if anything was, and what it made of it.
pub(crate) async fn of_numbers(
    attempt: &Attempt<'_>,
    job: &Job,
) -> Result<Vec<(Option<InventoryNumber>, InventoryNumber)>, StorageError> {
    let written = |plan: NumberUploadPlan| plan.write().map(|(before, after)| (before.cloned(), after.clone()));
    let mut joined: Vec<(Option<InventoryNumber>, InventoryNumber)> = Vec::new();
    let mut places: HashMap<CallerId, usize> = HashMap::new();
    for (before, after) in plans_of(attempt, job, written).await? {
        match places.entry(after.number) {
            // Decided again by a later attempt: from what the first found to what the last left.
            Entry::Occupied(place) => joined[*place.get()].1 = after,
            Entry::Vacant(place) => {
                place.insert(joined.len());
                joined.push((before, after));
            }
        }
    }
    Ok(joined)
}

async fn read<P: DeserializeOwned + Into<Effect>>(
    attempt: &Attempt<'_>,
    job: &Job,
) -> Result<Vec<Effect>, StorageError> {
    let effects = plans_of(attempt, job, |plan: P| Some(plan.into()).filter(Effect::is_any)).await?;
    Ok(Effect::joined(effects))
}

/// What is left of a job's effects, where earlier undos have taken back a part.
pub(crate) async fn left(
    attempt: &Attempt<'_>,
    mut effects: Vec<Effect>,
    earlier: &[JobId],
) -> Result<Vec<Effect>, StorageError> {
    for undo in earlier {
        let Some(undo) = attempt.world.jobs.job(attempt.account(), undo).await? else { continue };
        let taken_back = |plan: UndoPlan| Some(UndoPlan { passed_over: Vec::new(), ..plan });
        let done = plans_of(attempt, &undo, taken_back).await?;
        let mut by_login: HashMap<&str, Vec<&UndoPlan>> = HashMap::new();
        for plan in &done {
            by_login.entry(plan.login.as_str()).or_default().push(plan);
        }
        effects = effects
            .into_iter()
            .map(|effect| {
                let done = by_login.get(effect.login.as_str()).cloned().unwrap_or_default();
                done.into_iter().fold(effect, Effect::without)
            })
            .filter(Effect::is_any)
            .collect();
    }
    Ok(effects)
}
