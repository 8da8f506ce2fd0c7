//! `rollcall jobs`: the latest jobs.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::audit::actor;
use crate::client::StackClient;
use crate::job::{SHOWN_ID, latest};
use crate::output::{Cell, Column, Table, count};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat, output, summary};

/// Options of `rollcall jobs`.
#[derive(Debug, Args)]
#[command(after_help = "\
A job that runs and that nobody works on shows as waiting: its last attempt died or stopped, and the next delivery of its \
file will go on.

Example:
  rollcall jobs --limit 5")]
pub struct Jobs {
    #[command(flatten)]
    whose: AccountArg,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

impl Jobs {
    /// Lists them, the latest first.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let (jobs, _) = latest(&stack, self.limit).await?;
        if self.form.json {
            output::print_json(&jobs)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new([
            Column::text("Job"),
            Column::number("Begun"),
            Column::text("State"),
            Column::text("Phase"),
            Column::number("Rows"),
            Column::number("Applied"),
            Column::number("Unchanged"),
            Column::number("Failed rows"),
            Column::text("Asked for by"),
            Column::text("File"),
        ]);
        for job in &jobs {
            let rows = job.counts.rows().max(job.progress.rows);
            table.row([
                job.id.as_str()[..SHOWN_ID].into(),
                format!("{} ago", output::span(summary::age(job.started))).into(),
                Cell::toned(summary::standing(job), summary::tone(job)),
                format!("{:?}", job.phase).to_lowercase().into(),
                count(rows).into(),
                count(job.counts.applied).into(),
                count(job.counts.unchanged).into(),
                count(job.counts.needs_correction()).into(),
                job.asked_by.as_ref().map(actor).unwrap_or_default().into(),
                Cell::from(job.file_name()),
            ]);
        }
        if table.is_empty() {
            let (account, append) = (&stack.account, stack.hint("append FILE"));
            output::print(&format!("The account {account} has no jobs. Start one with: {append}\n"))?;
        } else {
            output::print(&table.render(output::columns(), 0))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
