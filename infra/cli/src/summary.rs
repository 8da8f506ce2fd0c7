//! What came of a job, in words.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use rollcall_api_types::JobView;
use rollcall_bulk::job::{Failure, JobState, MailState, NotifyIgnored};
use rollcall_bulk::report::{Counts, RowStatus};
use rollcall_bulk::upload::ResultKeys;
use rollcall_model::jobs::JobKind;

use crate::client::StackClient;
use crate::job::short;
use crate::output::{self, Cell, Column, Table, Tone, count, counted};
use crate::result_rows::result_rows;
use local_stack::Mail;

/// Whether every row was applied, or had been before; of a preview, whether it would be.
pub fn all_went_well(job: &JobView) -> bool {
    matches!(job.state, JobState::Finished | JobState::Previewed) && job.counts.needs_correction() == 0
}

/// Whether it has shown what it would do, or is on hold, and there is something to decide.
pub fn waits_for_somebody(job: &JobView) -> bool {
    match job.state {
        JobState::OnHold => true,
        JobState::Previewed => job.counts.applied + job.counts.partial > 0,
        _ => false,
    }
}

/// What a job of a kind does.
pub fn kind(kind: JobKind) -> &'static str {
    match kind {
        JobKind::AppendCallerIds => "append",
        JobKind::UploadUsers => "user upload",
        JobKind::DirectoryImport => "directory import",
        JobKind::MappingResync => "resync",
        JobKind::PhoneSnapshot => "phone snapshot",
        JobKind::UploadNumbers => "number upload",
        JobKind::PushLists => "push",
        JobKind::RotateCallerIds => "rotation",
        JobKind::Undo => "undo",
    }
}

/// Whether a job works on a file that somebody has made, and not on a request.
pub fn has_file(job: &JobView) -> bool {
    match job.kind {
        JobKind::AppendCallerIds | JobKind::UploadUsers | JobKind::UploadNumbers | JobKind::PhoneSnapshot => true,
        // It is asked for by a table, or by a request, which is JSON.
        JobKind::RotateCallerIds => Path::new(job.file_name()).extension().is_none_or(|extension| extension != "json"),
        JobKind::DirectoryImport | JobKind::MappingResync | JobKind::PushLists | JobKind::Undo => false,
    }
}

/// What a job would do to whom, or why it is on hold.
pub fn effect(job: &JobView) -> String {
    if let Some(Failure::OnHold { reason }) = &job.failure {
        return output::visible(reason.trim_end_matches('.'));
    }
    let done = job.progress;
    let parts = [
        (done.users_created, "is new", "are new"),
        (done.numbers_added, "number is added", "numbers are added"),
        (done.numbers_removed, "number is removed", "numbers are removed"),
        (job.counts.needs_correction(), "row can't be done", "rows can't be done"),
    ];
    let things = if job.kind == JobKind::UploadNumbers { ("number", "numbers") } else { ("user", "users") };
    let changes = if done.users_changed == 1 { "changes" } else { "change" };
    let mut text = format!("{} of {} {changes}", count(done.users_changed), counted(done.users, things.0, things.1));
    for (number, one, many) in parts.into_iter().filter(|(number, ..)| *number > 0) {
        let _ = write!(text, ", {}", counted(number, one, many));
    }
    text
}

/// Bytes of a failure report that are looked at for its first rows.
const LOOKED_AT: usize = 64 * 1024;
/// Failed rows that are shown where there are no more than that,
const FEW: u64 = 10;
/// and where there are.
const FIRST: usize = 3;

/// The first rows of a job that failed, each with its reason; nothing where none did.
///
/// # Errors
/// If the stack can't be asked.
pub async fn failed_rows(stack: &StackClient, job: &JobView) -> Result<String> {
    let failed = job.counts.needs_correction();
    if failed == 0 || job.is_underway() {
        return Ok(String::new());
    }
    let Some(start) = stack.api.fetch_start(&["v1", "jobs", job.id.as_str(), "failures"], LOOKED_AT).await? else {
        return Ok(String::new());
    };
    let most = if failed > FEW { FIRST } else { usize::MAX };
    let mut table = Table::new([Column::number("Line"), Column::text("Value").within(40), Column::text("Code")]);
    let mut shown = 0;
    for row in result_rows(&start).map_while(Result::ok).take(most) {
        table.row([row.line.to_string().into(), row.value.as_str().into(), Cell::toned(row.code, Tone::Bad)]);
        table.note(&row.message);
        shown += 1;
    }
    let mut text = table.render(output::columns(), 2);
    if let Some(more @ 1..) = failed.checked_sub(shown) {
        let _ = writeln!(text, "  … and {}", counted(more, "more row", "more rows"));
    }
    Ok(text)
}

