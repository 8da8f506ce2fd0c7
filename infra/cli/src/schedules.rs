//! `rollcall schedules`: what runs by itself and when, or one of them at once.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::local::running;
use crate::output::{self, Cell, Column, Table, Tone};
use crate::{args::OutputFormat, summary};
use local_stack::{Planned, RunState, Schedules as Store};

/// The wait between two looks at a run.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Options of `rollcall schedules`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
A function that fails is tried again after one minute and once more after two. Times that pass while no stack runs are made up \
for by one run when the next one starts.

Examples:
  rollcall schedules
  rollcall schedules run NAME"
)]
pub struct Schedules {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a schedule at once, apart from its times, and report what comes of it
    Run(Run),
}

/// Options of `rollcall schedules run`.
#[derive(Debug, Args)]
struct Run {
    /// The schedule, as listed
    name: String,
    #[command(flatten)]
    form: OutputFormat,
}

#[derive(Serialize)]
struct Ran<'a> {
    schedule: &'a str,
    function: &'a str,
    /// The function's answer, if it succeeded.
    answer: Option<Value>,
    /// What it failed with.
    error: Option<String>,
}

impl Schedules {
    /// Lists schedules, or runs one. A function that fails is told by the exit code.
    ///
    /// # Errors
    /// If no stack runs, or there is no such schedule.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        running(dir)?;
        let schedules = Store::open(dir)?;
        match self.action {
            Some(Action::Run(run)) => run.run(dir, &schedules).await,
            None => list(&schedules.list()?, self.form),
        }
    }
}

fn list(schedules: &[Planned], form: OutputFormat) -> Result<ExitCode> {
    if form.json {
        output::print_json(&schedules)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new([
        Column::text("Schedule"),
        Column::text("Function"),
        Column::text("Expression"),
        Column::number("Last run"),
        Column::text("State"),
        Column::number("Next run"),
    ]);
    for schedule in schedules {
        let last = schedule.last_run.as_ref();
        let next = match schedule.next_run {
            Some(next) => until(next),
            None if schedule.enabled => "never".to_owned(),
            None => "disabled".to_owned(),
        };
        table.row([
            Cell::from(&schedule.name),
            Cell::from(&schedule.function),
            Cell::from(&schedule.expression),
            last.map_or_else(|| "never".to_owned(), |last| format!("{} ago", output::span(summary::age(last.began))))
                .into(),
            last.map_or_else(|| "".into(), |last| standing(last.state)),
            next.into(),
        ]);
        if let Some(error) = last.and_then(|last| last.error.as_ref()) {
            table.note(error);
        }
    }
    if table.is_empty() {
        output::print("The stack's template has no schedules.\n")?;
    } else {
        output::print(&table.render(output::columns(), 0))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn until(next: Timestamp) -> String {
    let left = next.duration_since(Timestamp::now());
    if left.is_positive() { format!("in {}", output::span(left.unsigned_abs())) } else { "now".to_owned() }
}

fn standing(state: RunState) -> Cell {
    match state {
        RunState::Running => "running".into(),
        RunState::Retrying => Cell::toned("retrying", Tone::Doubtful),
        RunState::Succeeded => Cell::toned("succeeded", Tone::Good),
        RunState::Failed => Cell::toned("failed", Tone::Bad),
    }
}

impl Run {
    async fn run(self, dir: &Path, schedules: &Store) -> Result<ExitCode> {
        let listed = schedules.list()?;
        let Some(schedule) = listed.iter().find(|schedule| schedule.name == self.name) else {
            let names: Vec<_> = listed.iter().map(|schedule| schedule.name.as_str()).collect();
            let there_are = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            bail!("there is no schedule {}; there are {there_are}", self.name);
        };
        let bar = output::progress(!self.form.json);
        bar.set_message(format!("{} runs", schedule.function));
        let id = schedules.ask(&schedule.name, Timestamp::now())?;
        let outcome = loop {
            if let Some(outcome) = schedules.outcome(id)? {
                break outcome;
            }
            // The function's own timeout bounds this, as long as there is a stack.
            running(dir)?;
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        bar.finish_and_clear();

        let code = if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if self.form.json {
            let answer =
                outcome.as_ref().ok().map(|text| serde_json::from_str(text).unwrap_or(Value::from(text.as_str())));
            let (schedule, function) = (schedule.name.as_str(), schedule.function.as_str());
            output::print_json(&Ran { schedule, function, answer, error: outcome.err() })?;
            return Ok(code);
        }
        output::print(&match outcome {
            Ok(answer) => {
                format!("{} {}: {}\n", schedule.function, Tone::Good.paint("succeeded"), output::visible(&answer))
            }
            Err(error) => {
                format!("{} {}: {}\n", schedule.function, Tone::Bad.paint("failed"), output::visible(&error))
            }
        })?;
        Ok(code)
    }
}
