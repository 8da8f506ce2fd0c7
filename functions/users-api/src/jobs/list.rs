//! The account's jobs, the latest first.

use axum::{Json, extract::State};
use rollcall_api_types::{JobView, Page};
use rollcall_bulk::{
    job::{Job, JobState},
    upload::InboxKey,
};
use rollcall_model::jobs::JobKind;
use rollcall_storage::directory::job_place;
use serde::Deserialize;

use super::shown;
use crate::{Shared, caller::Caller, page::ListQuery, problem::Problem};

/// The list's own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    state: Option<JobState>,
    kind: Option<JobKind>,
    /// The object in the bucket that the job is of.
    upload: Option<String>,
}

/// `GET /v1/jobs`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters: Filters { state, kind, upload }, page }: ListQuery<Filters>,
) -> Result<Json<Page<JobView>>, Problem> {
    let upload = match upload.as_deref().map(InboxKey::from_key) {
        Some(Err(_)) => return Err(Problem::parameter("upload", "It is the `upload` that a leave to upload had.")),
        Some(Ok(upload)) => Some(upload),
        None => None,
    };
    let list = page.of(&api, &caller, format!("jobs {state:?} {kind:?} {upload:?}"))?;
    let is_wanted = |job: &Job| {
        state.is_none_or(|state| job.state == state)
            && kind.is_none_or(|kind| job.upload.kind == kind)
            && upload.as_ref().is_none_or(|upload| job.upload == *upload)
    };
    let (directory, account) = (&api.directory, &caller.account);
    let read = |after: Option<String>, most| async move {
        directory.jobs(account, after.as_deref(), i32::try_from(most).unwrap_or(i32::MAX)).await
    };
    let page = list.find(state.is_none() && kind.is_none() && upload.is_none(), read, is_wanted, job_place).await?;
    Ok(Json(page.map(shown)))
}
