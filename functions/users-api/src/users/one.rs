//! One user.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use rollcall_api_types::UserView;

use super::find_with_settings;
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
    let (user, settings) = find_with_settings(&api, &caller, &login).await?;
    let switch = switch_of(&api, &caller, &user, settings.phone_system).await?;
    Ok(tagged(&headers, &tag(user.version), &UserView { switch, ..UserView::from(user) }))
}
