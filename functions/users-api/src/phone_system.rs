//! Which phone system the account has.

use axum::{Json, extract::State};
use rollcall_api_types::PhoneSystemChoice;
use rollcall_engine::world::Accounts;
use rollcall_model::settings::Settings;

use crate::{Shared, body::Body, caller::Caller, problem::Problem};

/// `GET /v1/phone-system`
pub(crate) async fn get(State(api): Shared, caller: Caller) -> Result<Json<PhoneSystemChoice>, Problem> {
    let system = api.directory.settings(&caller.account).await?.phone_system;
    Ok(Json(PhoneSystemChoice { system }))
}

/// `PUT /v1/phone-system`: mappings stay as they are until the next resync.
pub(crate) async fn put(
    State(api): Shared,
    caller: Caller,
    Body(chosen): Body<PhoneSystemChoice>,
) -> Result<Json<PhoneSystemChoice>, Problem> {
    let before = api.directory.settings(&caller.account).await?;
    if before.phone_system != chosen.system {
        let settings = Settings { phone_system: chosen.system, ..before };
        api.directory.put_settings(&caller.account, &settings, Some(&caller.actor())).await?;
    }
    Ok(Json(chosen))
}
