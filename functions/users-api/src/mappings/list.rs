//! The account's mappings, by CRM user.

use axum::{Json, extract::State};
use rollcall_api_types::{MappingView, Page};
use rollcall_model::mapping::{CrmUserId, Mapping, MappingState};
use serde::Deserialize;

use crate::{Shared, caller::Caller, page::ListQuery, problem::Problem};

/// The list's own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    state: Option<Standing>,
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

/// `GET /v1/mappings`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters: Filters { state }, page }: ListQuery<Filters>,
) -> Result<Json<Page<MappingView>>, Problem> {
    let list = page.of(&api, &caller, format!("mappings {state:?}"))?;
    let after: Option<CrmUserId> = list.after().await?;
    // One request reads a megabyte at most, so a page of long lists of numbers may be short.
    let reads = list.reads(state.is_none());
    let (read, more) = api.directory.mappings_page(&caller.account, after.as_ref(), reads).await?;
    let is_wanted = |mapping: &Mapping| state.is_none_or(|state| state.is(&mapping.state));
    let page = list.find(read, more, is_wanted, |mapping| mapping.crm_user.clone()).await?;
    Ok(Json(page.map(MappingView::from)))
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
