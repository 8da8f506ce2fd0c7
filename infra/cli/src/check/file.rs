//! A file, by a job that shows what it would do and is discarded.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use rollcall_api_types::{JobRequest, JobView};
use rollcall_bulk::job::JobState;
use rollcall_bulk::report::RowStatus;
use rollcall_tabular::RESULT_COLUMNS;
use serde::Serialize;

use crate::client::StackClient;
use crate::confirm::decide;
use crate::follow::{Followed, follow, say_it_goes_on};
use crate::output::{self, Tone, counted, visible};
use crate::{args::OutputFormat, summary};

/// Rows that are shown at most.
const MAX_SHOWN: usize = 100;

/// A row that something is to be said of.
#[derive(Debug, PartialEq, Eq, Serialize)]
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
    let what = "could not read the result file";
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(results)).flexible(true).from_reader(results);
    let mut findings = Vec::new();
    for record in reader.records() {
        let record = record.context(what)?;
        // Ours are the last columns.
        let first = record.len().saturating_sub(RESULT_COLUMNS.len());
        let cell = |column: usize| record.get(first + column).unwrap_or_default().to_owned();
        let [line, status, code, message] = [0, 1, 2, 5].map(cell);
        if !code.is_empty() {
            findings.push(Finding { line: line.parse().context(what)?, status, code, message });
        }
    }
    Ok(findings)
}

/// What parts the cells of a result file: what stands before the last of our columns.
fn delimiter(results: &[u8]) -> u8 {
    let header = results.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let last = RESULT_COLUMNS.last().expect("there are result columns").len();
    header.len().checked_sub(last + 1).map_or(b',', |at| header[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_which_something_is_said_are_found_by_any_delimiter() {
        for part in [',', ';', '\t', '|'] {
            let by = |cells: &[&str]| cells.join(&part.to_string());
            let ours = RESULT_COLUMNS.join(&part.to_string());
            let file = format!(
                "\u{feff}{}{part}{ours}\r\n{}\r\n{}\r\n",
                by(&["login", "did"]),
                by(&["a", "1", "2", "applied", "", "", "", ""]),
                by(&["b", "\"x\ny\"", "3", "failed", "NUMBER_INVALID", "did", "x", "Not a number."]),
            );
            let failed = Finding {
                line: 3,
                status: "failed".into(),
                code: "NUMBER_INVALID".into(),
                message: "Not a number.".into(),
            };
            assert_eq!(findings(file.as_bytes()).unwrap(), [failed], "{part}");
        }
    }
}
