//! Following a job to its end.

use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rollcall_api_types::JobView;
use rollcall_bulk::job::Phase;
use rollcall_model::jobs::JobId;
use tokio::time::Instant;

use crate::client::{StackClient, found};
use crate::confirm::Answer;
use crate::{interrupt, output, summary};

/// The first wait between two looks. Small files are done by the second.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait: jobs themselves tell their progress once a second.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Each wait is longer by half.
const GROWTH: f64 = 1.5;
/// Nobody's taking a job up for so long is worth a word.
const LATE: Duration = Duration::from_secs(10);

/// How following ended.
pub enum Followed {
    /// The job ended.
    Ended(Box<JobView>),
    /// It has shown what it would do, and nobody has said that it is meant.
    Undecided(Box<JobView>, Answer),
    /// Somebody pressed Ctrl-C. The job goes on.
    Interrupted,
}

/// Follows a job to its end. Shows how far it is, if `shown`, to who sits at a terminal.
///
/// # Errors
/// If the stack can't be asked any more.
pub async fn follow(stack: &StackClient, id: &JobId, shown: bool) -> Result<Followed> {
    let bar = output::progress(shown);
    let end = watch(stack, id, &bar);
    let followed = tokio::select! {
        job = end => match job {
            Ok(job) => Ok(Followed::Ended(Box::new(job))),
            Err(error) => Err(error).context(format!("lost sight of job {id}, which goes on when the stack is up")),
        },
        pressed = interrupt::pressed() => pressed.map(|()| Followed::Interrupted),
    };
    bar.finish_and_clear();
    followed
}

/// Tells who has stopped following how to go on.
pub fn say_it_goes_on(stack: &StackClient, id: &JobId) {
    eprintln!("The job goes on. Look at it with: {}", stack.hint(&format!("job {id}")));
}

async fn watch(stack: &StackClient, id: &JobId, bar: &ProgressBar) -> Result<JobView> {
    let mut wait = FIRST_WAIT;
    // When somebody was last at it, and whether it was said that nobody is.
    let (mut seen, mut said) = (Instant::now(), false);
    loop {
        let job: Option<JobView> = found(stack.api.get(&["v1", "jobs", id.as_str()], &[]).await)?;
        match &job {
            Some(job) => draw(bar, job),
            None => bar.set_message("waiting for a function to take it up"),
        }
        match job {
            Some(job) if !job.is_underway() => return Ok(job),
            Some(job) if !job.waiting => (seen, said) = (Instant::now(), false),
            idle if !said && seen.elapsed() > LATE => {
                let idle = match idle {
                    Some(job) => {
                        format!("Attempt {} did not end it; the job waits for its next delivery", job.attempts)
                    }
                    None => "No function has taken it up yet".to_owned(),
                };
                bar.suspend(|| eprintln!("{idle}. {}", stack.finding_out()));
                said = true;
            }
            _ => {}
        }
        tokio::time::sleep(wait).await;
        wait = wait.mul_f64(GROWTH).min(LONGEST_WAIT);
    }
}

fn draw(bar: &ProgressBar, job: &JobView) {
    let message = match job.phase {
        Phase::Reading => "reading",
        Phase::Applying => "applying",
        Phase::Reporting => "reporting",
        Phase::Mailing => "mailing",
        Phase::Done => "done",
    };
    let progress = &job.progress;
    let far = match job.phase {
        Phase::Applying => Some((progress.users_done, progress.users, "users")),
        Phase::Reporting if progress.rows > 0 => Some((progress.rows_reported, progress.rows, "rows")),
        _ => None,
    };
    let style = if let Some((done, all, what)) = far {
        bar.set_length(all);
        bar.set_position(done);
        let of = "{spinner} {msg:10} {bar:40} {human_pos} of {human_len}";
        ProgressStyle::with_template(&format!("{of} {what}  {{elapsed}}  {{prefix}}"))
    } else if job.phase == Phase::Reading && progress.rows > 0 {
        bar.set_position(progress.rows);
        ProgressStyle::with_template("{spinner} {msg:10} {human_pos} rows  {elapsed}")
    } else {
        ProgressStyle::with_template("{spinner} {msg:10} {elapsed}")
    };
    bar.set_style(style.expect("the template is well formed"));
    bar.set_prefix(summary::left(job).unwrap_or_default());
    bar.set_message(message);
}
