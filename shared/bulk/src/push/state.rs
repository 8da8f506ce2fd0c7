//! How an account stands with what its phone system is told: who tells it, and who is to be woken.
//!
//! **One job tells an account's phone system at a time.** Whoever comes while another is at it ends at once: the other looks for marks once more *after* it
//! has given its turn back, so that none is left that it didn't see. Each taking and giving back begins another epoch, and a push is asked for once in
//! each: who has put a mark reads the state afterwards, and whoever takes the turn looks at marks afterwards.

use jiff::{SignedDuration, Timestamp};
use rollcall_model::{jobs::JobId, push::Verified};
use serde::{Deserialize, Serialize};

/// What is kept from one push to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushState {
    /// Who tells the phone system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pushing: Option<Pushing>,
    /// Raised whenever a push begins or ends.
    epoch: u64,
    /// In which epoch a push was asked for last.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<u64>,
    /// The last that was not carried out to its end, if none has been since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What a person has seen of the phone system.
    #[serde(skip_serializing_if = "is_unseen")]
    pub verified: Verified,
}

fn is_unseen(verified: &Verified) -> bool {
    *verified == Verified::default()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pushing {
    job: JobId,
    /// Until when it is believed to be at it: what follows a pause comes in moments.
    until: Timestamp,
}

/// A push that told nothing more, since it held or the phone system refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The job.
    pub job: JobId,
    /// When it stopped.
    pub at: Timestamp,
    /// It waits for a person.
    pub on_hold: bool,
    /// Why.
    pub reason: String,
}

/// How long past its invocation a push is believed to go on: the event by which it goes on may wait in the queue.
const PAUSE: SignedDuration = SignedDuration::from_mins(2);
/// How long a phone system is left alone that has refused, unless a person asks.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(1);

impl PushState {
    /// Takes the turn, for an attempt that ends at `until`. `false` where another push has it.
    pub fn take(&mut self, job: &JobId, until: Timestamp, now: Timestamp) -> bool {
        if self.pushing.as_ref().is_some_and(|other| other.job != *job && other.until > now) {
            return false;
        }
        self.pushing = Some(Pushing { job: job.clone(), until: until.checked_add(PAUSE).unwrap_or(until) });
        self.epoch += 1;
        true
    }

    /// Whether it is this job's turn.
    pub fn is_of(&self, job: &JobId) -> bool {
        self.pushing.as_ref().is_some_and(|pushing| pushing.job == *job)
    }

    /// Whether some push is at it.
    pub fn is_pushing(&self, now: Timestamp) -> bool {
        self.pushing(now).is_some()
    }

    /// The job that is at it.
    pub fn pushing(&self, now: Timestamp) -> Option<&JobId> {
        self.pushing.as_ref().filter(|pushing| pushing.until > now).map(|pushing| &pushing.job)
    }

    /// Gives the turn back. Whoever does must look for marks afterwards.
    pub fn give_back(&mut self, job: &JobId) {
        if self.is_of(job) {
            self.pushing = None;
            self.epoch += 1;
        }
    }

    /// The push has come to its end.
    pub fn finish(&mut self, job: &JobId) {
        if self.is_of(job) {
            self.stopped = None;
        }
        self.give_back(job);
    }

    /// The push tells nothing more.
    pub fn stop(&mut self, stopped: Stopped) {
        if self.is_of(&stopped.job) {
            self.give_back(&stopped.job.clone());
            self.stopped = Some(stopped);
        }
    }

    /// Whether a push waits for a person.
    pub fn is_on_hold(&self) -> bool {
        self.stopped.as_ref().is_some_and(|stopped| stopped.on_hold)
    }

    /// Whether a push is to be asked for, now that there are marks: none is at it that will look for them when it has given its turn back, and none
    /// has been asked for since. One that holds is not overtaken by another, which would hold too; nor is a phone system asked at each change that has
    /// just refused.
    pub fn is_to_be_asked(&self, now: Timestamp) -> bool {
        self.is_due(now) && self.asked != Some(self.epoch)
    }

    /// A push was asked for, in the epoch that there was when that was decided.
    pub fn note_asked(&mut self, epoch: u64) {
        self.asked = Some(epoch);
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a schedule's round asks for a push, where there are marks: nobody is at it, and no phone system has just refused.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let refused = self.stopped.as_ref().is_some_and(|stopped| now.duration_since(stopped.at) < REFUSED_FOR);
        !self.is_on_hold() && !self.is_pushing(now) && !refused
    }

    /// The account has chosen another phone system: what kept the last push from its end says nothing of it, nor what was seen of the other.
    pub fn choose_anew(&mut self) {
        (self.stopped, self.verified) = (None, Verified::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: usize) -> JobId {
        JobId::parse(&format!("{number:032x}")).unwrap()
    }

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn one_has_the_turn_and_goes_on_after_a_pause() {
        let mut state = PushState::default();
        assert!(state.take(&job(1), minute(5), minute(0)));
        assert!(!state.take(&job(2), minute(6), minute(1)));
        assert!(state.take(&job(1), minute(11), minute(6)), "it goes on");
        assert!(!state.take(&job(2), minute(17), minute(12)), "the event by which it goes on may be on its way");
        assert!(state.take(&job(2), minute(20), minute(14)), "it has died");
        assert!(!state.is_of(&job(1)));
        state.give_back(&job(1));
        assert!(state.is_of(&job(2)), "what was not had is not given back");
    }

    #[test]
    fn a_push_is_asked_for_once_in_each_epoch() {
        let mut state = PushState::default();
        assert!(state.is_to_be_asked(minute(0)));
        state.note_asked(state.epoch());
        assert!(!state.is_to_be_asked(minute(0)));
        state.take(&job(1), minute(5), minute(0));
        assert!(!state.is_to_be_asked(minute(1)), "it looks once more when it has ended");
        assert!(state.is_to_be_asked(minute(9)), "it has died");
        state.finish(&job(1));
        assert!(state.is_to_be_asked(minute(2)));
    }

    #[test]
    fn one_that_holds_is_waited_for_and_one_that_was_refused_for_an_hour() {
        for on_hold in [true, false] {
            let mut state = PushState::default();
            state.take(&job(1), minute(5), minute(0));
            state.stop(Stopped { job: job(1), at: minute(1), on_hold, reason: "no".into() });
            assert!(!state.is_to_be_asked(minute(1)) && !state.is_due(minute(10)));
            assert_eq!((state.is_to_be_asked(minute(62)), state.is_due(minute(62))), (!on_hold, !on_hold));
            state.take(&job(2), minute(70), minute(65));
            state.finish(&job(2));
            assert!(state.is_due(minute(66)) && !state.is_on_hold());
        }
    }
}
