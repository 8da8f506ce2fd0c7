//! `rollcall undo`: what a job did is taken back.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::UndoJobRequest;

use crate::client::StackClient;
use crate::confirm::ConfirmArgs;
use crate::stack_selector::StackSelector;
use crate::upload_file::FollowArgs;
use crate::{args::AccountArg, job, output, summary};

/// Options of `rollcall undo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Numbers that the job put on lists go off again, numbers that it took off come back, users that it created are deleted, users that it changed are as \
before, and numbers that it retired are in service again. What somebody has changed since is passed over, and --results tells of each. What would be \
taken back is shown first, and then asked for, unless --yes is given.

Exit code 0 says that all was taken back or passed over, 1 that it was not, 3 that nothing was changed since nobody said yes, 130 that Ctrl-C ended the \
question, or the watching (the undo goes on).

Examples:
  rollcall undo latest
  rollcall undo 5f0c1d2e3a4b --yes --results undone.csv")]
pub struct Undo {
    /// The job's ID, the beginning of it, or "latest": the latest that can be undone
    job: String,
    /// Undo also what leaves users with no number to dial from
    #[arg(long)]
    allow_empty: bool,
    /// Show first what would be taken back, also with --yes
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    consent: ConfirmArgs,
    #[command(flatten)]
    watch: FollowArgs,
}

impl Undo {
    /// Asks for the undo, and follows it.
    ///
    /// # Errors
    /// If there is nothing to undo, or the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        self.watch.check()?;
        let stack = StackClient::open(place, &self.whose).await?;
        let job = job::find_undoable(&stack, &self.job).await?;
        let request = UndoJobRequest { preview: self.preview || self.consent.asks(), allow_empty: self.allow_empty };
        let id = stack.ask_for(&["v1", "jobs", job.id.as_str(), "undo"], &request).await?;
        let of =
            if summary::has_file(&job) { format!(" of {}", output::visible(job.file_name())) } else { String::new() };
        let names = stack.names().await;
        let by = job.asked_by.as_ref().map(|by| format!(", asked for by {}", names.actor(by))).unwrap_or_default();
        let what = format!(
            "Undo the job {} ({}{of}, {} ago{by})",
            job::short(&job.id),
            summary::kind(job.kind),
            output::span(summary::age(job.started))
        );
        self.watch.run(&stack, &id, self.consent, &what).await
    }
}
