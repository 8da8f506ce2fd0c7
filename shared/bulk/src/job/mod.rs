//! The life of a bulk job.
//!
//! A job is made by the event that announces its file. Each delivery of that event [claims](claim) it with a lease that
//! ends when the delivery's time does; the holder alone writes the record. **A job ends once**: what comes after finds it
//! ended and does nothing. One that only showed what it would do, or that held itself, waits for a person, who
//! [decides](Job::decide) about it once.
//!
//! ```text
//! dropped ─┬─> running ────────────┬─> finished ──> undone
//!          │      ▲                ├─> failed ····> undone, if it was given up
//!          │      │ execute        └─> held ──┐
//!          │      ├───────────────────────────┤ discard
//!          └─> previewing ─> previewed ───────┴─────> discarded
//! ```
//!
//! Nothing is known of a job before its file is there: its name is made of the version that S3 gives the file.

mod claim;
mod state;

pub use self::claim::{ClaimOutcome, Delivery, Lease, claim};
pub use self::state::{InvalidJobState, JobState, Phase, Stage};

use jiff::Timestamp;
use rollcall_model::{
    audit::Actor,
    code::FileWarning,
    email::EmailAddress,
    jobs::{Decision, JobId, ObjectVersion},
    user::Name,
};
use rollcall_tabular::{Encoding, FileFault};
use serde::{Deserialize, Serialize};

use crate::{
    note::Note,
    report::Counts,
    upload::{InboxKey, ResultKeys},
};

/// The record of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Whose it is, what it does, and the name of its file.
    #[serde(flatten)]
    pub upload: InboxKey,
    /// The bytes that it works on.
    pub source: ObjectVersion,
    /// Where it stands in its life.
    pub state: JobState,
    /// What it does with what it decides.
    #[serde(default)]
    pub stage: Stage,
    /// What it is doing, while it runs. One that is given up when every row has its outcome stays at its mail.
    pub phase: Phase,
    /// When its file was first taken up.
    pub started: Timestamp,
    /// As of when it knows what it knows: its first attempt began, or the first after a person's decision. What is known of a user since is
    /// newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// When it ends at the rate that was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_about: Option<Timestamp>,
    /// Who works on it, and how long nobody else may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How often it was taken up.
    pub attempts: u32,
    /// The last attempt stopped by itself when its time ran out, with its work kept.
    #[serde(default)]
    pub paused: bool,
    /// How far it had come when it paused: the users that were dealt with, and one more where it was at its report.
    #[serde(default)]
    pub reached: u64,
    /// The attempt whose pause made the event that it was last taken up by; 0 where that was the file's own, or a decision's. An event of before
    /// has nothing left to do: this one comes again until the job ends or goes on by another.
    #[serde(default)]
    pub continues: u32,
    /// Rows by what came of them; set when the report is written.
    #[serde(default)]
    pub counts: Counts,
    /// How far it has come.
    #[serde(default)]
    pub progress: Progress,
    /// What it had said that it would do, once it has been told to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previewed: Option<Previewed>,
    /// Why nothing more came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The last error of an attempt, by the operation that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Who asked for it. `None` until its first attempt has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<Actor>,
    /// Who has decided that it is to be executed, or discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Actor>,
    /// The job that it takes back, if it is an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<JobId>,
    /// The job that has taken it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<JobId>,
    /// Who gets the report, in place of the account's recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<EmailAddress>,
    /// Why the report doesn't go to whom the upload names, but to the account's recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_ignored: Option<NotifyIgnored>,
    /// The role that was chosen for the upload: of users whose rows name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// The encoding of the file, where it has no mark: as the upload names it, or as it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What there is to say of the file as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The mail about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailState>,
}

