//! `rollcall directory status`: how an account and its tenant stand.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rollcall_model::directory_import::standing::{ImportTally, Imported, Outcome, Standing, Synced};
use rollcall_model::directory_import::sync::Tally;
use rollcall_model::upload::JobId;
use rollcall_remote::entra::{Credentials, SECRET};
use serde::Serialize;

use super::super::connect::{Connection, told};
use super::super::output::{self, counted, span};
use super::super::{Form, Whose, hint, summary};
use crate::stack::Result;

/// Options of `rollcall directory status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    form: Form,
}

/// How they stand, as machines read it.
#[derive(Serialize)]
struct Shown<'a> {
    tenant: Option<&'a str>,
    client_id: Option<&'a str>,
    last_import: Option<&'a Imported>,
    last_sync: Option<&'a Synced>,
}

impl Status {
    /// Shows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.account;
        let credentials: Option<Credentials> = stack.secrets.read(account, SECRET).await.map_err(told)?;
        let standing = stack.directory.standing(account).await.map_err(told)?.unwrap_or_default();
        let tenant = credentials.as_ref().map(|credentials| credentials.tenant.as_str());
        if self.form.json {
            output::print_json(&Shown {
                tenant,
                client_id: credentials.as_ref().map(|credentials| credentials.client_id.as_str()),
                last_import: standing.last_import.as_ref(),
                last_sync: standing.last_sync.as_ref(),
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        let connect = || hint(dir, Some(account), "directory connect --tenant TENANT --client-id ID");
        let mut text = match tenant {
            Some(tenant) => format!("{:14} {}\n", "Connected to", output::visible(tenant)),
            None => format!("The account {account} has no directory connected. Do that with: {}\n", connect()),
        };
        if let Some(import) = &standing.last_import {
            text.push_str(&line("Last import", &import_told(import.tally), &import.job, Some(import.at)));
        }
        if let Some(sync) = &standing.last_sync {
            text.push_str(&line("Last sync", &sync_told(sync), &sync.job, Some(sync.at)));
        }
        if is_held(&standing) {
            let confirm = hint(dir, Some(account), "directory sync --confirmed");
            text.push_str(&format!("{:14} {confirm}\n", "If it is meant"));
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether the last sync waits for a person.
pub fn is_held(standing: &Standing) -> bool {
    matches!(&standing.last_sync, Some(Synced { outcome: Outcome::Held { .. }, .. }))
}

/// What is known of a job beside its record.
pub fn of_job(standing: &Standing, job: &JobId) -> Option<String> {
    let import = standing.last_import.as_ref().filter(|import| import.job == *job);
    let sync = standing.last_sync.as_ref().filter(|sync| sync.job == *job);
    let told = import.map(|import| import_told(import.tally)).or_else(|| sync.map(sync_told))?;
    Some(line("Directory", &told, job, None))
}

fn line(label: &str, told: &str, job: &JobId, at: Option<jiff::Timestamp>) -> String {
    let when = at.map(|at| format!(" (job {job}, {} ago)", span(summary::age(at)))).unwrap_or_default();
    format!("{label:14} {told}{when}\n")
}

fn import_told(tally: ImportTally) -> String {
    let ImportTally { users, unknown_ids, phones_unread } = tally;
    let mut told = format!("{} found", counted(users as u64, "user", "users"));
    for (number, what) in
        [(unknown_ids, "IDs that nobody has"), (phones_unread, "telephones that can't be read, left out")]
    {
        if number > 0 {
            told.push_str(&format!(", {} {what}", output::count(number as u64)));
        }
    }
    told
}

fn sync_told(sync: &Synced) -> String {
    let Tally { linked, updated, deactivated, still_blocked, phones_unread } = sync.tally;
    match &sync.outcome {
        Outcome::Held { reason } => format!("held: {}", output::visible(reason)),
        Outcome::Refused { reason } => format!("refused: {}", output::visible(reason)),
        Outcome::Done => {
            let mut told = format!(
                "{} of {} updated, {} deactivated",
                output::count(updated as u64),
                counted(linked as u64, "user", "users"),
                output::count(deactivated as u64)
            );
            for (number, what) in
                [(still_blocked, "enabled there and blocked here"), (phones_unread, "telephones that can't be read")]
            {
                if number > 0 {
                    told.push_str(&format!(", {} {what}", output::count(number as u64)));
                }
            }
            told
        }
    }
}
