//! Which of the account's numbers a user may dial from.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, header},
};
use rollcall_api_types::{PolicyRequest, UserView};
use rollcall_model::user::User;

use super::change;
use crate::{Shared, body::Body, caller::Caller, preconditions::tag, problem::Problem};

/// `PUT /v1/users/{login}/caller-id-policy`
pub(crate) async fn put(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    headers: HeaderMap,
    Body(PolicyRequest { policy }): Body<PolicyRequest>,
) -> Result<([(HeaderName, String); 1], Json<UserView>), Problem> {
    let user = change(&api, &caller, &headers, &login, |before| Ok(User { policy, ..before.clone() })).await?;
    Ok(([(header::ETAG, tag(user.version))], Json(user.into())))
}