/// What a preview said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previewed {
    /// Rows by what would have come of them.
    pub counts: Counts,
    /// What would have been done.
    pub progress: Progress,
    /// When it ended.
    pub ended: Timestamp,
    /// Rows of which something else has come, among them such as there were only then or only now.
    #[serde(default)]
    pub differs: u64,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Distinct login IDs in the file.
    pub users: u64,
    /// Those that are dealt with.
    pub users_done: u64,
    /// Rows of which the report tells so far. It begins anew in an attempt that comes to it.
    pub rows_reported: u64,
    /// Users that were written, new ones among them.
    pub users_changed: u64,
    /// Users that are new.
    pub users_created: u64,
    /// Numbers that came onto lists, or that CRM users see newly.
    pub numbers_added: u64,
    /// Numbers taken off lists by a rotation, or that CRM users don't see any more, by a resync.
    pub numbers_removed: u64,
    /// Requests made to the table for users.
    pub table_calls: u64,
    /// Write statements sent to the table.
    pub statements: u64,
    /// Statements that the table put off, each sent again.
    pub throttled: u64,
}

/// Why nothing more came of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Failure {
    /// The file can't be read. Dropping it again as it is won't help.
    File(FileFault),
    /// Somebody else's system, from which the rows were to come, refuses.
    Refused {
        /// A sentence for whoever can mend that.
        reason: String,
    },
    /// It would have done more than anybody may have meant.
    OnHold {
        /// What it would have done, in a sentence.
        reason: String,
    },
    /// It was delivered as often as it may be, and its event lies in the dead-letter queue; or something was refused that no
    /// later delivery would be given. What was done stays, and asking for the same again is safe.
    GaveUp {
        /// How often it was taken up.
        attempts: u32,
        /// What ended the last attempt.
        reason: String,
    },
}

/// Why nobody listens to what an upload says of who is to get its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyIgnored {
    /// It is no address that a report can be sent to, or it is several.
    Unreadable,
    /// The account doesn't allow reports to go there.
    NotAllowed,
}

/// What became of the mail about a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum MailState {
    /// Nothing failed, or nothing but what an earlier mail has told of, so none was due.
    NotDue,
    /// One was due, but neither the upload nor the account names anybody.
    NoRecipient,
    /// The mail service took it.
    Sent {
        /// The mail service's name for it.
        message_id: String,
    },
    /// The account has sent as many mails on that day as it may. The report can be downloaded.
    TooMany {
        /// How many that is, a recipient of a mail counted as one.
        most: u32,
    },
    /// The mail service will not take it, now or later.
    Refused {
        /// Its reason.
        reason: String,
    },
}

impl Job {
    /// Whether it shows what it would do, and writes nothing.
    pub fn previews(&self) -> bool {
        self.stage == Stage::Preview
    }

    /// From now on it only shows what it would do.
    pub fn preview(&mut self) {
        (self.stage, self.state) = (Stage::Preview, JobState::Previewing);
    }

    /// The job as it is once this has been decided about it. One that is to be executed waits for a delivery, and begins anew:
    /// what it saw may be hours old. Deciding that once more, before anybody has taken it up, changes nothing. `by` decides: a job, where
    /// it is an undo.
    ///
    /// # Errors
    /// [`InvalidJobState`] where there is nothing of this to decide.
    pub fn decide(&self, decision: Decision, by: &Actor) -> Result<Self, InvalidJobState> {
        let mut job = self.clone();
        match (decision, self.state) {
            (Decision::Execute, JobState::Previewed | JobState::OnHold) => {
                let ended = self.ended.unwrap_or(self.started);
                let said = Previewed { counts: self.counts, progress: self.progress, ended, differs: 0 };
                job.previewed = self.previews().then_some(said);
                (job.state, job.stage, job.phase) = (JobState::Running, Stage::Executed, Phase::Reading);
                (job.counts, job.progress) = (Counts::default(), Progress::default());
                (job.paused, job.reached, job.continues) = (false, 0, 0);
                (job.ended, job.failure, job.last_error, job.mail) = (None, None, None, None);
                job.as_of = None;
                job.decided_by = Some(by.clone());
            }
            (Decision::Execute, JobState::Running) if self.stage == Stage::Executed && self.lease.is_none() => {}
            (Decision::Discard, JobState::Previewed | JobState::OnHold) => {
                job.state = JobState::Discarded;
                job.decided_by = Some(by.clone());
            }
            (Decision::Undo, _) if self.can_be_undone() => {
                job.state = JobState::Undone;
                // Whoever is still giving it up has nothing to add any more.
                job.lease = None;
                job.undone_by = match by {
                    Actor::Job(undo) => Some(undo.clone()),
                    Actor::Call(_) | Actor::Schedule | Actor::Bucket => None,
                };
            }
            (decision, state) => return Err(InvalidJobState { decision, state }),
        }
        Ok(job)
    }

