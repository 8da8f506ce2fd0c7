//! How fast to ask: as fast as the table accepts, and not much faster.
//!
//! Additive increase, multiplicative decrease, as TCP does it, so that those who share a table come to ask equally fast. Until the table first
//! puts something off there is no limit. Then the rate is set a little under what was really accepted, grows, slowly where it was refused
//! last, and falls with each window of refusals.
//!
//! Where much is refused, the refusals may be of no fault of whoever asks: a table refuses by chance, or others ask too fast. Asking more
//! slowly would only take longer then. **So it is tried out**: the rate falls to half, and what is accepted tells. As much as before: it was
//! one's own asking, and the rate stays low. Half as much: it is in vain, and the rate is what it was.
//!
//! The SDK's own retry quota is of no use here: 500 tokens, shared by all clients of a region, are gone within a second of a
//! throttled file, and what is retried after that is lost.

use std::{
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use rollcall_engine::telemetry::millis;

/// Paces one kind of request. Shared by everything in flight.
pub(crate) struct AdaptiveRateLimiter {
    start: Instant,
    state: Mutex<Aimd>,
}

impl AdaptiveRateLimiter {
    /// No limit yet.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), state: Mutex::new(Aimd::default()) }
    }

    /// Waits for the turn of `count` items.
    pub(crate) async fn turn(&self, count: usize) {
        let wait = self.with(|aimd, now| aimd.reserve(count, now));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Learns what came of a request.
    pub(crate) fn learn(&self, accepted: usize, throttled: usize) {
        self.with(|aimd, now| aimd.learn(accepted, throttled, now));
    }

    /// Whether requests are paced, and the table has accepted something since: then a refusal is no reason to wait longer than the pace
    /// says.
    pub(crate) fn has_accepted_since(&self, then: Instant) -> bool {
        self.with(|aimd, _| aimd.rate.is_some() && aimd.accepted_at.is_some_and(|at| self.start + at >= then))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Aimd, Duration) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut state, self.start.elapsed())
    }
}

/// Time over which acceptance is measured before the rate changes: long enough for what is in flight to come back.
const WINDOW: Duration = Duration::from_millis(200);
/// The same from the first refusal on, until the first rate is found: nothing paces requests meanwhile.
const FIRST_WINDOW: Duration = Duration::from_millis(20);
/// Items of which a window tells the share that is refused: of fewer it tells chance.
const ENOUGH_ITEMS: usize = 200;
/// What a window with refusals leaves of the rate at most. What was accepted in it is another bound.
const DECREASE: f64 = 0.93;
/// What a window without refusals adds to the rate, as a share of it, near the rate that was last refused,
const INCREASE: f64 = 0.01;
/// and at least, in items a second: what all add alike makes those equal who share a table. A two-hundredth of what a new table on demand takes.
const LEAST_INCREASE: f64 = 20.0;
/// The same, while no refusal is near.
const FAST_INCREASE: f64 = 0.10;
/// Windows that one may stand for.
const MOST_WINDOWS: f64 = 10.0;
/// How near that is, as shares of the refused rate. Above, the table takes more than it did, or others have ended.
const NEAR: RangeInclusive<f64> = 0.9..=1.4;
/// The share that must be refused before it is tried out whether it is of use to ask more slowly. Near the table's limit it is less.
const MUCH: f64 = 0.10;
/// Items that tell what comes of a trial, in however short a time: as many as may have got their turn before it.
const TRIAL_ITEMS: usize = 400;
/// What a trial leaves of the rate at least.
const TRIAL: f64 = 0.5;
/// What a window adds to the rate where it is in vain to ask more slowly, as a share of it,
const INCREASE_IN_VAIN: f64 = 0.10;
/// how many windows may pass before it is tried out again,
const TRIED_AGAIN: u32 = 10;
/// and how many times the share may be refused that was refused then.
const SAME: f64 = 1.33;
/// How many times as much as is accepted one may ask for where asking more slowly is of no use: by chance a table refuses less than three of four, but of
/// many who ask at once each would ask faster and faster.
const MOST_IN_VAIN: f64 = 4.0;
/// Items a second that are always allowed, so that a rate can recover: a fortieth of what a new table on demand takes.
const FLOOR: f64 = 100.0;

/// What a window has shown, in items a second.
#[derive(Clone, Copy, Debug)]
struct Seen {
    asked: f64,
    accepted: f64,
}

impl Seen {
    /// The share that was refused.
    fn refused(self) -> f64 {
        1.0 - self.accepted / self.asked
    }
}

/// Whether asking more slowly helps is being tried out.
#[derive(Clone, Copy, Debug)]
struct Trial {
    /// The rate, and what it came to.
    rate: f64,
    before: Seen,
    /// Whether a window has passed since: in the first are requests whose turn was given before.
    settled: bool,
}

