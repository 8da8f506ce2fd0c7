//! A new user.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use jiff::Timestamp;
use rollcall_api_types::UserView;
use rollcall_engine::world::Accounts;
use rollcall_model::{
    code::ApiCode,
    scope::Scope,
    user::{Claim, LoginId, Profile, User},
};
use rollcall_storage::directory::{CreateOutcome, Taken};
use serde_json::{Map, Value};

use super::numbers_of::{check_default, read_numbers};
use crate::{
    Api, Shared,
    body::{self, Body},
    caller::Caller,
    preconditions::tag,
    problem::Problem,
    route::location,
};

/// `POST /v1/users`: a login ID, and what a profile holds. `login_confirmed` says that a login ID is meant that looks like
/// something else.
pub(crate) async fn create(
    State(api): Shared,
    caller: Caller,
    Body(mut fields): Body<Map<String, Value>>,
) -> Result<(StatusCode, [(HeaderName, String); 2], Json<UserView>), Problem> {
    let login = fields.remove("login").unwrap_or_default();
    let confirmed = body::read(fields.remove("login_confirmed").unwrap_or(Value::Bool(false)));
    let confirmed: bool = confirmed.map_err(|problem| problem.at("/login_confirmed"))?;
    let login = new_login(login, confirmed).map_err(|problem| problem.at("/login"))?;
    let mut fields = Value::from(fields);
    read_numbers(&api, &caller, &mut fields).await?;
    let mut profile: Profile = body::read(fields)?;
    if profile.role.is_none() {
        profile.role = api.directory.settings(&caller.account).await?.default_role;
    }
    let user = User::created(login, profile, Timestamp::now());
    if user.profile.default_caller_id.is_some() {
        let inventory = api.directory.packed_inventory(&caller.account).await?;
        check_default(None, &user, &inventory)?;
    }
    match api.directory.create_user(&caller.account, &user, &caller.actor()).await? {
        CreateOutcome::Created => {}
        CreateOutcome::Taken(taken) => return Err(other_has(&api, &caller, &taken).await?),
    }
    let headers =
        [(header::LOCATION, location("/v1/users", "login", user.login.as_str())), (header::ETAG, tag(user.version))];
    Ok((StatusCode::CREATED, headers, Json(user.into())))
}

/// The login ID of a user that is to be created: one that looks like something else must be confirmed.
fn new_login(login: Value, confirmed: bool) -> Result<LoginId, Problem> {
    let login: String = body::read(login)?;
    let given = LoginId::read(&login).map_err(|error| Problem::field("", format!("{error}.")))?;
    given.for_new_user(confirmed).map_err(|suspect| {
        let detail = format!("{} If it is meant, say so by \"login_confirmed\": true.", suspect.message());
        Problem::field("", detail)
    })
}

/// The problem with something that another user has. Who may read users is told which.
pub(super) async fn other_has(api: &Api, caller: &Caller, taken: &Taken) -> Result<Problem, Problem> {
    let (code, what, at) = match taken {
        Taken::Login => (ApiCode::LoginIdTaken, "login ID", "/login"),
        Taken::Claim(Claim::Email(_)) => (ApiCode::EmailTaken, "e-mail address", "/email"),
        Taken::Claim(Claim::Extension(_)) => (ApiCode::ExtensionInUse, "extension", "/extension/login"),
        // Requests can't name one: it is what an import came upon.
        Taken::Claim(Claim::DirectoryId(_) | Claim::UserName(_) | Claim::ExternalId(_) | Claim::Deleted(_)) => {
            return Ok(Problem::changed());
        }
    };
    let owner = match taken {
        Taken::Claim(claim) if caller.has(Scope::UsersRead) => api.directory.owner(&caller.account, claim).await?,
        Taken::Claim(_) | Taken::Login => None,
    };
    let who = owner.map_or_else(|| "Another user".to_owned(), |owner| format!("The user \"{owner}\""));
    Ok(Problem::new(StatusCode::CONFLICT, code, format!("{who} has this {what}.")).at(at))
}
