//! Entra ID (formerly Azure AD), through Microsoft Graph v1.0.
//!
//! We are an application of the tenant, with the application permission `User.Read.All` and no user behind it: the
//! OAuth 2.0 client credentials flow gives a token for an hour. <https://learn.microsoft.com/graph/auth-v2-service>

mod delta;
mod tenants;
mod users;
mod wire;

use http::{HeaderName, HeaderValue, StatusCode, Uri};
use rollcall_model::{country::Country, secret::SecretText};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

pub use delta::{Changes, DeltaLink, Step};
pub use tenants::Tenants;
pub use users::{MAX_PAGE, UserPages, Which};

use crate::{
    BaseUrl, ConnectorError, FailureKind, Http,
    http_client::{HttpRequest, HttpResponse},
    refusal::Refusal,
    service::Service,
    session::Session,
    trail::Trail,
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
    session: Session,
    endpoints: Endpoints,
    credentials: Credentials,
    /// Whose dialling rules read a telephone without a country code.
    country: Country,
}

const CONSISTENCY_LEVEL: HeaderName = HeaderName::from_static("consistencylevel");

impl Entra {
    /// The directory that these credentials open.
    pub fn new(http: Http, endpoints: Endpoints, credentials: Credentials, country: Country) -> Self {
        Self { session: Session::new(Service::new(http), SIGN_IN), endpoints, credentials, country }
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
    ) -> Result<Result<T, Refusal>, ConnectorError> {
        let mut ask = HttpRequest::get(operation, address.clone());
        if advanced {
            ask.headers.insert(CONSISTENCY_LEVEL, HeaderValue::from_static("eventual"));
        }
        let answer = self.session.ask(ask, || self.grant(), until).await?;
        if answer.status == StatusCode::OK { answer.json(operation).map(Ok) } else { Ok(Err(refusal(&answer))) }
    }

    /// What asks for a token. <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
    fn grant(&self) -> Result<HttpRequest, ConnectorError> {
        let Credentials { tenant, client_id, client_secret } = &self.credentials;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", client_id)
            .append_pair("client_secret", client_secret.expose())
            .append_pair("scope", &format!("{}/.default", self.endpoints.graph))
            .finish();
        let path = format!("{}/oauth2/v2.0/token", tenant.0);
        Ok(HttpRequest::form(SIGN_IN, self.endpoints.login.address(SIGN_IN, &path, &[])?, form))
    }

    /// An address of Graph's below `/v1.0/`, of our own making.
    fn address(&self, operation: &'static str, path: &str, query: &[(&str, &str)]) -> Result<Uri, ConnectorError> {
        self.endpoints.graph.address(operation, &format!("v1.0/{path}"), query)
    }

    /// A link that Graph gave. It is followed as it is, but not to anybody else: our token goes along.
    fn link(&self, operation: &'static str, link: &str) -> Result<Uri, ConnectorError> {
        let address: Option<Uri> = (link.len() <= MAX_LINK).then(|| link.parse().ok()).flatten();
        address.filter(|address| self.endpoints.graph.has(address)).ok_or_else(|| {
            ConnectorError::new(operation, FailureKind::Malformed, "a link leads away from the directory, or is none")
        })
    }

    /// The next page's address.
    fn follow(&self, operation: &'static str, trail: &mut Trail, link: &str) -> Result<Uri, ConnectorError> {
        trail.follow(link)?;
        self.link(operation, link)
    }
}

/// Longest link that is followed, in bytes: what servers take for an address. Graph's have some hundred.
const MAX_LINK: usize = 8 * 1024;
const SIGN_IN: &str = "signing in to the directory";

/// Graph's no. <https://learn.microsoft.com/graph/errors>
fn refusal(answer: &HttpResponse) -> Refusal {
    let refusal = serde_json::from_slice::<wire::Refusal>(&answer.body).ok();
    Refusal::new(answer.status, refusal.map(|refusal| refusal.error.code))
}

/// There is no such user. A 404 without this code may be anybody's, such as a proxy's.
fn is_missing_user(refusal: &Refusal) -> bool {
    refusal.status == StatusCode::NOT_FOUND && refusal.has_code("Request_ResourceNotFound")
}

/// A delta link that is too old. Entra also says so by a 400.
fn is_gone(refusal: &Refusal) -> bool {
    let told = refusal.has_code("syncStateNotFound") || refusal.has_code("resyncRequired");
    refusal.status == StatusCode::GONE || refusal.status.is_client_error() && told
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
}