/// The rate as a function of what happened when. Times count from the beginning.
#[derive(Default)]
struct Aimd {
    /// Items a second; `None` without limit.
    rate: Option<f64>,
    /// The rate that was refused last.
    refused_at: Option<f64>,
    trial: Option<Trial>,
    /// For how many windows it has been in vain to ask more slowly, and the share that was refused at first.
    in_vain: Option<(u32, f64)>,
    /// When the next item's turn is.
    next: Duration,
    /// When somebody last asked, or was answered.
    last: Duration,
    /// When something was last accepted.
    accepted_at: Option<Duration>,
    window_start: Duration,
    accepted: usize,
    throttled: usize,
}

impl Aimd {
    /// How long `count` items wait for their turn.
    fn reserve(&mut self, count: usize, now: Duration) -> Duration {
        // Silence is no part of a window: what was not asked for was not refused.
        self.window_start += now.saturating_sub(self.last.max(self.next));
        self.last = now;
        let Some(rate) = self.rate else { return Duration::ZERO };
        let turn = self.next.max(now);
        self.next = turn + Duration::from_secs_f64(as_f64(count) / rate);
        turn.saturating_sub(now)
    }

    fn learn(&mut self, accepted: usize, throttled: usize, now: Duration) {
        self.last = self.last.max(now);
        // What was accepted before the first refusal is what the table had saved up, and says nothing of its rate.
        if self.rate.is_none() && self.throttled == 0 && throttled > 0 {
            (self.window_start, self.accepted) = (now, 0);
        }
        if accepted > 0 {
            self.accepted_at = Some(now);
        }
        self.accepted += accepted;
        self.throttled += throttled;
        let elapsed = now.saturating_sub(self.window_start);
        let finds_the_first = self.rate.is_none() && self.throttled > 0;
        let tells_a_trial = self.trial.is_some() && self.accepted + self.throttled >= TRIAL_ITEMS;
        let enough = if finds_the_first || tells_a_trial { FIRST_WINDOW } else { WINDOW };
        // Where nothing at all was accepted, no rate can be told; who was refused whole waits anyway.
        if elapsed < enough || self.accepted == 0 {
            return;
        }
        if self.throttled > 0 && self.accepted + self.throttled < ENOUGH_ITEMS {
            return;
        }
        let seconds = elapsed.as_secs_f64();
        let seen =
            Seen { asked: as_f64(self.accepted + self.throttled) / seconds, accepted: as_f64(self.accepted) / seconds };
        // As many windows as would have been, had there been requests to tell them by.
        let windows = (seconds / WINDOW.as_secs_f64()).min(MOST_WINDOWS);
        self.rate = match self.rate {
            None if self.throttled == 0 => None,
            None => Some((seen.accepted * DECREASE).max(FLOOR)),
            Some(rate) => Some(self.next_rate(rate, seen, windows).max(FLOOR)),
        };
        tracing::debug!(
            accepted = self.accepted,
            throttled = self.throttled,
            ms = millis(elapsed),
            rate = self.rate,
            "paced"
        );
        self.window_start = now;
        self.accepted = 0;
        self.throttled = 0;
    }

    /// The rate after a window, which has stood for so many.
    fn next_rate(&mut self, rate: f64, seen: Seen, windows: f64) -> f64 {
        match self.trial.take() {
            Some(trial) if !trial.settled => {
                self.trial = Some(Trial { settled: true, ..trial });
                return rate;
            }
            Some(trial) if trial.was_in_vain(seen) => {
                self.in_vain = Some((0, trial.before.refused()));
                return trial.rate;
            }
            Some(_) => self.in_vain = None,
            None => {}
        }
        let refused = seen.refused();
        if refused == 0.0 {
            let near = self.refused_at.is_some_and(|refused| NEAR.contains(&(rate / refused)));
            return if near {
                rate + (rate * INCREASE).max(LEAST_INCREASE) * windows
            } else {
                rate * (1.0 + FAST_INCREASE).powf(windows)
            };
        }
        if refused < MUCH {
            (self.in_vain, self.refused_at) = (None, Some(rate));
            return rate * DECREASE;
        }
        if let Some((since, share)) = self.in_vain
            && since < TRIED_AGAIN
            && refused <= share * SAME
        {
            self.in_vain = Some((since + 1, share));
            return (rate * (1.0 + INCREASE_IN_VAIN).powf(windows)).min(seen.accepted * MOST_IN_VAIN);
        }
        self.refused_at = Some(rate);
        self.trial = Some(Trial { rate, before: seen, settled: false });
        (seen.accepted * DECREASE).clamp(rate * TRIAL, rate * DECREASE)
    }
}

impl Trial {
    /// Whether less is accepted by as much as less is asked, more or less, and not as much as before.
    fn was_in_vain(&self, seen: Seen) -> bool {
        let by_chance = self.before.accepted * seen.asked / self.before.asked;
        let by_own_asking = self.before.accepted.min(seen.asked);
        seen.accepted < f64::midpoint(by_chance, by_own_asking)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
