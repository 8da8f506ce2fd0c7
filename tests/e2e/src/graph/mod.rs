//! Entra ID and Microsoft Graph v1.0, played over HTTP, with what is nasty about them.
//!
//! It is no kinder than they are: a token must be asked for in the right form and sent along, a search needs its header
//! on every page, a page has at most 999 users, and what isn't selected isn't given.

mod answer;
mod person;
mod query;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde_json::json;

pub use person::Person;

use rollcall_connectors::entra::{Credentials, Endpoints, SECRET};
use rollcall_model::account::AccountId;
use rollcall_storage::{connect::Aws, secrets::Secrets};

use crate::{
    Stack,
    seeded_rng::SeededRng,
    served::{FakeService, Shared, bearer},
};
use answer::{refuse, spoilt};
use query::Query;

/// The tenant that it plays, and the application that it lets in.
impl Graph {
    /// The tenant.
    pub const TENANT: &str = "contoso.onmicrosoft.com";
    /// The application.
    pub const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";
    /// Its secret.
    pub const CLIENT_SECRET: &str = "s3cr3t~of+the/application";
}

/// What it does to whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct Quirks {
    /// Requests of a thousand that are put off, and everything that comes before the time is over.
    pub throttled: u64,
    /// For how long, in seconds.
    pub retry_after: u64,
    /// Users on a page at most, whatever is asked for.
    pub page: usize,
    /// Every so many pages an empty one comes in between; 0 for none.
    pub empty_pages: usize,
    /// How often a token may be used before it is refused.
    pub token_uses: u64,
    /// A delta tells everything twice, and some of what it has told before.
    pub replays: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self { throttled: 0, retry_after: 1, page: 100, empty_pages: 0, token_uses: u64::MAX, replays: false }
    }
}

/// What is wrong with every list from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// The next link leads to the same page.
    RepeatedNextLink,
    /// The next link leads to somebody else.
    ForeignNextLink,
    /// A page is 200 and HTML.
    NotJson,
    /// A page breaks off.
    HalfJson,
    /// `accountEnabled` is a string.
    WrongType,
    /// `accountEnabled` is null.
    NotSelected,
    /// A page has neither users nor links.
    NoPage,
    /// A page is larger than anybody should read.
    Huge,
    /// A page is elsewhere.
    Redirect,
    /// Every page is an error of the server's.
    Broken,
    /// The application may not read users.
    Forbidden,
}

/// How it says that a delta link is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// As the documentation has it.
    Status410,
    /// As Entra does it too.
    Status400,
}

/// A tenant with its users.
pub type Graph = FakeService<Tenant>;

/// Its state.
#[derive(Default)]
pub struct Tenant {
    traps: Quirks,
    draws: SeededRng,
    people: Vec<Person>,
    /// Raised by every change.
    clock: u64,
    places: HashMap<String, query::Place>,
    pages: usize,
    secret: Option<String>,
    paused_until: Option<Instant>,
    gone: Option<Gone>,
    spoil: Option<(Corruption, String)>,
    impatient: u64,
    paths: Vec<String>,
}

impl Graph {
    /// A tenant without users.
    pub async fn start(traps: Quirks) -> Self {
        Self::play(Tenant { traps, ..Tenant::default() }, answer_request).await
    }

    /// Parameters of a stack that finds the tenant here.
    pub fn parameters(&self) -> [String; 2] {
        ["GraphUrl", "EntraLoginUrl"].map(|name| format!("{name}={}", self.url))
    }

    /// Where the tenant is.
    pub fn endpoints(&self) -> Endpoints {
        let url = || self.url.parse().expect("a base URL");
        Endpoints { login: url(), graph: url() }
    }

    /// What lets the application in, as an account keeps it.
    pub fn credentials() -> Credentials {
        let json = json!({
            "tenant": Self::TENANT,
            "client_id": Self::CLIENT_ID,
            "client_secret": Self::CLIENT_SECRET,
        });
        serde_json::from_value(json).expect("credentials")
    }

    /// Connects the tenant to an account of a stack.
    pub async fn connect(stack: &Stack, account: &AccountId) {
        let secrets = Secrets::new(&Aws::local(stack.endpoints()).await);
        secrets.put(account, SECRET, &Self::credentials()).await.expect("the secret is kept");
    }

    /// Hires this many people, with all that is odd about people. Gives their IDs.
    pub fn add_users(&self, count: usize) -> Vec<String> {
        let mut tenant = self.state();
        let first = tenant.people.len() + 1;
        let hired: Vec<Person> = (first..first + count).map(Person::numbered).collect();
        let ids = hired.iter().map(|person| person.id.clone()).collect();
        for mut person in hired {
            tenant.clock += 1;
            (person.hired, person.changed) = (tenant.clock, tenant.clock);
            tenant.people.push(person);
        }
        ids
    }

    /// A person as they are now.
    pub fn person(&self, id: &str) -> Person {
        let tenant = self.state();
        tenant.people.iter().find(|person| person.id == id).cloned().expect("somebody has this ID")
    }

