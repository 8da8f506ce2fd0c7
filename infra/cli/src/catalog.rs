//! `rollcall departments`, `teams` and `roles`: what users refer to.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use rollcall_api_types::{CatalogEntryRequest, CatalogEntryView, CatalogView, MovedView};
use rollcall_model::catalog::CatalogKind;
use rollcall_model::code::ApiCode;
use rollcall_model::user::near::{closest, did_you_mean};
use rollcall_model::user::{Name, Ref, fold};

use crate::api::Failure;
use crate::client::StackClient;
use crate::output::{self, Column, Table, counted};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall departments`, `teams` and `roles`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Catalog {
    #[command(subcommand)]
    change: Option<Change>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Add one
    Add(Put),
    /// Give one another name; its ID stays
    Rename(Put),
    /// Take one away that nobody uses, or that another takes the place of
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Put {
    /// Its ID, which users carry and files may name: no spaces
    #[arg(value_parser = Ref::parse)]
    id: Ref,
    /// The name that people know it by, which files may name, too; the ID by default
    #[arg(value_parser = Name::parse)]
    name: Option<Name>,
    #[command(flatten)]
    whose: AccountArg,
}

#[derive(Debug, Args)]
struct Remove {
    /// Its ID
    #[arg(value_parser = Ref::parse)]
    id: Ref,
    /// What users and numbers get in its place, by ID
    #[arg(long, value_name = "ID", value_parser = Ref::parse)]
    replace_with: Option<Ref>,
    #[command(flatten)]
    whose: AccountArg,
}

impl Catalog {
    /// Does what it says.
    ///
    /// # Errors
    /// If the stack can't be asked, or doesn't take it.
    pub async fn run(self, place: &StackSelector, kind: CatalogKind) -> Result<ExitCode> {
        match self.change {
            None => list(&StackClient::open(place, &self.whose).await?, kind, self.form).await,
            Some(Change::Add(put)) => put.run(place, kind, false).await,
            Some(Change::Rename(put)) => put.run(place, kind, true).await,
            Some(Change::Remove(remove)) => remove.run(place, kind).await,
        }
    }
}

async fn list(stack: &StackClient, kind: CatalogKind, form: OutputFormat) -> Result<ExitCode> {
    let entries = entries(stack, kind).await?;
    if form.json {
        output::print_json(&entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new([Column::text("ID"), Column::text("Name")]);
    for entry in &entries {
        table.row([entry.id.as_str().into(), entry.name.as_str().into()]);
    }
    if table.is_empty() {
        let add = match kind {
            CatalogKind::Role => stack.hint("roles add ID NAME"),
            CatalogKind::Department => stack.hint("departments add ID NAME"),
            CatalogKind::Team => stack.hint("teams add ID NAME"),
        };
        output::print(&format!("The account {} has no {}. Add one with: {add}\n", stack.account, path(kind)))?;
    } else {
        output::print(&table.render(output::columns(), 0))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Put {
    async fn run(self, place: &StackSelector, kind: CatalogKind, there: bool) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let is_there = entries(&stack, kind).await?.iter().any(|entry| entry.id == self.id);
        let (what, account) = (word(kind), &stack.account);
        if is_there && !there {
            bail!("the account {account} has the {what} {}; give it another name with \"rename\"", self.id);
        }
        let Some(name) = self.name.or_else(|| Name::parse(self.id.as_str()).ok().filter(|_| !there)) else {
            bail!("give the new name behind the ID");
        };
        if there && !is_there {
            return Err(unknown(&stack, kind, self.id.as_str()).await?);
        }
        let path = ["v1", path(kind), self.id.as_str()];
        let entry: CatalogEntryView = stack.api.put(&path, &CatalogEntryRequest { name }).await?;
        eprintln!("The {what} {} is called {}.", entry.id, output::visible(entry.name.as_str()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Remove {
    async fn run(self, place: &StackSelector, kind: CatalogKind) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        if !entries(&stack, kind).await?.iter().any(|entry| entry.id == self.id) {
            return Err(unknown(&stack, kind, self.id.as_str()).await?);
        }
        let query: Vec<_> = self.replace_with.iter().map(|id| ("replace_with", id.as_str())).collect();
        let mut moved = 0;
        let path = ["v1", path(kind), self.id.as_str()];
        let refused = |failure| match failure {
            Failure::Refused(problem) if problem.has_code(ApiCode::InUse) => {
                let id = &self.id;
                let hint = match kind {
                    CatalogKind::Role => stack.hint(&format!("roles remove {id} --replace-with ID")),
                    CatalogKind::Department => stack.hint(&format!("departments remove {id} --replace-with ID")),
                    CatalogKind::Team => stack.hint(&format!("teams remove {id} --replace-with ID")),
                };
                anyhow!("{problem} Do it with: {hint}")
            }
            failure => failure.into(),
        };
        while let Some(done) = stack.api.delete_with::<MovedView>(&path, &query).await.map_err(refused)? {
            moved += done.moved;
            eprintln!("{} have another {}; going on.", counted(moved as u64, "user", "users"), word(kind));
        }
        eprintln!("The {} {} is gone.", word(kind), self.id);
        Ok(ExitCode::SUCCESS)
    }
}

/// The ID of what somebody has written: an ID or a name, in any case.
///
/// # Errors
/// If there is none, with those that are near; or if several have the name.
pub async fn resolve(stack: &StackClient, kind: CatalogKind, written: &str) -> Result<Ref> {
    let entries = entries(stack, kind).await?;
    if let Some(entry) = entries.iter().find(|entry| entry.id.as_str() == written) {
        return Ok(entry.id.clone());
    }
    let is = |entry: &&CatalogEntryView| {
        fold(entry.id.as_str()) == fold(written) || fold(entry.name.as_str()) == fold(written)
    };
    let found: Vec<_> = entries.iter().filter(is).collect();
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(unknown(stack, kind, written).await?),
        several => {
            let ids: Vec<_> = several.iter().map(|entry| entry.id.as_str()).collect();
            bail!("several {} are called {written}: {}; write the ID", path(kind), ids.join(", "))
        }
    }
}

async fn unknown(stack: &StackClient, kind: CatalogKind, written: &str) -> Result<anyhow::Error> {
    let entries = entries(stack, kind).await?;
    let names = entries.iter().flat_map(|entry| [entry.id.as_str(), entry.name.as_str()]);
    let near: Vec<String> = closest(written, names).map(str::to_owned).into_iter().collect();
    let (what, account) = (word(kind), &stack.account);
    let there = match entries.as_slice() {
        _ if !near.is_empty() => format!(".{}", did_you_mean(&near)),
        [] => "; it has none".to_owned(),
        entries => {
            format!("; it has {}", entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>().join(", "))
        }
    };
    Ok(anyhow!("the account {account} has no {what} \"{}\"{there}", output::visible(written)))
}

async fn entries(stack: &StackClient, kind: CatalogKind) -> Result<Vec<CatalogEntryView>> {
    let view: CatalogView = stack.api.get(&["v1", path(kind)], &[]).await?;
    Ok(view.items)
}

fn path(kind: CatalogKind) -> &'static str {
    match kind {
        CatalogKind::Role => "roles",
        CatalogKind::Department => "departments",
        CatalogKind::Team => "teams",
    }
}

fn word(kind: CatalogKind) -> &'static str {
    match kind {
        CatalogKind::Role => "role",
        CatalogKind::Department => "department",
        CatalogKind::Team => "team",
    }
}
