//! A job that shows what it would do, and does it when somebody says so.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result};
use clap::Args;
use rollcall_api_types::JobView;
use rollcall_bulk::job::JobState;

use crate::client::{StackClient, request_id};
use crate::follow::{Followed, follow};
use crate::{output, summary};

/// Whether somebody is asked.
#[derive(Debug, Default, Clone, Copy, Args)]
pub struct ConfirmArgs {
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

impl ConfirmArgs {
    /// Whether somebody is to be asked.
    pub fn asks(self) -> bool {
        !self.yes
    }

    /// Goes on with a job that has shown what it would do, or that held, if that is meant, and follows it to its end. A preview
    /// that found nothing to do, or that nobody wants, is left as it is.
    ///
    /// # Errors
    /// If the stack can't be asked, or somebody else has decided meanwhile.
    pub async fn carry_on(self, stack: &StackClient, job: Box<JobView>, shown: bool) -> Result<Followed> {
        let waits = match job.state {
            JobState::OnHold => true,
            JobState::Previewed => job.counts.applied + job.counts.partial > 0,
            _ => false,
        };
        if !waits {
            return Ok(Followed::Ended(job));
        }
        if !self.yes {
            // Where nobody sits to be asked, what the job waits for is told at the end.
            if !std::io::stdin().is_terminal() {
                return Ok(Followed::Ended(job));
            }
            eprint!("{}", summary::describe(&job, None, stack));
            if !ask("Do that?")? {
                eprintln!("Nothing was changed.");
                return Ok(Followed::Ended(job));
            }
        }
        decide(stack, &job, "execute").await?;
        follow(stack, &job.id, shown).await
    }
}

/// Has a job that waits for somebody executed or discarded, and gives it as it is then.
///
/// # Errors
/// If there is nothing of this to decide, or the stack can't be asked.
pub async fn decide(stack: &StackClient, job: &JobView, decision: &str) -> Result<JobView> {
    let path = ["v1", "jobs", job.id.as_str(), decision];
    Ok(stack.api.post(&path, &serde_json::json!({}), &request_id()).await?)
}

/// Asks somebody at a terminal.
fn ask(question: &str) -> Result<bool> {
    eprint!("{} [y/N] ", output::Tone::Doubtful.paint(question));
    std::io::stderr().flush().context("could not ask")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("could not read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
