//! How the account and its directory stand.

use axum::{Json, extract::State};
use rollcall_api_types::DirectoryView;
use rollcall_bulk::directory_import::sync_state::SyncState;
use rollcall_connectors::entra::{Credentials, SECRET};
use rollcall_engine::world::Schedules;

use crate::{Shared, caller::Caller, problem::Problem};

/// `GET /v1/directory`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<DirectoryView>, Problem> {
    let credentials: Option<Credentials> = api.secrets.read(&caller.account, SECRET).await?;
    let standing = api.directory.sync_state(&caller.account).await?.unwrap_or_default().value;
    let SyncState { last_import, last_sync, ask_again, .. } = standing;
    let connected = credentials.is_some();
    let (tenant, client_id) = credentials.map(|known| (String::from(known.tenant), known.client_id)).unzip();
    Ok(Json(DirectoryView { connected, tenant, client_id, last_import, last_sync, ask_again }))
}
