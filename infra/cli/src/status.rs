//! `rollcall status`: what runs, where, and what waits.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use rollcall_api_types::JobView;
use rollcall_bulk::job::JobState;
use serde::Serialize;

use crate::args::{AccountArg, OutputFormat};
use crate::client::StackClient;
use crate::command::VERSION;
use crate::job::{latest, short};
use crate::output::{self, Tone, counted};
use crate::stack_selector::StackSelector;
use crate::summary;
use local_stack::{Queues, RunState, Schedules};

/// Jobs that are looked at: what is underway is among the latest.
const LOOKED_AT: usize = 200;

/// Options of `rollcall status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 0 says that nothing waits for anybody; 1 that something does: dead letters, jobs that nobody works on, jobs that wait for a decision, \
schedules whose last run failed.

Example:
  rollcall status")]
pub struct Status {
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

/// How a stack stands.
#[derive(Debug, Serialize)]
struct Standing {
    /// The command's own version.
    command: String,
    /// Where the API is.
    api: String,
    /// Where the data of the stack on this machine is.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    /// The account whose jobs these are.
    account: String,
    /// Jobs that somebody works on.
    running: Vec<String>,
    /// Jobs that nobody works on, which go on by themselves.
    waiting: Vec<String>,
    /// When the next of them goes on at the latest, as far as this machine knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    goes_on: Option<Timestamp>,
    /// Jobs that wait for a person.
    undecided: Vec<String>,
    /// Dead letters by queue, of the stack on this machine.
    dead_letters: Vec<(String, u64)>,
    /// Schedules whose last run failed, of the stack on this machine.
    failed_schedules: Vec<String>,
}

impl Status {
    /// Shows it.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let (jobs, _) = latest(&stack, LOOKED_AT).await?;
        let standing = standing(place, &stack, &jobs)?;
        if self.form.json {
            output::print_json(&standing)?;
        } else {
            output::print(&describe(&standing, &stack))?;
        }
        Ok(if standing.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Standing {
    fn is_well(&self) -> bool {
        self.waiting.is_empty()
            && self.undecided.is_empty()
            && self.dead_letters.is_empty()
            && self.failed_schedules.is_empty()
    }
}

fn standing(place: &StackSelector, stack: &StackClient, jobs: &[JobView]) -> Result<Standing> {
    let named = |wanted: &dyn Fn(&&JobView) -> bool| {
        let named = |job: &JobView| format!("{} ({})", short(&job.id), summary::kind(job.kind));
        jobs.iter().filter(wanted).map(named).collect::<Vec<_>>()
    };
    let waits = |job: &&JobView| matches!(job.state, JobState::OnHold) || summary::waits_for_somebody(job);
    let mut standing = Standing {
        command: VERSION.clone(),
        api: stack.api.base().to_string(),
        data: None,
        account: stack.account.to_string(),
        running: named(&|job| job.is_underway() && !job.waiting),
        waiting: named(&|job| job.waiting),
        goes_on: None,
        undecided: named(&waits),
        dead_letters: Vec::new(),
        failed_schedules: Vec::new(),
    };
    if place.stack().is_none() {
        let dir = place.dir();
        standing.data = Some(std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string());
        let queues = Queues::open(dir)?;
        let (dead, others): (Vec<_>, Vec<_>) =
            queues.depths()?.into_iter().partition(|(name, _)| name.ends_with("DeadLetters"));
        standing.dead_letters =
            dead.into_iter().map(|(name, depth)| (name, depth.waiting)).filter(|(_, letters)| *letters > 0).collect();
        if !standing.waiting.is_empty() && others.iter().any(|(_, depth)| depth.in_flight > 0) {
            standing.goes_on = queues.comes_back()?;
        }
        let schedules = Schedules::open(dir)?.list()?.into_iter();
        let schedules = schedules
            .filter(|planned| planned.last_run.as_ref().is_some_and(|run| matches!(run.state, RunState::Failed)));
        standing.failed_schedules = schedules.map(|planned| planned.name).collect();
    }
    Ok(standing)
}

fn describe(standing: &Standing, stack: &StackClient) -> String {
    let list = |jobs: &[String]| if jobs.is_empty() { "none".to_owned() } else { jobs.join(", ") };
    let mut lines = vec![("Command", standing.command.clone()), ("API", standing.api.clone())];
    lines.extend(standing.data.clone().map(|data| ("Data", data)));
    lines.push(("Account", standing.account.clone()));
    lines.push(("Jobs at work", list(&standing.running)));
    let goes_on = standing.goes_on.map(|at| {
        let left = at.duration_since(Timestamp::now()).max(SignedDuration::ZERO).unsigned_abs();
        format!("; the next goes on within {}", output::span(left))
    });
    lines.push(("Jobs that wait", list(&standing.waiting) + &goes_on.unwrap_or_default()));
    lines.push(("For you to decide", list(&standing.undecided)));
    if standing.data.is_some() {
        let dead: Vec<_> =
            standing.dead_letters.iter().map(|(queue, letters)| format!("{letters} in {queue}")).collect();
        lines.push(("Dead letters", list(&dead)));
        lines.push(("Failed schedules", list(&standing.failed_schedules)));
    }
    let mut text = output::pairs(&lines);
    let mut say = |sentence: String| text.push_str(&format!("{}\n", Tone::Doubtful.paint(&sentence)));
    if !standing.undecided.is_empty() {
        let count = counted(standing.undecided.len() as u64, "job waits", "jobs wait");
        say(format!("{count} for you: {}", stack.hint("job ID --execute")));
    }
    if !standing.dead_letters.is_empty() {
        say(format!("Look at the dead letters, and send them back: {}", stack.hint_of_stack("queues")));
    }
    if !standing.failed_schedules.is_empty() {
        say(format!("Look at what failed: {}", stack.hint_of_stack("schedules")));
    }
    text
}
