//! The account's numbers, in order.

use axum::{Json, extract::State};
use rollcall_model::{caller_id::CallerId, inventory::InventoryNumber};

use crate::{
    Shared,
    caller::Caller,
    cursor,
    page::{Page, Paging, page_size},
    problem::Problem,
    query::Query,
};

/// `GET /v1/numbers`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(asked): Query<Paging>,
) -> Result<Json<Page<InventoryNumber>>, Problem> {
    let after: Option<CallerId> = cursor::read(&caller.account, "numbers", asked.cursor.as_deref())?;
    let limit = page_size(asked.limit)?;
    let (items, more) = api.directory.numbers_page(&caller.account, after, limit).await?;
    let last = items.last().filter(|_| more);
    let next = last.map(|last| cursor::write(&caller.account, "numbers", &last.number));
    Ok(Json(Page { items, next }))
}
