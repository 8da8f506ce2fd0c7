//! The directory's users.

use axum::{Json, extract::State};
use rollcall_api_types::{DirectoryUserView, Page};
use rollcall_bulk::directory_import::{DirectoryUser, request::Chosen};
use rollcall_connectors::{FailureKind, entra::Which};
use rollcall_engine::world::{TableUsage, Users};
use rollcall_model::user::Claim;
use serde::Deserialize;
use tokio::time::{Duration, Instant};

use crate::{Shared, caller::Caller, cursor::InvalidCursor, page::ListQuery, problem::Problem};

/// The list's own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    search: Option<String>,
}

/// How long the directory has, and then the table: less than the function, which must be left to say that it was too
/// slow.
const TIMEOUT: Duration = Duration::from_secs(12);

/// `GET /v1/directory/users`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters: Filters { search }, page }: ListQuery<Filters>,
) -> Result<Json<Page<DirectoryUserView>>, Problem> {
    let search = search.as_deref().filter(|search| !search.trim().is_empty());
    if let Some(search) = search {
        Chosen::search(search).map_err(|error| Problem::parameter("search", error.to_string()))?;
    }
    let list = page.of(&api, &caller, format!("directory {search:?}"))?;
    // With the size of the page that the list began with: Graph's places belong to it.
    let place: Option<(usize, String)> = list.after().await?;

    let entra = super::open(&api, &caller).await?;
    let failed = |error| super::failed(&api, &caller, &error);
    let limit = place.as_ref().map_or(list.limit, |(limit, _)| *limit);
    let mut pages = entra.list(search.map_or(Which::All, Which::Search), limit).map_err(failed)?;
    if let Some((_, place)) = &place {
        pages.resume(place).map_err(|_| InvalidCursor)?;
    }
    let users = match pages.next(Instant::now() + TIMEOUT).await {
        Ok(users) => users.unwrap_or_default(),
        // Places don't last for ever.
        Err(error) if error.kind == FailureKind::Refused && place.is_some() => return Err(InvalidCursor.into()),
        Err(error) => return Err(failed(error)),
    };
    let next = pages.place().map_err(failed)?.map(|place| (limit, place));
    let claims = users.iter().map(|user| Claim::DirectoryId(user.id.clone())).collect();
    let until = Instant::now() + TIMEOUT;
    let mut linked = api.directory.owners(&caller.account, claims, until, &mut TableUsage::default()).await?;
    let shown = |user: DirectoryUser| {
        let login = linked.remove(&Claim::DirectoryId(user.id.clone()));
        DirectoryUserView::of(user, login)
    };
    Ok(Json(list.page(users, next).await?.map(shown)))
}
