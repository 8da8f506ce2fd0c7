//! Entra ID (formerly Azure AD), through Microsoft Graph v1.0.
//!
//! We are an application of the tenant, with the application permission `User.Read.All` and no user behind it: the
//! OAuth 2.0 client credentials flow gives a token for an hour. <https://learn.microsoft.com/graph/auth-v2-service>

mod delta;
mod tenants;
mod users;
mod wire;

use std::collections::HashSet;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use jiff::SignedDuration;
use rollcall_model::{country::Country, secret::SecretText};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

pub use delta::{Changes, DeltaLink, Step};
pub use tenants::Tenants;
pub use users::{MAX_PAGE, UserPages, Which};

use crate::{
    BaseUrl, Error, Http, Kind,
    http_client::{Answer, Ask},
    service::Service,
    token::{Token, Tokens},
};

/// What an account's secret with its [`Credentials`] is called.
pub const SECRET: &str = "entra";

/// Where Entra ID is. Microsoft's clouds for governments and China have addresses of their own.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Where tokens come from: `https://login.microsoftonline.com`.
    pub login: BaseUrl,
    /// Where Graph is: `https://graph.microsoft.com`.
    pub graph: BaseUrl,
}

/// Who we are in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The tenant.
    pub tenant: Tenant,
    /// The application's (client) ID.
    pub client_id: String,
    /// A secret of the application.
    pub client_secret: SecretText,
}

/// A tenant: its ID, or one of its domains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

/// The text is not a tenant's ID, nor a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tenant: its ID, or a domain such as contoso.onmicrosoft.com")]
pub struct NotATenant;

/// One tenant's directory.
pub struct Entra {
    service: Service,
    tokens: Tokens,
    endpoints: Endpoints,
    credentials: Credentials,
    /// Whose dialling rules read a telephone without a country code.
    country: Country,
}

const CONSISTENCY_LEVEL: HeaderName = HeaderName::from_static("consistencylevel");

impl Entra {
    /// The directory that these credentials open.
    pub fn new(http: Http, endpoints: Endpoints, credentials: Credentials, country: Country) -> Self {
        Self { service: Service::new(http), tokens: Tokens::default(), endpoints, credentials, country }
    }

    /// The tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.credentials.tenant
    }

    /// Reads what is at an address of Graph's. `advanced` asks for Entra's indexed store, which alone can search; it
    /// lags behind by moments.
    async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        address: &Uri,
        advanced: bool,
        until: Instant,
    ) -> Result<Result<T, Refusal>, Error> {
        let mut token = self.token(None, until).await?;
        let ask = |token: &Token| {
            let mut headers = HeaderMap::from_iter([(header::AUTHORIZATION, token.header.clone())]);
            if advanced {
                headers.insert(CONSISTENCY_LEVEL, HeaderValue::from_static("eventual"));
            }
            Ask { operation, method: Method::GET, address: address.clone(), headers, body: Bytes::new() }
        };
        let mut answer = self.service.ask(&ask(&token), until).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // It may have ended early: keys are rolled, sessions are revoked.
            token = self.token(Some(&token), until).await?;
            answer = self.service.ask(&ask(&token), until).await?;
        }
        if answer.status == StatusCode::OK { answer.json(operation).map(Ok) } else { Ok(Err(Refusal::of(&answer))) }
    }

    async fn token(&self, refused: Option<&Token>, until: Instant) -> Result<Token, Error> {
        let token = timeout_at(until, self.tokens.get(refused, self.sign_in(until))).await;
        token.unwrap_or_else(|_| Err(Error::new(SIGN_IN, Kind::Unavailable, "no answer in time")))
    }

    /// Asks for a token. <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
    async fn sign_in(&self, until: Instant) -> Result<Token, Error> {
        let malformed = |detail: &str| Error::new(SIGN_IN, Kind::Malformed, detail);
        let Credentials { tenant, client_id, client_secret } = &self.credentials;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", client_id)
            .append_pair("client_secret", client_secret.expose())
            .append_pair("scope", &format!("{}/.default", self.endpoints.graph))
            .finish();
        let address = format!("{}/{}/oauth2/v2.0/token", self.endpoints.login, tenant.0);
        let ask = Ask {
            operation: SIGN_IN,
            method: Method::POST,
            address: address.parse().map_err(|_| malformed("the tenant makes no address"))?,
            headers: HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            )]),
            body: form.into(),
        };
        let answer = self.service.ask(&ask, until).await?;
        if answer.status.is_client_error() {
            // Whatever it is, a person must look at the tenant, the application or its secret.
            let code = answer.json::<wire::SignInRefusal>(SIGN_IN).ok().map(|refusal| refusal.error);
            let refusal = Refusal { status: answer.status, code: code.and_then(plain_code) };
            return Err(Error::new(SIGN_IN, Kind::Denied, refusal.told()));
        }
        if answer.status != StatusCode::OK {
            return Err(Refusal::of(&answer).into_error(SIGN_IN));
        }
        let granted: wire::Granted = answer.json(SIGN_IN)?;
        let life = i64::try_from(granted.expires_in).map_err(|_| malformed("the token never ends"))?;
        if !granted.token_type.eq_ignore_ascii_case("bearer") {
            return Err(malformed("the token is no bearer token"));
        }
        Token::bearer(granted.access_token.expose(), SignedDuration::from_secs(life))
            .ok_or_else(|| malformed("the token can't stand in a header"))
    }

    /// An address of Graph's below `/v1.0/`, of our own making.
    fn address(&self, operation: &'static str, path: &str, query: &[(&str, &str)]) -> Result<Uri, Error> {
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let address = format!("{}/v1.0/{path}?{}", self.endpoints.graph, query.join("&"));
        address.parse().map_err(|_| Error::new(operation, Kind::Refused, "what is asked for makes no address"))
    }

    /// A link that Graph gave. It is followed as it is, but not to anybody else: our token goes along.
    fn link(&self, operation: &'static str, link: &str) -> Result<Uri, Error> {
        let address: Option<Uri> = link.parse().ok();
        address
            .filter(|address| self.endpoints.graph.has(address))
            .ok_or_else(|| Error::new(operation, Kind::Malformed, "a link leads away from the directory, or is none"))
    }
}

