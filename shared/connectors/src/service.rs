//! Asking with patience.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    ConnectorError, FailureKind, Http,
    http_client::{HttpRequest, HttpResponse},
    rate_limiter::RateLimiter,
};

/// A system that is asked. **When it asks for patience, every request waits**, not just the one that was put off: what
/// is sent meanwhile is refused and counted all the same.
pub struct Service {
    http: Http,
    paused_until: Mutex<Option<Instant>>,
    pace: Option<Mutex<RateLimiter>>,
}

/// How often a request is sent that fails without a word about when it may come again.
const MAX_TRIES: u32 = 5;
/// The wait after the first such failure. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait for a system that asks for patience without saying for how long.
const MAX_WAIT: Duration = Duration::from_secs(8);
/// Shortest wait, whatever the system says.
const MIN_WAIT: Duration = Duration::from_millis(100);

impl Service {
    /// A system that may be asked as often as it answers.
    pub fn new(http: Http) -> Self {
        Self { http, paused_until: Mutex::new(None), pace: None }
    }

    /// The same, asked at most so many times a second.
    pub(crate) fn paced(http: Http, per_second: NonZeroU32) -> Self {
        Self { pace: Some(Mutex::new(RateLimiter::new(per_second))), ..Self::new(http) }
    }

    /// Asks until there is an answer that is neither "later" nor a failure of the system's own. For requests that may
    /// be repeated.
    ///
    /// # Errors
    /// [`FailureKind::Unavailable`] when the time is not enough for the patience that is asked for, or no try succeeds;
    /// [`FailureKind::Malformed`] for an answer that is too large.
    pub async fn ask(&self, ask: &HttpRequest, until: Instant) -> Result<HttpResponse, ConnectorError> {
        let mut tries = 0;
        let mut wait_unsaid = FIRST_WAIT;
        loop {
            self.turn(ask.operation, until).await?;
            let failure = match self.http.ask(ask, until).await {
                Ok(answer) if !is_busy(answer.status) => return Ok(answer),
                Ok(answer) => {
                    if let Some(wait) = retry_after(&answer.headers, Timestamp::now()) {
                        self.pause(wait.max(MIN_WAIT));
                        continue;
                    }
                    if answer.status == StatusCode::TOO_MANY_REQUESTS {
                        self.pause(wait_unsaid);
                        wait_unsaid = MAX_WAIT.min(wait_unsaid * 2);
                        continue;
                    }
                    ConnectorError::new(
                        ask.operation,
                        FailureKind::Unavailable,
                        format!("HTTP status {}", answer.status.as_u16()),
                    )
                }
                Err(error) if error.kind != FailureKind::Unavailable => return Err(error),
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
    async fn turn(&self, operation: &'static str, until: Instant) -> Result<(), ConnectorError> {
        let Some(pace) = &self.pace else { return self.quiet(operation, until).await };
        loop {
            self.quiet(operation, until).await?;
            let turn = pace.lock().unwrap_or_else(PoisonError::into_inner).turn(Instant::now(), until);
            let late = || {
                ConnectorError::new(
                    operation,
                    FailureKind::Unavailable,
                    "too many wait for their turn, and no time is left",
                )
            };
            sleep_until(turn.ok_or_else(late)?).await;
            // Meanwhile somebody may have been asked for patience.
            if !self.is_quiet() {
                return Ok(());
            }
        }
    }

    fn is_quiet(&self) -> bool {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) > Some(Instant::now())
    }

    /// Waits until the system asks for no more patience.
    async fn quiet(&self, operation: &'static str, until: Instant) -> Result<(), ConnectorError> {
        loop {
            let now = Instant::now();
            let paused_until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
            match paused_until.filter(|paused_until| *paused_until > now) {
                None if now < until => return Ok(()),
                None => return Err(ConnectorError::new(operation, FailureKind::Unavailable, "no time is left")),
                Some(paused_until) if paused_until >= until => {
                    let seconds = (paused_until - now).as_secs();
                    let detail = format!("it asks for {seconds} s of patience, which are more than are left");
                    return Err(ConnectorError::new(operation, FailureKind::Unavailable, detail));
                }
                Some(paused_until) => sleep_until(paused_until).await,
            }
        }
    }

    fn pause(&self, wait: Duration) {
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused_until = (*paused_until).max(Some(Instant::now() + wait));
    }
}

/// The system can't answer now.
fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) || status.is_server_error()
}

/// How long to wait: in seconds (RFC 9110, section 10.2.3), or, as Zoom has it, until a time of RFC 3339. The other
/// form that RFC 9110 has is used by none of the systems that we ask; it is taken for no word at all.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    /// Longest wait that is reckoned with: past any deadline, and short enough for arithmetic.
    const LONGEST: Duration = Duration::from_hours(24);
    let said = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match said.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::try_from(said.parse::<Timestamp>().ok()?.duration_since(now)).unwrap_or_default(),
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_asked_for_in_seconds_or_until_a_time() {
        let now: Timestamp = "2026-05-30T23:59:00Z".parse().unwrap();
        let wait = |said: &str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, said.parse().unwrap())]);
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        for (said, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("2026-05-31T00:00:00Z", Some(60)),
            ("2026-05-30T00:00:00Z", Some(0)),
            ("99999999999", Some(86_400)),
            ("2099-01-01T00:00:00Z", Some(86_400)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(wait(said), expected, "{said}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
