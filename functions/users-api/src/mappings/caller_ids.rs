//! What a CRM user sees: the call that a CRM makes for every page with a dialler.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use futures_util::future::try_join;
use rollcall_api_types::VisibleCallerIds;
use rollcall_engine::world::Numbers;

use super::named;
use crate::{
    Shared,
    caller::Caller,
    preconditions::{tag_of, tagged},
    problem::Problem,
};

/// `GET /v1/mappings/{crm_user}/caller-ids`
///
/// **Two reads of the table, at once**: the mapping, and the inventory, which takes another for every megabyte: some 5,000
/// numbers.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Path(crm_user): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (account, crm_user) = (&caller.account, named(&crm_user)?);
    let (mapping, inventory) =
        try_join(api.directory.mapping(account, &crm_user), api.directory.inventory(account)).await?;
    let mapping = mapping.ok_or_else(|| Problem::not_found("mapping"))?;
    let seen = VisibleCallerIds {
        caller_ids: mapping.visible(&inventory),
        resynced: mapping.changed,
        crm_user: mapping.crm_user,
    };
    Ok(tagged(&headers, &tag_of(&seen), &seen))
}
