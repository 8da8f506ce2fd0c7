//! What a token must allow besides jobs themselves. [`rollcall_model::scope`] has the table.

use rollcall_bulk::job::Job;
use rollcall_engine::world::Jobs;
use rollcall_model::{
    jobs::{JobId, JobKind},
    scope::Scope,
};

use crate::{Api, caller::Caller, problem::Problem};

/// The kinds whose doings an undo can take back, and so the scopes of an undo of which nobody has said yet what it undoes.
const UNDONE: [JobKind; 4] =
    [JobKind::AppendCallerIds, JobKind::UploadUsers, JobKind::UploadNumbers, JobKind::RotateCallerIds];

/// Refuses who may not change what this job changes.
pub(super) async fn may_change(api: &Api, caller: &Caller, job: &Job) -> Result<(), Problem> {
    check(api, caller, job, JobKind::changes).await
}

/// Refuses who may not read what the rows of this job tell.
pub(super) async fn may_read_rows(api: &Api, caller: &Caller, job: &Job) -> Result<(), Problem> {
    check(api, caller, job, JobKind::tells).await
}

async fn check(api: &Api, caller: &Caller, job: &Job, scope: fn(JobKind) -> Option<Scope>) -> Result<(), Problem> {
    let kinds = match job.upload.kind {
        JobKind::Undo => undone(api, caller, job.undoes.as_ref()).await?,
        kind => vec![kind],
    };
    kinds.into_iter().filter_map(scope).try_for_each(|scope| caller.require(scope))
}

/// The kind of the job that an undo undoes; every kind that it could be, where that isn't known.
async fn undone(api: &Api, caller: &Caller, undoes: Option<&JobId>) -> Result<Vec<JobKind>, Problem> {
    let undone = match undoes {
        Some(id) => api.directory.job(&caller.account, id).await?,
        None => None,
    };
    Ok(undone.map_or_else(|| UNDONE.to_vec(), |job| vec![job.upload.kind]))
}
