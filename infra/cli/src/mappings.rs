//! `rollcall mappings`: who each CRM user is, and how many numbers each sees.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::MappingView;
use rollcall_model::mapping::MappingState;
use rollcall_model::phone_side::PhoneUserId;
use rollcall_model::user::Policy;

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::list::{ListArgs, Listed};
use crate::output::{Cell, Column, Tone, count};
use crate::stack_selector::StackSelector;
use crate::users::policy;

/// Options of `rollcall mappings`.
#[derive(Debug, Args)]
#[command(after_help = "\
Who is unmapped, ambiguous or orphaned sees no numbers. `rollcall map` says who they are.

Examples:
  rollcall mappings
  rollcall mappings --state unmapped --json")]
pub struct Mappings {
    #[command(flatten)]
    whose: AccountArg,
    /// Only those in this state: unmapped, ambiguous, mapped or orphaned
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only those with this text in the CRM user's ID, address or login, or in the phone user's ID
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

impl Mappings {
    /// Lists them by CRM user.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let filters = [("state", self.state.as_deref()), ("search", self.search.as_deref())];
        let query: Vec<_> = filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let (account, map) = (&stack.account, stack.hint("map CRM_USER --to LOGIN"));
        let none = if query.is_empty() {
            format!("The account {account} has no mappings. Make one with: {map}\n")
        } else {
            format!("The account {account} has no such mapping.\n")
        };
        let columns = vec![
            Column::text("CRM user"),
            Column::text("State"),
            Column::text("Policy"),
            Column::number("Listed"),
            Column::text("Phone user"),
        ];
        let listed = Listed { columns, row: &|mapping| (row(mapping), None), wanted: &|_| true, none };
        self.list.print(&stack, &["v1", "mappings"], &query, listed).await
    }
}

fn row(mapping: &MappingView) -> Vec<Cell> {
    let tone = if mapping.state.phone_user().is_some() { Tone::Good } else { Tone::Doubtful };
    let permission = mapping.permission.as_ref();
    // Under another policy the list isn't what counts.
    let listed = permission.filter(|permission| permission.policy == Policy::Custom);
    vec![
        Cell::from(mapping.crm_user.as_str()),
        Cell::toned(mapping.state.as_str(), tone),
        permission.map_or("", |permission| policy(permission.policy)).into(),
        listed.map(|permission| count(permission.caller_ids.len() as u64)).unwrap_or_default().into(),
        phone_users(&mapping.state).into(),
    ]
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
