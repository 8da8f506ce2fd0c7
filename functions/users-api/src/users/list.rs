//! Lists of users.

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use rollcall_model::{
    caller_id::CallerId,
    user::{AgentStatus, Ref, User, WebLogin},
};
use rollcall_storage::directory::{FilterValue, Place, UserFilter};
use serde::{Deserialize, Serialize};

use super::download::download;
use crate::{
    Api, Shared,
    accept::prefers_csv,
    caller::Caller,
    page::{Page, page_size},
    problem::Problem,
    query::Query,
};

/// What a list may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Part of the name, the e-mail address or the login ID.
    search: Option<String>,
    agent_status: Option<AgentStatus>,
    web_login: Option<WebLogin>,
    calling_agent: Option<bool>,
    has_extension: Option<bool>,
    role: Option<Ref>,
    department: Option<Ref>,
    team: Option<Ref>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// An extension as its list shows it.
#[derive(Serialize)]
pub(crate) struct ExtensionStatus {
    name: String,
    login: String,
    /// Masked, always: the password belongs to the phone system and is not kept here.
    password: &'static str,
    intercom: String,
    caller_id: Option<CallerId>,
    registrations: u32,
    status: &'static str,
    user: String,
}

/// Longest search, in characters: a name has no more.
const MAX_SEARCH: usize = 256;
/// Users that are read for one page at most: what keeps a filter that matches nobody from walking the account.
pub(crate) const READS: usize = 1_000;

/// `GET /v1/users`; as a CSV file, with `Accept: text/csv`.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    page_or_file(&api, &caller, &headers, "users", asked).await
}

/// `GET /v1/agents`; as a CSV file, with `Accept: text/csv`.
pub(crate) async fn agents(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    refuse("calling_agent", asked.calling_agent.is_some())?;
    let asked = Asked { calling_agent: Some(true), ..asked };
    page_or_file(&api, &caller, &headers, "agents", asked).await
}

/// `GET /v1/teams/{id}/members`
pub(crate) async fn members(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<User>>, Problem> {
    let team = Ref::parse(&id).map_err(|error| Problem::parameter("id", error.to_string()))?;
    refuse("team", asked.team.is_some())?;
    let asked = Asked { team: Some(team), ..asked };
    page(&api, &caller, "members", asked).await.map(Json)
}

/// `GET /v1/extensions`
pub(crate) async fn extensions(
    State(api): Shared,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<ExtensionStatus>>, Problem> {
    refuse("has_extension", asked.has_extension.is_some())?;
    let asked = Asked { has_extension: Some(true), ..asked };
    let Page { items, next } = page(&api, &caller, "extensions", asked).await?;
    let items = items.into_iter().filter_map(|user| {
        let extension = user.profile.extension?;
        Some(ExtensionStatus {
            name: user.profile.name.as_str().to_owned(),
            login: extension.login.as_str().to_owned(),
            password: "********",
            intercom: extension.intercom.as_str().to_owned(),
            caller_id: extension.caller_id,
            registrations: extension.registrations,
            status: if extension.active { "active" } else { "inactive" },
            user: user.login.to_string(),
        })
    });
    Ok(Json(Page { items: items.collect(), next }))
}

/// Refuses a filter in a list that is made by it.
fn refuse(name: &str, is_asked: bool) -> Result<(), Problem> {
    if is_asked { Err(Problem::parameter(name, "This list has no such filter.")) } else { Ok(()) }
}

async fn page_or_file(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    list: &str,
    asked: Asked,
) -> Result<Response, Problem> {
    if prefers_csv(headers) {
        if asked.limit.is_some() || asked.cursor.is_some() {
            let name = if asked.limit.is_some() { "limit" } else { "cursor" };
            return Err(Problem::parameter(name, "A file has no pages: it holds every user."));
        }
        return download(api, caller, &format!("{list}.csv"), &filter(&asked)?).await;
    }
    Ok(Json(page(api, caller, list, asked).await?).into_response())
}

async fn page(api: &Api, caller: &Caller, list: &str, asked: Asked) -> Result<Page<User>, Problem> {
    let limit = page_size(asked.limit)?;
    let filter = filter(&asked)?;
    let list = format!("{list} {filter:?}");
    let after: Option<(String, String)> = api.place(&caller.account, &list, asked.cursor.as_deref()).await?;
    let after = after.map(|(sort, login)| Place { sort, login });
    let (items, next) = api.directory.users_page(&caller.account, &filter, after.as_ref(), limit, READS).await?;
    let next = api.cursor(&caller.account, &list, next.map(|place| (place.sort, place.login))).await?;
    Ok(Page { items, next })
}

fn filter(asked: &Asked) -> Result<UserFilter, Problem> {
    let text = |name, value: Option<&str>| value.map(|value| (name, FilterValue::Text(value.to_owned())));
    let equal = [
        text("agent_status", asked.agent_status.map(AgentStatus::as_str)),
        text("web_login", asked.web_login.map(WebLogin::as_str)),
        text("role", asked.role.as_ref().map(Ref::as_str)),
        text("department", asked.department.as_ref().map(Ref::as_str)),
        text("team", asked.team.as_ref().map(Ref::as_str)),
        asked.calling_agent.map(|calling| ("calling_agent", FilterValue::Flag(calling))),
    ];
    let search = asked.search.clone().filter(|search| !search.trim().is_empty());
    if search.as_ref().is_some_and(|search| search.chars().count() > MAX_SEARCH) {
        return Err(Problem::parameter("search", format!("A search has {MAX_SEARCH} characters at most.")));
    }
    Ok(UserFilter { equal: equal.into_iter().flatten().collect(), has_extension: asked.has_extension, search })
}
