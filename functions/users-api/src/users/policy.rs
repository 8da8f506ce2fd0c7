//! Which of the account's numbers a user may dial from.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, header},
};
use rollcall_model::user::{Policy, User};
use serde::Deserialize;

use super::change;
use crate::{Shared, body::Body, caller::Caller, preconditions::tag, problem::Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    policy: Policy,
}

/// `PUT /v1/users/{login}/caller-id-policy`
pub(crate) async fn put(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    headers: HeaderMap,
    Body(NewPolicy { policy }): Body<NewPolicy>,
) -> Result<([(HeaderName, String); 1], Json<User>), Problem> {
    let user = change(&api, &caller, &headers, &login, |before| Ok(User { policy, ..before.clone() })).await?;
    Ok(([(header::ETAG, tag(user.version))], Json(user)))
}
