//! Users.

pub(crate) mod act;
pub(crate) mod caller_ids;
pub(crate) mod counts;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod dial;
pub(crate) mod download;
pub(crate) mod jobs;
pub(crate) mod list;
mod numbers_of;
pub(crate) mod one;
pub(crate) mod patch;
pub(crate) mod policy;
mod switch;

use std::sync::Arc;

use axum::http::HeaderMap;
use jiff::Timestamp;
use rollcall_model::{
    settings::Settings,
    user::{LoginId, User},
};
use rollcall_storage::directory::{KnownInventory, WriteOutcome};

use crate::{Api, caller::Caller, preconditions, problem::Problem};

/// No user is whom a path names.
fn nobody() -> Problem {
    Problem::not_found("user")
}

/// The login ID of a path. What can't be one is nobody's.
fn login_of(path: &str) -> Result<LoginId, Problem> {
    LoginId::parse(path).map_err(|_| nobody())
}

/// The user whom a path names.
async fn find(api: &Api, caller: &Caller, login: &str) -> Result<User, Problem> {
    let user = api.directory.user(&caller.account, &login_of(login)?.folded()).await?;
    user.ok_or_else(nobody)
}

/// The user whom a path names, and the account's numbers.
async fn find_with_inventory(api: &Api, caller: &Caller, login: &str) -> Result<(User, Arc<KnownInventory>), Problem> {
    let (user, known) = api.directory.user_with_inventory(&caller.account, &login_of(login)?.folded()).await?;
    Ok((user.ok_or_else(nobody)?, known))
}

/// The user whom a path names, and the account's settings.
async fn find_with_settings(api: &Api, caller: &Caller, login: &str) -> Result<(User, Settings), Problem> {
    let (user, settings) = api.directory.user_with_settings(&caller.account, &login_of(login)?.folded()).await?;
    Ok((user.ok_or_else(nobody)?, settings))
}

/// Changes a user. Where the request names no version, a change in between is no harm: it is decided again on what is
/// there now.
pub(crate) async fn change(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    login: &str,
    edit: impl Fn(&User) -> Result<User, Problem>,
) -> Result<User, Problem> {
    /// Changes in between that one request survives.
    const TRIES: usize = 4;
    for _ in 0..TRIES {
        let before = find(api, caller, login).await?;
        preconditions::check_match(headers, &preconditions::tag(before.version))?;
        let mut after = edit(&before)?;
        if after == before {
            return Ok(before);
        }
        after = after.revised(&before, Timestamp::now());
        let updated = api.directory.update_user(&caller.account, &before, &after, &caller.actor()).await?;
        if updated == WriteOutcome::Written {
            return Ok(after);
        }
        if let Some(taken) = api.directory.taken(&caller.account, &after).await? {
            return Err(create::other_has(api, caller, &taken).await?);
        }
    }
    Err(Problem::changed())
}
