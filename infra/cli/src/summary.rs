//! What came of a job, in words.

use std::fmt::Write;

use jiff::Timestamp;
use rollcall_api_types::JobView;
use rollcall_bulk::job::{Failure, JobState, MailState, NotifyIgnored};
use rollcall_bulk::report::{Counts, RowStatus};
use rollcall_bulk::upload::ResultKeys;

use crate::audit::actor;
use crate::client::StackClient;
use crate::output::{self, Tone, count, counted};
use local_stack::Mail;

/// Whether every row was applied, or had been before; of a preview, whether it would be.
pub fn all_went_well(job: &JobView) -> bool {
    matches!(job.state, JobState::Finished | JobState::Previewed) && job.counts.needs_correction() == 0
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
pub fn describe(job: &JobView, mail: Option<&Mail>, stack: &StackClient) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:14} {value}");
    };
    line("Job", job.id.as_str());
    line("File", &format!("{} ({})", output::visible(job.file_name()), counted(job.size, "byte", "bytes")));
    if let Some(asked_by) = &job.asked_by {
        line("Asked for by", &actor(asked_by));
    }
    if let Some(decided_by) = &job.decided_by {
        line("Decided by", &actor(decided_by));
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
        let label = if job.previews() { "Would change" } else { "Users changed" };
        line(label, &format!("{} of {} in the file", count(done.users_changed), count(done.users)));
        line(if job.previews() { "Would add" } else { "Numbers added" }, &count(done.numbers_added));
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
    if matches!(job.state, JobState::Previewed | JobState::OnHold) {
        let execute = stack.hint(&format!("job {} --execute", job.id));
        line("Waits for you", &format!("do it with: {execute}"));
    }
    if job.failure.is_none() && job.counts.needs_correction() > 0 {
        let keys = ResultKeys::of(&stack.account, &job.id, job.stage);
        line("Failed rows", &stack.s3(&keys.failed()));
        let save = stack.hint(&format!("job {} --failures failed.csv", job.id));
        line("", &format!("save them with: {save}"));
    }
    text
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
        return format!(" in {}, {} ago", since(ended), output::span(age(ended)));
    }
    let phase = format!("{:?}", job.phase).to_lowercase();
    let attempts = counted(u64::from(job.attempts), "attempt", "attempts");
    format!(", {phase} since {}, {attempts}", since(Timestamp::now()))
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
