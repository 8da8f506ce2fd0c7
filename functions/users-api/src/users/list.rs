//! Lists of users.

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use rollcall_api_types::{ExtensionView, Page, UserView};
use rollcall_model::{
    push::SwitchState,
    user::{AgentStatus, Ref, User, WebLogin},
};
use rollcall_storage::directory::{FilterValue, Place, Reach, SearchPlace, UserFilter};
use serde::{Deserialize, Serialize};

use super::{download::download, switch};
use crate::{
    Api, Shared,
    accept::prefers_csv,
    caller::Caller,
    page::{ListQuery, PageQuery},
    problem::Problem,
    query::searched,
};

/// The lists' own parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    /// Part of the name, the e-mail address or the login ID.
    search: Option<String>,
    agent_status: Option<AgentStatus>,
    web_login: Option<WebLogin>,
    calling_agent: Option<bool>,
    has_extension: Option<bool>,
    role: Option<Ref>,
    department: Option<Ref>,
    team: Option<Ref>,
    /// How the list stands in the phone system.
    switch: Option<SwitchState>,
}

impl Filters {
    /// Calling agents.
    pub(super) fn of_agents() -> Self {
        Self { calling_agent: Some(true), ..Self::default() }
    }

    /// Whether they say something to search for, if only spaces.
    pub(super) fn is_searched(&self) -> bool {
        self.search.is_some()
    }
}

/// Users that are read for one page at most: what keeps a filter that matches nobody from walking the account.
const READS: usize = 10_000;
/// A search looks through this many users of a larger account besides, in ranges at the same time: 5,000 read units, in some seconds.
const REACH: Reach = Reach { reads: READS, at_once: 100_000 };

/// `GET /v1/users`; as a CSV file, with `Accept: text/csv`.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    ListQuery { filters, page }: ListQuery<Filters>,
) -> Result<Response, Problem> {
    page_or_file(&api, &caller, &headers, "users", ListQuery { filters, page }).await
}

/// `GET /v1/agents`; as a CSV file, with `Accept: text/csv`.
pub(crate) async fn agents(
    State(api): Shared,
    caller: Caller,
    headers: HeaderMap,
    ListQuery { filters, page }: ListQuery<Filters>,
) -> Result<Response, Problem> {
    refuse("calling_agent", filters.calling_agent.is_some())?;
    let filters = Filters { calling_agent: Some(true), ..filters };
    page_or_file(&api, &caller, &headers, "agents", ListQuery { filters, page }).await
}

/// `GET /v1/teams/{id}/members`
pub(crate) async fn members(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    ListQuery { filters, page }: ListQuery<Filters>,
) -> Result<Json<Page<UserView>>, Problem> {
    let team = Ref::parse(&id).map_err(|error| Problem::parameter("id", error.to_string()))?;
    refuse("team", filters.team.is_some())?;
    let filters = Filters { team: Some(team), ..filters };
    page_of(&api, &caller, "members", ListQuery { filters, page }).await.map(Json)
}

/// `GET /v1/extensions`
pub(crate) async fn extensions(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters, page }: ListQuery<Filters>,
) -> Result<Json<Page<ExtensionView>>, Problem> {
    refuse("has_extension", filters.has_extension.is_some())?;
    let filters = Filters { has_extension: Some(true), ..filters };
    let Page { items, next } = page_of(&api, &caller, "extensions", ListQuery { filters, page }).await?;
    let items = items.into_iter().filter_map(|user| {
        let extension = user.profile.extension?;
        Some(ExtensionView {
            name: user.profile.name.as_str().to_owned(),
            login: extension.login.as_str().to_owned(),
            password: "********".to_owned(),
            intercom: extension.intercom.as_str().to_owned(),
            caller_id: extension.caller_id,
            registrations: extension.registrations,
            status: if extension.active { "active" } else { "inactive" }.to_owned(),
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
    asked: ListQuery<Filters>,
) -> Result<Response, Problem> {
    if prefers_csv(headers) {
        let PageQuery { limit, cursor } = &asked.page;
        if limit.is_some() || cursor.is_some() {
            let name = if limit.is_some() { "limit" } else { "cursor" };
            return Err(Problem::parameter(name, "A file has no pages: it holds every user."));
        }
        return download(api, caller, &format!("{list}.csv"), &asked.filters.wanted()?).await;
    }
    Ok(Json(page_of(api, caller, list, asked).await?).into_response())
}

async fn page_of(
    api: &Api,
    caller: &Caller,
    list: &str,
    ListQuery { filters, page }: ListQuery<Filters>,
) -> Result<Page<UserView>, Problem> {
    let wanted = filters.wanted()?;
    let filter = &wanted.filter;
    if filter.search.is_some() && wanted.switch.is_none() {
        let list = page.of(api, caller, format!("found {list} {filter:?}"))?;
        let after: Option<SearchPlace> = list.after().await?;
        let found = api.directory.users_found(&caller.account, filter, after, list.limit, REACH).await?;
        return Ok(list.page(found.0, found.1).await?.map(UserView::from));
    }
    let state = wanted.switch.map(|state| format!("{} ", state.as_str())).unwrap_or_default();
    let list = page.of(api, caller, format!("{state}{list} {filter:?}"))?;
    let (users, next) = wanted.page(api, caller, list.after().await?, list.limit, READS).await?;
    Ok(list.page(users, next).await?.map(UserView::from))
}

/// Which users are wanted.
pub(super) struct Wanted {
    pub(super) filter: UserFilter,
    /// Those alone whose lists stand so in the phone system.
    switch: Option<SwitchState>,
}

/// Where a list goes on.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum After {
    /// By name.
    Place(Place),
    /// By login ID.
    Login(String),
}

impl Wanted {
    /// The users behind `after`, at most `most`, as far as so many reads reach.
    pub(super) async fn page(
        &self,
        api: &Api,
        caller: &Caller,
        after: Option<After>,
        most: usize,
        reads: usize,
    ) -> Result<(Vec<User>, Option<After>), Problem> {
        let (place, login) = match after {
            Some(After::Place(place)) => (Some(place), None),
            Some(After::Login(login)) => (None, Some(login)),
            None => (None, None),
        };
        if let Some(state) = self.switch {
            let (users, next) = switch::users(api, caller, (state, &self.filter), login, most, reads).await?;
            return Ok((users, next.map(After::Login)));
        }
        let page = api.directory.users_page(&caller.account, &self.filter, place.as_ref(), most, reads);
        let (users, next) = page.await?;
        Ok((users, next.map(After::Place)))
    }
}

impl Filters {
    /// What the table is asked for.
    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        let text = |name, value: Option<&str>| value.map(|value| (name, FilterValue::Text(value.to_owned())));
        let equal = [
            text("agent_status", self.agent_status.map(AgentStatus::as_str)),
            text("web_login", self.web_login.map(WebLogin::as_str)),
            text("role", self.role.as_ref().map(Ref::as_str)),
            text("department", self.department.as_ref().map(Ref::as_str)),
            text("team", self.team.as_ref().map(Ref::as_str)),
            self.calling_agent.map(|calling| ("calling_agent", FilterValue::Flag(calling))),
        ];
        let search = searched(self.search.as_deref())?.map(str::to_owned);
        let equal = equal.into_iter().flatten().collect();
        Ok(Wanted { filter: UserFilter { equal, has_extension: self.has_extension, search }, switch: self.switch })
    }
}
