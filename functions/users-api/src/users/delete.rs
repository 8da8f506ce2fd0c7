//! Deleting a user.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};

use rollcall_storage::directory::WriteOutcome;

use super::find;
use crate::{
    Shared,
    caller::Caller,
    preconditions::{check_match, tag},
    problem::Problem,
};

/// `DELETE /v1/users/{login}`
pub(crate) async fn delete(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let user = find(&api, &caller, &login).await?;
    check_match(&headers, &tag(user.version))?;
    match api.directory.delete_user(&caller.account, &user, &caller.actor()).await? {
        WriteOutcome::Written => Ok(StatusCode::NO_CONTENT),
        WriteOutcome::Stale => Err(Problem::changed()),
    }
}
