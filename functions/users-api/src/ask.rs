//! Jobs whose file is a request, which the API drops by itself.

use axum::{Json, http::StatusCode};
use jiff::Timestamp;
use rollcall_api_types::RequestedJob;
use rollcall_bulk::upload::InboxKey;
use rollcall_engine::drop_request;
use rollcall_model::{
    email::EmailAddress,
    jobs::{JobId, JobKind},
};
use uuid::Uuid;

use crate::{Api, caller::Caller, problem::Problem};

/// Drops a request. The caller gets its report.
pub(crate) async fn ask(
    api: &Api,
    caller: Caller,
    kind: JobKind,
    name: &str,
    request: Vec<u8>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    // A folder of its own, so that no request overwrites another.
    let name = format!("{}/{name}", Uuid::new_v4());
    let (asked_by, notify) = (caller.actor(), caller.email.clone().filter(EmailAddress::takes_reports));
    let upload = InboxKey { account: caller.account.clone(), kind, name };
    let source =
        drop_request((&api.directory, &api.files), &upload, request, Timestamp::now(), (asked_by, notify)).await?;
    Ok((StatusCode::ACCEPTED, Json(RequestedJob { upload: upload.key(), job: JobId::of(&source) })))
}
