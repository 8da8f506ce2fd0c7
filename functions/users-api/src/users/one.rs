//! One user.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use rollcall_api_types::UserView;
use rollcall_model::user::LoginId;

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
    let login = LoginId::parse(&login).map_err(|_| Problem::not_found("user"))?;
    let (user, settings) = api.directory.user_with_settings(&caller.account, &login.folded()).await?;
    let user = user.ok_or_else(|| Problem::not_found("user"))?;
    let switch = switch_of(&api, &caller, &user, settings.phone_system).await?;
    Ok(tagged(&headers, &tag(user.version), &UserView { switch, ..UserView::from(user) }))
}