/// Where a job stands: its state, or that it waits.
pub fn standing(job: &JobView) -> &'static str {
    if job.waiting { "waiting" } else { job.state.as_str() }
}

/// The tone of a job's standing.
pub fn tone(job: &JobView) -> Tone {
    match job.state {
        JobState::Failed => Tone::Bad,
        JobState::Finished if all_went_well(job) => Tone::Good,
        JobState::Discarded | JobState::Undone => Tone::Plain,
        JobState::Finished | JobState::Running | JobState::Previewing | JobState::Previewed | JobState::OnHold => {
            Tone::Doubtful
        }
    }
}

/// Rows by what came of them, on a line.
pub fn rows(counts: Counts) -> String {
    let all = [
        (RowStatus::Applied, counts.applied, Tone::Good),
        (RowStatus::Unchanged, counts.unchanged, Tone::Plain),
        (RowStatus::Partial, counts.partial, Tone::Doubtful),
        (RowStatus::Failed, counts.failed, Tone::Bad),
        (RowStatus::Unprocessed, counts.unprocessed, Tone::Bad),
    ];
    // One that hardly ever occurs is not worth a zero.
    let shown = all.into_iter().filter(|&(status, rows, _)| rows > 0 || status != RowStatus::Unprocessed);
    let parts: Vec<String> = shown
        .map(|(status, rows, tone)| {
            let text = format!("{} {}", count(rows), status.as_str());
            if rows > 0 { tone.paint(&text) } else { Tone::Faint.paint(&text) }
        })
        .collect();
    format!("{} = {}", count(counts.rows()), parts.join(" + "))
}

/// Everything about a job, for people. `mail` is what it sent, where that is known.
pub async fn describe(job: &JobView, mail: Option<&Mail>, stack: &StackClient) -> String {
    let names = stack.names().await;
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:14} {value}");
    };
    line("Job", job.id.as_str());
    line("Kind", kind(job.kind));
    if has_file(job) {
        line("File", &format!("{} ({})", output::visible(job.file_name()), counted(job.size, "byte", "bytes")));
    }
    line("Begun", &format!("{:.0}, {} ago", job.started, output::span(age(job.started))));
    if let Some(asked_by) = &job.asked_by {
        line("Asked for by", &names.actor(asked_by));
    }
    if let Some(decided_by) = &job.decided_by {
        line("Decided by", &names.actor(decided_by));
    }
    if let Some(undoes) = &job.undoes {
        line("Undoes job", undoes.as_str());
    }
    if let Some(undone_by) = &job.undone_by {
        line("Undone by job", undone_by.as_str());
    }
    line("State", &format!("{}{}", tone(job).paint(standing(job)), progress(job)));
    if let Some(failure) = &job.failure {
        line("Reason", &output::visible(&reason(failure)));
    }
    if let Some(encoding) = job.encoding {
        line("Encoding", &encoding.to_string());
    }
    let done = job.progress;
    if job.counts.rows() > 0 {
        line("Rows", &rows(job.counts));
    } else if done.rows > 0 {
        line("Rows", &count(done.rows));
    }
    // A file that could not be read has changed nobody.
    if done.rows > 0 {
        let label = match (job.previews(), job.kind) {
            (true, _) => "Would change",
            (false, JobKind::UploadNumbers) => "Changed",
            (false, _) => "Users changed",
        };
        line(label, &format!("{} of {}", count(done.users_changed), count(done.users)));
        if job.kind != JobKind::UploadNumbers {
            line(if job.previews() { "Would add" } else { "Numbers added" }, &count(done.numbers_added));
        }
        if done.numbers_removed > 0 {
            line(if job.previews() { "Would remove" } else { "Numbers gone" }, &count(done.numbers_removed));
        }
        let throttled =
            if done.throttled > 0 { format!(", {} throttled", count(done.throttled)) } else { String::new() };
        line(
            "Table calls",
            &format!("{} with {}{throttled}", count(done.table_calls), counted(done.statements, "write", "writes")),
        );
    }
    for note in &job.notes {
        line("Note", &Tone::Doubtful.paint(&output::visible(&note.message)));
    }
    if let Some(said) = &job.previewed {
        line("Preview", &format!("said {}", rows(said.counts)));
        line("Differs", &counted(said.differs, "row", "rows"));
    }
    match job.notify_ignored {
        Some(NotifyIgnored::Unreadable) => {
            line("Report to", "the account's recipients: whom the file names can't be read as one e-mail address");
        }
        Some(NotifyIgnored::NotAllowed) => {
            line("Report to", "the account's recipients: it doesn't allow reports to go to whom the file names");
        }
        None => {}
    }
    if let Some(state) = job.mail.as_ref().filter(|_| !job.previews()) {
        line("Mail", &mail_line(state, job.notify_ignored, mail, stack));
    }
    if waits_for_somebody(job) {
        let execute = stack.hint(&format!("job {} --execute", short(&job.id)));
        line("Waits for you", &format!("do it with: {execute}"));
    }
    text
}

