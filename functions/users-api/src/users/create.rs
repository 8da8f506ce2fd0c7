//! A new user.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use rollcall_model::{
    code::ApiCode,
    email::EmailAddress,
    user::{LoginId, User},
};
use rollcall_platform::directory::Taken;
use serde_json::{Map, Value};

use crate::{
    Api, Shared,
    body::{self, Body},
    caller::Caller,
    preconditions::tag,
    problem::Problem,
    route::path_segment,
};

/// `POST /v1/users`: a login ID, and what a profile holds.
pub(crate) async fn create(
    State(api): Shared,
    caller: Caller,
    Body(mut fields): Body<Map<String, Value>>,
) -> Result<(StatusCode, [(HeaderName, String); 2], Json<User>), Problem> {
    let login = fields.remove("login").unwrap_or_default();
    let login: LoginId = body::read(login).map_err(|problem| problem.at("/login"))?;
    let user = User::new(login, body::read(fields.into())?);
    match api.directory.create_user(&caller.account, &user).await? {
        Ok(()) => {}
        Err(Taken::Login) => {
            let detail = "Another user has this login ID.";
            return Err(Problem::new(StatusCode::CONFLICT, ApiCode::LoginIdTaken, detail).at("/login"));
        }
        Err(Taken::Email) => return Err(email_taken()),
    }
    let headers = [
        (header::LOCATION, format!("/v1/users/{}", path_segment(user.login.as_str()))),
        (header::ETAG, tag(user.version)),
    ];
    Ok((StatusCode::CREATED, headers, Json(user)))
}

/// Refuses an address that another user has.
pub(super) async fn check_email(
    api: &Api,
    caller: &Caller,
    email: &EmailAddress,
    login: &LoginId,
) -> Result<(), Problem> {
    let owner = api.directory.email_owner(&caller.account, email).await?;
    if owner.is_some_and(|owner| owner != login.folded()) { Err(email_taken()) } else { Ok(()) }
}

fn email_taken() -> Problem {
    Problem::new(StatusCode::CONFLICT, ApiCode::EmailTaken, "Another user has this e-mail address.").at("/email")
}
