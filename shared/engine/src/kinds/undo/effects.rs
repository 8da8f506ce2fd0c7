//! What a job did, by what it has kept.

use std::collections::HashMap;

use rollcall_bulk::{
    append,
    job::Job,
    rotation,
    undo::{Effect, UndoPlan},
    user_upload,
};
use rollcall_model::jobs::{JobId, JobKind};
use serde::de::DeserializeOwned;

use crate::{Attempt, StorageError, plan_log::plans_of};

/// What it did to users, in the order of its rows.
pub(crate) async fn of(attempt: &Attempt<'_>, job: &Job) -> Result<Vec<Effect>, StorageError> {
    match job.upload.kind {
        JobKind::AppendCallerIds => read::<append::AppendPlan>(attempt, job).await,
        JobKind::UploadUsers => read::<user_upload::UserPlan>(attempt, job).await,
        JobKind::RotateCallerIds => read::<rotation::RotationPlan>(attempt, job).await,
        JobKind::DirectoryImport | JobKind::MappingResync | JobKind::PhoneSnapshot | JobKind::Undo => Ok(Vec::new()),
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
