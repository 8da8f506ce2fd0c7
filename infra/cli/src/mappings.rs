//! `rollcall mappings`: who each CRM user is, and how many numbers each sees.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_api_types::{MappingView, VisibleCallerIds};
use rollcall_model::mapping::{CrmUserId, MappingState};
use rollcall_model::phone_side::PhoneUserId;

use crate::client::{StackClient, found};
use crate::output::{self, Cell, Column, Table, Tone, count};
use crate::stack_selector::StackSelector;
use crate::users::policy;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall mappings`.
#[derive(Debug, Args)]
#[command(after_help = "\
Who is unmapped, ambiguous or orphaned sees no numbers. `rollcall map` says who they are.

Examples:
  rollcall mappings
  rollcall mappings --limit 1000 --json")]
pub struct Mappings {
    #[command(flatten)]
    whose: AccountArg,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

/// CRM users asked about at once.
const IN_FLIGHT: usize = 8;

impl Mappings {
    /// Lists them by CRM user.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let path = ["v1", "mappings"];
        let (mappings, more): (Vec<MappingView>, _) = stack.api.list(&path, &[], self.limit, |_| true).await?;
        if self.form.json {
            output::print_json(&mappings)?;
            return Ok(ExitCode::SUCCESS);
        }
        if mappings.is_empty() {
            let (account, map) = (&stack.account, stack.hint("map CRM_USER --to LOGIN"));
            output::print(&format!("The account {account} has no mappings. Make one with: {map}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let seen = stream::iter(&mappings).map(|mapping| seen(&stack, &mapping.crm_user)).buffered(IN_FLIGHT);
        let seen: Vec<usize> = seen.try_collect().await?;
        let mut table = Table::new([
            Column::text("CRM user"),
            Column::text("State"),
            Column::text("Policy"),
            Column::number("Sees"),
            Column::text("Phone user"),
        ]);
        for (mapping, seen) in mappings.iter().zip(seen) {
            let tone = if mapping.state.phone_user().is_some() { Tone::Good } else { Tone::Doubtful };
            table.row([
                Cell::from(mapping.crm_user.as_str()),
                Cell::toned(mapping.state.as_str(), tone),
                mapping.permission.as_ref().map_or("", |permission| policy(permission.policy)).into(),
                count(seen as u64).into(),
                phone_users(&mapping.state).into(),
            ]);
        }
        output::print_list(table.render(output::columns(), 0), more, self.limit)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// How many numbers a CRM user sees. Whose mapping has been taken away meanwhile sees none.
async fn seen(stack: &StackClient, crm_user: &CrmUserId) -> Result<usize> {
    let seen = stack.api.get(&["v1", "mappings", crm_user.as_str(), "caller-ids"], &[]).await;
    Ok(found(seen)?.map_or(0, |seen: VisibleCallerIds| seen.caller_ids.len()))
}

/// Who a CRM user is, was, or could be.
pub fn phone_users(state: &MappingState) -> String {
    match state {
        MappingState::Unmapped => String::new(),
        MappingState::Mapped { phone_user } | MappingState::Orphaned { phone_user } => phone_user.as_str().to_owned(),
        MappingState::Ambiguous { candidates } => {
            candidates.iter().map(PhoneUserId::as_str).collect::<Vec<_>>().join(" or ")
        }
    }
}
