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

    /// Waits.
    ///
    /// # Errors
    /// `error`, when waiting would take too long.
    pub async fn wait(&mut self, error: StorageError) -> Result<(), StorageError> {
        // Spread over the second half, so that requests that failed together don't come back together.
        let wait = self.wait.mul_f64(0.5 + spread() / 2.0);
        if Instant::now() + wait > self.until {
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
