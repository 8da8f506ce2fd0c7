//! `rollcall job`: one job, its progress and its result files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rollcall_api_types::JobView;
use rollcall_bulk::job::JobState;
use rollcall_model::jobs::JobId;

use crate::client::{StackClient, found};
use crate::confirm::decide;
use crate::exit::INTERRUPTED;
use crate::follow::{Followed, follow, say_it_goes_on};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat, output, summary};

/// Characters of a job's ID that a list shows: enough to tell jobs apart, and `rollcall job` takes them.
pub const SHOWN_ID: usize = 12;
/// Stands for the job that began last.
const LATEST: &str = "latest";
/// Jobs among which the beginning of an ID is looked up.
const LOOKED_AT: usize = 500;
/// Stands for standard output.
const STDOUT: &str = "-";

/// Options of `rollcall job`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall job latest
  rollcall job 5f0c1d2e3a4b --follow
  rollcall job latest --execute
  rollcall job latest --failures - | less")]
pub struct ShowJob {
    /// The job's ID, the beginning of it, or "latest"
    id: String,
    #[command(flatten)]
    whose: AccountArg,
    /// Follow it to its end; the exit code is then that of `rollcall append`
    #[arg(long)]
    follow: bool,
    /// Do what it has shown that it would do, or what it held, and follow it
    #[arg(long, conflicts_with = "discard")]
    execute: bool,
    /// Say that what it would do is not meant
    #[arg(long)]
    discard: bool,
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    form: OutputFormat,
}

/// Which result files to save where.
#[derive(Debug, Args)]
pub struct Save {
    /// Save every row with what came of it; "-" is standard output
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Save the failed rows, each with the reason; "-" is standard output
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
}

impl Save {
    /// Says how the failed rows are had, to whom doesn't have them by this.
    pub fn way_to_failures(&self, job: &JobView, stack: &StackClient) -> String {
        if self.failures.is_some() { String::new() } else { summary::way_to_failures(job, stack) }
    }

    /// Whether a result file goes to standard output, which then holds nothing else.
    pub fn prints(&self) -> bool {
        [&self.results, &self.failures].into_iter().flatten().any(|file| file.as_os_str() == STDOUT)
    }

    /// Refuses what would mix things on standard output.
    ///
    /// # Errors
    /// If two of a job's JSON, its results and its failures are to go there.
    pub fn check(&self, form: OutputFormat) -> Result<()> {
        let both = self.results.is_some() && self.results == self.failures;
        if both || (self.prints() && form.json) {
            bail!("each of --json, --results and --failures needs a place of its own");
        }
        Ok(())
    }
}

impl ShowJob {
    /// Shows the job.
    ///
    /// # Errors
    /// If there is no such job, or the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        self.save.check(self.form)?;
        let stack = StackClient::open(place, &self.whose).await?;
        let mut job = find(&stack, &self.id).await?;
        if self.execute {
            job = decide(&stack, &job, "execute").await?;
        }
        if self.discard {
            job = decide(&stack, &job, "discard").await?;
        }
        if (self.follow || self.execute) && job.is_underway() {
            job = match follow(&stack, &job.id, !self.form.json).await? {
                Followed::Ended(job) | Followed::Undecided(job, _) => *job,
                Followed::Interrupted => {
                    say_it_goes_on(&stack, &job.id);
                    return Ok(ExitCode::from(INTERRUPTED));
                }
            };
        }
        if self.form.json {
            output::print_json(&job)?;
        } else if !self.save.prints() {
            let described = summary::describe(&job, stack.mail_of(&job)?.as_ref(), &stack).await;
            let way = self.save.way_to_failures(&job, &stack);
            output::print(&(described + &way + &summary::failed_rows(&stack, &job).await?))?;
        }
        save_results(&stack, &job, &self.save).await?;
        let well = !(self.follow || self.execute) || summary::all_went_well(&job);
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A job's ID as lists and hints show it.
pub fn short(id: &JobId) -> &str {
    &id.as_str()[..SHOWN_ID]
}

/// Saves the result files of a job that are wanted.
///
/// # Errors
/// If the job has none, or a file can't be written.
pub async fn save_results(stack: &StackClient, job: &JobView, save: &Save) -> Result<()> {
    let wanted = [
        (&save.results, "results", "no results"),
        (&save.failures, "failures", "no failed rows, so there is nothing to save"),
    ];
    for (file, what, lacking) in wanted {
        let Some(file) = file else { continue };
        match stack.api.fetch(&["v1", "jobs", job.id.as_str(), what]).await? {
            Some(bytes) => write(file, &bytes)?,
            None if job.is_underway() => bail!("the job has not written its results yet"),
            // A job without failures has done well: that is nothing to fail over.
            None => eprintln!("The job has {lacking}."),
        }
    }
    Ok(())
}

/// The account's jobs, the latest first, and whether there are more.
///
/// # Errors
/// If the stack can't be asked.
pub async fn latest(stack: &StackClient, most: usize) -> Result<(Vec<JobView>, bool)> {
    Ok(stack.api.list(&["v1", "jobs"], &[], most, |_| true).await?)
}

/// The job whose undo somebody means: `latest` is the latest of those that have changed something and can be undone.
///
/// # Errors
/// As [`find`].
pub async fn find_undoable(stack: &StackClient, text: &str) -> Result<JobView> {
    if text != LATEST {
        return find(stack, text).await;
    }
    let (jobs, _) = latest(stack, LOOKED_AT).await?;
    let can_be_undone = |job: &JobView| {
        job.state == JobState::Finished && job.kind.has_undo() && job.counts.applied + job.counts.partial > 0
    };
    let undoable = jobs.into_iter().find(can_be_undone);
    undoable.ok_or_else(|| anyhow!("the account {} has no job that can be undone", stack.account))
}

/// The job that somebody means.
///
/// # Errors
/// If there is none, or several, or the stack can't be asked.
pub async fn find(stack: &StackClient, text: &str) -> Result<JobView> {
    let account = &stack.account;
    let none = || anyhow!("the account {account} has no job {text}");
    if text.is_empty() {
        bail!("say which job: its ID, the beginning of it, or \"latest\"");
    }
    if JobId::parse(text).is_some() {
        return found(stack.api.get(&["v1", "jobs", text], &[]).await)?.ok_or_else(none);
    }
    if text == LATEST {
        let latest = latest(stack, 1).await?.0.pop();
        return latest.ok_or_else(|| anyhow!("the account {account} has no jobs"));
    }
    let (mut jobs, _) = latest(stack, LOOKED_AT).await?;
    jobs.retain(|job| job.id.as_str().starts_with(text));
    match jobs.len() {
        0 => Err(none()),
        1 => Ok(jobs.remove(0)),
        several => Err(anyhow!("{several} jobs begin with {text}; write more of it")),
    }
}

/// Writes a file, or to standard output.
///
/// # Errors
/// If it can't be written.
pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if file.as_os_str() == STDOUT {
        return match std::io::stdout().lock().write_all(bytes) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("could not print"),
            _ => Ok(()),
        };
    }
    fs::write(file, bytes).context(format!("could not write {}", file.display()))?;
    eprintln!("Saved {}", file.display());
    Ok(())
}
