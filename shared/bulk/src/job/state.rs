//! Where a job stands.

use rollcall_model::jobs::Decision;
use serde::{Deserialize, Serialize};

/// Where a job stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum JobState {
    /// Being worked on, or waiting for the next delivery.
    Running,
    /// The same, and nothing will be written.
    Previewing,
    /// Every row has the outcome that it would have. A person decides.
    Previewed,
    /// Every row has its outcome.
    Finished,
    /// The file can't be read, or the job was given up.
    Failed,
    /// It would have done more than anybody may have meant, so it did nothing: a person decides.
    OnHold,
    /// A person has said that what it would have done was not meant.
    Discarded,
    /// It had finished or was given up, and another job has taken back what it did.
    Undone,
}

impl JobState {
    /// Whether a job in this state has not ended.
    pub fn is_underway(self) -> bool {
        matches!(self, Self::Running | Self::Previewing)
    }

    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a job does with what it decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// As its file was dropped: it carries it out.
    #[default]
    Dropped,
    /// It shows it, and writes nothing.
    Preview,
    /// A person has seen what it would do, and said that it is meant: it carries it out, and no brake holds it.
    Executed,
}

/// The job stands where this can't be decided about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A job that is {} can't be {}.", .state.as_str(), match .decision {
    Decision::Execute => "executed",
    Decision::Discard => "discarded",
    Decision::Undo => "undone",
})]
pub struct InvalidJobState {
    pub(super) decision: Decision,
    pub(super) state: JobState,
}

/// What a running job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// Reading the file.
    Reading,
    /// Bringing users up to date.
    Applying,
    /// Writing the result files.
    Reporting,
    /// Sending the mail.
    Mailing,
    /// Nothing any more.
    Done,
}

impl Phase {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
