//! The account's jobs, the latest first.

use axum::{Json, extract::State};
use rollcall_bulk::job::JobView;
use rollcall_storage::directory::job_place;

use super::shown;
use crate::{
    Shared,
    caller::Caller,
    page::{Page, Paging, page_size},
    problem::Problem,
    query::Query,
};

/// `GET /v1/jobs`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(asked): Query<Paging>,
) -> Result<Json<Page<JobView>>, Problem> {
    let after: Option<String> = api.place(&caller.account, "jobs", asked.cursor.as_deref()).await?;
    let limit = i32::try_from(page_size(asked.limit)?).unwrap_or(i32::MAX);
    let (jobs, more) = api.directory.jobs(&caller.account, after.as_deref(), limit).await?;
    let last = jobs.last().filter(|_| more);
    let next = api.cursor(&caller.account, "jobs", last.map(job_place)).await?;
    Ok(Json(Page { items: jobs.into_iter().map(shown).collect(), next }))
}
