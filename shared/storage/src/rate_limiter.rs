//! How fast to ask: as fast as the table accepts, and not much faster.
//!
//! Additive increase, multiplicative decrease, as TCP does it. Until the table first puts something off there is no
//! limit. Then the rate is set a little under what was really accepted, grows, slowly where it was refused last, and
//! falls with each window of refusals, unless falling didn't help: where the same share is refused however slowly one asks,
//! asking more slowly only takes longer. The
//! SDK's own retry quota is of no use here: 500 tokens, shared by all clients of a region, are gone within a second of a
//! throttled file, and what is retried after that is lost.

use std::{
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
/// What a window without refusals adds to the rate, as a share of it, near the rate that was last refused.
const INCREASE: f64 = 0.01;
/// The same, while no refusal is near.
const FAST_INCREASE: f64 = 0.10;
/// Windows that one may stand for.
const MOST_WINDOWS: f64 = 10.0;
/// How near that is, as a share of the refused rate.
const NEAR: f64 = 0.9;
/// The share that must be refused before it may be of no use to ask more slowly. Near the table's limit it is less.
const UNAVOIDABLE: f64 = 0.10;
/// How much that share may differ from that of the window before, as a part of it, and be the same.
const SAME: f64 = 0.33;
/// How many times as much as is accepted one may ask for where asking more slowly is of no use: by chance a table refuses less than three of four, but of
/// many who ask at once each would ask faster and faster.
const MOST_IN_VAIN: f64 = 4.0;
/// Items a second that are always allowed, so that a rate can recover: a fortieth of what a new table on demand takes.
const FLOOR: f64 = 100.0;

/// The rate as a function of what happened when. Times count from the beginning.
#[derive(Default)]
struct Aimd {
    /// Items a second; `None` without limit.
    rate: Option<f64>,
    /// The rate that was refused last.
    refused_at: Option<f64>,
    /// The share that was refused in the window before.
    refused_share: f64,
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
        let enough = if self.rate.is_none() && self.throttled > 0 { FIRST_WINDOW } else { WINDOW };
        // Where nothing at all was accepted, no rate can be told; who was refused whole waits anyway.
        if elapsed < enough || self.accepted == 0 {
            return;
        }
        if self.throttled > 0 && self.accepted + self.throttled < ENOUGH_ITEMS {
            return;
        }
        let share = as_f64(self.throttled) / as_f64(self.accepted + self.throttled);
        let same = (share - self.refused_share).abs() <= self.refused_share * SAME;
        let in_vain = share >= UNAVOIDABLE && same && self.rate.is_some();
        self.refused_share = share;
        let accepted_rate = as_f64(self.accepted) / elapsed.as_secs_f64();
        if self.throttled > 0 && !in_vain {
            self.refused_at = self.rate;
            let rate = self.rate.map_or(accepted_rate * DECREASE, |rate| accepted_rate.min(rate * DECREASE));
            self.rate = Some(rate.max(FLOOR));
        } else if let Some(rate) = &mut self.rate {
            let near = self.refused_at.is_some_and(|refused| *rate >= refused * NEAR);
            let increase = if near && !in_vain { INCREASE } else { FAST_INCREASE };
            // As many windows as would have been, had there been requests to tell them by.
            *rate *= (1.0 + increase).powf((elapsed.as_secs_f64() / WINDOW.as_secs_f64()).min(MOST_WINDOWS));
            if in_vain {
                *rate = rate.min(accepted_rate * MOST_IN_VAIN).max(FLOOR);
            }
        }
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
}

#[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that accepts `limit` items a second with a second's worth of burst, asked in batches of 25.
    /// Gives the accepted rate and the share that was put off, over `seconds`.
    fn simulate(limit: f64, seconds: f64) -> (f64, f64) {
        let mut aimd = Aimd::default();
        let (mut now, mut tokens, mut accepted, mut throttled) = (0.0_f64, 0.0_f64, 0, 0);
        // Sixteen in flight with 5 ms each could do 80,000 items a second.
        let fastest = 25.0 / 80_000.0;
        while now < seconds {
            let wait = aimd.reserve(25, Duration::from_secs_f64(now)).as_secs_f64().max(fastest);
            now += wait;
            tokens = (tokens + wait * limit).min(limit);
            let passed = (0..25).take_while(|&item| as_f64(item) + 1.0 <= tokens).count();
            tokens -= as_f64(passed);
            accepted += passed;
            throttled += 25 - passed;
            aimd.learn(passed, 25 - passed, Duration::from_secs_f64(now));
        }
        (as_f64(accepted) / seconds, as_f64(throttled) / as_f64(accepted + throttled))
    }

    #[test]
    fn finds_the_tables_rate_and_stays_under_it() {
        for limit in [1_000.0, 4_000.0, 20_000.0] {
            let (rate, refused) = simulate(limit, 60.0);
            assert!(rate > 0.9 * limit, "{rate} of {limit}");
            assert!(refused < 0.05, "{refused} refused at {limit}");
        }
    }

    #[test]
    fn refusals_that_no_slowness_avoids_do_not_slow_it_down() {
        // Out of a thousand, by chance and whatever the rate.
        for (refused, fastest) in [(150, 20_000.0), (300, 20_000.0), (500, 20_000.0), (300, 500.0)] {
            let mut aimd = Aimd::default();
            let (mut now, mut draw, mut asked) = (60.0_f64, 1_u32, 0);
            while now < 90.0 {
                now += aimd.reserve(25, Duration::from_secs_f64(now)).as_secs_f64().max(25.0 / fastest);
                let throttled = (0..25).filter(|_| {
                    draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (draw >> 8) % 1_000 < refused
                });
                let throttled = throttled.count();
                aimd.learn(25 - throttled, throttled, Duration::from_secs_f64(now));
                asked += 25;
            }
            assert!(as_f64(asked) / 30.0 > 0.75 * fastest, "{asked} with {refused} of a thousand refused");
        }
    }

    /// Ten jobs ask a table at once, each by a function of its own.
    #[test]
    fn many_who_share_a_table_use_it_and_do_not_drive_each_other() {
        const LIMIT: f64 = 4_000.0;
        let mut all: Vec<(Aimd, f64)> = (0..10).map(|_| (Aimd::default(), 0.0)).collect();
        let (mut at, mut tokens, mut accepted, mut asked) = (0.0_f64, 0.0_f64, 0, 0);
        while at < 60.0 {
            // Whose turn comes first; sixteen in flight with 5 ms each could do 80,000 items a second.
            let (aimd, next) = all.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)).expect("ten");
            tokens = (tokens + (*next - at).max(0.0) * LIMIT).min(LIMIT);
            at = at.max(*next);
            let passed = (0..25).take_while(|&item| as_f64(item) + 1.0 <= tokens).count();
            tokens -= as_f64(passed);
            (accepted, asked) = (accepted + passed, asked + 25);
            aimd.learn(passed, 25 - passed, Duration::from_secs_f64(at));
            *next = at + aimd.reserve(25, Duration::from_secs_f64(at)).as_secs_f64().max(25.0 / 80_000.0);
        }
        assert!(as_f64(accepted) > 0.9 * LIMIT * 60.0, "{accepted} accepted");
        assert!(as_f64(asked) < 5.0 * as_f64(accepted), "{asked} asked for {accepted}");
    }

    #[test]
    fn a_first_answer_that_is_lost_after_a_silence_says_nothing_of_the_rate() {
        let mut aimd = Aimd::default();
        let at = |millis| Duration::from_millis(millis);
        assert_eq!(aimd.reserve(100, at(60_000)), Duration::ZERO);
        aimd.learn(0, 100, at(60_025));
        assert_eq!(aimd.rate, None);
        for millis in 60_026..60_300 {
            aimd.reserve(100, at(millis));
            aimd.learn(100, 0, at(millis));
        }
        assert!(aimd.rate.is_none_or(|rate| rate > 1_000.0), "{:?}", aimd.rate);
    }

    #[test]
    fn silence_between_jobs_is_no_time_in_which_little_was_accepted() {
        let mut aimd = Aimd::default();
        let at = |millis| Duration::from_millis(millis);
        // A small job, and half a minute later one that is refused by chance.
        aimd.reserve(1, at(0));
        aimd.learn(1, 0, at(5));
        for millis in (30_000..30_060).step_by(5) {
            for _ in 0..16 {
                aimd.reserve(25, at(millis));
            }
            for _ in 0..16 {
                aimd.learn(17, 8, at(millis + 5));
            }
        }
        assert!(aimd.rate.is_some_and(|rate| rate > 10_000.0), "{:?}", aimd.rate);
    }

    #[test]
    fn a_rate_that_has_fallen_to_the_floor_recovers_within_seconds() {
        let mut aimd = Aimd { rate: Some(FLOOR), ..Aimd::default() };
        let mut now = Duration::ZERO;
        while aimd.rate < Some(10_000.0) {
            now += aimd.reserve(25, now) + Duration::from_millis(5);
            aimd.learn(25, 0, now);
        }
        assert!(now < Duration::from_secs(20), "{now:?}");
    }

    #[test]
    fn without_refusals_nothing_waits() {
        let mut aimd = Aimd::default();
        for millis in 0..1_000 {
            let now = Duration::from_millis(millis);
            assert_eq!(aimd.reserve(1_000, now), Duration::ZERO);
            aimd.learn(1_000, 0, now);
        }
    }
}
