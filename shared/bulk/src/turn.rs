//! Whose turn it is, of jobs of which an account has one at a time: resyncs, and syncs with its own directory.
//!
//! **The newer goes on.** A job that comes while another is being worked on says so, and waits for moments: the other one sees it before it writes more, and
//! gives way. One that was put off comes back to find that a newer one has begun, and does no more: the newer has read what there is later. One that waits
//! says so again and again, so that nobody gives way to one that has died meanwhile.

use jiff::{SignedDuration, Timestamp};
use rollcall_model::jobs::JobId;
use serde::{Deserialize, Serialize};

/// Whose turn it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Turn {
    /// Who has it, or had it last.
    holder: Option<Holder>,
    /// Who waits for it.
    wanted_by: Option<JobId>,
    /// Until when it is believed that somebody waits who doesn't say so again.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted_until: Option<Timestamp>,
}

/// How long it is believed that somebody waits. Who does says so each second, and a request that hangs takes ten to give up.
const WAITS_FOR: SignedDuration = SignedDuration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    job: JobId,
    /// When the attempt ends that works on it, whatever it is doing.
    until: Timestamp,
}

/// What a job is told that asks for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnAnswer {
    /// It has it.
    Taken,
    /// Another one is being worked on, and has been told to give way.
    Wait,
    /// A newer one has begun.
    Overtaken,
}

impl Turn {
    /// Asks for the turn, for an attempt that ends at `until`. `has_begun` says that an earlier attempt at the job has had it.
    pub fn ask(&mut self, job: &JobId, has_begun: bool, until: Timestamp, now: Timestamp) -> TurnAnswer {
        let other = self.holder.as_ref().filter(|holder| holder.job != *job);
        if has_begun && (other.is_some() || self.is_wanted_from(job, now)) {
            return TurnAnswer::Overtaken;
        }
        if other.is_some_and(|holder| holder.until > now) {
            (self.wanted_by, self.wanted_until) = (Some(job.clone()), Some(now + WAITS_FOR));
            return TurnAnswer::Wait;
        }
        // Whoever waits still says so in a moment.
        (self.wanted_by, self.wanted_until) = (None, None);
        self.holder = Some(Holder { job: job.clone(), until });
        TurnAnswer::Taken
    }

    /// Whether a job may go on to write: it has the turn, and nobody waits for it.
    pub fn is_of(&self, job: &JobId, now: Timestamp) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.job == *job) && !self.is_wanted_from(job, now)
    }

    /// A job has ended, or gives way.
    pub fn give_up(&mut self, job: &JobId, now: Timestamp) {
        if let Some(holder) = self.holder.as_mut().filter(|holder| holder.job == *job) {
            holder.until = holder.until.min(now);
        }
        if self.wanted_by.as_ref() == Some(job) {
            (self.wanted_by, self.wanted_until) = (None, None);
        }
    }

    /// Whether nothing has ever been done in turns.
    pub fn is_unused(&self) -> bool {
        *self == Self::default()
    }

    fn is_wanted_from(&self, job: &JobId, now: Timestamp) -> bool {
        let waits = self.wanted_until.is_some_and(|until| until > now);
        waits && self.wanted_by.as_ref().is_some_and(|wanted| wanted != job)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn job(number: usize) -> JobId {
        JobId::parse(&format!("{number:032x}")).unwrap()
    }

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn the_newer_waits_until_the_older_has_given_way() {
        let mut turn = Turn::default();
        assert_eq!(turn.ask(&job(1), false, minute(5), minute(0)), TurnAnswer::Taken);
        assert!(turn.is_of(&job(1), minute(1)));
        assert_eq!(turn.ask(&job(2), false, minute(6), minute(1)), TurnAnswer::Wait);
        assert!(!turn.is_of(&job(1), minute(1)) && !turn.is_of(&job(2), minute(1)));
        turn.give_up(&job(1), minute(2));
        assert_eq!(turn.ask(&job(2), false, minute(6), minute(2)), TurnAnswer::Taken);
        assert!(turn.is_of(&job(2), minute(2)));
        assert_eq!(turn.ask(&job(1), true, minute(8), minute(3)), TurnAnswer::Overtaken);
    }

    #[test]
    fn who_is_put_off_is_overtaken_and_goes_on_where_nobody_came() {
        let mut turn = Turn::default();
        assert_eq!(turn.ask(&job(1), false, minute(5), minute(0)), TurnAnswer::Taken);
        assert_eq!(turn.ask(&job(1), true, minute(15), minute(10)), TurnAnswer::Taken);
        assert_eq!(turn.ask(&job(2), false, minute(25), minute(20)), TurnAnswer::Taken, "nobody works on the first");
        assert_eq!(turn.ask(&job(1), true, minute(35), minute(30)), TurnAnswer::Overtaken);
        turn.give_up(&job(2), minute(31));
        assert_eq!(
            turn.ask(&job(1), true, minute(36), minute(32)),
            TurnAnswer::Overtaken,
            "also when the newer has ended"
        );
    }

    #[test]
    fn who_waits_no_longer_holds_nobody_up() {
        let mut turn = Turn::default();
        turn.ask(&job(1), false, minute(5), minute(0));
        assert_eq!(turn.ask(&job(2), false, minute(6), minute(1)), TurnAnswer::Wait);
        turn.give_up(&job(2), minute(1));
        assert!(turn.is_of(&job(1), minute(1)));
    }

    #[test]
    fn nobody_gives_way_to_one_that_has_died_over_its_waiting() {
        let mut turn = Turn::default();
        turn.ask(&job(1), false, minute(5), minute(0));
        assert_eq!(turn.ask(&job(2), false, minute(6), minute(1)), TurnAnswer::Wait);
        assert!(turn.is_of(&job(1), minute(2)), "it says so no more");
        assert_eq!(turn.ask(&job(1), true, minute(9), minute(4)), TurnAnswer::Taken);
        assert_eq!(turn.ask(&job(2), false, minute(9), minute(8)), TurnAnswer::Wait);
        turn.give_up(&job(1), minute(8));
        // Nor does one that comes anew once the first has ended, unless the other still waits.
        assert_eq!(turn.ask(&job(3), false, minute(20), minute(8)), TurnAnswer::Taken);
        assert!(turn.is_of(&job(3), minute(8)));
        assert_eq!(turn.ask(&job(2), false, minute(9), minute(8)), TurnAnswer::Wait);
        assert!(!turn.is_of(&job(3), minute(8)));
    }

    #[test]
    fn a_turn_reads_back_also_as_it_was_kept_before() {
        let mut turn = Turn::default();
        turn.ask(&job(1), false, minute(5), minute(0));
        turn.ask(&job(2), false, minute(6), minute(1));
        let mut json = serde_json::to_value(&turn).unwrap();
        assert_eq!(serde_json::from_value::<Turn>(json.clone()).unwrap(), turn);
        json.as_object_mut().unwrap().remove("wanted_until");
        assert!(
            serde_json::from_value::<Turn>(json).unwrap().is_of(&job(1), minute(1)),
            "it isn't known who still waits"
        );
    }
}
