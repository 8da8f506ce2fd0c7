//! What the account's phone system is told.

use jiff::Timestamp;
use rollcall_bulk::push::state::Stopped;
use rollcall_model::{
    code::RowCode,
    jobs::JobId,
    push::{SwitchState, Verified},
    settings::PhoneSystem,
};
use serde::{Deserialize, Serialize};

/// The account's phone system, and how what it is told stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneSystemView {
    /// Which it is.
    pub system: PhoneSystem,
    /// How lists stand there; absent for one that takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushView>,
}

/// How users' lists stand in the account's phone system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushView {
    /// Users whose lists it was told, and who wait for nothing.
    pub in_step: usize,
    /// Users whose lists it is to be told.
    pub pending: usize,
    /// Users of whom it was told in vain.
    pub failed: usize,
    /// Users whom it doesn't know.
    pub not_there: usize,
    /// What many may dial from has changed, and nobody has looked yet for whom.
    pub everybody: bool,
    /// Since when the first of those that are pending waits.
    pub oldest_pending_at: Option<Timestamp>,
    /// The push that is at it.
    pub job: Option<JobId>,
    /// When that one ends at the rate that was last seen.
    pub ends_about: Option<Timestamp>,
    /// The last push, if it was not carried out to its end.
    pub stopped: Option<Stopped>,
    /// What a person has seen the phone system do.
    pub verified: Verified,
}

/// How a user's list stands in the account's phone system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchView {
    /// How.
    pub state: SwitchState,
    /// Since when it is to be told, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it was last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// How many numbers it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<usize>,
    /// Of what the user may dial from, how many numbers the phone system doesn't have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<usize>,
    /// Why it was told in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<RowCode>,
}
