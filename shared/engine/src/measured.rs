//! What a job has come to, as metrics.

use std::time::Duration;

use rollcall_model::job::{Job, Mail, State};
use rollcall_platform::telemetry::{Measure, measure};

/// Logs what an ended job has come to.
pub(crate) fn job_ended(job: &Job) {
    let facts = [
        ("account", job.upload.account.as_str()),
        ("job", job.id.as_str()),
        ("kind", job.upload.kind.as_str()),
        ("state", job.state.as_str()),
    ];
    let time = job.ended.map(|ended| ended.duration_since(job.started));
    let time = time.and_then(|time| Duration::try_from(time).ok()).unwrap_or_default();
    let (counts, progress) = (&job.counts, &job.progress);
    let mut measures = vec![("Duration", Measure::Time(time))];
    let counted = [
        ("Failed", u64::from(job.state == State::Failed)),
        ("Held", u64::from(job.state == State::Held)),
        ("RowsApplied", counts.applied),
        ("RowsPartial", counts.partial),
        ("RowsUnchanged", counts.unchanged),
        ("RowsFailed", counts.failed),
        ("RowsUnprocessed", counts.unprocessed),
        ("UsersChanged", progress.users_changed),
        ("UsersCreated", progress.users_created),
        ("NumbersAdded", progress.numbers_added),
        ("NumbersRemoved", progress.numbers_removed),
        ("TableCalls", progress.table_calls),
        ("TableThrottled", progress.throttled),
        ("MailsSent", u64::from(matches!(job.mail, Some(Mail::Sent { .. })))),
    ];
    measures.extend(counted.map(|(name, count)| (name, Measure::Count(count))));
    measure(&facts, &measures);
}
