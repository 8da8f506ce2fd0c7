//! The account's jobs, the latest first.

use axum::{Json, extract::State};
use rollcall_api_types::{JobView, Page};
use rollcall_storage::directory::job_place;

use super::shown;
use crate::{
    Shared,
    caller::Caller,
    page::{ListQuery, NoFilters},
    problem::Problem,
};

/// `GET /v1/jobs`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { page, .. }: ListQuery<NoFilters>,
) -> Result<Json<Page<JobView>>, Problem> {
    let list = page.of(&api, &caller, "jobs")?;
    let after: Option<String> = list.after().await?;
    let limit = i32::try_from(list.limit).unwrap_or(i32::MAX);
    let (jobs, more) = api.directory.jobs(&caller.account, after.as_deref(), limit).await?;
    let next = jobs.last().filter(|_| more).map(job_place);
    Ok(Json(list.page(jobs, next).await?.map(shown)))
}
