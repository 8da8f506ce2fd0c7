//! Imports and syncs, which are jobs.

use axum::{Json, extract::State, http::StatusCode};
use rollcall_api_types::RequestedJob;
use rollcall_bulk::directory_import::request::{Import, ImportRequest, Sync};
use rollcall_engine::world::Catalogs;
use rollcall_model::{catalog, jobs::JobKind};

use crate::{Api, Shared, ask, body::Body, caller::Caller, problem::Problem, scim_keys};

/// `POST /v1/directory/import`
pub(crate) async fn import(
    State(api): Shared,
    caller: Caller,
    Body(import): Body<Import>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    if let Some(role) = &import.role {
        // Every row would fail over it.
        let roles = api.directory.catalog(&caller.account, catalog::CatalogKind::Role).await?;
        if !roles.iter().any(|known| known.id == *role) {
            return Err(Problem::field("/role", "The account has no role with this ID."));
        }
    }
    ask(&api, caller, "import.json", &ImportRequest::Import(import)).await
}

/// `POST /v1/directory/sync`
pub(crate) async fn sync(
    State(api): Shared,
    caller: Caller,
    Body(sync): Body<Sync>,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    ask(&api, caller, "sync.json", &ImportRequest::Sync(sync)).await
}

async fn ask(
    api: &Api,
    caller: Caller,
    name: &str,
    request: &ImportRequest,
) -> Result<(StatusCode, Json<RequestedJob>), Problem> {
    super::credentials(api, &caller).await?;
    scim_keys::check_no_key(api, &caller).await?;
    ask::ask(api, caller, JobKind::DirectoryImport, name, request.to_json()).await
}
