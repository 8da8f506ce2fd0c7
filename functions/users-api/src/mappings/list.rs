//! The account's mappings, by CRM user.

use axum::{Json, extract::State};
use rollcall_model::mapping::{CrmUserId, Mapping, MappingState};
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
    state: Option<Standing>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A state to list alone.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Unmapped,
    Ambiguous,
    Mapped,
    Orphaned,
}

/// Mappings that one page is found among, where a state is asked for: what no index knows is found by reading.
const LOOKED_AT: usize = 1_000;

/// `GET /v1/mappings`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Mapping>>, Problem> {
    let limit = page_size(asked.limit)?;
    let list = format!("mappings {:?}", asked.state);
    let after: Option<CrmUserId> = api.place(&caller.account, &list, asked.cursor.as_deref()).await?;
    let most = if asked.state.is_some() { LOOKED_AT } else { limit };
    // One request reads a megabyte at most, so a page of long lists of numbers may be short.
    let (read, more) = api.directory.mappings_page(&caller.account, after.as_ref(), most).await?;
    let reached = read.last().map(|mapping| mapping.crm_user.clone());
    let mut found = read.into_iter().filter(|mapping| asked.state.is_none_or(|state| state.is(&mapping.state)));
    let items: Vec<Mapping> = found.by_ref().take(limit).collect();
    let place = if found.next().is_some() {
        items.last().map(|mapping| mapping.crm_user.clone())
    } else {
        reached.filter(|_| more)
    };
    let next = api.cursor(&caller.account, &list, place).await?;
    Ok(Json(Page { items, next }))
}

impl Standing {
    fn is(self, state: &MappingState) -> bool {
        matches!(
            (self, state),
            (Self::Unmapped, MappingState::Unmapped)
                | (Self::Ambiguous, MappingState::Ambiguous { .. })
                | (Self::Mapped, MappingState::Mapped { .. })
                | (Self::Orphaned, MappingState::Orphaned { .. })
        )
    }
}
