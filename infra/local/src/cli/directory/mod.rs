//! `rollcall directory`: users that come from Entra ID.

mod ask;
mod connect;
mod status;
mod users;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use rollcall_model::account::AccountId;
use rollcall_remote::Http;
use rollcall_remote::entra::{Credentials, Endpoints, Entra, SECRET};

use super::connect::{Connection, output, told};
use super::hint;
use crate::stack::{Context, Error, Result};

/// How long the directory has for an answer that somebody waits for.
const PATIENCE: Duration = Duration::from_mins(1);

/// The outputs of the template that say where Entra ID is.
const LOGIN: &str = "EntraLoginUrl";
const GRAPH: &str = "GraphUrl";

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
    /// Keep what opens the account's tenant, once it does
    Connect(connect::Connect),
    /// Show whether a tenant is connected, and what came of the last import and sync
    Status(status::Status),
    /// List or search the tenant's users
    Users(users::Users),
    /// Import users of the tenant, and follow the job to its end
    Import(ask::ImportUsers),
    /// Bring what has changed in the tenant, and follow the job to its end
    Sync(ask::SyncUsers),
}

impl Directory {
    /// Does what it says.
    ///
    /// # Errors
    /// If the stack or the directory can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        match self.action {
            Action::Connect(connect) => connect.run(dir).await,
            Action::Status(status) => status.run(dir).await,
            Action::Users(users) => users.run(dir).await,
            Action::Import(import) => import.run(dir).await,
            Action::Sync(sync) => sync.run(dir).await,
        }
    }
}

/// What opens the account's tenant.
async fn credentials(stack: &Connection, account: &AccountId, dir: &Path) -> Result<Credentials> {
    let credentials = stack.secrets.read(account, SECRET).await.map_err(told)?;
    credentials.ok_or_else(|| {
        let connect = hint(dir, Some(account), "directory connect --tenant TENANT --client-id ID");
        Error::new(format!("the account {account} has no directory connected; do that with: {connect}"))
    })
}

/// The tenant that these credentials open.
async fn open(stack: &Connection, account: &AccountId, credentials: Credentials) -> Result<Entra> {
    let url = |name| output(&stack.manifest, name)?.parse().context(format!("the template's output {name}"));
    let endpoints = Endpoints { login: url(LOGIN)?, graph: url(GRAPH)? };
    let country = stack.country(account).await?;
    Ok(Entra::new(Http::new().map_err(failed)?, endpoints, credentials, country))
}

/// An error of the directory, which names its operation itself.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` takes")]
fn failed(error: rollcall_remote::Error) -> Error {
    Error::new(error.chain())
}
