//! Bulk jobs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_bulk::{
    job::{Failure, Job, JobState, MailState, NotifyIgnored, Phase, Previewed, Progress, Stage},
    note::Note,
    report::Counts,
    upload::file_name,
};
use rollcall_model::{
    audit::Actor,
    email::EmailAddress,
    jobs::{JobId, JobKind},
    user::Name,
};
use rollcall_tabular::Encoding;
use serde::{Deserialize, Serialize};

/// A job as the API shows it: not who gets its mail, nor what an operator needs of its errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its name.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The name of its file, with the folders of people's own that it lies in.
    pub name: String,
    /// The key of its file.
    pub upload: String,
    /// The file's size in bytes.
    pub size: u64,
    /// Who asked for it. Absent until its first attempt has looked, and for a job of a time when that was not kept.
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
    /// Where it stands in its life.
    pub state: JobState,
    /// What it does with what it decides.
    pub stage: Stage,
    /// What it is doing, while it runs.
    pub phase: Phase,
    /// When its file was first taken up.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// When it ends, at the rate seen. Absent until some users are dealt with, and where nobody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_about: Option<Timestamp>,
    /// How often it was taken up.
    pub attempts: u32,
    /// It is underway and nobody works on it: it waits for its next delivery.
    pub waiting: bool,
    /// Rows by what came of them.
    pub counts: Counts,
    /// How far it has come.
    pub progress: Progress,
    /// What it had said that it would do, once it has been told to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previewed: Option<Previewed>,
    /// Why nothing more came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Why its report doesn't go to whom its upload names, but to the account's recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_ignored: Option<NotifyIgnored>,
    /// The mail about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailState>,
    /// The role that was chosen for the upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// The encoding of the file, where it has no mark: as the upload names it, or as it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What there is to say of the file as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl JobView {
    /// As it stands at this moment.
    pub fn at(now: Timestamp, job: Job) -> Self {
        Self {
            ends_about: job.ends_about.filter(|_| !job.is_waiting(now)),
            waiting: job.is_waiting(now),
            id: job.id,
            kind: job.upload.kind,
            name: job.upload.shown_name(job.asked_by.as_ref()).to_owned(),
            asked_by: job.asked_by,
            decided_by: job.decided_by,
            undoes: job.undoes,
            undone_by: job.undone_by,
            upload: job.source.key,
            size: job.source.size,
            state: job.state,
            stage: job.stage,
            phase: job.phase,
            started: job.started,
            ended: job.ended,
            attempts: job.attempts,
            counts: job.counts,
            progress: job.progress,
            previewed: job.previewed,
            failure: job.failure,
            notify_ignored: job.notify_ignored,
            mail: job.mail,
            role: job.role,
            encoding: job.encoding,
            notes: job.notes,
        }
    }

    /// The file's name, without folders.
    pub fn file_name(&self) -> &str {
        file_name(&self.name)
    }

    /// Whether it shows what it would do, and writes nothing.
    pub fn previews(&self) -> bool {
        self.stage == Stage::Preview
    }

    /// Whether it has not ended.
    pub fn is_underway(&self) -> bool {
        self.state.is_underway()
    }
}

/// A file that is to be uploaded for a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// What the job is to do.
    pub kind: JobKind,
    /// The file's name, as its mail will call it.
    pub name: String,
    /// The file's size in bytes: the upload takes just this many.
    pub size: u64,
    /// Who gets the report; the token's address by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<EmailAddress>,
    /// For an upload of users: the role of those whose rows name none, by ID or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// The job is to show what it would do, and to do it when it is told.
    #[serde(default)]
    pub preview: bool,
    /// The encoding of the file, where it has no mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}

impl JobRequest {
    /// A file of this name and size in bytes, and nothing said beside that.
    pub fn new(kind: JobKind, name: impl Into<String>, size: usize) -> Self {
        Self { kind, name: name.into(), size: size as u64, notify: None, role: None, preview: false, encoding: None }
    }
}

/// How to upload the file of a job: a request that needs no other permission, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresignedUpload {
    /// The key of the file in the bucket. The job appears in the list with this upload once the file is there.
    pub upload: String,
    /// The method of the request.
    pub method: String,
    /// Its address.
    pub url: String,
    /// Headers that must be sent along.
    pub headers: BTreeMap<String, String>,
    /// How long the address is good for, from the answer on.
    pub expires_in_seconds: u64,
}

/// Where a file is, for a while. The address takes no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// Its address.
    pub url: String,
    /// The file's size in bytes.
    pub size: u64,
    /// How long the address is good for, from the answer on.
    pub expires_in_seconds: u64,
}

/// Where to find a job that was asked for and needs no file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedJob {
    /// The job appears in the list with this upload.
    pub upload: String,
    /// What it is called there. It may not be there yet.
    pub job: JobId,
}

/// What is asked for with an undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UndoJobRequest {
    /// It is to show what it would take back, and to do it when it is told.
    pub preview: bool,
    /// Users may be left without a number to dial from.
    pub allow_empty: bool,
}
