//! What a job did, by what it has kept.

use rollcall_engine::Run;
use rollcall_model::{append, inventory::InventoryNumber, job::Job, roster, rotation, undo::Deed, upload::Kind};
use rollcall_platform::Error;
use serde::de::DeserializeOwned;

const READING: &str = "reading what the job did";

/// What it did to users, in the order of its rows.
pub(crate) async fn of(run: &Run<'_>, job: &Job) -> Result<Vec<Deed>, Error> {
    match job.upload.kind {
        Kind::AppendCallerIds => read::<append::UserPlan>(run, job).await,
        Kind::UploadUsers => read::<roster::Plan>(run, job).await,
        Kind::RotateCallerIds => read::<rotation::UserPlan>(run, job).await,
        Kind::DirectoryImport | Kind::MappingResync | Kind::PhoneSnapshot | Kind::Undo => Ok(Vec::new()),
    }
}

async fn read<P: DeserializeOwned + Into<Deed>>(run: &Run<'_>, job: &Job) -> Result<Vec<Deed>, Error> {
    let plans = run.plans_of::<P>(job).await?;
    Ok(plans.into_iter().map(Into::into).filter(Deed::is_any).collect())
}

/// The numbers of the inventory that it took out of service, as they were before.
pub(crate) async fn numbers(run: &Run<'_>, job: &Job) -> Result<Vec<InventoryNumber>, Error> {
    let Some(bytes) = run.engine.files.get(&job.keys().numbers()).await? else { return Ok(Vec::new()) };
    serde_json::from_slice(&bytes).map_err(|error| Error::unreadable(READING, error))
}
