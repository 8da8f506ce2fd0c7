//! Logging in on this machine, for a page of the API's own origin: authorization code with PKCE (RFC 6749, RFC 7636), as an issuer on the
//! internet would do it.
//!
//! Who may read the key that signs tokens makes a ticket, an address that is good once. It gives the browser a cookie, and a browser with the
//! cookie gets codes. So no other user of the machine gets in, though its ports are open to all of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::signing_key::{Grant, SigningKey};
use super::token::{Claims, Verifier};
use crate::data_dir::Issuer;
use crate::error::Result;
use crate::template::Authorizer;

/// Below it is everything of the login; the cookie goes nowhere else.
pub(super) const ROOT: &str = "/oauth2";
const ENTER: &str = "/oauth2/enter";
const AUTHORIZE: &str = "/oauth2/authorize";
const TOKEN: &str = "/oauth2/token";
const LOGOUT: &str = "/oauth2/logout";

/// Seconds for which a code is good: the browser brings it back at once.
const CODE_LIFE: i64 = 60;
/// Seconds for which a token is good: who has a session gets the next one unasked.
const TOKEN_LIFE: i64 = 15 * 60;
/// Seconds for which a session is good: a day's work.
const SESSION_LIFE: i64 = 12 * 3600;
/// What is said to who has no session, after the words of whoever runs the stack.
const NO_SESSION: &str = "This login is for whoever runs the stack on this machine.";

/// The login of one stack.
pub(super) struct Login {
    /// The origin that pages come from, and codes go to.
    origin: String,
    cookie: String,
    hint: String,
    key: SigningKey,
    issuer: Issuer,
    tickets: Verifier,
    state: Mutex<State>,
}

/// Who is logged in. Nothing of it outlives the stack.
#[derive(Default)]
struct State {
    used: HashSet<String>,
    sessions: HashMap<String, Session>,
    codes: HashMap<String, Code>,
    /// What renews a token, with the session and the scopes of that token. Each is good once.
    renewals: HashMap<String, (String, Vec<String>)>,
}

#[derive(Clone)]
struct Session {
    account: String,
    subject: String,
    scopes: Vec<String>,
    expires: i64,
}

struct Code {
    session: String,
    scopes: Vec<String>,
    client: String,
    redirect: String,
    challenge: String,
    expires: i64,
}

/// Who is a ticket's audience: no token of the API passes for one, and no ticket for a token.
fn audience(issuer: &Issuer) -> String {
    format!("{}{ENTER}", issuer.url)
}

/// An address that logs a browser in as the grant says, once, and then shows it the page at `next`.
///
/// # Errors
/// If the issuer's key can't be read.
pub fn ticket(issuer: &Issuer, api: &str, grant: &Grant, next: &str) -> Result<String> {
    let key = SigningKey::read(&issuer.key_file)?;
    let mut claims = grant.claims(&Issuer { audience: audience(issuer), ..issuer.clone() });
    claims["jti"] = Uuid::new_v4().to_string().into();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("ticket", &key.sign(&claims)?).append_pair("next", next);
    Ok(format!("{api}{ENTER}?{}", query.finish()))
}

impl Login {
    /// The login of the API at this URL, if its tokens are the stack's own.
    pub(super) fn new(key: SigningKey, issuer: Issuer, url: &str, hint: &str) -> Result<Option<Self>> {
        if issuer.url != url {
            return Ok(None);
        }
        let authorizer = Authorizer { issuer: issuer.url.clone(), audiences: vec![audience(&issuer)] };
        let tickets = Verifier::new(&key, authorizer)?;
        // Browsers tell no ports of one host apart.
        let cookie = format!("login-{}", url.rsplit(':').next().unwrap_or_default());
        let (origin, hint, state) = (url.to_owned(), hint.to_owned(), Mutex::default());
        Ok(Some(Self { origin, cookie, hint, key, issuer, tickets, state }))
    }

