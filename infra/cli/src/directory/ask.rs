//! `rollcall directory import` and `sync`: requests, followed to the end of their jobs.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use rollcall_api_types::RequestedJob;
use rollcall_bulk::directory_import::request::{Chosen, Import, Sync};
use rollcall_model::user::{DirectoryId, Ref};
use serde::Serialize;

use super::{explained, status};
use crate::args::AccountArg;
use crate::client::{StackClient, request_id};
use crate::confirm::PreviewArgs;
use crate::stack_selector::StackSelector;
use crate::upload_file::FollowArgs;

/// Options of `rollcall directory import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Users are created under the login name that they have in the tenant, or changed where they were imported before. Who is disabled there \
is blocked here.

Examples:
  rollcall directory import --search asha --role agent
  rollcall directory import --filter \"department eq 'Sales' and accountEnabled eq true\" --role agent
  rollcall directory import --id 87d349ed-44d7-43e1-9a83-5f2406dee5bd")]
pub struct ImportUsers {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    preview: PreviewArgs,
    /// The ID of the role that they get
    #[arg(long, value_name = "ROLE", value_parser = Ref::parse)]
    role: Option<Ref>,
    /// Link again somebody who was deleted in the tenant and has come back under the same login name
    #[arg(long, requires = "ids")]
    relink: bool,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    watch: FollowArgs,
}

/// Which users.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// A user's object ID; can be given several times
    #[arg(long = "id", value_name = "ID", value_parser = DirectoryId::parse)]
    ids: Vec<DirectoryId>,
    /// How a word of the name, the address or the login name begins
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// What Microsoft Graph takes as $filter of users
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
}

/// Options of `rollcall directory sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
A sync that would deactivate more than a fifth of the users that came from the tenant, and at least ten, is put on hold and changes nothing. \
Run it again with --force to apply it.")]
pub struct SyncUsers {
    /// Apply although the safety threshold is exceeded
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    preview: PreviewArgs,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    watch: FollowArgs,
}

impl ImportUsers {
    /// Asks for the import, and follows it.
    ///
    /// # Errors
    /// If nobody is chosen, or the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let Choice { ids, search, filter } = self.choice;
        let chosen = match (search, filter) {
            (Some(search), _) => Chosen::search(&search),
            (None, Some(filter)) => Chosen::filter(&filter),
            (None, None) => Chosen::ids(ids),
        };
        let chosen = chosen.context("nobody can be imported")?;
        let preview = self.preview.is_asked_for();
        let import = Import { chosen, role: self.role, relink: self.relink, preview };
        ask(place, &self.whose, "import", &import, (self.watch, self.preview)).await
    }
}

impl SyncUsers {
    /// Asks for the sync, and follows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let request = Sync { confirmed: self.force, preview: self.preview.is_asked_for() };
        ask(place, &self.whose, "sync", &request, (self.watch, self.preview)).await
    }
}

async fn ask(
    place: &StackSelector,
    whose: &AccountArg,
    what: &str,
    request: &impl Serialize,
    (watch, preview): (FollowArgs, PreviewArgs),
) -> Result<ExitCode> {
    watch.check()?;
    let stack = StackClient::open(place, whose).await?;
    let asked = stack.api.post(&["v1", "directory", what], request, &request_id()).await;
    let RequestedJob { job, .. } = asked.map_err(|failure| explained(&stack, failure))?;
    let code = watch.run(&stack, &job, preview.consent(), "Bring users in step with the directory").await?;
    let standing = status::of(&stack).await?;
    if let Some(text) = status::of_job(&standing, &job) {
        eprint!("{text}");
        if status::is_on_hold(&standing) {
            eprintln!("If that is meant: {}", stack.hint("directory sync --force"));
        }
    }
    Ok(code)
}