    /// Changes a person.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut Person)) {
        let mut tenant = self.state();
        tenant.clock += 1;
        let clock = tenant.clock;
        let person = tenant.people.iter_mut().find(|person| person.id == id).expect("somebody has this ID");
        change(person);
        person.changed = clock;
    }

    /// Deletes a person, for good or so that they can be restored.
    pub fn delete(&self, id: &str, for_good: bool) {
        self.change(id, |person| person.deleted = Some(if for_good { "deleted" } else { "changed" }));
    }

    /// Forgets a person, as if nobody had ever been there: not even a delta tells of it.
    pub fn forget(&self, id: &str) {
        self.state().people.retain(|person| person.id != id);
    }

    /// Keeps a person from lists and deltas, but not from who asks for them by ID.
    pub fn hide(&self, id: &str) {
        let mut tenant = self.state();
        let person = tenant.people.iter_mut().find(|person| person.id == id).expect("somebody has this ID");
        person.hidden = true;
    }

    /// Whether delta links that were given are too old from now on, and how that is said. New ones are good again after
    /// `None`.
    pub fn forget_deltas(&self, gone: Option<Gone>) {
        self.state().gone = gone;
    }

    /// What is wrong with every list from now on. `elsewhere` is where a foreign link or a redirection leads.
    pub fn spoil(&self, spoil: Corruption, elsewhere: &str) {
        self.state().spoil = Some((spoil, elsewhere.to_owned()));
    }

    /// Nothing is wrong any more.
    pub fn mend(&self) {
        self.state().spoil = None;
    }

    /// The application has another secret from now on, and tokens that were given are good no longer.
    pub fn change_secret(&self, secret: &str) {
        self.state().secret = Some(secret.to_owned());
        self.end_tokens();
    }

    /// Requests that came before the time was over.
    pub fn impatient(&self) -> u64 {
        self.state().impatient
    }

    /// The paths that were asked for, in order, with their queries.
    pub fn paths(&self) -> Vec<String> {
        self.state().paths.clone()
    }
}

async fn answer_request(State(shared): State<Arc<Shared<Tenant>>>, request: Request) -> Response {
    shared.count_request();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut tenant = shared.state();
    tenant.paths.push(parts.uri.to_string());
    if let Some(throttled) = tenant.throttle(&shared) {
        return throttled;
    }
    let path = parts.uri.path().to_owned();
    if path == format!("/{}/oauth2/v2.0/token", Graph::TENANT) && parts.method == Method::POST {
        let form = parts.headers.get(header::CONTENT_TYPE).is_some_and(|of| of == "application/x-www-form-urlencoded");
        return tenant.sign_in(&shared, if form { &body } else { b"" });
    }
    if path.ends_with("/oauth2/v2.0/token") {
        return answer::deny(StatusCode::BAD_REQUEST, "invalid_request");
    }
    let Some(path) = path.strip_prefix("/v1.0/").filter(|_| parts.method == Method::GET) else {
        return refuse(StatusCode::BAD_REQUEST, "BadRequest");
    };
    if !shared.tokens().lets_in(bearer(&parts.headers)) {
        return refuse(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken");
    }
    let advanced = parts.headers.get("consistencylevel").is_some_and(|level| level == "eventual");
    let query = match Query::read(parts.uri.query().unwrap_or_default(), advanced) {
        Ok(query) => query,
        Err(code) => return refuse(StatusCode::BAD_REQUEST, code),
    };
    if let Some((spoil, elsewhere)) = tenant.spoil.clone()
        && let Some(answer) = spoilt(spoil, &parts.uri, &shared.url, &elsewhere)
    {
        return answer;
    }
    match path {
        "users" => tenant.list(&shared, query),
        "users/delta" => tenant.delta(&shared, query),
        path => match path.strip_prefix("users/") {
            Some(id) => tenant.one(id, &query),
            None => refuse(StatusCode::BAD_REQUEST, "BadRequest"),
        },
    }
}

impl Tenant {
    fn throttle(&mut self, shared: &Shared<Self>) -> Option<Response> {
        let now = Instant::now();
        let early = self.paused_until.is_some_and(|until| now < until);
        if early {
            self.impatient += 1;
        } else if self.draws.happens(self.traps.throttled) {
            shared.count_throttled();
            self.paused_until = Some(now + Duration::from_secs(self.traps.retry_after));
        } else {
            return None;
        }
        // Both are said, by different parts of the service.
        let status = if shared.throttled().is_multiple_of(3) { 503 } else { 429 };
        let status = StatusCode::from_u16(status).expect("a status");
        let mut answer = refuse(status, "TooManyRequests");
        answer.headers_mut().insert(header::RETRY_AFTER, self.traps.retry_after.into());
        Some(answer)
    }

    fn sign_in(&self, shared: &Shared<Self>, form: &[u8]) -> Response {
        let form: HashMap<_, _> = form_urlencoded::parse(form).into_owned().collect();
        let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
        let secret = self.secret.as_deref().unwrap_or(Graph::CLIENT_SECRET);
        if !is("grant_type", "client_credentials") {
            return answer::deny(StatusCode::BAD_REQUEST, "unsupported_grant_type");
        }
        if !is("scope", &format!("{}/.default", shared.url)) {
            return answer::deny(StatusCode::BAD_REQUEST, "invalid_scope");
        }
        if !is("client_id", Graph::CLIENT_ID) || !is("client_secret", secret) {
            return answer::deny(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        let token = shared.tokens().give(self.traps.token_uses);
        axum::Json(json!({
            "token_type": "Bearer",
            "expires_in": 3599,
            "ext_expires_in": 3599,
            "access_token": token,
        }))
        .into_response()
    }
}

/// An answer without a body that is JSON.
fn plain(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, body.into()).into_response()
}
