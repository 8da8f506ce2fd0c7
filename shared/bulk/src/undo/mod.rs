//! Taking back what a job did: exactly that, and nothing that has been changed since.
//!
//! A job keeps what it does to each user beside its results. From that come its [effects](Effect): numbers that it put on a list or took off
//! one, users that it created or changed. Each is undone by itself (by an [`UndoPlan`]), if what the job left is still there; where it
//! isn't, somebody has been at it since, and it is passed over and said so.

mod effect;
mod ledger;
mod number;
mod plan;
mod skip_reason;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use effect::{Effect, UserEffect};
pub use ledger::{COLUMNS, UndoLedger, rows};
pub use number::NumberPlan;
pub use plan::{Act, NumbersNow, UndoChange, UndoPlan, UndoTarget};
pub use skip_reason::SkipReason;

use plan::Way;

use rollcall_model::jobs::JobId;

/// The content of `inbox/{account}/undo/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// The job whose doing is to be taken back.
    pub job: JobId,
    /// The undo is to show what it would take back, and to do it when it is told.
    #[serde(default)]
    pub preview: bool,
    /// Users may be left without a number to dial from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_empty: bool,
}

impl UndoRequest {
    /// As it is dropped into the inbox.
    #[expect(clippy::missing_panics_doc, reason = "a job's name can be written as JSON")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a request can be written as JSON")
    }
}
