//! The account's numbers, in order.

use axum::{Json, extract::State};
use jiff::Timestamp;
use rollcall_api_types::{NumberView, Page};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{DUE, InventoryNumber},
};
use serde::Deserialize;

use crate::{Shared, caller::Caller, page::ListQuery, problem::Problem};

/// The list's own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    /// Numbers in service for so many days or longer.
    due: Option<u32>,
}

/// `GET /v1/numbers`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters: Filters { due }, page }: ListQuery<Filters>,
) -> Result<Json<Page<NumberView>>, Problem> {
    if due.is_some_and(|days| !DUE.contains(&days)) {
        let detail = format!("It is a number of days from {} to {}.", DUE.start(), DUE.end());
        return Err(Problem::parameter("due", detail));
    }
    let list = page.of(&api, &caller, format!("numbers {due:?}"))?;
    let now = Timestamp::now();
    let after: Option<CallerId> = list.after().await?;
    // One request reads a megabyte at most, so a page of numbers with many labels may be short.
    let (read, more) = api.directory.numbers_page(&caller.account, after, list.reads(due.is_none())).await?;
    let is_wanted = |number: &InventoryNumber| due.is_none_or(|days| number.is_due(days, now));
    let page = list.find(read, more, is_wanted, |number| number.number).await?;
    Ok(Json(page.map(|number| NumberView::listed(number, now))))
}
