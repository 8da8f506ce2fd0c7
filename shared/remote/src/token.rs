//! The token that a system gives us for our credentials.

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::Error;

/// The token that is in use. **However many need a new one at once, one is asked for.**
#[derive(Default)]
pub(crate) struct Tokens {
    current: Mutex<Option<Token>>,
}

/// A token, ready to be sent.
#[derive(Clone, PartialEq)]
pub(crate) struct Token {
    /// The header that it is sent in. Marked as sensitive: a debug print hides it.
    pub header: HeaderValue,
    /// From when on a new one is asked for. By the clock on the wall: a function that sleeps has no other that goes on.
    pub renew_at: Timestamp,
}

/// A token is renewed this long before it ends, or when half its life is over, so that none ends on its way.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

impl Token {
    /// A bearer token (RFC 6750) that lives this long from now. `None` when it can't stand in a header.
    pub(crate) fn bearer(token: &str, life: SignedDuration) -> Option<Self> {
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        header.set_sensitive(true);
        let renew_at = Timestamp::now().saturating_add(life - MARGIN.min(life / 2)).ok()?;
        Some(Self { header, renew_at })
    }
}

impl Tokens {
    /// The token in use, or a new one if there is none, if it is about to end, or if it is the one that was `refused`.
    ///
    /// # Errors
    /// That of the renewal.
    pub(crate) async fn get(
        &self,
        refused: Option<&Token>,
        renewal: impl Future<Output = Result<Token, Error>>,
    ) -> Result<Token, Error> {
        let mut current = self.current.lock().await;
        let good = |token: &&Token| Some(*token) != refused && Timestamp::now() < token.renew_at;
        if let Some(token) = current.as_ref().filter(good) {
            return Ok(token.clone());
        }
        let token = renewal.await?;
        *current = Some(token.clone());
        Ok(token)
    }
}
