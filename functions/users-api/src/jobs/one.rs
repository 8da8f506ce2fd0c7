//! One job, and what came of its rows.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_api_types::{JobView, LinkView};
use rollcall_bulk::job::Job;
use rollcall_engine::world::{Bucket, Jobs};
use rollcall_model::jobs::JobId;
use rollcall_storage::ErrorKind;
use tokio::time::Duration;

use super::{scope::may_read_rows, shown};
use crate::{Api, Shared, accept::names_json, caller::Caller, problem::Problem};

/// How long a download's address is good for.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// `GET /v1/jobs/{id}`
pub(crate) async fn get(State(api): Shared, caller: Caller, Path(id): Path<String>) -> Result<Json<JobView>, Problem> {
    find(&api, &caller, &id).await.map(|job| Json(shown(job)))
}

/// `GET /v1/jobs/{id}/results`; as a link, with `Accept: application/json`.
pub(crate) async fn results(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = find(&api, &caller, &id).await?;
    may_read_rows(&api, &caller, &job).await?;
    let key = job.keys().results();
    download(&api, &headers, &key, "results.csv").await
}

/// `GET /v1/jobs/{id}/failures`; as a link, with `Accept: application/json`.
pub(crate) async fn failures(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = find(&api, &caller, &id).await?;
    may_read_rows(&api, &caller, &job).await?;
    let key = job.keys().failed();
    download(&api, &headers, &key, "failed.csv").await
}

/// The job that a path names.
pub(super) async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Job, Problem> {
    let id = JobId::parse(id).ok_or_else(|| Problem::not_found("job"))?;
    api.directory.job(&caller.account, &id).await?.ok_or_else(|| Problem::not_found("job"))
}

/// The redirect to a file, or the link itself for a page, which can neither follow with a token nor read where it leads.
async fn download(api: &Api, headers: &HeaderMap, key: &str, name: &str) -> Result<Response, Problem> {
    let size = match api.files.size(key).await {
        Ok(size) => size,
        Err(error) if error.kind == ErrorKind::NotFound => return Err(Problem::not_found("file")),
        Err(error) => return Err(error.into()),
    };
    let url = api.files.presigned_get(key, name, GOOD_FOR).await?;
    if names_json(headers) {
        return Ok(Json(LinkView { url, size, expires_in_seconds: GOOD_FOR.as_secs() }).into_response());
    }
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response())
}
