//! A file, by a job that shows what it would do and is discarded.

use std::fmt::Write;

use anyhow::{Result, bail};
use rollcall_api_types::{JobRequest, JobView};
use rollcall_bulk::job::JobState;
use rollcall_bulk::report::RowStatus;
use serde::Serialize;

use crate::client::StackClient;
use crate::confirm::decide;
use crate::follow::{Followed, follow, say_it_goes_on};
use crate::output::{self, Tone, counted, visible};
use crate::result_rows::{ResultRow, result_rows};
use crate::{args::OutputFormat, summary};

/// Rows that are shown at most.
const MAX_SHOWN: usize = 100;

/// A row that something is to be said of.
#[derive(Serialize)]
struct Finding {
    line: u64,
    status: String,
    code: String,
    message: String,
}

/// What was found.
#[derive(Serialize)]
struct Findings<'a> {
    job: &'a JobView,
    rows: Vec<Finding>,
}

/// Has a file looked at, on the terms of a preview. Gives whether nothing of it would fail.
///
/// # Errors
/// If the stack can't be asked.
pub async fn check(stack: &StackClient, request: &JobRequest, bytes: Vec<u8>, form: OutputFormat) -> Result<bool> {
    let id = stack.drop_file(request, bytes).await?;
    let Followed::Ended(job) = follow(stack, &id, !form.json).await? else {
        say_it_goes_on(stack, &id);
        bail!("the look at the file was interrupted");
    };
    let results = stack.api.fetch(&["v1", "jobs", id.as_str(), "results"]).await?;
    let rows = results.map(|results| findings(&results)).transpose()?.unwrap_or_default();
    if job.state == JobState::Previewed {
        decide(stack, &job, "discard").await?;
    }
    let clean = summary::all_went_well(&job);
    if form.json {
        output::print_json(&Findings { job: &job, rows })?;
    } else {
        output::print(&describe(&job, &rows, stack))?;
    }
    Ok(clean)
}

fn describe(job: &JobView, rows: &[Finding], stack: &StackClient) -> String {
    let mut text = String::new();
    for row in rows.iter().take(MAX_SHOWN) {
        let failed = [RowStatus::Failed, RowStatus::Partial].iter().any(|status| status.as_str() == row.status);
        let status = if failed { Tone::Bad.paint(&row.status) } else { row.status.clone() };
        let _ = writeln!(text, "line {}  {status}  {}  {}", row.line, visible(&row.code), visible(&row.message));
    }
    if rows.len() > MAX_SHOWN {
        let all = stack.hint(&format!("job {} --results results.csv", job.id));
        let more = counted((rows.len() - MAX_SHOWN) as u64, "more row", "more rows");
        let _ = writeln!(text, "And {more}. See all with: {all}");
    }
    if let Some(failure) = &job.failure {
        let _ = writeln!(text, "{}", Tone::Bad.paint(&visible(&summary::reason(failure))));
    }
    for note in &job.notes {
        let _ = writeln!(text, "{}", Tone::Doubtful.paint(&visible(&note.message)));
    }
    if job.counts.rows() > 0 {
        let done = job.progress;
        let _ = writeln!(text, "Rows: {}", summary::rows(job.counts));
        let _ = writeln!(
            text,
            "It would change {} and add {}.",
            counted(done.users_changed, "user", "users"),
            counted(done.numbers_added, "number", "numbers")
        );
    }
    let _ = writeln!(text, "Nothing was changed (job {}).", job.id);
    text
}

/// The rows of a result file that something is said of.
fn findings(results: &[u8]) -> Result<Vec<Finding>> {
    let rows = result_rows(results).filter(|row| !row.as_ref().is_ok_and(|row| row.code.is_empty()));
    rows.map(|row| {
        let ResultRow { line, status, code, message, .. } = row?;
        Ok(Finding { line, status, code, message })
    })
    .collect()
}
