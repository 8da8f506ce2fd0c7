//! A job that shows what it would do, and does it when somebody says so.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use rollcall_api_types::JobView;
use rollcall_bulk::job::JobState;
use tokio::sync::oneshot;

use crate::client::{StackClient, request_id};
use crate::exit::{INTERRUPTED, UNDECIDED};
use crate::follow::{Followed, follow};
use crate::summary::{self, effect};
use crate::{interrupt, output};

/// Whether somebody is asked.
#[derive(Debug, Default, Clone, Copy, Args)]
pub struct ConfirmArgs {
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

/// A job that is looked at first, where that is asked for.
#[derive(Debug, Clone, Copy, Args)]
pub struct PreviewArgs {
    /// Show first what would be done, then ask
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    consent: ConfirmArgs,
}

impl PreviewArgs {
    /// Whether a preview is asked for.
    pub fn is_asked_for(self) -> bool {
        self.preview
    }

    /// The consent to what a preview shows. **It is none to what is put on hold without one.**
    pub fn consent(self) -> ConfirmArgs {
        if self.preview { self.consent } else { ConfirmArgs::default() }
    }
}

/// What somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is meant.
    Yes,
    /// It isn't.
    No,
    /// Nobody sits at a terminal to be asked.
    Nobody,
    /// Ctrl-C.
    Interrupted,
}

impl ConfirmArgs {
    /// Whether somebody is to be asked.
    pub fn asks(self) -> bool {
        !self.yes
    }

    /// Asks somebody at a terminal, unless that was answered beforehand.
    ///
    /// # Errors
    /// If the terminal can't be read.
    pub async fn ask(self, question: &str) -> Result<Answer> {
        if self.yes {
            return Ok(Answer::Yes);
        }
        if !std::io::stdin().is_terminal() {
            eprintln!("{question}");
            return Ok(Answer::Nobody);
        }
        ask(question).await
    }

    /// Goes on with a job that has shown what it would do, or that is on hold, if that is meant, and follows it to its end. `what` says
    /// what the job does and of what. A preview that found nothing to do is left as it is; one that nobody wants is discarded.
    ///
    /// # Errors
    /// If the stack can't be asked, or somebody else has decided meanwhile.
    pub async fn carry_on(self, stack: &StackClient, job: Box<JobView>, what: &str, shown: bool) -> Result<Followed> {
        if !summary::waits_for_somebody(&job) {
            return Ok(Followed::Ended(job));
        }
        if self.asks() && std::io::stdin().is_terminal() {
            let described = summary::describe(&job, None, stack).await + &summary::way_to_failures(&job, stack);
            eprint!("{described}{}", summary::failed_rows(stack, &job).await?);
        }
        match self.ask(&format!("{what}: {}. Continue?", effect(&job))).await? {
            Answer::Yes => {
                decide(stack, &job, "execute").await?;
                follow(stack, &job.id, shown).await
            }
            Answer::No => {
                // What is on hold stays so: whether it was meant is a decision of its own.
                let job = if job.state == JobState::Previewed {
                    Box::new(decide(stack, &job, "discard").await?)
                } else {
                    job
                };
                Ok(Followed::Undecided(job, Answer::No))
            }
            answer => Ok(Followed::Undecided(job, answer)),
        }
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

/// Says on standard error that nothing was changed, and how it can be yet.
pub fn say_nothing_was_changed(answer: Answer, later: impl Display) {
    match answer {
        Answer::No | Answer::Yes => eprintln!("Nothing was changed."),
        Answer::Interrupted => eprintln!("\nNothing was changed. {later}"),
        Answer::Nobody => {
            eprintln!("Nothing was changed: there is no terminal to ask at, and --yes is not given. {later}");
        }
    }
}

/// Ends a command that somebody has not said yes to: says so, and gives its exit code.
pub fn refused(answer: Answer) -> ExitCode {
    say_nothing_was_changed(answer, "");
    ExitCode::from(if answer == Answer::Interrupted { INTERRUPTED } else { UNDECIDED })
}

/// Asks somebody at a terminal. Ctrl-C is an answer, too: a thread of its own waits for the line, which nothing else can end.
async fn ask(question: &str) -> Result<Answer> {
    // Before the question is seen: whoever sees it may press Ctrl-C at once.
    interrupt::listen().await?;
    eprint!("{} [y/N] ", output::Tone::Doubtful.paint(question));
    std::io::stderr().flush().context("could not ask")?;
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        // Nobody listens any more after Ctrl-C.
        let _ = tell.send(read.map(|_| answer));
    });
    tokio::select! {
        answer = told => {
            let answer = answer.context("could not read the answer")?.context("could not read the answer")?;
            let yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
            Ok(if yes { Answer::Yes } else { Answer::No })
        }
        pressed = interrupt::pressed() => pressed.map(|()| Answer::Interrupted),
    }
}
