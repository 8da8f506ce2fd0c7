//! Whether the API is asked at all. When it has failed several times in a row, no call waits for it.

use std::time::{Duration, Instant};

/// Failures in a row after which nobody asks.
const FAILURES: u32 = 5;
/// How long nobody asks then.
const PAUSE: Duration = Duration::from_secs(10);

/// Opens when the API fails, and closes when it answers.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

/// What may be done with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It is asked, and waited for.
    Ask,
    /// It is asked to see whether the API is back, and nobody waits for it.
    Probe,
    /// It isn't asked.
    KeepOff,
}

impl Breaker {
    /// What may be done with a question now. One in each pause is a probe.
    pub fn permission(&mut self, now: Instant) -> Permission {
        match self.open_until {
            None => Permission::Ask,
            Some(until) if now < until => Permission::KeepOff,
            Some(_) => {
                self.open_until = Some(now + PAUSE);
                Permission::Probe
            }
        }
    }

    /// The API has answered. Whether that closes the breaker.
    pub fn answered(&mut self) -> bool {
        self.failures = 0;
        self.open_until.take().is_some()
    }

    /// The API has not answered, or not well. Whether that opens the breaker.
    pub fn failed(&mut self, now: Instant) -> bool {
        // What was asked before it opened says nothing new.
        if self.is_open() {
            return false;
        }
        self.failures += 1;
        if self.failures >= FAILURES {
            self.open_until = Some(now + PAUSE);
        }
        self.is_open()
    }

    /// Whether nobody waits for the API now.
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        assert_eq!((0..FAILURES).map(|_| breaker.failed(now)).filter(|opens| *opens).count(), 1);
        breaker
    }

    #[test]
    fn failures_in_a_row_keep_everybody_off_and_an_answer_between_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..3 * FAILURES {
            (0..FAILURES - 1).for_each(|_| assert!(!breaker.failed(now)));
            assert!(!breaker.answered(), "it was not open");
            assert_eq!(breaker.permission(now), Permission::Ask);
        }
        let mut breaker = opened(now);
        assert_eq!(breaker.permission(now), Permission::KeepOff);
        assert_eq!(breaker.permission(now + PAUSE.saturating_sub(MOMENT)), Permission::KeepOff);
    }

    #[test]
    fn one_question_in_a_pause_is_asked_and_none_is_waited_for_until_it_is_answered() {
        let now = Instant::now();
        let mut breaker = opened(now);
        for pause in 1..5 {
            let later = now + PAUSE * pause;
            assert_eq!(breaker.permission(later), Permission::Probe);
            assert_eq!(breaker.permission(later), Permission::KeepOff);
            assert!(!breaker.failed(later + MOMENT), "it is open");
            assert_eq!(breaker.permission(later + PAUSE.saturating_sub(MOMENT)), Permission::KeepOff);
        }
        assert!(breaker.answered());
        assert_eq!(breaker.permission(now), Permission::Ask);
        assert!(!breaker.failed(now), "it counts from the beginning");
    }

    #[test]
    fn questions_that_were_on_their_way_when_it_opened_prolong_nothing() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert!(!breaker.failed(now + PAUSE.saturating_sub(MOMENT)));
        assert_eq!(breaker.permission(now + PAUSE), Permission::Probe);
    }
}
