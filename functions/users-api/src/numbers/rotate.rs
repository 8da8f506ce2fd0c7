//! Rotations, which are jobs.

use axum::{Json, extract::State, http::StatusCode};
use rollcall_api_types::RequestedJob;
use rollcall_bulk::rotation::RotationRequest;
use rollcall_model::jobs::JobKind;

use crate::{Shared, ask, body::Body, caller::Caller, problem::Problem};

/// `POST /v1/numbers/rotations`: the numbers themselves are looked at by the job, whose rows tell of each.
pub(crate) async fn ask(
    State(api): Shared,
    caller: Caller,
    Body(request): Body<RotationRequest>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    request.pairs().map_err(|fault| Problem::field(fault.pointer, fault.message))?;
    let name = request.file.as_ref().map_or("rotation.json", |file| file.name.as_str());
    ask::ask(&api, caller, JobKind::RotateCallerIds, name, request.to_json()).await
}
