//! How fast a system may be asked.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

/// Gives requests their turns, evenly, **never more than so many a second**. Not in bursts: others may share what a system takes.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    gap: Duration,
    next: Option<Instant>,
}

/// What counts as a second. A tenth longer than one, since requests travel at different speeds.
const SECOND: Duration = Duration::from_millis(1_100);

impl RateLimiter {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { gap: SECOND / per_second.get(), next: None }
    }

    /// Takes the next turn. `None` when it doesn't come before a deadline; then it is left to others.
    pub(crate) fn turn(&mut self, now: Instant, until: Instant) -> Option<Instant> {
        let turn = self.next.map_or(now, |next| next.max(now));
        (turn < until).then(|| {
            self.next = Some(turn + self.gap);
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_turns_than_it_may_have() {
        for per_second in 1..=40 {
            let mut pace = RateLimiter::new(NonZeroU32::new(per_second).unwrap());
            let start = Instant::now();
            let until = start + Duration::from_mins(10);
            // Crowds, trickles and pauses.
            let mut now = start;
            let turns: Vec<Instant> = (0..400_u32)
                .map(|at| {
                    now += Duration::from_millis(u64::from(at % 7 * (at % 5) * (at % 11) * 3));
                    let turn = pace.turn(now, until).unwrap();
                    assert!(turn >= now);
                    turn
                })
                .collect();
            for window in turns.windows(per_second as usize + 1) {
                let took = *window.last().unwrap() - window[0];
                assert!(took > Duration::from_secs(1), "{per_second} a second: one more in {took:?}");
            }
        }
    }

    #[test]
    fn who_comes_alone_does_not_wait() {
        let mut pace = RateLimiter::new(NonZeroU32::new(3).unwrap());
        let now = Instant::now();
        let until = now + Duration::from_mins(1);
        assert_eq!(pace.turn(now, until), Some(now));
        let later = now + Duration::from_secs(5);
        assert_eq!(pace.turn(later, until), Some(later));
    }

    #[test]
    fn a_turn_that_comes_too_late_is_left_to_others() {
        let mut pace = RateLimiter::new(NonZeroU32::new(1).unwrap());
        let now = Instant::now();
        let soon = now + Duration::from_millis(500);
        assert_eq!(pace.turn(now, soon), Some(now));
        assert_eq!(pace.turn(now, soon), None);
        assert_eq!(pace.turn(now, now + Duration::from_secs(2)), Some(now + SECOND));
    }
}
