//! How an account stands with its resyncs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Extent;
use crate::{safety_threshold::Recent, turn::Turn};
use rollcall_model::{jobs::JobId, safety_threshold::SafetyThreshold};

/// What is kept from one resync to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResyncState {
    /// The last that was carried out.
    pub done: Option<Resynced>,
    /// The last that was not, if nothing has been carried out since.
    pub ended: Option<Ended>,
    /// What resyncs that no person has confirmed have revoked of late.
    #[serde(skip_serializing_if = "Recent::is_empty")]
    pub revoked: Recent,
    /// Whose turn it is.
    #[serde(skip_serializing_if = "Turn::is_unused")]
    pub turn: Turn,
}

impl ResyncState {
    /// Whether a resync holds, and waits for a person.
    pub fn is_on_hold(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.on_hold)
    }

    /// Lets a resync go on to write, and remembers what it revokes; or says why it holds. One that was let through before, by an earlier
    /// attempt, isn't held as long as it revokes no more than it was let through with: part of it may be done. There is no threshold for one
    /// that a person has confirmed.
    ///
    /// # Errors
    /// The reason, in a sentence.
    pub fn admit(
        &mut self,
        job: &JobId,
        extent: Extent,
        threshold: Option<SafetyThreshold>,
        now: Timestamp,
    ) -> Result<(), String> {
        let Some(threshold) = threshold else {
            self.revoked.clear();
            return Ok(());
        };
        if self.revoked.of(job).is_none_or(|admitted| extent.revoked > admitted) {
            if let Some(reason) = extent.held(self.revoked.sum(now), threshold) {
                return Err(reason);
            }
            self.revoked.add(job, now, extent.revoked);
        }
        Ok(())
    }
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
    pub on_hold: bool,
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
    /// It shows what it would do, and does it when somebody says so.
    #[serde(default)]
    pub preview: bool,
}

impl ResyncRequest {
    /// The request as it is dropped.
    pub fn to_json(self) -> Vec<u8> {
        format!("{{\"confirmed\":{},\"preview\":{}}}", self.confirmed, self.preview).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn thirty_grants_do_not_go_to_three_in_steps_of_nine() {
        let mut standing = ResyncState::default();
        let job = |number: usize| JobId::parse(&format!("{number:032x}")).unwrap();
        let watched = Some(SafetyThreshold::default());
        let hour = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let step = |grants| Extent { grants, revoked: 9 };
        assert_eq!(standing.admit(&job(1), step(30), watched, hour(0)), Ok(()));
        assert_eq!(standing.admit(&job(1), step(30), watched, hour(0)), Ok(()), "an attempt that goes on counts once");
        for at in [hour(1), hour(23)] {
            let reason = standing.admit(&job(2), step(21), watched, at).unwrap_err();
            assert!(reason.contains("9 of the 21") && reason.contains("18 of 30"), "{reason}");
        }
        let nothing = Extent { grants: 21, revoked: 0 };
        assert_eq!(standing.admit(&job(3), nothing, watched, hour(2)), Ok(()), "what takes nothing goes on");
        assert_eq!(standing.admit(&job(2), step(21), None, hour(3)), Ok(()), "a person means it");
        assert_eq!(standing.admit(&job(4), step(12), watched, hour(4)), Ok(()), "and has seen what was before it");
        assert!(standing.admit(&job(5), Extent { grants: 3, revoked: 1 }, watched, hour(5)).is_err());
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<ResyncState>(&json).unwrap(), standing, "{json}");
    }
}
