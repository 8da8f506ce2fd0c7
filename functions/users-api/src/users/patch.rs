//! Editing a user.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, header},
};
use rollcall_api_types::UserView;
use rollcall_model::user::User;
use serde_json::{Value, to_value};

use super::{
    change,
    numbers_of::{check_default, read_numbers},
};
use crate::{
    Shared,
    body::{self, Body},
    caller::Caller,
    merge_patch,
    preconditions::tag,
    problem::Problem,
};

/// `PATCH /v1/users/{login}`: a JSON merge patch of the profile.
pub(crate) async fn patch(
    State(api): Shared,
    caller: Caller,
    Path(login): Path<String>,
    headers: HeaderMap,
    Body(mut patch): Body<Value>,
) -> Result<([(HeaderName, String); 1], Json<UserView>), Problem> {
    read_numbers(&api, &caller, &mut patch).await?;
    // Nothing else of a profile has to do with the account's numbers.
    let known = match patch.get("default_caller_id") {
        Some(Value::String(_)) => Some(api.directory.packed_inventory(&caller.account).await?),
        _ => None,
    };
    let user = change(&api, &caller, &headers, &login, |before| {
        let mut profile = to_value(&before.profile).expect("a profile can be written as JSON");
        merge_patch::merge(&mut profile, patch.clone());
        let after = User { profile: body::read(profile)?, ..before.clone() };
        if let Some(inventory) = &known {
            check_default(Some(before), &after, inventory)?;
        }
        Ok(after)
    })
    .await?;
    Ok(([(header::ETAG, tag(user.version))], Json(user.into())))
}
