//! What a CRM user sees: the call that a CRM makes for every page with a dialler.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use rollcall_api_types::VisibleCallerIds;

use super::named;
use crate::{
    Shared,
    caller::Caller,
    preconditions::{tag_of, tagged_with},
    problem::Problem,
};

/// `GET /v1/mappings/{crm_user}/caller-ids`
///
/// **One read of the table**: the mapping, and the stamp of the inventory, which tells whether the numbers are those that are known. Nothing
/// is resolved for a client that has the answer.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Path(crm_user): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (mapping, known) = api.directory.mapping_with_inventory(&caller.account, &named(&crm_user)?).await?;
    let mapping = mapping.ok_or_else(|| Problem::not_found("mapping"))?;
    // A mapping that is made anew has a version that no earlier one had.
    let tag = tag_of(&(known.stamp, mapping.version));
    Ok(tagged_with(&headers, &tag, || VisibleCallerIds {
        caller_ids: mapping.visible(&known.inventory),
        resynced: mapping.changed,
        crm_user: mapping.crm_user,
    }))
}