const SIGN_IN: &str = "signing in to the directory";

/// Follows next links, each once.
struct Trail {
    operation: &'static str,
    seen: HashSet<String>,
}

impl Trail {
    fn new(operation: &'static str) -> Self {
        Self { operation, seen: HashSet::new() }
    }

    /// The next page's address. A link that was followed before would be followed for ever.
    fn follow(&mut self, entra: &Entra, link: &str) -> Result<Uri, Error> {
        if !self.seen.insert(link.to_owned()) {
            return Err(Error::new(self.operation, Kind::Malformed, "a next link leads back to a page that was read"));
        }
        entra.link(self.operation, link)
    }
}

/// Graph's no. <https://learn.microsoft.com/graph/errors>
struct Refusal {
    status: StatusCode,
    /// Graph's own code, such as `Request_ResourceNotFound`.
    code: Option<String>,
}

impl Refusal {
    fn of(answer: &Answer) -> Self {
        let refusal = serde_json::from_slice::<wire::Refusal>(&answer.body).ok();
        Self { status: answer.status, code: refusal.and_then(|refusal| plain_code(refusal.error.code)) }
    }

    /// There is no such user. A 404 without this code may be anybody's, such as a proxy's.
    fn is_missing_user(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.has_code("Request_ResourceNotFound")
    }

    /// A delta link that is too old. Entra also says so by a 400.
    fn is_gone(&self) -> bool {
        self.status == StatusCode::GONE
            || self.status.is_client_error() && (self.has_code("syncStateNotFound") || self.has_code("resyncRequired"))
    }

    fn has_code(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|given| given.eq_ignore_ascii_case(code))
    }

    fn told(&self) -> String {
        let status = self.status.as_u16();
        self.code
            .as_ref()
            .map_or_else(|| format!("HTTP status {status}"), |code| format!("HTTP status {status}, {code}"))
    }

    fn into_error(self, operation: &'static str) -> Error {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Denied,
            status if status.is_client_error() => Kind::Refused,
            // A success without an answer, or a redirection, which Graph doesn't give.
            _ => Kind::Malformed,
        };
        Error::new(operation, kind, self.told())
    }
}

/// A code that can be told: a word, and nobody's data.
fn plain_code(code: String) -> Option<String> {
    const LONGEST: usize = 64;
    let plain = (1..=LONGEST).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    plain.then_some(code)
}

/// A value in a query. A space is `%20`: as `+` it would be a plus sign to some.
fn encode(value: &str) -> impl std::fmt::Display {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const VALUE: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');
    utf8_percent_encode(value, &VALUE)
}

impl Tenant {
    /// Takes the text without white space around it.
    ///
    /// # Errors
    /// [`NotATenant`].
    pub fn parse(given: &str) -> Result<Self, NotATenant> {
        /// Longest name of a host (RFC 1035, section 2.3.4).
        const LONGEST: usize = 253;
        let tenant = given.trim();
        let fits = (1..=LONGEST).contains(&tenant.len())
            && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
            && !tenant.starts_with('.');
        if fits { Ok(Self(tenant.to_owned())) } else { Err(NotATenant) }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Tenant {
    type Error = NotATenant;

    fn try_from(text: String) -> Result<Self, NotATenant> {
        Self::parse(&text)
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_cannot_lead_elsewhere() {
        for text in ["contoso.onmicrosoft.com", " 87d349ed-44d7-43e1-9a83-5f2406dee5bd "] {
            assert_eq!(Tenant::parse(text).unwrap().as_str(), text.trim());
        }
        for text in ["", "..", "a/b", "a?b", "a b", "a@b", "ä.example"] {
            assert_eq!(Tenant::parse(text), Err(NotATenant), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let json = r#"{"tenant": "contoso.com", "client_id": "app", "client_secret": "hush"}"#;
        let credentials: Credentials = serde_json::from_str(json).unwrap();
        assert_eq!(credentials.client_secret.expose(), "hush");
        assert!(!format!("{credentials:?}").contains("hush"));
    }

    #[test]
    fn only_a_plain_code_is_told() {
        for code in ["Request_ResourceNotFound", "invalid_client"] {
            assert_eq!(plain_code(code.to_owned()).as_deref(), Some(code));
        }
        for text in ["", "User asha@example.com not found", &"x".repeat(65)] {
            assert_eq!(plain_code(text.to_owned()), None, "{text}");
        }
    }
}
