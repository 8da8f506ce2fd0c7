//! Roles, departments and teams.

mod delete;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use rollcall_api_types::{CatalogEntryRequest, CatalogEntryView, CatalogView};
use rollcall_engine::world::Catalogs;
use rollcall_model::{
    catalog::{CatalogEntry, CatalogKind},
    user::Ref,
};

use self::delete::{Asked, delete};
use crate::{Shared, body::Body, caller::Caller, problem::Problem, query::Query};

/// `GET /v1/roles`
pub(crate) async fn roles(state: Shared, caller: Caller) -> Result<Json<CatalogView>, Problem> {
    list(state, caller, CatalogKind::Role).await
}

/// `GET /v1/departments`
pub(crate) async fn departments(state: Shared, caller: Caller) -> Result<Json<CatalogView>, Problem> {
    list(state, caller, CatalogKind::Department).await
}

/// `GET /v1/teams`
pub(crate) async fn teams(state: Shared, caller: Caller) -> Result<Json<CatalogView>, Problem> {
    list(state, caller, CatalogKind::Team).await
}

/// `PUT /v1/roles/{id}`
pub(crate) async fn put_role(
    state: Shared,
    caller: Caller,
    id: Path<String>,
    body: Body<CatalogEntryRequest>,
) -> Result<Json<CatalogEntryView>, Problem> {
    put(state, caller, CatalogKind::Role, &id, body).await
}

/// `PUT /v1/departments/{id}`
pub(crate) async fn put_department(
    state: Shared,
    caller: Caller,
    id: Path<String>,
    body: Body<CatalogEntryRequest>,
) -> Result<Json<CatalogEntryView>, Problem> {
    put(state, caller, CatalogKind::Department, &id, body).await
}

/// `PUT /v1/teams/{id}`
pub(crate) async fn put_team(
    state: Shared,
    caller: Caller,
    id: Path<String>,
    body: Body<CatalogEntryRequest>,
) -> Result<Json<CatalogEntryView>, Problem> {
    put(state, caller, CatalogKind::Team, &id, body).await
}

/// `DELETE /v1/roles/{id}`
pub(crate) async fn delete_role(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    delete(&api, &caller, CatalogKind::Role, &entry_id(&id)?, asked).await
}

/// `DELETE /v1/departments/{id}`
pub(crate) async fn delete_department(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    delete(&api, &caller, CatalogKind::Department, &entry_id(&id)?, asked).await
}

/// `DELETE /v1/teams/{id}`
pub(crate) async fn delete_team(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    delete(&api, &caller, CatalogKind::Team, &entry_id(&id)?, asked).await
}

async fn list(State(api): Shared, caller: Caller, kind: CatalogKind) -> Result<Json<CatalogView>, Problem> {
    let entries = api.directory.catalog(&caller.account, kind).await?;
    Ok(Json(CatalogView { items: entries.into_iter().map(CatalogEntryView::from).collect() }))
}

async fn put(
    State(api): Shared,
    caller: Caller,
    kind: CatalogKind,
    id: &str,
    Body(CatalogEntryRequest { name }): Body<CatalogEntryRequest>,
) -> Result<Json<CatalogEntryView>, Problem> {
    let entry = CatalogEntry { id: entry_id(id)?, name };
    api.directory.put_entry(&caller.account, kind, &entry, Some(&caller.actor())).await?;
    Ok(Json(entry.into()))
}

fn entry_id(id: &str) -> Result<Ref, Problem> {
    Ref::parse(id).map_err(|error| Problem::parameter("id", error.to_string()))
}
