//! What a job did, by what it has kept.

use rollcall_bulk::{append, job::Job, rotation, undo::Effect, user_upload};
use rollcall_model::{inventory::InventoryNumber, jobs::JobKind};
use serde::de::DeserializeOwned;

use crate::{Attempt, StorageError, plan_log::plans_of};

const READING: &str = "reading what the job did";

/// What it did to users, in the order of its rows.
pub(crate) async fn of(attempt: &Attempt<'_>, job: &Job) -> Result<Vec<Effect>, StorageError> {
    match job.upload.kind {
        JobKind::AppendCallerIds => read::<append::AppendPlan>(attempt, job).await,
        JobKind::UploadUsers => read::<user_upload::UserPlan>(attempt, job).await,
        JobKind::RotateCallerIds => read::<rotation::RotationPlan>(attempt, job).await,
        JobKind::DirectoryImport | JobKind::MappingResync | JobKind::PhoneSnapshot | JobKind::Undo => Ok(Vec::new()),
    }
}

async fn read<P: DeserializeOwned + Into<Effect>>(
    attempt: &Attempt<'_>,
    job: &Job,
) -> Result<Vec<Effect>, StorageError> {
    let plans = plans_of::<P>(attempt, job).await?;
    Ok(plans.into_iter().map(Into::into).filter(Effect::is_any).collect())
}

/// The numbers of the inventory that it took out of service, as they were before.
pub(crate) async fn numbers(attempt: &Attempt<'_>, job: &Job) -> Result<Vec<InventoryNumber>, StorageError> {
    let Some(bytes) = attempt.world.bucket.get(&job.keys().numbers()).await? else { return Ok(Vec::new()) };
    serde_json::from_slice(&bytes).map_err(|error| StorageError::unreadable(READING, error))
}
