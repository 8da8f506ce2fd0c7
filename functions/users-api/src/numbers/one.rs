//! One number.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::Response,
};
use jiff::Timestamp;
use rollcall_api_types::NumberView;
use rollcall_engine::world::Numbers;
use rollcall_model::code::ApiCode;
use serde_json::{Value, to_value};

use super::{check, written};
use crate::{
    Shared,
    body::{self, Body},
    caller::Caller,
    merge_patch,
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
    let number = written(&api, &caller, &number).await?;
    let number = api.directory.number(&caller.account, number).await?;
    let number = number.ok_or_else(|| Problem::not_found("number"))?;
    Ok(tagged(&headers, &tag(number.version), &NumberView::from(number)))
}

/// `PATCH /v1/numbers/{number}`: a JSON merge patch.
pub(crate) async fn patch(
    State(api): Shared,
    caller: Caller,
    Path(number): Path<String>,
    headers: HeaderMap,
    Body(patch): Body<Value>,
) -> Result<([(HeaderName, String); 1], Json<NumberView>), Problem> {
    let number = written(&api, &caller, &number).await?;
    let before = api.directory.number(&caller.account, number).await?;
    let before = before.ok_or_else(|| Problem::not_found("number"))?;
    check_match(&headers, &tag(before.version))?;
    let mut facts = to_value(&before.facts).expect("facts can be written as JSON");
    let says_state = patch.get("state").is_some();
    merge_patch::merge(&mut facts, patch);
    let facts = body::read(facts)?;
    check(&facts)?;
    let mut after = before.change(facts, Timestamp::now()).map_err(|retired| {
        Problem::new(StatusCode::CONFLICT, ApiCode::NumberRetired, retired.to_string()).at("/state")
    })?;
    // A person has decided: whatever a rotation was about to do with the number, it doesn't any more.
    if says_state && after.reserved_by.take().is_some() {
        after.version = before.version + 1;
    }
    let (account, by) = (&caller.account, caller.actor());
    if after != before && !api.directory.change_number(account, Some(&before), &after, &by).await? {
        return Err(Problem::changed());
    }
    Ok(([(header::ETAG, tag(after.version))], Json(after.into())))
}
