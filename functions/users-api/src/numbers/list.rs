//! The account's numbers, in order.

use axum::{Json, extract::State};
use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    inventory::{DUE, NumberView},
};
use serde::Deserialize;

use crate::{
    Shared,
    caller::Caller,
    page::{Page, page_size},
    problem::Problem,
    query::Query,
};

/// What the list may be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Numbers in service for so many days or longer.
    due: Option<u32>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Numbers that one page is found among, where only some are asked for: what no index knows is found by reading.
const LOOKED_AT: usize = 1_000;

/// `GET /v1/numbers`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<NumberView>>, Problem> {
    let limit = page_size(asked.limit)?;
    if asked.due.is_some_and(|days| !DUE.contains(&days)) {
        let detail = format!("It is a number of days from {} to {}.", DUE.start(), DUE.end());
        return Err(Problem::parameter("due", detail));
    }
    let now = Timestamp::now();
    let list = format!("numbers {:?}", asked.due);
    let after: Option<CallerId> = api.place(&caller.account, &list, asked.cursor.as_deref()).await?;
    let most = if asked.due.is_some() { LOOKED_AT } else { limit };
    // One request reads a megabyte at most, so a page of numbers with many labels may be short.
    let (read, more) = api.directory.numbers_page(&caller.account, after, most).await?;
    let reached = read.last().map(|number| number.number);
    let mut found = read.into_iter().filter(|number| asked.due.is_none_or(|days| number.is_due(days, now)));
    let items: Vec<NumberView> = found.by_ref().take(limit).map(|number| NumberView::listed(number, now)).collect();
    let place =
        if found.next().is_some() { items.last().map(|shown| shown.number.number) } else { reached.filter(|_| more) };
    let next = api.cursor(&caller.account, &list, place).await?;
    Ok(Json(Page { items, next }))
}
