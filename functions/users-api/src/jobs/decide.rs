//! What a person decides about jobs that have shown what they would do, or that held themselves.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use rollcall_api_types::{JobView, RequestedJob, UndoJobRequest};
use rollcall_bulk::{
    directory_import::sync_state::{SyncOutcome, SyncState, Synced},
    job::{InvalidJobState, Job},
    push::state::PushState,
    resync::state::ResyncState,
    undo::UndoRequest,
};
use rollcall_engine::{self as engine, change_push_state, change_resync_state, change_sync_state, decide};
use rollcall_model::{
    code::ApiCode,
    jobs::{Decision, JobKind},
};

use super::{one::find, scope::may_change, shown};
use crate::{Api, Shared, ask::ask, body::Body, caller::Caller, problem::Problem};

/// `POST /v1/jobs/{id}/execute`: the job does what it has said that it would. It decides on what it finds then: what it has seen
/// may be hours old.
pub(crate) async fn execute(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    let job = find(&api, &caller, &id).await?;
    may_change(&api, &caller, &job).await?;
    let job = engine::execute((&api.directory, &api.files), &job, &caller.actor()).await?.map_err(illegal)?;
    Ok((StatusCode::ACCEPTED, Json(shown(job))))
}

/// `POST /v1/jobs/{id}/discard`: what it would have done was not meant.
pub(crate) async fn discard(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    let job = find(&api, &caller, &id).await?;
    may_change(&api, &caller, &job).await?;
    let discarded = decide(&api.directory, &job, Decision::Discard, &caller.actor()).await?.map_err(illegal)?;
    release(&api, &caller, &job).await?;
    Ok(Json(shown(discarded)))
}

/// The schedule leaves accounts alone where a person is waited for. Now it need not any more.
async fn release(api: &Api, caller: &Caller, held: &Job) -> Result<(), Problem> {
    match held.upload.kind {
        JobKind::MappingResync | JobKind::PhoneSnapshot => {
            let change = |standing: &mut ResyncState| {
                if let Some(ended) = standing.ended.as_mut().filter(|ended| ended.job == held.id) {
                    ended.on_hold = false;
                }
            };
            change_resync_state(&api.directory, &caller.account, change).await?;
        }
        JobKind::DirectoryImport => {
            let change = |standing: &mut SyncState| match &mut standing.last_sync {
                Some(Synced { job, outcome, .. }) if *job == held.id => {
                    if let SyncOutcome::OnHold { reason } = outcome {
                        *outcome = SyncOutcome::Refused { reason: std::mem::take(reason) };
                    }
                }
                _ => {}
            };
            change_sync_state(&api.directory, &caller.account, change).await?;
        }
        JobKind::PushLists => {
            let change = |state: &mut PushState| {
                if let Some(stopped) = state.stopped.as_mut().filter(|stopped| stopped.job == held.id) {
                    stopped.on_hold = false;
                }
            };
            change_push_state(&api.directory, &caller.account, change).await?;
        }
        JobKind::AppendCallerIds
        | JobKind::UploadUsers
        | JobKind::UploadNumbers
        | JobKind::RotateCallerIds
        | JobKind::Undo => {}
    }
    Ok(())
}

/// `POST /v1/jobs/{id}/undo`: another job takes back what this one did.
pub(crate) async fn undo(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Body(UndoJobRequest { preview, allow_empty }): Body<UndoJobRequest>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    let job = find(&api, &caller, &id).await?;
    may_change(&api, &caller, &job).await?;
    if !job.upload.kind.has_undo() {
        let detail = format!("What a job of the kind {} did can't be taken back.", job.upload.kind.as_str());
        return Err(Problem::new(StatusCode::CONFLICT, ApiCode::UndoUnsupported, detail));
    }
    job.decide(Decision::Undo, &caller.actor()).map_err(illegal)?;
    ask(&api, caller, JobKind::Undo, "undo.json", UndoRequest { job: job.id, preview, allow_empty }.to_json()).await
}

fn illegal(illegal: InvalidJobState) -> Problem {
    Problem::new(StatusCode::CONFLICT, ApiCode::IllegalMove, illegal.to_string())
}
