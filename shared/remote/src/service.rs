//! Asking with patience.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{StatusCode, header};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    Error, Http, Kind,
    http_client::{Answer, Ask},
};

/// A system that is asked. **When it asks for patience, every request waits**, not just the one that was put off: what
/// is sent meanwhile is refused and counted all the same.
pub(crate) struct Service {
    http: Http,
    quiet_until: Mutex<Option<Instant>>,
}

/// How often a request is sent that fails without a word about when it may come again.
const MAX_TRIES: u32 = 5;
/// The wait after the first such failure. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Shortest wait, whatever the system says.
const MIN_WAIT: Duration = Duration::from_millis(100);

impl Service {
    pub(crate) fn new(http: Http) -> Self {
        Self { http, quiet_until: Mutex::new(None) }
    }

    /// Asks until there is an answer that is neither "later" nor a failure of the system's own. For requests that may
    /// be repeated.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the time is not enough for the patience that is asked for, or no try succeeds;
    /// [`Kind::Malformed`] for an answer that is too large.
    pub(crate) async fn ask(&self, ask: &Ask, until: Instant) -> Result<Answer, Error> {
        let mut tries = 0;
        loop {
            self.quiet(ask.operation, until).await?;
            let failure = match self.http.ask(ask, until).await {
                Ok(answer) if !is_busy(answer.status) => return Ok(answer),
                Ok(answer) => {
                    if let Some(wait) = retry_after(&answer) {
                        self.keep_quiet(wait.max(MIN_WAIT));
                        continue;
                    }
                    Error::new(ask.operation, Kind::Unavailable, format!("HTTP status {}", answer.status.as_u16()))
                }
                Err(error) if error.kind != Kind::Unavailable => return Err(error),
                Err(error) => error,
            };
            tries += 1;
            let wait = FIRST_WAIT * 2_u32.pow(tries - 1);
            if tries == MAX_TRIES || Instant::now() + wait >= until {
                return Err(failure);
            }
            sleep(wait).await;
        }
    }

    /// Waits until the system may be asked.
    async fn quiet(&self, operation: &'static str, until: Instant) -> Result<(), Error> {
        loop {
            let now = Instant::now();
            let quiet_until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
            match quiet_until.filter(|quiet_until| *quiet_until > now) {
                None if now < until => return Ok(()),
                None => return Err(Error::new(operation, Kind::Unavailable, "no time is left")),
                Some(quiet_until) if quiet_until >= until => {
                    let seconds = (quiet_until - now).as_secs();
                    let detail = format!("it asks for {seconds} s of patience, which are more than are left");
                    return Err(Error::new(operation, Kind::Unavailable, detail));
                }
                Some(quiet_until) => sleep_until(quiet_until).await,
            }
        }
    }

    fn keep_quiet(&self, wait: Duration) {
        let mut quiet_until = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        *quiet_until = (*quiet_until).max(Some(Instant::now() + wait));
    }
}

/// The system can't answer now.
fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) || status.is_server_error()
}

/// How long to wait (RFC 9110, section 10.2.3), in seconds. The other form, a date, is not used by the systems that we
/// ask; it is taken for no word at all.
fn retry_after(answer: &Answer) -> Option<Duration> {
    /// Longest wait that is reckoned with: past any deadline, and short enough for arithmetic.
    const LONGEST: u64 = 24 * 60 * 60;
    let seconds: u64 = answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}
