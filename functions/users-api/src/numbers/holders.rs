//! Who may use a number.

use axum::{
    Json,
    extract::{Path, State},
};
use rollcall_api_types::{Page, UserView};
use rollcall_engine::world::{TableUsage, Users};
use rollcall_model::phone_side::DialPermission;
use rollcall_storage::directory::{Place, UserFilter};
use serde::Deserialize;
use tokio::time::{Duration, Instant};

use super::written;
use crate::{Shared, caller::Caller, page::PageQuery, problem::Problem, query::Query};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    // How many may use the number among the users that a page walks by isn't known before.
    cursor: Option<String>,
}

/// Users whose lists are read at a time.
const READS: usize = 1_000;
/// Users on a page after whom no more are looked for.
const ENOUGH: usize = 1_000;
/// Users that one page is found among: those of most accounts, so that one answer has all.
const LOOKED_AT: usize = 10_000;
/// How long the table may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `GET /v1/numbers/{number}/users`: the account's users are walked by name, a bounded number for each page.
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<UserView>>, Problem> {
    let number = written(&api, &caller, &number).await?;
    let inventory = api.directory.packed_inventory(&caller.account).await?;
    let page = PageQuery { cursor: asked.cursor, ..PageQuery::default() };
    let list = page.of(&api, &caller, format!("holders {number}"))?;
    let mut after: Option<Place> = list.after().await?;
    let until = Instant::now() + TIMEOUT;
    let (mut holders, mut looked_at) = (Vec::new(), 0);
    loop {
        let all = UserFilter::default();
        let (mut users, next) = api.directory.users_page(&caller.account, &all, after.as_ref(), READS, READS).await?;
        let logins: Vec<String> = users.iter().map(|user| user.login.folded().into_owned()).collect();
        let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
        let mut lists = api.directory.find_users(&caller.account, &logins, until, &mut TableUsage::default()).await?;
        users.retain_mut(|user| {
            user.caller_ids = lists.remove(&*user.login.folded()).map(|found| found.caller_ids).unwrap_or_default();
            inventory.allows(&DialPermission::of(user), number)
        });
        holders.append(&mut users);
        after = next;
        looked_at += READS;
        // What takes long goes on with the next page, well before the table's time is up.
        let late = until.saturating_duration_since(Instant::now()) < TIMEOUT / 2;
        if after.is_none() || holders.len() >= ENOUGH || looked_at >= LOOKED_AT || late {
            return Ok(Json(list.page(holders, after).await?.map(UserView::from)));
        }
    }
}
