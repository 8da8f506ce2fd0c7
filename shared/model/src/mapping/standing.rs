//! How an account stands with its resyncs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::upload::JobId;

/// What is kept from one resync to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResyncStanding {
    /// The last that was carried out.
    pub done: Option<Resynced>,
    /// The last that was not, if nothing has been carried out since.
    pub ended: Option<Ended>,
    /// When the schedule last asked for one.
    pub asked: Option<Timestamp>,
}

/// A resync that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resynced {
    /// The job.
    pub job: JobId,
    /// When it ended.
    pub at: Timestamp,
}

/// A resync that changed nothing, since it held or the phone side refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The job.
    pub job: JobId,
    /// When it ended.
    pub at: Timestamp,
    /// It waits for a person.
    pub held: bool,
    /// Why.
    pub reason: String,
}

/// The content of `inbox/{account}/mapping-resync/{name}.json`: a resync that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResyncRequest {
    /// A person has seen that the last run held itself, and means it.
    #[serde(default)]
    pub confirmed: bool,
}

impl ResyncRequest {
    /// The request as it is dropped.
    pub fn to_json(self) -> Vec<u8> {
        format!("{{\"confirmed\":{}}}", self.confirmed).into_bytes()
    }
}
