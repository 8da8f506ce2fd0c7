//! API Gateway: the HTTP API of the template, in front of its functions, with payload format 2.0, a JWT authorizer and functions that
//! authorize.
//!
//! Throttling is not run here: one machine is busy long before.

mod answer;
mod authorizer;
mod event;
mod login;
mod routes;
mod signing_key;
mod token;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::login::ticket;
pub use self::signing_key::{Grant, SigningKey};

use self::authorizer::{Authorized, Authorizers};
use self::event::{Call, Caller};
use self::login::Login;
use self::routes::Routes;
use self::token::{Claims, Refusal, Verifier};
use super::data_dir::{Home, Issuer};
use super::error::{Result, StackError};
use super::lambda::Functions;
use super::template::{Access, Api, Authorizer};

/// API Gateway's limits: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const MAX_BODY: usize = 10 * 1024 * 1024;
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// Where an OpenID provider is asked about itself, below its issuer's URL (OpenID Connect Discovery 1.0 section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEY_SET: &str = "/.well-known/jwks.json";

/// The end of an issuer's host that stands for this stack: there is no such host anywhere (RFC 6761 section 6.4).
const NO_ISSUER: &str = ".invalid";

/// The file of the key that signs tokens, in the stack's directory.
const KEY_FILE: &str = "token-key.der";

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// An API, ready to serve.
pub(super) struct Gateway {
    api: String,
    routes: Routes,
    functions: Functions,
    guard: Option<Guard>,
    authorizers: Authorizers,
}

/// What an API with an authorizer has beside.
struct Guard {
    verifier: Verifier,
    discovery: Value,
    key_set: Value,
    /// `None` where tokens go by the name of another issuer.
    login: Option<Login>,
}

/// Who makes the tokens of an API that is served at this URL, if it asks for tokens.
///
/// # Errors
/// If the authorizer takes no audience.
pub(super) fn issuer(api: &Api, url: &str, home: &Home) -> Result<Option<Issuer>> {
    let Some(authorizer) = api.authorizer() else { return Ok(None) };
    let audience =
        authorizer.audiences.first().ok_or_else(|| StackError::new("the API's authorizer has no audience"))?;
    let host = authorizer.issuer.split('/').nth(2).unwrap_or_default();
    Ok(Some(Issuer {
        url: if host.ends_with(NO_ISSUER) { url.to_owned() } else { authorizer.issuer.clone() },
        audience: audience.clone(),
        scopes: api.scopes(),
        key_file: home.path().join(KEY_FILE),
    }))
}

impl Gateway {
    /// The API that is served at this URL. Its tokens come from the issuer, and the hint tells people how to log in.
    ///
    /// # Errors
    /// If the issuer's key can't be read or made.
    pub(super) async fn new(
        api: Api,
        url: &str,
        issuer: Option<Issuer>,
        hint: &str,
        functions: Functions,
    ) -> Result<Self> {
        let guard = match (issuer, api.authorizer()) {
            (Some(issuer), Some(authorizer)) => Some(Guard::new(issuer, authorizer, url, hint).await?),
            _ => None,
        };
        Ok(Self { api: api.id, routes: Routes::new(api.routes), functions, guard, authorizers: Authorizers::default() })
    }

