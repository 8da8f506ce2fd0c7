//! Waiting before something is tried again.

use std::time::Duration;

use tokio::time::Instant;

use crate::StorageError;

/// First wait before a request is sent again, doubled each time up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Waits longer each time, from some milliseconds to two seconds, until there is no time left.
pub struct Backoff {
    wait: Duration,
    until: Instant,
}

impl Backoff {
    /// Until then.
    pub fn new(until: Instant) -> Self {
        Self { wait: FIRST_WAIT, until }
    }

    /// Whether there is time left to try.
    ///
    /// # Errors
    /// [`ErrorKind::Transient`](crate::ErrorKind::Transient) when there is none.
    pub fn check(&self, operation: &'static str) -> Result<(), StorageError> {
        if Instant::now() < self.until { Ok(()) } else { Err(StorageError::transient(operation, "the time is up")) }
    }

    /// Waits. Who would wait for too long waits until the time is over, so that it is seen then that this was all there was to it.
    ///
    /// # Errors
    /// `error`, when the time is over.
    pub async fn wait(&mut self, error: StorageError) -> Result<(), StorageError> {
        // Spread over the second half, so that requests that failed together don't come back together.
        let wait = self.wait.mul_f64(0.5 + spread() / 2.0);
        if Instant::now() + wait > self.until {
            tokio::time::sleep_until(self.until).await;
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(())
    }
}

/// Something between 0 and 1 that differs from caller to caller: no more is needed here than the clock gives.
fn spread() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    f64::from(now.subsec_nanos() % 1_000) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_in_vain_has_waited_until_the_time_was_over() {
        let until = Instant::now() + Duration::from_secs(5);
        let mut patience = Backoff::new(until);
        while patience.wait(StorageError::transient("asking", "not now")).await.is_ok() {
            assert!(Instant::now() <= until);
        }
        assert_eq!(Instant::now(), until);
    }
}
