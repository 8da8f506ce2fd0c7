//! How long a job will take, at the rate seen.

use std::time::Duration;

use tokio::time::Instant;

/// What an attempt has seen of its own speed.
pub(crate) struct Forecast {
    /// When the attempt began, and how long it may work.
    begun: Instant,
    time: Duration,
    /// How long it took until the first user could be dealt with.
    reading: Duration,
    /// From when on users are dealt with, and how many had been before.
    from: Option<(Instant, u64)>,
    /// From when on the report is written.
    reporting: Option<Instant>,
}

impl Forecast {
    pub fn new(begun: Instant, until: Instant) -> Self {
        Self { begun, time: until - begun, reading: Duration::ZERO, from: None, reporting: None }
    }

    /// How long it takes from now on, `done` of `users` being dealt with. `recalled` says that an earlier attempt has dealt with the last of them.
    /// `None` where nothing can be told yet.
    ///
    /// A report takes about as long again as the file took to be read, twice where it is written too; and each further invocation reads it once more.
    pub fn left(&mut self, (done, users): (u64, u64), recalled: bool, now: Instant) -> Option<Duration> {
        let from = self.from.filter(|_| !recalled);
        let Some((since, before)) = from else {
            self.reading = now - self.begun;
            self.from = Some((now, done));
            return None;
        };
        let elapsed = now - since;
        let dealt_with = done.checked_sub(before).filter(|count| *count > 0)?;
        let applying = elapsed.mul_f64(ratio(users.saturating_sub(done), dealt_with));
        let work = applying + self.reading * 2;
        let mut left = work;
        // What is done of it in this invocation needs no further one.
        let mut later = work.saturating_sub(self.time.saturating_sub(now - self.begun));
        let each = self.time.saturating_sub(self.reading);
        while !later.is_zero() && !each.is_zero() {
            left += self.reading;
            later = later.saturating_sub(each);
        }
        Some(left)
    }

    /// How long the report takes from now on, which tells of `told` of `rows` by now. `None` at its beginning.
    pub fn left_of_report(&mut self, (told, rows): (u64, u64), now: Instant) -> Option<Duration> {
        let since = *self.reporting.get_or_insert(now);
        (told > 0).then(|| (now - since).mul_f64(ratio(rows.saturating_sub(told), told)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of users are far below 2^52")]
fn ratio(of: u64, to: u64) -> f64 {
    of as f64 / to as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_is_done_and_the_report_as_two_readings() {
        let begun = Instant::now();
        let mut forecast = Forecast::new(begun, begun + seconds(300));
        let mut left = |done, at| forecast.left((done, 10_000), false, begun + seconds(at));
        assert_eq!(left(2_000, 10), None, "nothing is known of the rate");
        assert_eq!(left(4_000, 20), Some(seconds(30 + 20)));
        assert_eq!(left(6_000, 50), Some(seconds(40 + 20)), "it has become slower");
        assert_eq!(left(10_000, 90), Some(seconds(20)));
    }

    #[test]
    fn what_earlier_attempts_have_done_is_no_measure_and_each_further_one_reads_again() {
        let begun = Instant::now();
        let mut forecast = Forecast::new(begun, begun + seconds(60));
        for (done, at) in [(2_000, 5), (4_000, 10)] {
            assert_eq!(forecast.left((done, 104_000), true, begun + seconds(at)), None);
        }
        let left = forecast.left((6_000, 104_000), false, begun + seconds(12));
        // 49 times two seconds, and twice ten; 48 seconds of that in this invocation, 50 in the next, the rest in a third.
        assert_eq!(left, Some(seconds(98 + 20 + 2 * 10)));
    }

    #[test]
    fn a_report_goes_on_at_its_own_rate() {
        let begun = Instant::now();
        let mut forecast = Forecast::new(begun, begun + seconds(300));
        let mut left = |told, at| forecast.left_of_report((told, 8_000), begun + seconds(at));
        assert_eq!(left(0, 100), None);
        assert_eq!(left(2_000, 110), Some(seconds(30)));
        assert_eq!(left(8_000, 150), Some(seconds(0)));
    }

    #[test]
    fn an_invocation_that_is_all_reading_foresees_no_end_of_invocations_and_ends_itself() {
        let begun = Instant::now();
        let mut forecast = Forecast::new(begun, begun + seconds(10));
        assert_eq!(forecast.left((0, 10), false, begun + seconds(20)), None);
        assert_eq!(forecast.left((5, 10), false, begun + seconds(22)), Some(seconds(2 + 40)));
    }
}
