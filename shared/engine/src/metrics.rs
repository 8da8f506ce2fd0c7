//! What a job has come to, as metrics.

use std::time::Duration;

use crate::telemetry::{Measure, measure};
use jiff::Timestamp;
use rollcall_bulk::job::{Job, JobState, MailState, Stage};

/// Logs how old a delivery is: how long ago its event came into the queue. `SQS` leaves a message out of its own measure once it
/// was received three times, so nothing else tells that a file comes again and again. It is said before the work, which may die.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
pub(crate) fn delivery_begun(facts: &[(&str, &str)], sent: Option<Timestamp>, now: Timestamp) {
    let age = sent.and_then(|sent| Duration::try_from(now.duration_since(sent)).ok());
    if let Some(age) = age {
        measure(facts, &[("DeliveryAge", Measure::Age(age))]);
    }
}

/// Logs that a file lies in the inbox where no job takes it, and that no account can be told.
pub(crate) fn strayed() {
    measure(&[], &[("FilesStrayed", Measure::Count(1))]);
}

/// Logs what an ended job has come to. A preview has come to nothing yet.
pub(crate) fn job_ended(job: &Job) {
    if job.previews() {
        return;
    }
    let facts = [
        ("account", job.upload.account.as_str()),
        ("job", job.id.as_str()),
        ("kind", job.upload.kind.as_str()),
        ("state", job.state.as_str()),
    ];
    // One that was executed has waited for a person, which is no time of its own.
    let ended = job.ended.filter(|_| job.stage != Stage::Executed);
    let time = ended.and_then(|ended| Duration::try_from(ended.duration_since(job.started)).ok());
    let (counts, progress) = (&job.counts, &job.progress);
    let mut measures: Vec<_> = time.map(|time| ("Duration", Measure::Time(time))).into_iter().collect();
    let counted = [
        ("Failed", u64::from(job.state == JobState::Failed)),
        ("OnHold", u64::from(job.state == JobState::OnHold)),
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
        ("MailsSent", u64::from(matches!(job.mail, Some(MailState::Sent { .. })))),
    ];
    measures.extend(counted.map(|(name, count)| (name, Measure::Count(count))));
    measure(&facts, &measures);
}
