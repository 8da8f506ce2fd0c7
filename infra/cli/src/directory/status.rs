//! `rollcall directory status`: how an account and its tenant stand.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::DirectoryView;
use rollcall_bulk::directory_import::sync::SyncTally;
use rollcall_bulk::directory_import::sync_state::{ImportTally, SyncOutcome, Synced};
use rollcall_model::jobs::JobId;

use super::not_connected;
use crate::client::StackClient;
use crate::output::{self, counted, span};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat, summary};

/// Options of `rollcall directory status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

/// How they stand now.
///
/// # Errors
/// If the stack can't be asked.
pub async fn of(stack: &StackClient) -> Result<DirectoryView> {
    Ok(stack.api.get(&["v1", "directory"], &[]).await?)
}

impl Status {
    /// Shows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let standing = of(&stack).await?;
        if self.form.json {
            output::print_json(&standing)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = match &standing.tenant {
            Some(tenant) => format!("{:14} {}\n", "Connected to", output::visible(tenant)),
            None => not_connected(&stack) + "\n",
        };
        if let Some(import) = &standing.last_import {
            text.push_str(&line("Last import", &import_text(import.tally), &import.job, Some(import.at)));
        }
        if let Some(sync) = &standing.last_sync {
            text.push_str(&line("Last sync", &sync_text(sync), &sync.job, Some(sync.at)));
        }
        if !standing.ask_again.is_empty() {
            let users = counted(standing.ask_again.len() as u64, "user", "users");
            text.push_str(&format!("{:14} {users}, by the next sync, since their rows failed\n", "Asked again"));
            if let Some(sync) = &standing.last_sync {
                let why = stack.hint(&format!("job {} --failures -", sync.job));
                text.push_str(&format!("{:14} {why}\n", "Why"));
            }
        }
        if is_on_hold(&standing) {
            let confirm = stack.hint("directory sync --force");
            text.push_str(&format!("{:14} {confirm}\n", "If it is meant"));
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether the last sync waits for a person.
pub fn is_on_hold(standing: &DirectoryView) -> bool {
    matches!(&standing.last_sync, Some(Synced { outcome: SyncOutcome::OnHold { .. }, .. }))
}

/// What is known of a job beside its record.
pub fn of_job(standing: &DirectoryView, job: &JobId) -> Option<String> {
    let import = standing.last_import.as_ref().filter(|import| import.job == *job);
    let sync = standing.last_sync.as_ref().filter(|sync| sync.job == *job);
    let text = import.map(|import| import_text(import.tally)).or_else(|| sync.map(sync_text))?;
    Some(line("Directory", &text, job, None))
}

fn line(label: &str, text: &str, job: &JobId, at: Option<jiff::Timestamp>) -> String {
    let when = at.map(|at| format!(" (job {job}, {} ago)", span(summary::age(at)))).unwrap_or_default();
    format!("{label:14} {text}{when}\n")
}

fn import_text(tally: ImportTally) -> String {
    let ImportTally { users, unknown_ids, phones_unread } = tally;
    let mut text = format!("{} found", counted(users as u64, "user", "users"));
    for (number, what) in
        [(unknown_ids, "IDs that nobody has"), (phones_unread, "telephones that can't be read, left out")]
    {
        if number > 0 {
            text.push_str(&format!(", {} {what}", output::count(number as u64)));
        }
    }
    text
}

fn sync_text(sync: &Synced) -> String {
    let SyncTally { linked, updated, deactivated, still_blocked, phones_unread, failed } = sync.tally;
    match &sync.outcome {
        SyncOutcome::OnHold { reason } => format!("held: {}", output::visible(reason)),
        SyncOutcome::Refused { reason } => format!("refused: {}", output::visible(reason)),
        SyncOutcome::Done => {
            let mut text = format!(
                "{} of {} updated, {} deactivated",
                output::count(updated as u64),
                counted(linked as u64, "user", "users"),
                output::count(deactivated as u64)
            );
            for (number, what) in [
                (still_blocked, "enabled there and blocked here"),
                (phones_unread, "telephones that can't be read"),
                (failed, "failed"),
            ] {
                if number > 0 {
                    text.push_str(&format!(", {} {what}", output::count(number as u64)));
                }
            }
            text
        }
    }
}
