//! Asking a system that wants a token.

use http::{HeaderMap, StatusCode, header};
use tokio::time::{Instant, timeout_at};

use crate::{
    ConnectorError, FailureKind,
    http_client::{HttpRequest, HttpResponse},
    service::Service,
    token::{Token, Tokens},
};

/// A system that is asked with a bearer token, which it gives for our credentials. **However many need a token, one is asked for**,
/// and one that ends early is renewed once: keys are rolled, sessions are revoked.
pub(crate) struct Session {
    service: Service,
    tokens: Tokens,
    sign_in: &'static str,
}

impl Session {
    /// `sign_in` is what asking for a token is called.
    pub(crate) fn new(service: Service, sign_in: &'static str) -> Self {
        Self { service, tokens: Tokens::default(), sign_in }
    }

    /// Asks, with a token that `grant` asks for. For requests that may be repeated.
    ///
    /// # Errors
    /// Those of [`Service::ask`]; [`FailureKind::Denied`] where no token is given.
    pub(crate) async fn ask(
        &self,
        ask: HttpRequest,
        grant: impl Fn() -> Result<HttpRequest, ConnectorError>,
        until: Instant,
    ) -> Result<HttpResponse, ConnectorError> {
        let with = |token: &Token| {
            let mut headers: HeaderMap = ask.headers.clone();
            headers.insert(header::AUTHORIZATION, token.header.clone());
            HttpRequest { headers, ..ask.clone() }
        };
        let token = self.token(None, &grant, until).await?;
        let answer = self.service.ask(&with(&token), until).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.token(Some(&token), &grant, until).await?;
        self.service.ask(&with(&token), until).await
    }

    async fn token(
        &self,
        refused: Option<&Token>,
        grant: impl Fn() -> Result<HttpRequest, ConnectorError>,
        until: Instant,
    ) -> Result<Token, ConnectorError> {
        let renewal = async {
            let answer = self.service.ask(&grant()?, until).await?;
            Token::granted(self.sign_in, &answer)
        };
        let token = timeout_at(until, self.tokens.get(refused, renewal)).await;
        token.unwrap_or_else(|_| Err(ConnectorError::new(self.sign_in, FailureKind::Unavailable, "no answer in time")))
    }
}
