//! The token that a system gives us for our credentials.

use http::{HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use rollcall_model::secret::SecretText;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{ConnectorError, FailureKind, http_client::HttpResponse, refusal::Refusal};

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

/// A token, as it is given (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    token_type: String,
    /// In seconds.
    expires_in: u64,
    access_token: SecretText,
}

/// No token (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct NotGranted {
    error: String,
}

impl Token {
    /// The token that an answer gives.
    ///
    /// # Errors
    /// [`FailureKind::Denied`] for a no, [`FailureKind::Malformed`] for what is neither.
    pub(crate) fn granted(operation: &'static str, answer: &HttpResponse) -> Result<Self, ConnectorError> {
        let malformed = |detail: &str| ConnectorError::new(operation, FailureKind::Malformed, detail);
        if answer.status.is_client_error() || answer.says_no() {
            // Whatever it is, a person must look at the credentials.
            let code = answer.json::<NotGranted>(operation).ok().map(|no| no.error);
            return Err(Refusal::new(answer.status, code).told(operation, FailureKind::Denied));
        }
        if answer.status != StatusCode::OK {
            return Err(Refusal::new(answer.status, None).into_error(operation));
        }
        let granted: Granted = answer.json(operation)?;
        let life = i64::try_from(granted.expires_in).map_err(|_| malformed("the token never ends"))?;
        if !granted.token_type.eq_ignore_ascii_case("bearer") {
            return Err(malformed("the token is no bearer token"));
        }
        Self::bearer(granted.access_token.expose(), SignedDuration::from_secs(life))
            .ok_or_else(|| malformed("the token can't stand in a header"))
    }

    /// A bearer token (RFC 6750) that lives this long from now. `None` when it can't stand in a header.
    fn bearer(token: &str, life: SignedDuration) -> Option<Self> {
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
        renewal: impl Future<Output = Result<Token, ConnectorError>>,
    ) -> Result<Token, ConnectorError> {
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
