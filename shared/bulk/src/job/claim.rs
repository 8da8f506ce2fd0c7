//! Who works on a job, and what a delivery may do with it.

use jiff::Timestamp;
use rollcall_model::jobs::{JobId, ObjectVersion};
use serde::{Deserialize, Serialize};

use super::{Failure, Job, JobState, MailState, Phase, Progress, Stage};
use crate::{report::Counts, upload::InboxKey};

/// Who works on a job, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The invocation.
    pub owner: String,
    /// Its deadline: past that it is certainly not running any more.
    pub until: Timestamp,
}

/// One delivery of a job's event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The invocation that it came to.
    pub invocation: String,
    /// When it came.
    pub at: Timestamp,
    /// When the invocation ends, whatever it is doing.
    pub deadline: Timestamp,
    /// The attempt whose pause made the event; 0 for the file's own, and a decision's.
    pub continues: u32,
    /// Which delivery of the event it is; the first is 1.
    pub number: u32,
    /// After how many the event goes to the dead-letter queue.
    pub of: u32,
}

impl Delivery {
    /// No other will follow.
    pub fn is_last(&self) -> bool {
        self.number >= self.of
    }
}

/// What a delivery may do with a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Work on it: write this record, on condition that what was read is still there.
    Work(Box<Job>),
    /// Every earlier delivery has died over it: write this record, tell the recipients, and let the event go to the
    /// dead-letter queue.
    GiveUp(Box<Job>),
    /// Another delivery is at it.
    Busy,
    /// Nothing is left to do.
    Ended,
}

/// Decides what a delivery may do, given the record that is there.
pub fn claim(existing: Option<Job>, upload: &InboxKey, source: &ObjectVersion, delivery: &Delivery) -> ClaimOutcome {
    let lease = Some(Lease { owner: delivery.invocation.clone(), until: delivery.deadline });
    let Some(mut job) = existing else {
        return ClaimOutcome::Work(Box::new(Job {
            id: JobId::of(source),
            upload: upload.clone(),
            source: source.clone(),
            state: JobState::Running,
            stage: Stage::Dropped,
            phase: Phase::Reading,
            started: delivery.at,
            as_of: Some(delivery.at),
            ended: None,
            ends_about: None,
            lease,
            attempts: 1,
            paused: false,
            reached: 0,
            continues: delivery.continues,
            counts: Counts::default(),
            progress: Progress::default(),
            previewed: None,
            failure: None,
            last_error: None,
            asked_by: None,
            decided_by: None,
            undoes: None,
            undone_by: None,
            notify: None,
            notify_ignored: None,
            role: None,
            encoding: None,
            notes: Vec::new(),
            mail: None,
        }));
    };
    let gave_up = matches!(job.failure, Some(Failure::GaveUp { .. }));
    match job.state {
        JobState::Previewed | JobState::Finished | JobState::OnHold | JobState::Discarded | JobState::Undone => {
            return ClaimOutcome::Ended;
        }
        JobState::Failed if !gave_up => return ClaimOutcome::Ended,
        // Whoever gives it up has something to add yet: what it releases must not be what a new attempt has reserved, and its mail comes first.
        JobState::Failed if job.lease.as_ref().is_some_and(|lease| lease.until > delivery.at) => {
            return ClaimOutcome::Busy;
        }
        // Sent back, its deliveries died before they came as far as a claim. Taken for done, it would be gone.
        JobState::Failed if delivery.is_last() => {
            job.lease = lease;
            return ClaimOutcome::GiveUp(Box::new(job));
        }
        JobState::Failed => {}
        JobState::Running | JobState::Previewing => {
            // Whoever put a later event has died before this one was done with, or it has come twice.
            if delivery.continues < job.continues {
                return ClaimOutcome::Ended;
            }
            if job.lease.as_ref().is_some_and(|lease| lease.until > delivery.at) {
                return ClaimOutcome::Busy;
            }
            // The last delivery works only where the one before stopped on purpose. Otherwise something in the job
            // kills whoever works on it, and somebody must be left to say so.
            if delivery.is_last() && !job.paused {
                let reason =
                    job.last_error.clone().unwrap_or_else(|| "the function died or ran out of time or memory".into());
                job.lease = lease;
                // It had ended otherwise, before any row had its outcome, but for saying so: that is looked at again.
                if job.failure.is_some() {
                    job.phase = Phase::Reading;
                }
                job.failure = Some(Failure::GaveUp { attempts: job.attempts, reason });
                return ClaimOutcome::GiveUp(Box::new(job));
            }
        }
    }
    if gave_up {
        // Somebody sent it back from the dead-letter queue: it gets a new life, and a mail of its own. Also where whoever
        // gave it up has died over saying so.
        job.state = if job.previews() { JobState::Previewing } else { JobState::Running };
        // One of which every row had its outcome looks at nothing again, and no mail is due where that was said.
        let told = job.counts.unprocessed == 0 && job.counts.rows() == job.progress.rows;
        let reported = job.phase == Phase::Mailing && told;
        job.phase = if reported { Phase::Mailing } else { Phase::Reading };
        job.mail = job.mail.filter(|mail| reported && *mail == MailState::NotDue);
        (job.ended, job.failure, job.reached) = (None, None, 0);
    }
    job.lease = lease;
    job.continues = delivery.continues;
    job.as_of.get_or_insert(delivery.at);
    job.attempts += 1;
    job.paused = false;
    ClaimOutcome::Work(Box::new(job))
}
