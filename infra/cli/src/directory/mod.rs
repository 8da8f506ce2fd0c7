//! `rollcall directory`: users that come from the company's own directory.

mod ask;
mod connect;
mod scim_key;
mod status;
mod users;

use std::process::ExitCode;

use crate::api::Failure;
use anyhow::Result;
use clap::{Args, Subcommand};
use rollcall_model::code::ApiCode;

use crate::client::StackClient;
use crate::stack_selector::StackSelector;

/// Options of `rollcall directory`.
#[derive(Debug, Args)]
#[command(after_help = "\
How to set up the tenant, what is read of it and what becomes of changes is in infra/docs/directory.md.

Examples:
  rollcall directory connect --tenant contoso.onmicrosoft.com --client-id 11111111-2222-3333-4444-555555555555
  rollcall directory users --search asha
  rollcall directory import --filter \"department eq 'Sales'\" --role agent
  rollcall directory sync")]
pub struct Directory {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Keep what opens the account's tenant, once it does; for the stack on this machine
    Connect(connect::Connect),
    /// Show whether a tenant is connected, and what came of the last import and sync
    Status(status::Status),
    /// List or search the tenant's users
    Users(users::Users),
    /// Import users of the tenant, and follow the job to its end
    Import(ask::ImportUsers),
    /// Bring what has changed in the tenant, and follow the job to its end
    Sync(ask::SyncUsers),
    /// Show, make and delete keys by which the company's directory pushes users in, by SCIM
    ScimKey(scim_key::ScimKeys),
}

impl Directory {
    /// Does what it says.
    ///
    /// # Errors
    /// If the stack or the directory can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        match self.action {
            Action::Connect(connect) => connect.run(place.here("directory connect")?).await,
            Action::Status(status) => status.run(place).await,
            Action::Users(users) => users.run(place).await,
            Action::Import(import) => import.run(place).await,
            Action::Sync(sync) => sync.run(place).await,
            Action::ScimKey(keys) => keys.run(place).await,
        }
    }
}

/// What the API says where there is no directory, and how to connect one.
fn explained(stack: &StackClient, failure: Failure) -> anyhow::Error {
    match &failure {
        Failure::Refused(problem) if problem.has_code(ApiCode::DirectoryNotConnected) => {
            anyhow::Error::msg(not_connected(stack))
        }
        _ => failure.into(),
    }
}

fn not_connected(stack: &StackClient) -> String {
    let account = &stack.account;
    match stack.hint_here("directory connect --tenant TENANT --client-id ID") {
        Some(connect) => format!("the account {account} has no directory connected; do that with: {connect}"),
        None => {
            format!("the account {account} has no directory connected; infra/docs/directory.md says how to do that")
        }
    }
}
