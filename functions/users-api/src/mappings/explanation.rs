//! Why a CRM user sees a number, or doesn't.

use axum::{
    Json,
    extract::{Path, State},
};
use rollcall_model::mapping::Explanation;

use super::named;
use crate::{Shared, caller::Caller, numbers::written, problem::Problem};

/// `GET /v1/mappings/{crm_user}/caller-ids/{number}/explanation`: of a CRM user without a mapping too, since that is a reason.
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Path((crm_user, number)): Path<(String, String)>,
) -> Result<Json<Explanation>, Problem> {
    // As somebody has typed it: whoever asks why has it from a screen or a telephone.
    let number = written(&api, &caller, &number).await?;
    Ok(Json(api.directory.explain(&caller.account, &named(&crm_user)?, number).await?))
}
