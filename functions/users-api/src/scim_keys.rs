//! Keys by which a company's directory pushes users in.

use aws_lc_rs::rand;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use rollcall_api_types::{NewScimKey, ScimErrorView, ScimKeyRequest, ScimKeyView, ScimKeysView};
use rollcall_engine::world::{Schedules, Versioned};
use rollcall_model::{
    code::ApiCode,
    scim_key::{MAX_KEYS, ScimKey, ScimToken},
};
use rollcall_storage::directory::ScimErrorNote;

use crate::{Api, Shared, body::Body, caller::Caller, problem::Problem};

/// Changes in between that one request survives.
const TRIES: usize = 4;
/// Refusals that are shown.
const MAX_ERRORS: usize = 100;

/// The path of the keys: an answer to a POST of it is never kept.
pub(crate) const PATH: &str = "/v1/directory/scim-keys";

/// `GET /v1/directory/scim-keys`
pub(crate) async fn list(State(api): Shared, caller: Caller) -> Result<Json<ScimKeysView>, Problem> {
    let keys = api.directory.scim_keys(&caller.account).await?.value;
    let errors = api.directory.scim_errors(&caller.account, Timestamp::now(), MAX_ERRORS).await?;
    let view = |note: ScimErrorNote| {
        let ScimErrorNote { about, at, route, status, scim_type, detail, times } = note;
        ScimErrorView { about, at, route, status, scim_type, detail, times }
    };
    let items = keys.into_iter().map(ScimKeyView::from).collect();
    Ok(Json(ScimKeysView { items, errors: errors.into_iter().map(view).collect() }))
}

/// `POST /v1/directory/scim-keys`: the token is in this answer alone.
pub(crate) async fn create(
    State(api): Shared,
    caller: Caller,
    Body(asked): Body<ScimKeyRequest>,
) -> Result<(StatusCode, [(HeaderName, String); 2], Json<NewScimKey>), Problem> {
    let token = new_token(&caller)?;
    let key = ScimKey {
        id: token.id.clone(),
        hash: token.hash(),
        name: asked.name.map(String::from),
        created_by: caller.actor(),
        created: Timestamp::now(),
        last_used: None,
    };
    for _ in 0..TRIES {
        let Versioned { value: mut keys, version } = api.directory.scim_keys(&caller.account).await?;
        if keys.len() >= MAX_KEYS {
            let detail = format!("The account has {MAX_KEYS} keys already. Delete the one that isn't used any more.");
            return Err(Problem::new(StatusCode::CONFLICT, ApiCode::KeyLimit, detail));
        }
        check_no_sync(&api, &caller, asked.instead_of_sync).await?;
        keys.push(key.clone());
        let written = Versioned { value: keys, version };
        if api.directory.put_scim_keys(&caller.account, written, &caller.actor()).await? {
            let headers =
                [(header::LOCATION, format!("{PATH}/{}", key.id)), (header::CACHE_CONTROL, "no-store".to_owned())];
            let new = NewScimKey { key: key.into(), token: token.reveal() };
            return Ok((StatusCode::CREATED, headers, Json(new)));
        }
    }
    Err(Problem::changed())
}

/// `DELETE /v1/directory/scim-keys/{id}`: within a minute nobody is let in by it.
pub(crate) async fn delete(State(api): Shared, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    for _ in 0..TRIES {
        let Versioned { value: mut keys, version } = api.directory.scim_keys(&caller.account).await?;
        let before = keys.len();
        keys.retain(|key| key.id != id);
        if keys.len() == before {
            return Err(Problem::not_found("key"));
        }
        let written = Versioned { value: keys, version };
        if api.directory.put_scim_keys(&caller.account, written, &caller.actor()).await? {
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    Err(Problem::changed())
}

/// Two masters would undo each other's work: either a schedule asks the directory, or the directory pushes.
async fn check_no_sync(api: &Api, caller: &Caller, instead: bool) -> Result<(), Problem> {
    if api.directory.sync_state(&caller.account).await?.is_none() {
        return Ok(());
    }
    if instead {
        return Ok(api.directory.end_syncs(&caller.account).await?);
    }
    let detail = "A schedule syncs the account's users with Entra ID. Say \"instead_of_sync\": true if the directory is to push them from \
                  now on: the syncs end then.";
    Err(Problem::new(StatusCode::CONFLICT, ApiCode::SyncScheduled, detail))
}

/// Refuses what would ask the directory while it pushes.
pub(crate) async fn check_no_key(api: &Api, caller: &Caller) -> Result<(), Problem> {
    if api.directory.scim_keys(&caller.account).await?.value.is_empty() {
        return Ok(());
    }
    let detail = "The company's directory pushes the account's users in by SCIM. Delete its keys first, if they are to be imported and \
                  synced again.";
    Err(Problem::new(StatusCode::CONFLICT, ApiCode::ScimInUse, detail))
}

fn new_token(caller: &Caller) -> Result<ScimToken, Problem> {
    let (mut id, mut secret) = ([0; 8], [0; 32]);
    rand::fill(&mut id).and_then(|()| rand::fill(&mut secret)).map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, ApiCode::Internal, "Something went wrong on our side.")
    })?;
    Ok(ScimToken::new(caller.account.clone(), id, BASE64.encode(secret)))
}
