//! `rollcall directory scim-key`: keys by which a company's directory pushes users in, and how that goes.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use rollcall_api_types::{NewScimKey, ScimKeyRequest, ScimKeysView};
use rollcall_model::user::Name;

use crate::client::{StackClient, request_id};
use crate::output::{self, Column, Table, counted, span};
use crate::stack_selector::StackSelector;
use crate::summary::age;
use crate::{args::AccountArg, args::OutputFormat};

/// Where keys are.
const PATH: [&str; 3] = ["v1", "directory", "scim-keys"];

/// Options of `rollcall directory scim-key`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
How Entra ID and Okta are set up is in infra/docs/scim.md.

Examples:
  rollcall directory scim-key create --name \"Entra ID\"
  rollcall directory scim-key
  rollcall directory scim-key delete 0123456789abcdef"
)]
pub struct ScimKeys {
    #[command(subcommand)]
    change: Option<Change>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Make a key and show its token, this once
    Create(Create),
    /// Delete a key: within a minute nobody is let in by it
    Delete(Delete),
}

#[derive(Debug, Args)]
struct Create {
    /// What people call it
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    name: Option<Name>,
    /// End syncs with Entra ID: from now on the directory pushes
    #[arg(long)]
    instead_of_sync: bool,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Debug, Args)]
struct Delete {
    /// Its ID
    id: String,
    #[command(flatten)]
    whose: AccountArg,
}

impl ScimKeys {
    /// Does what it says.
    ///
    /// # Errors
    /// If the stack can't be asked, or doesn't take it.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        match self.change {
            None => list(&StackClient::open(place, &self.whose).await?, self.form).await,
            Some(Change::Create(create)) => create.run(place).await,
            Some(Change::Delete(delete)) => delete.run(place).await,
        }
    }
}

async fn list(stack: &StackClient, form: OutputFormat) -> Result<ExitCode> {
    let keys: ScimKeysView = stack.api.get(&PATH, &[]).await?;
    if form.json {
        output::print_json(&keys)?;
        return Ok(ExitCode::SUCCESS);
    }
    if keys.items.is_empty() {
        let create = stack.hint("directory scim-key create");
        output::print(&format!("The account {} has no key. Make one with: {create}\n", stack.account))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table =
        Table::new([Column::text("ID"), Column::text("Name"), Column::text("Made"), Column::text("Last request")]);
    for key in &keys.items {
        let name = output::visible(key.name.as_deref().unwrap_or_default());
        let used = key.last_used.map_or_else(|| "never".to_owned(), |day| day.to_string());
        let made = format!("{} ago", span(age(key.created)));
        table.row([key.id.as_str().into(), name.as_str().into(), made.as_str().into(), used.as_str().into()]);
    }
    let mut text = table.render(output::columns(), 0);
    let refused = counted(keys.errors.len() as u64, "user or group", "users and groups");
    text.push_str(&format!("\nRefused in the last two weeks: {refused}\n"));
    for error in &keys.errors {
        let times = counted(error.times, "time", "times");
        text.push_str(&format!(
            "  {}  {} {}, {} ago, {times}: {}\n",
            output::visible(&error.about),
            error.status,
            error.route,
            span(age(error.at)),
            output::visible(&error.detail)
        ));
    }
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl Create {
    async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let asked = ScimKeyRequest { name: self.name, instead_of_sync: self.instead_of_sync };
        let key: NewScimKey = stack.api.post(&PATH, &asked, &request_id()).await?;
        if self.form.json {
            output::print_json(&key)?;
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!(
            "The key {} is made. Its token is shown this once; the directory shows it as a bearer token.",
            key.key.id
        );
        output::print(&format!("{}\n", key.token))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Delete {
    async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let path: Vec<&str> = PATH.into_iter().chain([self.id.as_str()]).collect();
        stack.api.delete(&path).await?;
        eprintln!("The key {} is gone. Within a minute nobody is let in by it.", output::visible(&self.id));
        Ok(ExitCode::SUCCESS)
    }
}
