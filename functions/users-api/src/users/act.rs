//! What may be done with one user.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use rollcall_api_types::UserView;
use rollcall_model::{code::ApiCode, user::Action};

use super::change;
use crate::{Shared, caller::Caller, preconditions::tag, problem::Problem};

/// `POST /v1/users/{login}/actions/{action}`
pub(crate) async fn act(
    State(api): Shared,
    caller: Caller,
    Path((login, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<([(HeaderName, String); 1], Json<UserView>), Problem> {
    let action = Action::named(&action).ok_or_else(|| Problem::not_found("action"))?;
    let user = change(&api, &caller, &headers, &login, |before| {
        let mut after = before.clone();
        let illegal = |illegal: rollcall_model::user::InvalidAgentState| {
            Problem::new(StatusCode::CONFLICT, ApiCode::InvalidAgentState, illegal.to_string())
        };
        after.act(action).map_err(illegal)?;
        Ok(after)
    })
    .await?;
    Ok(([(header::ETAG, tag(user.version))], Json(user.into())))
}
