//! Why a CRM user sees a number, or doesn't.

use axum::{
    Json,
    extract::{Path, State},
};
use rollcall_engine::world::Accounts;
use rollcall_model::{
    caller_id::CallerId,
    mapping::Explanation,
    numbers::{NumberReader, Reading},
};

use super::named;
use crate::{Api, Shared, caller::Caller, problem::Problem};

/// `GET /v1/mappings/{crm_user}/caller-ids/{number}/explanation`: of a CRM user without a mapping too, since that is a reason.
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Path((crm_user, number)): Path<(String, String)>,
) -> Result<Json<Explanation>, Problem> {
    let number = match number.parse() {
        Ok(number) => number,
        Err(_) => read(&api, &caller, &number).await?,
    };
    Ok(Json(api.directory.explain(&caller.account, &named(&crm_user)?, number).await?))
}

/// The number as somebody has typed it: whoever asks why has it from a screen or a telephone.
async fn read(api: &Api, caller: &Caller, typed: &str) -> Result<CallerId, Problem> {
    let settings = api.directory.settings(&caller.account).await?;
    let inventory: Vec<_> = api.directory.packed_inventory(&caller.account).await?.whole().collect();
    match NumberReader::of_any(settings.country.unwrap_or(api.country), &inventory).read(typed) {
        Reading::Number { number, .. } => Ok(number),
        Reading::Refused(_) => Err(Problem::not_found("number")),
    }
}
