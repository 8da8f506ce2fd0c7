//! What the safety threshold remembers ([`SafetyThreshold`](rollcall_model::safety_threshold::SafetyThreshold)): what was taken away of late.
//!
//! A system of others that answers with an empty list must not take everything from everybody. **A run that nobody
//! watches never takes from more than the threshold: it holds, and a person says whether it was meant.** The runs of a day count together:
//! a system that loses its users little by little is stopped as one that loses them at once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use rollcall_model::jobs::JobId;

/// For how long what a run has taken counts with what the next ones would take.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// Runs that are remembered one by one. Past that the oldest two count as one, by the later time.
const MOST_RUNS: usize = 100;

/// What runs that nobody watched have taken away of late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recent(Vec<Taken>);

/// What one run has taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    job: JobId,
    at: Timestamp,
    affected: usize,
}

impl Recent {
    /// With how much this run was let through before: an attempt that goes on after a death.
    pub fn of(&self, job: &JobId) -> Option<usize> {
        let mine = self.0.iter().filter(|taken| taken.job == *job).map(|taken| taken.affected);
        mine.reduce(|sum, affected| sum + affected)
    }

    /// How much the runs of the last day have taken.
    pub fn sum(&self, now: Timestamp) -> usize {
        self.0.iter().filter(|taken| now.duration_since(taken.at) < REMEMBERED).map(|taken| taken.affected).sum()
    }

    /// Keeps that a run takes something, before it does.
    pub fn add(&mut self, job: &JobId, at: Timestamp, affected: usize) {
        self.0.retain(|taken| at.duration_since(taken.at) < REMEMBERED);
        if affected > 0 {
            self.0.push(Taken { job: job.clone(), at, affected });
        }
        if self.0.len() > MOST_RUNS {
            let oldest = self.0.remove(0);
            self.0[0].affected += oldest.affected;
        }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A person has seen what is taken, and what was taken before it.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: usize) -> JobId {
        JobId::parse(&format!("{number:032x}")).unwrap()
    }

    fn hour(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
    }

    #[test]
    fn the_runs_of_a_day_count_together() {
        let mut recent = Recent::default();
        recent.add(&job(1), hour(0), 9);
        recent.add(&job(2), hour(20), 4);
        assert_eq!([20, 23, 24, 44].map(|at| recent.sum(hour(at))), [13, 13, 4, 0]);
        assert_eq!([1, 3].map(|run| recent.of(&job(run))), [Some(9), None]);
        recent.add(&job(3), hour(25), 1);
        assert_eq!(recent.of(&job(1)), None, "what is past its day is forgotten");
    }

    #[test]
    fn however_many_runs_there_are_nothing_is_forgotten_before_its_day_is_over() {
        let mut recent = Recent::default();
        for run in 0..3 * MOST_RUNS {
            recent.add(&job(run), hour(1), 2);
        }
        assert_eq!((recent.0.len(), recent.sum(hour(2))), (MOST_RUNS, 6 * MOST_RUNS));
    }
}