    /// Whether what it did can be taken back: it has finished, or it was given up over what it had done so far.
    pub fn can_be_undone(&self) -> bool {
        let gave_up = matches!(self.failure, Some(Failure::GaveUp { .. })) && !self.previews();
        self.state == JobState::Finished || self.state == JobState::Failed && gave_up
    }

    /// Stops the job where its invocation's time has run out, with its work kept. Whether it has come further than at any pause before:
    /// one that hasn't might go on for ever.
    pub fn pause(&mut self) -> bool {
        let reached = self.progress.users_done + u64::from(self.phase == Phase::Reporting);
        let further = reached > self.reached;
        (self.paused, self.reached) = (true, reached.max(self.reached));
        further
    }

    /// Ends the job.
    pub fn end(&mut self, at: Timestamp) {
        self.state = match self.failure {
            None if self.previews() => JobState::Previewed,
            None => JobState::Finished,
            Some(Failure::OnHold { .. }) => JobState::OnHold,
            Some(_) => JobState::Failed,
        };
        self.phase = Phase::Done;
        self.ended = Some(at);
        self.ends_about = None;
        self.lease = None;
    }

    /// Whether a mail is due: where rows are to be mended, or the whole file, where nobody was changed by a file that was not
    /// understood altogether, or where a rotation has left numbers in service that it was to retire. Whoever asks for a preview looks at it; of one that nobody has asked for, somebody must be told.
    pub fn is_mail_due(&self) -> bool {
        let in_vain = self.notes(FileWarning::NothingChanged) && self.notes(FileWarning::ColumnsIgnored);
        let doubtful =
            in_vain || self.notes(FileWarning::NumbersElsewhere) || self.notes(FileWarning::NumbersNotRetired);
        match self.failure {
            Some(Failure::OnHold { .. }) => true,
            _ => (self.failure.is_some() || self.counts.needs_correction() > 0 || doubtful) && !self.previews(),
        }
    }

    /// Whether this was noted of its file.
    pub(crate) fn notes(&self, code: FileWarning) -> bool {
        self.notes.iter().any(|note| note.code == code)
    }

    /// Keeps what there is to say of its file; once, though several attempts may find it.
    pub fn note(&mut self, notes: impl IntoIterator<Item = Note>) {
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Where it keeps what it makes in this stage.
    pub fn keys(&self) -> ResultKeys {
        ResultKeys::of(&self.upload.account, &self.id, self.stage)
    }

    /// Whether a person has said that it is to do what the safety threshold is asked about: over a hold, or over a preview that told of it. What a
    /// preview had not come to by then is nothing that anybody has seen.
    pub fn is_confirmed(&self) -> bool {
        let seen = self.previewed.is_none() || self.notes(FileWarning::SafetyThreshold);
        self.stage == Stage::Executed && seen
    }

    /// Whether it has not ended.
    pub fn is_underway(&self) -> bool {
        self.state.is_underway()
    }

    /// A job underway that nobody works on: it waits for the next delivery.
    pub fn is_waiting(&self, now: Timestamp) -> bool {
        self.is_underway() && self.lease.as_ref().is_none_or(|lease| lease.until <= now)
    }
}

#[cfg(test)]
mod tests;