    /// What its discovery document says beside.
    pub(super) fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.origin);
        json!({
            "authorization_endpoint": at(AUTHORIZE),
            "token_endpoint": at(TOKEN),
            "end_session_endpoint": at(LOGOUT),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    /// Answers a request below [`ROOT`], at a time in seconds since 1970.
    pub(super) fn answer(&self, request: &Parts, body: &Bytes, now: i64) -> Response {
        let query = Fields::new(request.uri.query().unwrap_or_default().as_bytes());
        let mut response = match (&request.method, request.uri.path()) {
            (&Method::GET, ENTER) => self.enter(&query, now),
            (&Method::GET, AUTHORIZE) => self.authorize(&query, &request.headers, now),
            (&Method::POST, TOKEN) => self.token(&Fields::new(body), now),
            (&Method::GET, LOGOUT) => self.logout(&query, &request.headers),
            _ => super::answer::error(StatusCode::NOT_FOUND),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, query: &Fields, now: i64) -> Response {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let Ok(claims) = self.tickets.verify(query.get("ticket"), now as f64) else {
            return self.locked(StatusCode::FORBIDDEN, "That address is not good any more.");
        };
        let mut state = self.state();
        if !state.used.insert(text(&claims, "jti")) {
            return self.locked(StatusCode::FORBIDDEN, "That address was used: it is good once.");
        }
        state.sessions.retain(|_, session| session.expires > now);
        let id = random();
        let scopes = text(&claims, "scope").split_whitespace().map(str::to_owned).collect();
        let (account, subject) = (text(&claims, "custom:account"), text(&claims, "sub"));
        state.sessions.insert(id.clone(), Session { account, subject, scopes, expires: now + SESSION_LIFE });
        // A page of this origin, and of no other.
        let next =
            query.get("next").filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.contains('\\'));
        let mut response = redirect(&format!("{}{}", self.origin, next.unwrap_or("/")));
        let cookie = format!("{}={id}; Path={ROOT}; HttpOnly; SameSite=Strict; Max-Age={SESSION_LIFE}", self.cookie);
        set_cookie(&mut response, &cookie);
        response
    }

    fn authorize(&self, query: &Fields, headers: &HeaderMap, now: i64) -> Response {
        let Some(back) = query.get("redirect_uri").filter(|back| self.is_ours(back)) else {
            return plain(StatusCode::BAD_REQUEST, "The redirect_uri is no page of this stack.");
        };
        let state = query.get("state").unwrap_or_default();
        let answer = |pairs: &[(&str, &str)]| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs).append_pair("state", state).append_pair("iss", &self.issuer.url);
            redirect(&format!("{back}?{}", query.finish()))
        };
        let Some(session) = self.session(headers, now) else {
            if query.get("prompt") == Some("none") {
                return answer(&[("error", "login_required")]);
            }
            return self.locked(StatusCode::UNAUTHORIZED, "You are not logged in.");
        };
        let challenge = query.get("code_challenge").filter(|text| !text.is_empty());
        let (Some(challenge), Some(client)) = (challenge, query.get("client_id")) else {
            return answer(&[("error", "invalid_request")]);
        };
        if query.get("response_type") != Some("code") || query.get("code_challenge_method") != Some("S256") {
            return answer(&[("error", "invalid_request")]);
        }
        let (id, session) = session;
        let asked: Vec<&str> = query.get("scope").unwrap_or_default().split_whitespace().collect();
        let scopes = session.scopes.iter().filter(|scope| asked.is_empty() || asked.contains(&scope.as_str())).cloned();
        let code = random();
        let mut state = self.state();
        state.codes.retain(|_, code| code.expires > now);
        let kept = Code {
            session: id,
            scopes: scopes.collect(),
            client: client.to_owned(),
            redirect: back.to_owned(),
            challenge: challenge.to_owned(),
            expires: now + CODE_LIFE,
        };
        state.codes.insert(code.clone(), kept);
        answer(&[("code", &code)])
    }

    fn token(&self, form: &Fields, now: i64) -> Response {
        let mut state = self.state();
        let found = match form.get("grant_type") {
            Some("authorization_code") => form.get("code").and_then(|code| state.codes.remove(code)).and_then(|code| {
                let proof = BASE64.encode(Sha256::digest(form.get("code_verifier").unwrap_or_default()));
                let is_same = code.expires > now
                    && form.get("client_id") == Some(&code.client)
                    && form.get("redirect_uri") == Some(&code.redirect)
                    && proof == code.challenge;
                is_same.then_some((code.session, code.scopes))
            }),
            Some("refresh_token") => form.get("refresh_token").and_then(|token| state.renewals.remove(token)),
            _ => return refused("unsupported_grant_type"),
        };
        let session = found.and_then(|(id, scopes)| Some((state.sessions.get(&id)?.clone(), id, scopes)));
        let Some((session, id, scopes)) = session.filter(|(session, ..)| session.expires > now) else {
            return refused("invalid_grant");
        };
        let grant = Grant {
            account: &session.account,
            subject: &session.subject,
            scopes: &scopes,
            issued: now,
            expires: now + TOKEN_LIFE,
        };
        let Ok(token) = self.key.sign(&grant.claims(&self.issuer)) else { return refused("server_error") };
        let renewal = random();
        let scope = scopes.join(" ");
        state.renewals.insert(renewal.clone(), (id, scopes));
        super::answer::document(&json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE,
            "refresh_token": renewal,
            "scope": scope,
        }))
    }

    fn logout(&self, query: &Fields, headers: &HeaderMap) -> Response {
        if let Some(id) = self.cookie(headers) {
            let mut state = self.state();
            state.sessions.remove(&id);
            state.renewals.retain(|_, (session, _)| *session != id);
            state.codes.retain(|_, code| code.session != id);
        }
        let mut response = match query.get("post_logout_redirect_uri").filter(|back| self.is_ours(back)) {
            Some(back) => redirect(back),
            None => self.locked(StatusCode::OK, "You are logged out."),
        };
        set_cookie(&mut response, &format!("{}=; Path={ROOT}; HttpOnly; SameSite=Strict; Max-Age=0", self.cookie));
        response
    }

    /// Whether an address is a page of this origin.
    fn is_ours(&self, address: &str) -> bool {
        address.strip_prefix(&self.origin).is_some_and(|rest| rest.starts_with('/') && !rest.contains(['?', '#', '\\']))
    }

    fn cookie(&self, headers: &HeaderMap) -> Option<String> {
        let values = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).map(|(_, value)| value.to_owned())
    }

    fn session(&self, headers: &HeaderMap, now: i64) -> Option<(String, Session)> {
        let id = self.cookie(headers)?;
        let session = self.state().sessions.get(&id).filter(|session| session.expires > now).cloned();
        session.map(|session| (id, session))
    }

    fn locked(&self, status: StatusCode, why: &str) -> Response {
        plain(status, &format!("{why} {NO_SESSION}\n{}\n", self.hint))
    }
}

/// Fields of a form or a query. Of one that comes twice, the first counts.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn new(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }
}

/// Two hundred and forty-four bits that nobody guesses.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn text(claims: &Claims, name: &str) -> String {
    claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn redirect(to: &str) -> Response {
    let mut response = plain(StatusCode::SEE_OTHER, "");
    match HeaderValue::try_from(to) {
        Ok(to) => drop(response.headers_mut().insert(header::LOCATION, to)),
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

fn refused(error: &str) -> Response {
    let mut response = super::answer::document(&json!({ "error": error }));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests;
