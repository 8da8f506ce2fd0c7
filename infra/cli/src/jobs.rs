//! `rollcall jobs`: the latest jobs.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::JobView;
use rollcall_bulk::job::JobState;
use rollcall_model::jobs::JobKind;
use strum::VariantArray as _;

use crate::client::StackClient;
use crate::job::short;
use crate::list::{ListArgs, Listed};
use crate::names::Names;
use crate::output::{Cell, Column, count};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, summary};

/// Options of `rollcall jobs`.
#[derive(Debug, Args)]
#[command(after_help = "\
A job that runs and that nobody works on shows as waiting: its last attempt died or stopped, and the next delivery of its \
file will go on.

Example:
  rollcall jobs --limit 5
  rollcall jobs --state on_hold")]
pub struct Jobs {
    #[command(flatten)]
    whose: AccountArg,
    /// Only those in this state, as `finished`, `on_hold` or `previewed`
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<JobState>,
    /// Only those of this kind, as `append-caller-ids`
    #[arg(long, value_name = "KIND")]
    kind: Option<JobKind>,
    #[command(flatten)]
    list: ListArgs,
}

fn state(text: &str) -> Result<JobState, String> {
    let all = JobState::VARIANTS.iter().map(|state| <&str>::from(*state));
    let found = JobState::VARIANTS.iter().find(|state| <&str>::from(**state) == text);
    found.copied().ok_or_else(|| format!("It is one of {}.", all.collect::<Vec<_>>().join(", ")))
}

impl Jobs {
    /// Lists them, the latest first.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let (account, append) = (&stack.account, stack.hint("append FILE"));
        let names = stack.names().await;
        let listed = Listed {
            columns: vec![
                Column::text("Job"),
                Column::text("Kind"),
                Column::text("Begun"),
                Column::text("State"),
                Column::number("Rows"),
                Column::number("Applied"),
                Column::number("Unchanged"),
                Column::number("Failed"),
                Column::text("Asked for by"),
                Column::text("File"),
            ],
            row: &|job| (row(job, names), undone(job)),
            wanted: &|_: &JobView| true,
            none: if self.state.is_none() && self.kind.is_none() {
                format!("The account {account} has no jobs. Start one with: {append}\n")
            } else {
                format!("The account {account} has no such job.\n")
            },
        };
        let state = self.state.map(<&str>::from).map(|state| ("state", state));
        let query: Vec<_> = state.into_iter().chain(self.kind.map(|kind| ("kind", kind.as_str()))).collect();
        self.list.print(&stack, &["v1", "jobs"], &query, listed).await
    }
}

fn row(job: &JobView, names: &Names) -> Vec<Cell> {
    let rows = job.counts.rows().max(job.progress.rows);
    let phase =
        if job.is_underway() && !job.waiting { format!(", {:?}", job.phase).to_lowercase() } else { String::new() };
    vec![
        short(&job.id).into(),
        summary::kind(job.kind).into(),
        format!("{:.0}", job.started).into(),
        Cell::toned(format!("{}{phase}", summary::standing(job)), summary::tone(job)),
        count(rows).into(),
        count(job.counts.applied).into(),
        count(job.counts.unchanged).into(),
        count(job.counts.needs_correction()).into(),
        job.asked_by.as_ref().map(|by| names.actor(by)).unwrap_or_default().into(),
        if summary::has_file(job) { Cell::from(job.file_name()) } else { "".into() },
    ]
}

/// Which job it takes back, and which has taken it back.
fn undone(job: &JobView) -> Option<String> {
    let undoes = job.undoes.as_ref().map(|id| format!("undoes {}", short(id)));
    undoes.or_else(|| job.undone_by.as_ref().map(|id| format!("undone by {}", short(id))))
}
