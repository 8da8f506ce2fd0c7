//! `rollcall mappings`: who each CRM user is, and how many numbers each sees.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rollcall_model::mapping::{Mapping, State};
use rollcall_model::phone_side::PhoneUserId;

use super::connect::{Connection, told};
use super::output::{self, Cell, Column, Table, Tone, count};
use super::users::policy;
use super::{Form, Whose, hint};
use crate::stack::Result;

/// Options of `rollcall mappings`.
#[derive(Debug, Args)]
#[command(after_help = "\
Who is unmapped, ambiguous or orphaned sees no numbers. `rollcall map` says who they are.

Examples:
  rollcall mappings
  rollcall mappings --limit 1000 --json")]
pub struct Mappings {
    #[command(flatten)]
    whose: Whose,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    form: Form,
}

impl Mappings {
    /// Lists them by CRM user.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.account;
        let (mut mappings, mut more) = (Vec::<Mapping>::new(), true);
        while more && mappings.len() < self.limit {
            let after = mappings.last().map(|mapping| &mapping.crm_user);
            let left = self.limit - mappings.len();
            let (page, rest) = stack.directory.mappings_page(account, after, left).await.map_err(told)?;
            mappings.extend(page);
            more = rest;
        }
        if self.form.json {
            output::print_json(&mappings)?;
            return Ok(ExitCode::SUCCESS);
        }
        if mappings.is_empty() {
            let map = hint(dir, Some(account), "map CRM_USER --to LOGIN");
            output::print(&format!("The account {account} has no mappings. Make one with: {map}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let inventory = stack.directory.inventory(account).await.map_err(told)?;
        let mut table = Table::new([
            Column::text("CRM user"),
            Column::text("State"),
            Column::text("Policy"),
            Column::number("Sees"),
            Column::text("Phone user"),
        ]);
        for mapping in &mappings {
            let tone = if mapping.phone_user().is_some() { Tone::Good } else { Tone::Doubtful };
            table.row([
                Cell::from(mapping.crm_user.as_str()),
                Cell::toned(mapping.state.as_str(), tone),
                mapping.permission.as_ref().map_or("", |permission| policy(permission.policy)).into(),
                count(mapping.visible(&inventory).len() as u64).into(),
                phone_users(&mapping.state).into(),
            ]);
        }
        let mut text = table.render(output::columns(), 0);
        if more {
            let _ = writeln!(text, "There are more: list them with --limit. These are the first {}.", self.limit);
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Who a CRM user is, was, or could be.
pub fn phone_users(state: &State) -> String {
    match state {
        State::Unmapped => String::new(),
        State::Mapped { phone_user } | State::Orphaned { phone_user } => phone_user.as_str().to_owned(),
        State::Ambiguous { candidates } => candidates.iter().map(PhoneUserId::as_str).collect::<Vec<_>>().join(" or "),
    }
}
