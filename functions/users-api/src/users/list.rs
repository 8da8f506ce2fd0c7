//! Lists of users.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use rollcall_model::{
    caller_id::CallerId,
    user::{AgentStatus, Ref, User, WebLogin},
};
use rollcall_platform::directory::{FilterValue, Place, UserFilter};
use serde::{Deserialize, Serialize};

use super::download::download;
use crate::{
    Api, Shared,
    caller::Caller,
    cursor,
    page::{Page, page_size},
    problem::Problem,
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

/// Users that are read for one page at most: what keeps a filter that matches nobody from walking the account.
pub(crate) const READS: usize = 1_000;

type AskedQuery = Result<Query<Asked>, QueryRejection>;

/// `GET /v1/users`; as a CSV file, with `Accept: text/csv`.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    asked: AskedQuery,
) -> Result<Response, Problem> {
    page_or_file(&api, &caller, &headers, "users", asked?.0).await
}

/// `GET /v1/agents`; as a CSV file, with `Accept: text/csv`.
pub(crate) async fn agents(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    asked: AskedQuery,
) -> Result<Response, Problem> {
    let asked = Asked { calling_agent: Some(true), ..asked?.0 };
    page_or_file(&api, &caller, &headers, "agents", asked).await
}

/// `GET /v1/teams/{id}/members`
pub(crate) async fn members(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    asked: AskedQuery,
) -> Result<Json<Page<User>>, Problem> {
    let team = Ref::parse(&id).map_err(|error| Problem::parameter("id", error.to_string()))?;
    let asked = Asked { team: Some(team), ..asked?.0 };
    page(&api, &caller, "members", asked).await.map(Json)
}

/// `GET /v1/extensions`
pub(crate) async fn extensions(
    State(api): Shared,
    caller: Caller,
    asked: AskedQuery,
) -> Result<Json<Page<ExtensionStatus>>, Problem> {
    let asked = Asked { has_extension: Some(true), ..asked?.0 };
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

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::parameter("query", rejection.body_text())
    }
}

async fn page_or_file(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    list: &str,
    asked: Asked,
) -> Result<Response, Problem> {
    let wanted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if wanted.starts_with("text/csv") {
        return download(api, caller, &format!("{list}.csv"), &filter(&asked)).await;
    }
    Ok(Json(page(api, caller, list, asked).await?).into_response())
}

async fn page(api: &Api, caller: &Caller, list: &str, asked: Asked) -> Result<Page<User>, Problem> {
    let limit = page_size(asked.limit)?;
    let filter = filter(&asked);
    let list = format!("{list} {filter:?}");
    let after: Option<(String, String)> = cursor::read(&caller.account, &list, asked.cursor.as_deref())?;
    let after = after.map(|(sort, login)| Place { sort, login });
    let (items, next) = api.directory.users_page(&caller.account, &filter, after.as_ref(), limit, READS).await?;
    let next = next.map(|place| cursor::write(&caller.account, &list, &(place.sort, place.login)));
    Ok(Page { items, next })
}

fn filter(asked: &Asked) -> UserFilter {
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
    UserFilter { equal: equal.into_iter().flatten().collect(), has_extension: asked.has_extension, search }
}