    /// The API for all who ask.
    pub(super) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }

    async fn answer(&self, request: Request, id: &str) -> Response {
        let (request, body) = request.into_parts();
        if !is_here(request.headers.get(header::HOST)) {
            return answer::error(StatusCode::FORBIDDEN);
        }
        if let Some(document) = self.guard.as_ref().and_then(|guard| guard.document(request.uri.path())) {
            return answer::document(document);
        }
        if let Some(login) = self.guard.as_ref().and_then(|guard| guard.login(request.uri.path())) {
            let Ok(body) = to_bytes(body, MAX_BODY).await else {
                return answer::error(StatusCode::PAYLOAD_TOO_LARGE);
            };
            return login.answer(&request, &body, Timestamp::now().as_second());
        }
        let Some((target, parameters)) = self.routes.find(request.method.as_str(), request.uri.path()) else {
            return answer::error(StatusCode::NOT_FOUND);
        };
        let time = Timestamp::now();
        let token = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (mut claims, mut context) = (None, None);
        match &target.access {
            None => {}
            Some(Access::Token { .. }) => match self.claims(token, time) {
                Ok(told) => claims = Some(told),
                Err(refusal) => return refused(&refusal),
            },
            Some(Access::Function(by)) => {
                let call = Call {
                    api: &self.api,
                    request: &request,
                    body: &[],
                    id,
                    time,
                    route: &target.key,
                    parameters: parameters.clone(),
                    caller: None,
                };
                match self.authorizers.ask(&self.functions, by, token, call).await {
                    Authorized::Yes(told) => context = Some(told),
                    Authorized::No(status) => return answer::error(status),
                }
            }
        }
        let caller = match (&claims, &context, &target.access) {
            (Some(claims), _, Some(access)) => match token::scopes(claims, access.scopes()) {
                Ok(scopes) => Some(Caller::Token(claims, (!access.scopes().is_empty()).then_some(scopes))),
                Err(refusal) => return refused(&refusal),
            },
            (_, Some(context), _) => Some(Caller::Function(context)),
            _ => None,
        };
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return answer::error(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let route = &target.key;
        let event =
            event::event(Call { api: &self.api, request: &request, body: &body, id, time, route, parameters, caller });
        let Ok(event) = event else { return answer::error(StatusCode::INTERNAL_SERVER_ERROR) };

        let (functions, function) = (self.functions.clone(), target.function.clone());
        // A task of its own: like Lambda, a function goes on when its caller has hung up.
        let invocation = tokio::spawn(async move { functions.invoke(&function, event.into()).await });
        match tokio::time::timeout(INTEGRATION_LIMIT, invocation).await {
            Ok(Ok(Ok(answer))) => answer::of_function(&answer),
            Ok(Ok(Err(failure))) => {
                tracing::warn!(function.name = target.function, error = %failure, "a function gave no answer");
                answer::of_failure(&failure)
            }
            Ok(Err(_)) => answer::error(StatusCode::INTERNAL_SERVER_ERROR),
            Err(_) => answer::error(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    fn claims(&self, token: Option<&str>, time: Timestamp) -> std::result::Result<Claims, Refusal> {
        let guard = self.guard.as_ref().ok_or(Refusal::Missing)?;
        guard.verifier.verify(token, time.as_duration().as_secs_f64())
    }
}

impl Guard {
    async fn new(issuer: Issuer, authorizer: &Authorizer, url: &str, hint: &str) -> Result<Self> {
        // To make one takes a tenth of a second.
        let file = issuer.key_file.clone();
        let key = tokio::task::spawn_blocking(move || SigningKey::open(&file)).await;
        let key = key.map_err(|_| StackError::new("could not make a key for tokens"))??;
        let mut discovery = json!({
            "issuer": issuer.url,
            "jwks_uri": format!("{url}{KEY_SET}"),
            "scopes_supported": issuer.scopes,
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [token::ALGORITHM],
        });
        let key_set = key.key_set();
        let verifier = Verifier::new(&key, Authorizer { issuer: issuer.url.clone(), ..authorizer.clone() })?;
        let login = Login::new(key, issuer, url, hint)?;
        if let (Some(login), Value::Object(discovery)) = (&login, &mut discovery)
            && let Value::Object(metadata) = login.metadata()
        {
            discovery.extend(metadata);
        }
        Ok(Self { verifier, discovery, key_set, login })
    }

    /// The login, if the path is one of its own.
    fn login(&self, path: &str) -> Option<&Login> {
        self.login.as_ref().filter(|_| path.strip_prefix(login::ROOT).is_some_and(|rest| rest.starts_with('/')))
    }

    /// What the issuer tells about itself, at its paths.
    fn document(&self, path: &str) -> Option<&Value> {
        match path {
            DISCOVERY => Some(&self.discovery),
            KEY_SET => Some(&self.key_set),
            _ => None,
        }
    }
}

async fn serve(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let id = request_id();
    let mut response = gateway.answer(request, &id).await;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Whether a host is this machine by name. Like API Gateway, the stack answers for no host but its own; so no web page that has
/// its own name point here gets an answer, and no function is shown a host that is none.
fn is_here(host: Option<&HeaderValue>) -> bool {
    let Some(host) = host.and_then(|host| host.to_str().ok()) else { return false };
    let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_loopback = |address: Ipv4Addr| address.is_loopback();
    port.is_none_or(|port| port.parse::<u16>().is_ok())
        && (name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback))
}

/// Eleven random bytes in base64, as API Gateway's own.
fn request_id() -> String {
    BASE64_STANDARD.encode(&Uuid::new_v4().as_bytes()[..11])
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Missing | Refusal::Invalid(_) => StatusCode::UNAUTHORIZED,
        Refusal::Scope(_) => StatusCode::FORBIDDEN,
    };
    let mut response = answer::error(status);
    if let Ok(value) = HeaderValue::try_from(refusal.to_string()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered_for() {
        let is_here = |host: &'static str| is_here(Some(&HeaderValue::from_static(host)));
        for host in ["127.0.0.1", "127.0.0.1:8080", "127.1.2.3:1", "localhost", "LocalHost:80"] {
            assert!(is_here(host), "{host}");
        }
        for host in [
            "",
            " ",
            "x y",
            "example.com",
            "10.0.0.1",
            "127.0.0.1.example.com",
            "localhost.",
            ":80",
            "localhost:99999",
            "x@localhost",
        ] {
            assert!(!is_here(host), "{host}");
        }
        assert!(!super::is_here(None));
    }
}
