//! Which phone system the account has.

use axum::{Json, extract::State, http::HeaderMap};
use rollcall_api_types::{PhoneSystemChoice, SettingsFields, SettingsView};
use rollcall_engine::world::Accounts;

use crate::{Shared, body::Body, caller::Caller, problem::Problem, settings::change};

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
    let choose = |before| Ok(SettingsFields { phone_system: chosen.system, ..SettingsView::from(before).fields });
    change(&api, &caller, &HeaderMap::new(), choose).await?;
    Ok(Json(chosen))
}
