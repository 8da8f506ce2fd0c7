//! `rollcall users`: who may dial from what.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rollcall_model::caller_id::CallerId;
use rollcall_model::user::{Policy, User, fold};

use super::connect::{Connection, told};
use super::output::{self, Cell, Column, Table, count};
use super::{Form, Whose, hint};
use crate::stack::{Error, Result};

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
    whose: Whose,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "logins")]
    limit: usize,
    #[command(flatten)]
    form: Form,
}

impl Users {
    /// Shows them.
    ///
    /// # Errors
    /// If the stack can't be asked, or nobody has one of the login IDs.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.account;
        if !self.logins.is_empty() {
            return self.named(&stack).await;
        }
        // One more tells whether there are more.
        let mut users = stack.directory.users(account, self.limit.saturating_add(1)).await.map_err(told)?;
        let more = users.len() > self.limit;
        users.truncate(self.limit);
        if self.form.json {
            output::print_json(&users)?;
            return Ok(ExitCode::SUCCESS);
        }
        if users.is_empty() {
            let seed = hint(dir, Some(account), "seed");
            output::print(&format!("The account {account} has no users. Make some with: {seed}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
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
        let mut text = table.render(output::columns(), 0);
        if more {
            let _ = writeln!(text, "There are more: list them with --limit. These are the first {}.", self.limit);
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn named(self, stack: &Connection) -> Result<ExitCode> {
        let account = &self.whose.account;
        let folded: Vec<_> = self.logins.iter().map(|login| fold(login)).collect();
        let folded: Vec<&str> = folded.iter().map(AsRef::as_ref).collect();
        let users = stack.directory.named_users(account, &folded).await.map_err(told)?;
        if self.form.json {
            output::print_json(&users)?;
        } else if !users.is_empty() {
            output::print(&lists(&users))?;
        }
        let found = |login: &str| users.iter().any(|user| user.login.folded() == fold(login));
        let missing: Vec<_> = self.logins.iter().filter(|login| !found(login)).map(String::as_str).collect();
        if missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Error::new(format!("the account {account} has no user {}", missing.join(", "))))
    }
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
