//! Tokens for the API, renewed before they end: a switch can't do that, and a token in its configuration ends some day.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use jiff::Timestamp;
use rollcall_connectors::{BaseUrl, Http, HttpRequest};
use rollcall_model::account::AccountId;
use rollcall_model::secret::SecretText;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};

use crate::api::ApiToken;
use crate::local::{output, running};
use crate::token;

/// Where tokens come from.
pub enum Source {
    /// This machine makes them for its own stack, which may be somewhere else after a new start.
    Here {
        /// The stack's directory.
        dir: PathBuf,
        /// Whose users are asked about.
        account: AccountId,
    },
    /// The environment gives them, as to every command.
    Given {
        /// What the API is called in messages.
        name: String,
        /// Where it is.
        base: BaseUrl,
    },
    /// An issuer gives them for a client's secret (RFC 6749, section 4.4).
    Client {
        /// Where the API is.
        base: BaseUrl,
        /// Where the issuer's token endpoint is.
        issuer: Uri,
        /// The client's ID.
        id: String,
        /// Its secret.
        secret: SecretText,
    },
}

/// A way in: an address, and a token that is good there.
#[derive(Clone, PartialEq)]
pub struct Access {
    /// Where the API is.
    pub base: BaseUrl,
    /// The header that the token is sent in. Marked as sensitive.
    pub header: HeaderValue,
    /// From when on a new one is asked for.
    renew_at: Instant,
}

/// The way in that is used, and where the next comes from.
pub struct Tokens {
    http: Http,
    source: Source,
    current: RwLock<Option<Access>>,
    /// However many need a new token, one is asked for.
    renewal: Mutex<()>,
}

/// What an issuer gives (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: SecretText,
    /// In seconds.
    expires_in: u64,
}

/// How long an issuer has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The wait after a renewal that failed, and the shortest after one that didn't.
const AGAIN: Duration = Duration::from_secs(10);
/// A token is renewed this long before it ends, or when half its life is over.
const MARGIN: Duration = Duration::from_mins(5);

const ASKING: &str = "asking the issuer for a token";

impl Tokens {
    /// From this source. There is none yet.
    pub fn new(http: Http, source: Source) -> Self {
        Self { http, source, current: RwLock::new(None), renewal: Mutex::new(()) }
    }

    /// The way in, if there is one.
    pub fn current(&self) -> Option<Access> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gets a new token, unless somebody else has got another one than this meanwhile.
    ///
    /// # Errors
    /// If the source gives none.
    pub async fn renew(&self, past: Option<&Access>) -> Result<()> {
        let _alone = self.renewal.lock().await;
        if self.current().as_ref() == past {
            let access = self.source.access(&self.http).await?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(access);
        }
        Ok(())
    }

    /// Renews for as long as the process runs, and tells what goes wrong.
    pub async fn keep_renewing(&self, tell: impl Fn(&str)) {
        let mut told = String::new();
        loop {
            let current = self.current();
            let soon = Instant::now() + AGAIN;
            let next = match &current {
                Some(access) => access.renew_at.max(soon),
                None => soon,
            };
            tokio::time::sleep_until(next).await;
            // Once for each reason, and not every time.
            let why = self.renew(current.as_ref()).await.err().map(|error| format!("no token: {error:#}"));
            let why = why.unwrap_or_default();
            if !why.is_empty() && why != told {
                tell(&why);
            }
            told = why;
        }
    }
}

impl Source {
    async fn access(&self, http: &Http) -> Result<Access> {
        let (base, token, life) = match self {
            Self::Here { dir, account } => {
                let manifest = running(dir)?;
                let base = output(&manifest, "ApiUrl")?.parse().context("the template's output ApiUrl")?;
                // The stack may be started anew, somewhere else: it costs nothing to look.
                (base, token::for_switch(&manifest, account)?, AGAIN)
            }
            Self::Given { name, base } => {
                let token = token::given(name).await?;
                let life = token.expires().map(|end| end.duration_since(Timestamp::now()).unsigned_abs());
                (base.clone(), token, life.unwrap_or(MARGIN))
            }
            Self::Client { base, issuer, id, secret } => {
                let Granted { access_token, expires_in } = granted(http, issuer, id, secret).await?;
                let token = ApiToken::parse(access_token.expose()).context("the issuer gives no token")?;
                (base.clone(), token, Duration::from_secs(expires_in))
            }
        };
        Ok(Access {
            base,
            header: token.header(),
            renew_at: Instant::now() + life.saturating_sub(MARGIN.min(life / 2)),
        })
    }
}

async fn granted(http: &Http, issuer: &Uri, id: &str, secret: &SecretText) -> Result<Granted> {
    let basic = BASE64_STANDARD.encode(format!("{id}:{}", secret.expose()));
    let mut basic = HeaderValue::from_str(&format!("Basic {basic}")).context("the client's ID and secret")?;
    basic.set_sensitive(true);
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, basic), (header::CONTENT_TYPE, form)]);
    let body = Bytes::from_static(b"grant_type=client_credentials");
    let ask = HttpRequest { method: Method::POST, headers, body, ..HttpRequest::get(ASKING, issuer.clone()) };
    let answer = http.ask(&ask, Instant::now() + PATIENCE).await.map_err(|error| anyhow::anyhow!(error.chain()))?;
    if answer.status != StatusCode::OK {
        bail!("the issuer answers with HTTP status {}", answer.status.as_u16());
    }
    answer.json(ASKING).map_err(|error| anyhow::anyhow!(error.chain()))
}
