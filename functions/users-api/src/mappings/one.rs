//! One mapping.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use rollcall_api_types::MappingView;

use super::named;
use crate::{
    Shared,
    caller::Caller,
    preconditions::{tag, tagged},
    problem::Problem,
};

/// `GET /v1/mappings/{crm_user}`
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Path(crm_user): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mapping = api.directory.mapping(&caller.account, &named(&crm_user)?).await?;
    let mapping = mapping.ok_or_else(|| Problem::not_found("mapping"))?;
    Ok(tagged(&headers, &tag(mapping.version), &MappingView::from(mapping)))
}

/// `DELETE /v1/mappings/{crm_user}`: the CRM user sees nothing any more.
pub(crate) async fn delete(
    State(api): Shared,
    caller: Caller,
    Path(crm_user): Path<String>,
) -> Result<StatusCode, Problem> {
    if api.directory.delete_mapping(&caller.account, &named(&crm_user)?, &caller.actor()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("mapping"))
    }
}
