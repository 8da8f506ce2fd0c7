//! Bulk jobs.

pub(crate) mod create;
pub(crate) mod decide;
pub(crate) mod list;
pub(crate) mod one;

use jiff::Timestamp;
use rollcall_model::{
    job::{Failure, Job, Mail, Phase, Previewed, Progress, Stage, State},
    report::Counts,
    user::Name,
};
use serde::Serialize;

/// A job as the API shows it: not who gets its mail, nor what an operator needs of its errors.
#[derive(Serialize)]
pub(crate) struct Shown {
    id: String,
    kind: &'static str,
    name: String,
    upload: String,
    state: State,
    stage: Stage,
    phase: Phase,
    started: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    counts: Counts,
    progress: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    previewed: Option<Previewed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<Mail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Name>,
}

impl From<Job> for Shown {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.to_string(),
            kind: job.upload.kind.as_str(),
            upload: job.upload.key(),
            name: job.upload.name,
            state: job.state,
            stage: job.stage,
            phase: job.phase,
            started: job.started,
            ended: job.ended,
            counts: job.counts,
            progress: job.progress,
            previewed: job.previewed,
            failure: job.failure,
            mail: job.mail,
            role: job.role,
        }
    }
}
