//! Jobs whose file the API drops by itself: a request, or rows.

use axum::{Json, http::StatusCode};
use jiff::Timestamp;
use rollcall_api_types::RequestedJob;
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_engine::{
    drop_request,
    world::{Bucket, Permits},
};
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
    // Whether it is a preview, the request says itself.
    drop_file(api, caller, kind, name, request, false).await
}

/// Drops a file for a job. The caller gets its report.
pub(crate) async fn drop_file(
    api: &Api,
    caller: Caller,
    kind: JobKind,
    name: &str,
    file: Vec<u8>,
    preview: bool,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    // A folder of its own, so that no request overwrites another.
    let name = format!("{}/{name}", Uuid::new_v4());
    let notify = caller.email.clone().filter(EmailAddress::takes_reports);
    let options = UploadOptions { notify, preview, ..UploadOptions::default() };
    let upload = InboxKey { account: caller.account.clone(), kind, name };
    let stores: (&dyn Permits, &dyn Bucket) = (&api.directory, &api.files);
    let source = drop_request(stores, &upload, file, Timestamp::now(), caller.actor(), options).await?;
    Ok((StatusCode::ACCEPTED, Json(RequestedJob { upload: upload.key(), job: JobId::of(&source) })))
}