/// How the failed rows are had, if there are any.
pub fn way_to_failures(job: &JobView, stack: &StackClient) -> String {
    if job.failure.is_some() || job.counts.needs_correction() == 0 {
        return String::new();
    }
    let save = stack.hint(&format!("job {} --failures failed.csv", short(&job.id)));
    let object = stack.s3_on_aws(&ResultKeys::of(&stack.account, &job.id, job.stage).failed());
    let object = object.map(|object| format!("{:14} {object}\n", "")).unwrap_or_default();
    format!("{:14} save them with: {save}\n{object}", "Failed rows")
}

/// Why nothing more came of a job.
pub fn reason(failure: &Failure) -> String {
    match failure {
        Failure::File(fault) => fault.to_string(),
        Failure::Refused { reason } | Failure::OnHold { reason } => reason.clone(),
        Failure::GaveUp { attempts, reason } => {
            format!("given up after {}: {reason}", counted(u64::from(*attempts), "attempt", "attempts"))
        }
    }
}

fn progress(job: &JobView) -> String {
    let since = |end: Timestamp| output::span(end.duration_since(job.started).unsigned_abs());
    if let Some(ended) = job.ended {
        return format!(" {} later, {} ago", since(ended), output::span(age(ended)));
    }
    let phase = format!("{:?}", job.phase).to_lowercase();
    let attempts = counted(u64::from(job.attempts), "attempt", "attempts");
    let left = left(job).map(|left| format!(", {left}")).unwrap_or_default();
    format!(", {phase} since {}, {attempts}{left}", since(Timestamp::now()))
}

/// How long a job takes yet, where that can be told.
pub fn left(job: &JobView) -> Option<String> {
    let left = job.ends_about?.duration_since(Timestamp::now());
    (left.is_positive()).then(|| format!("about {} left at this rate", output::span(left.unsigned_abs())))
}

/// How long ago that was.
pub fn age(then: Timestamp) -> std::time::Duration {
    Timestamp::now().duration_since(then).unsigned_abs()
}

fn mail_line(state: &MailState, ignored: Option<NotifyIgnored>, mail: Option<&Mail>, stack: &StackClient) -> String {
    match (state, mail) {
        (MailState::NotDue, _) => "none was due".to_owned(),
        (MailState::NoRecipient, _) if ignored.is_some() => {
            Tone::Doubtful.paint("not sent: the account names no recipient, and whom the upload names can't be one")
        }
        (MailState::NoRecipient, _) => {
            Tone::Doubtful.paint("not sent: neither the upload nor the account names a recipient")
        }
        (MailState::TooMany { most }, _) => Tone::Bad.paint(&format!(
            "not sent: the account has had its {} of the day; the report can be saved",
            counted(u64::from(*most), "mail", "mails")
        )),
        (MailState::Refused { reason }, _) => Tone::Bad.paint(&format!("refused: {}", output::visible(reason))),
        (MailState::Sent { message_id }, None) => format!("sent as {}", output::visible(message_id)),
        (MailState::Sent { .. }, Some(mail)) => {
            // Mails are captured on this machine, those of every account together.
            let read = stack.hint_of_stack(&format!("mail {}", mail.id));
            format!("sent to {}; read it with: {read}", output::visible(&mail.to.join(", ")))
        }
    }
}
