//! Resyncs: what came of the last, and a new one.

use axum::{Json, extract::State, http::StatusCode};
use rollcall_bulk::resync::state::{Ended, ResyncRequest, Resynced};
use rollcall_engine::world::Schedules;
use rollcall_model::jobs::JobKind;
use serde::Serialize;

use crate::{
    Shared,
    ask::{self, Asked},
    body::Body,
    caller::Caller,
    problem::Problem,
};

/// How the account stands with its resyncs.
#[derive(Serialize)]
pub(crate) struct Shown {
    /// The last that was carried out.
    done: Option<Resynced>,
    /// The last that was not, if none has been carried out since.
    ended: Option<Ended>,
    /// One holds, and waits for a person. Until then the schedule asks for no other.
    on_hold: bool,
}

/// `GET /v1/mappings/resync`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<Shown>, Problem> {
    let standing = api.directory.resync_state(&caller.account).await?.unwrap_or_default().value;
    let on_hold = standing.is_on_hold();
    Ok(Json(Shown { done: standing.done, ended: standing.ended, on_hold }))
}

/// `POST /v1/mappings/resync`
pub(crate) async fn ask(
    State(api): Shared,
    caller: Caller,
    Body(request): Body<ResyncRequest>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    ask::ask(&api, caller, JobKind::MappingResync, "resync.json", request.to_json()).await
}
