//! Some users, each with its caller IDs.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_api_types::{CallerIdsView, UserView};
use rollcall_model::caller_id::CallerId;
use rollcall_model::user::User;
use serde::Serialize;

use super::{numbers, policy};
use crate::client::{StackClient, found};
use crate::output::{self, Cell, Column, Table, count};

/// Users asked about at once.
const IN_FLIGHT: usize = 8;

/// A user with what it may dial from.
#[derive(Serialize)]
struct WithList {
    #[serde(flatten)]
    user: UserView,
    caller_ids: Vec<CallerId>,
    effective: Vec<CallerId>,
}

/// Shows users by their login IDs.
///
/// # Errors
/// If the stack can't be asked, or nobody has one of the login IDs.
pub async fn show(stack: &StackClient, logins: &[String], json: bool) -> Result<ExitCode> {
    let (mut users, mut missing) = (Vec::new(), Vec::new());
    for login in logins {
        match found(stack.api.get::<UserView>(&["v1", "users", login], &[]).await)? {
            Some(user) => users.push(user),
            None => missing.push(login.as_str()),
        }
    }
    if json {
        let mut shown = Vec::with_capacity(users.len());
        for user in users {
            let list = found(stack.api.get(&["v1", "users", user.login.as_str(), "caller-ids"], &[]).await)?;
            // Who has been deleted meanwhile is shown no more.
            shown.extend(list.map(|CallerIdsView { caller_ids, effective, .. }| WithList {
                user,
                caller_ids,
                effective,
            }));
        }
        output::print_json(&shown)?;
    } else if !users.is_empty() {
        output::print(&lists(&with_lists(stack, users).await?))?;
    }
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(anyhow!("the account {} has no user {}", stack.account, missing.join(", ")))
}

/// The users with their numbers, which stand apart from them.
///
/// # Errors
/// If the stack can't be asked.
pub async fn with_lists(stack: &StackClient, users: Vec<UserView>) -> Result<Vec<User>> {
    let with_list = |user: UserView| async move {
        let list = stack.api.get(&["v1", "users", user.login.as_str(), "caller-ids"], &[]).await;
        // Who has been deleted meanwhile has none.
        let list: Option<CallerIdsView> = found(list)?;
        Ok(user.with_list(list.map(|list| list.caller_ids).unwrap_or_default()))
    };
    stream::iter(users).map(with_list).buffered(IN_FLIGHT).try_collect().await
}

/// Users with their lists, as a table.
pub fn lists(users: &[User]) -> String {
    let mut table = Table::new([
        Column::text("Login ID"),
        Column::text("Name"),
        Column::text("Policy"),
        Column::number("#"),
        Column::text("Caller IDs"),
    ]);
    for user in users {
        table.row([
            user.login.as_str().into(),
            Cell::from(user.profile.name.as_str()),
            policy(user.policy).into(),
            count(user.caller_ids.len() as u64).into(),
            numbers(&user.caller_ids).into(),
        ]);
    }
    table.render(output::columns(), 0)
}
