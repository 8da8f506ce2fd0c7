//! One user.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use rollcall_api_types::UserView;

use super::find;
use crate::{
    Shared,
    caller::Caller,
    phone_system::switch_of,
    preconditions::{tag, tagged},
    problem::Problem,
};

/// `GET /v1/users/{login}`
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let user = find(&api, &caller, &login).await?;
    let switch = switch_of(&api, &caller, &user).await?;
    Ok(tagged(&headers, &tag(user.version), &UserView { switch, ..UserView::from(user) }))
}
