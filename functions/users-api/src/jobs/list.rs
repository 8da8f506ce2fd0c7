//! The account's jobs, the latest first.

use axum::{Json, extract::State};
use rollcall_model::job::Shown;
use rollcall_platform::directory::job_place;

use super::shown;
use crate::{
    Shared,
    caller::Caller,
    cursor,
    page::{Page, Paging, page_size},
    problem::Problem,
    query::Query,
};

/// `GET /v1/jobs`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(asked): Query<Paging>,
) -> Result<Json<Page<Shown>>, Problem> {
    let after: Option<String> = cursor::read(&caller.account, "jobs", asked.cursor.as_deref())?;
    let limit = i32::try_from(page_size(asked.limit)?).unwrap_or(i32::MAX);
    let (jobs, more) = api.directory.jobs(&caller.account, after.as_deref(), limit).await?;
    let last = jobs.last().filter(|_| more);
    let next = last.map(|last| cursor::write(&caller.account, "jobs", &job_place(last)));
    Ok(Json(Page { items: jobs.into_iter().map(shown).collect(), next }))
}
