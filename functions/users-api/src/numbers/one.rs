//! One number.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, header},
    response::Response,
};
use rollcall_model::inventory::InventoryNumber;
use serde_json::{Value, to_value};

use super::{check, named};
use crate::{
    Shared,
    body::{self, Body},
    caller::Caller,
    preconditions::{check_match, tag, tagged},
    problem::Problem,
};

/// `GET /v1/numbers/{number}`
pub(crate) async fn get(
    State(api): Shared,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = api.directory.number(&caller.account, named(&number)?).await?;
    let number = number.ok_or_else(|| Problem::not_found("number"))?;
    Ok(tagged(&headers, &tag(number.version), &number))
}

/// `PATCH /v1/numbers/{number}`: a JSON merge patch.
pub(crate) async fn patch(
    State(api): Shared,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
    Body(patch): Body<Value>,
) -> Result<([(HeaderName, String); 1], Json<InventoryNumber>), Problem> {
    let before = api.directory.number(&caller.account, named(&number)?).await?;
    let before = before.ok_or_else(|| Problem::not_found("number"))?;
    check_match(&headers, &tag(before.version))?;
    let mut facts = to_value(&before.facts).expect("facts can be written as JSON");
    body::merge(&mut facts, patch);
    let facts = body::read(facts)?;
    check(&facts)?;
    let after = InventoryNumber { facts, version: before.version + 1, ..before.clone() };
    let (account, by) = (&caller.account, caller.actor());
    if after.facts != before.facts && !api.directory.change_number(account, Some(&before), &after, &by).await? {
        return Err(Problem::changed());
    }
    let number = if after.facts == before.facts { before } else { after };
    Ok(([(header::ETAG, tag(number.version))], Json(number)))
}
