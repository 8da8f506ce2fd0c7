//! Which phone system the account has.

use axum::{Json, extract::State};
use rollcall_engine::world::Accounts;
use rollcall_model::settings::{PhoneSystem, Settings};
use serde::{Deserialize, Serialize};

use crate::{Shared, body::Body, caller::Caller, problem::Problem};

/// The account's phone system.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    system: PhoneSystem,
}

/// `GET /v1/phone-system`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<Chosen>, Problem> {
    let system = api.directory.settings(&caller.account).await?.phone_system;
    Ok(Json(Chosen { system }))
}

/// `PUT /v1/phone-system`: mappings stay as they are until the next resync.
pub(crate) async fn put(
    State(api): Shared,
    caller: Caller,
    Body(chosen): Body<Chosen>,
) -> Result<Json<Chosen>, Problem> {
    let before = api.directory.settings(&caller.account).await?;
    if before.phone_system != chosen.system {
        let settings = Settings { phone_system: chosen.system, ..before };
        api.directory.put_settings(&caller.account, &settings, Some(&caller.actor())).await?;
    }
    Ok(Json(chosen))
}
