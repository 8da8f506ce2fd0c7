//! How the account and its directory stand.

use rollcall_engine::world::Schedules;
use std::collections::BTreeSet;

use axum::{Json, extract::State};
use rollcall_bulk::directory_import::sync_state::{Imported, SyncState, Synced};
use rollcall_connectors::entra::{Credentials, SECRET, Tenant};
use rollcall_model::user::DirectoryId;
use serde::Serialize;

use crate::{Shared, caller::Caller, problem::Problem};

/// How the account and its directory stand, but for the secret and for what only the next sync needs.
#[derive(Serialize)]
pub(crate) struct Shown {
    connected: bool,
    /// Which, and who we are there.
    tenant: Option<Tenant>,
    client_id: Option<String>,
    last_import: Option<Imported>,
    last_sync: Option<Synced>,
    ask_again: BTreeSet<DirectoryId>,
}

/// `GET /v1/directory`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<Shown>, Problem> {
    let credentials: Option<Credentials> = api.secrets.read(&caller.account, SECRET).await?;
    let standing = api.directory.sync_state(&caller.account).await?.unwrap_or_default().value;
    let SyncState { last_import, last_sync, ask_again, .. } = standing;
    let connected = credentials.is_some();
    let (tenant, client_id) = credentials.map(|known| (known.tenant, known.client_id)).unzip();
    Ok(Json(Shown { connected, tenant, client_id, last_import, last_sync, ask_again }))
}
