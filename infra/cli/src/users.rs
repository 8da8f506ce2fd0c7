//! `rollcall users`: who may dial from what.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_api_types::{CallerIdsView, UserView};
use rollcall_model::caller_id::CallerId;
use rollcall_model::user::{Policy, User};

use crate::client::{StackClient, found};
use crate::output::{self, Cell, Column, Table, count};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall users`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall users
  rollcall users user1 user2 --json")]
pub struct Users {
    /// Login IDs whose caller IDs to show; without any, users are listed by name
    logins: Vec<String>,
    #[command(flatten)]
    whose: AccountArg,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "logins")]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

/// Users asked about at once.
const IN_FLIGHT: usize = 8;

impl Users {
    /// Shows them.
    ///
    /// # Errors
    /// If the stack can't be asked, or nobody has one of the login IDs.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        if !self.logins.is_empty() {
            return self.named(&stack).await;
        }
        let (users, more): (Vec<UserView>, _) = stack.api.list(&["v1", "users"], &[], self.limit, |_| true).await?;
        if self.form.json {
            output::print_json(&users)?;
            return Ok(ExitCode::SUCCESS);
        }
        if users.is_empty() {
            let make = stack.hint_here("seed").unwrap_or_else(|| stack.hint("upload FILE"));
            output::print(&format!("The account {} has no users. Make some with: {make}\n", stack.account))?;
            return Ok(ExitCode::SUCCESS);
        }
        let users = with_lists(&stack, users).await?;
        let mut table = Table::new([
            Column::text("Login ID"),
            Column::text("Name"),
            Column::text("Policy"),
            Column::number("Caller IDs"),
        ]);
        for user in &users {
            table.row([
                user.login.as_str().into(),
                Cell::from(user.profile.name.as_str()),
                policy(user.policy).into(),
                count(user.caller_ids.len() as u64).into(),
            ]);
        }
        output::print_list(table.render(output::columns(), 0), more, self.limit)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn named(self, stack: &StackClient) -> Result<ExitCode> {
        let (mut users, mut missing) = (Vec::new(), Vec::new());
        for login in &self.logins {
            match found(stack.api.get::<UserView>(&["v1", "users", login], &[]).await)? {
                Some(user) => users.push(user),
                None => missing.push(login.as_str()),
            }
        }
        if self.form.json {
            output::print_json(&users)?;
        } else if !users.is_empty() {
            output::print(&lists(&with_lists(stack, users).await?))?;
        }
        if missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(anyhow!("the account {} has no user {}", stack.account, missing.join(", ")))
    }
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

fn lists(users: &[User]) -> String {
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

/// Numbers in a row.
pub fn numbers(numbers: &[CallerId]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A policy as people name it.
pub fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::All => "all",
        Policy::Department => "department",
        Policy::Custom => "custom",
    }
}
