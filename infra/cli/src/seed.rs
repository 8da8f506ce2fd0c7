//! `rollcall seed`: an account to try things on.

use anyhow::Result;
use rollcall_engine::world::{Accounts, Catalogs, Users};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressStyle;
use rollcall_engine::world::TableUsage;
use rollcall_model::account::AccountId;
use rollcall_model::email::EmailAddress;
use rollcall_model::settings::{ReportTo, Settings};
use rollcall_model::user::User;
use serde::Serialize;
use tokio::time::Instant;

use crate::local::Connection;
use crate::output::{self, counted};
use crate::{args::AccountArg, args::OutputFormat, demo_account, stack_selector::hint};

/// Users created between two steps of the progress bar.
const SLICE: u64 = 1_000;
/// How long to wait for a table that asks for patience.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Options of `rollcall seed`.
#[derive(Debug, Args)]
#[command(after_help = "\
Users are user1, user2, …, and a shared desk whose login is another user's e-mail address. The account owns Smartflo's \
sample numbers, a pool of Indian mobile numbers, and a retired one; a CRM calls the first ten users crm-1 to crm-10. Doing it again adds what is missing and changes no \
user that is there.

Examples:
  rollcall seed
  rollcall seed --users 10000 --numbers 200 --account acme --recipient ops@acme.example")]
pub struct Seed {
    /// Users with a login of their own
    #[arg(long, value_name = "N", default_value_t = demo_account::USERS, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    users: u64,
    /// Numbers of the pool
    #[arg(long, value_name = "N", default_value_t = demo_account::NUMBERS,
        value_parser = clap::value_parser!(u64).range(demo_account::LEAST_NUMBERS..=demo_account::MOST_NUMBERS))]
    numbers: u64,
    #[command(flatten)]
    whose: AccountArg,
    /// Who gets the reports, in place of those set before; can be given several times, and is ops@example.com by default
    #[arg(long = "recipient", value_name = "ADDRESS")]
    recipients: Vec<EmailAddress>,
    /// An address or a domain that reports may go to besides, where an upload names it; can be given several times
    #[arg(long = "report-to", value_name = "ADDRESS|DOMAIN")]
    report_to: Vec<ReportTo>,
    #[command(flatten)]
    form: OutputFormat,
}

/// What was made, and what was there.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Made {
    pub users_created: u64,
    pub users: u64,
    pub numbers: u64,
}

impl Seed {
    /// Makes the account.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.here();
        let made =
            seed(&stack, account, self.users, self.numbers, (self.recipients, self.report_to), !self.form.json).await?;
        if self.form.json {
            output::print_json(&made)?;
            return Ok(ExitCode::SUCCESS);
        }
        output::print(&format!(
            "The account {account} has {} ({} new) and {}.\nLook at them with: {}\n",
            counted(made.users, "user", "users"),
            output::count(made.users_created),
            counted(made.numbers, "number", "numbers"),
            hint(dir, Some(account), "users"),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes the account, or what is missing of it.
///
/// # Errors
/// If the stack can't be asked.
pub async fn seed(
    stack: &Connection,
    account: &AccountId,
    users: u64,
    numbers: u64,
    (recipients, report_to): (Vec<EmailAddress>, Vec<ReportTo>),
    shown: bool,
) -> Result<Made> {
    let directory = &stack.directory;
    let before = directory.settings(account).await?;
    let settings = demo_account::settings(before, recipients, report_to);
    directory.put_settings(account, &Settings { version: settings.version + 1, ..settings }).await?;
    let inventory = demo_account::inventory(numbers);
    directory.put_numbers(account, &inventory).await?;
    for (kind, entry) in demo_account::catalog() {
        directory.put_entry(account, kind, &entry, None).await?;
    }

    let bar = output::progress(shown && users > SLICE);
    bar.set_length(users);
    bar.set_style(
        ProgressStyle::with_template("{spinner} creating users {bar:40} {human_pos} of {human_len}  {elapsed}")
            .expect("the template is well formed"),
    );
    let mut created = create_missing(stack, account, vec![demo_account::desk()]).await?;
    let mut first = 1;
    while first <= users {
        let last = users.min(first + SLICE - 1);
        let slice = (first..=last).map(|number| demo_account::user(number, numbers)).collect();
        created += create_missing(stack, account, slice).await?;
        bar.set_position(last);
        first = last + 1;
    }
    bar.finish_and_clear();
    for mapping in demo_account::mappings(users, numbers) {
        // What is said of a CRM user already stays.
        directory.change_mapping(account, None, &mapping, None).await?;
    }
    Ok(Made { users_created: created, users: users + 1, numbers: inventory.len() as u64 })
}

/// Creates those who are not there. Whoever is there is looked up before: finding out by failing would take one
/// transaction for each.
async fn create_missing(stack: &Connection, account: &AccountId, mut users: Vec<User>) -> Result<u64> {
    let logins: Vec<String> = users.iter().map(|user| user.login.folded().into_owned()).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let until = Instant::now() + TIMEOUT;
    let found = stack.directory.find_users(account, &logins, until, &mut TableUsage::default()).await?;
    users.retain(|user| !found.contains_key(&*user.login.folded()));
    let created = stack.directory.create_users(account, &users).await?;
    Ok(created as u64)
}
