//! What a person says of a CRM user.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use jiff::Timestamp;
use rollcall_api_types::MappingView;
use rollcall_engine::world::Accounts;
use rollcall_model::{
    mapping::{CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
    settings::PhoneSystem,
};

use crate::{
    Api, Shared,
    body::Body,
    caller::Caller,
    preconditions::{check_write, tag},
    problem::Problem,
};

/// Changes in between that one request survives.
const TRIES: usize = 4;
/// The name of a route beside the mappings: a CRM user of this name could be written, but never be read.
const RESERVED: &str = "resync";

/// `PUT /v1/mappings/{crm_user}`: creates the mapping, or replaces what is said of the CRM user.
pub(crate) async fn put(
    State(api): Shared,
    caller: Caller,
    Path(crm_user): Path<String>,
    headers: HeaderMap,
    Body(given): Body<GivenMapping>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<MappingView>), Problem> {
    let crm_user = CrmUserId::parse(&crm_user).map_err(|error| Problem::parameter("crm_user", error.to_string()))?;
    if crm_user.as_str() == RESERVED {
        let detail = "No CRM user can be called resync: /v1/mappings/resync is a route of its own.";
        return Err(Problem::parameter("crm_user", detail));
    }
    let given = known(&api, &caller, given).await?;
    for _ in 0..TRIES {
        let before = api.directory.mapping(&caller.account, &crm_user).await?;
        check_write(&headers, before.as_ref().map(|before| tag(before.version)).as_deref())?;
        let after = match &before {
            Some(before) if before.given == given => return Ok(answer(StatusCode::OK, before.clone())),
            Some(before) => before.with(given.clone()),
            None => Mapping::new(crm_user.clone(), given.clone(), Timestamp::now()),
        };
        let by = caller.actor();
        let written = api.directory.change_mapping(&caller.account, before.as_ref(), &after, Some(&by)).await;
        if written? {
            let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
            return Ok(answer(status, after));
        }
    }
    Err(Problem::changed())
}

fn answer(status: StatusCode, mapping: Mapping) -> (StatusCode, [(HeaderName, String); 1], Json<MappingView>) {
    (status, [(header::ETAG, tag(mapping.version))], Json(mapping.into()))
}

/// What is said, with the phone user as the account's phone system names it. Our own can be asked whether there is such a
/// user, and a mapping to nobody helps nobody; others can't be asked in the time that a request has.
async fn known(api: &Api, caller: &Caller, given: GivenMapping) -> Result<GivenMapping, Problem> {
    let Some(phone_user) = &given.phone_user else { return Ok(given) };
    if api.directory.settings(&caller.account).await?.phone_system != PhoneSystem::Builtin {
        return Ok(given);
    }
    let user = api.directory.user_of(&caller.account, phone_user).await?;
    let user = user.ok_or_else(|| Problem::field("/phone_user", "The account has no user with this login ID."))?;
    Ok(GivenMapping { phone_user: Some(PhoneUserId::of_login(&user.login)), ..given })
}
