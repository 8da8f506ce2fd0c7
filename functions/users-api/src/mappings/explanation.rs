//! Why a CRM user sees a number, or doesn't.

use axum::{
    Json,
    extract::{Path, State},
};
use rollcall_model::mapping::Explanation;

use super::named;
use crate::{Shared, caller::Caller, problem::Problem};

/// `GET /v1/mappings/{crm_user}/caller-ids/{number}/explanation`: of a CRM user without a mapping too, since that is a reason.
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Path((crm_user, number)): Path<(String, String)>,
) -> Result<Json<Explanation>, Problem> {
    let number = number.parse().map_err(|_| Problem::not_found("number"))?;
    Ok(Json(api.directory.explain(&caller.account, &named(&crm_user)?, number).await?))
}
