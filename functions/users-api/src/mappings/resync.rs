//! Resyncs: what came of the last, and a new one.

use axum::{Json, extract::State, http::StatusCode};
use rollcall_api_types::{RequestedJob, ResyncView};
use rollcall_bulk::resync::state::ResyncRequest;
use rollcall_engine::world::Schedules;
use rollcall_model::jobs::JobKind;

use crate::{Shared, ask, body::Body, caller::Caller, problem::Problem};

/// `GET /v1/mappings/resync`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<ResyncView>, Problem> {
    let standing = api.directory.resync_state(&caller.account).await?.unwrap_or_default().value;
    Ok(Json(standing.into()))
}

/// `POST /v1/mappings/resync`
pub(crate) async fn ask(
    State(api): Shared,
    caller: Caller,
    Body(request): Body<ResyncRequest>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    ask::ask(&api, caller, JobKind::MappingResync, "resync.json", request.to_json()).await
}
