//! The account's mappings, by CRM user.

use axum::{Json, extract::State};
use rollcall_api_types::{MappingView, Page};
use rollcall_model::{
    email::EmailAddress,
    mapping::{CrmUserId, Mapping, MappingState},
    phone_side::PhoneUserId,
    user::{LoginId, fold},
};
use serde::Deserialize;

use crate::{Shared, caller::Caller, page::ListQuery, problem::Problem, query::searched};

/// The list's own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    state: Option<Standing>,
    /// Part of the CRM user's ID, address or login, or of the phone user's ID.
    search: Option<String>,
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
    ListQuery { filters: Filters { state, search }, page }: ListQuery<Filters>,
) -> Result<Json<Page<MappingView>>, Problem> {
    let search = searched(search.as_deref().map(str::trim))?.map(|search| fold(search).into_owned());
    let list = page.of(&api, &caller, format!("mappings {state:?} {search:?}"))?;
    let is_wanted = |mapping: &Mapping| {
        state.is_none_or(|state| state.is(&mapping.state))
            && search.as_ref().is_none_or(|search| names(mapping).any(|name| fold(name).contains(search.as_str())))
    };
    let (directory, account) = (&api.directory, &caller.account);
    let read =
        |after: Option<CrmUserId>, most| async move { directory.mappings_page(account, after.as_ref(), most).await };
    let all = state.is_none() && search.is_none();
    let page = list.find(all, read, is_wanted, |mapping| mapping.crm_user.clone()).await?;
    Ok(Json(page.map(MappingView::from)))
}

/// What a mapping is found by.
fn names(mapping: &Mapping) -> impl Iterator<Item = &str> {
    let given = &mapping.given;
    let email = given.email.as_ref().map(EmailAddress::as_str);
    let login = given.login.as_ref().map(LoginId::as_str);
    let phone_users = mapping.phone_user().into_iter().chain(&given.phone_user).map(PhoneUserId::as_str);
    [mapping.crm_user.as_str()].into_iter().chain(email).chain(login).chain(phone_users)
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
