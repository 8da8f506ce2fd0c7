//! The Smartflo family's API, played over HTTP, with what is nasty about it.
//!
//! It is no kinder than they are: a token must be asked for and sent along, the calls of a second are counted whatever they ask for, a list
//! of users comes in pages, IDs are numbers here and strings there, and failures are told with status 200 too.

mod spoil;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Request, State},
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use rollcall_connectors::smartflo::{Credentials, SECRET};
use rollcall_model::settings::{PhoneSystem, Settings};
use rollcall_storage::{connect::Aws, secrets::Secrets};
use serde_json::{Value, json};

pub use spoil::SmartfloSpoil;
use spoil::spoilt;

use crate::Stack;
use crate::served::{FakeService, Limit, Shared, Tokens, bearer};

/// What it does to whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct SmartfloTraps {
    /// Calls that are taken in a second.
    pub per_second: usize,
    /// Users on a page at most, whatever is asked for.
    pub page: usize,
    /// How often a token may be used before it is refused.
    pub token_uses: u64,
    /// IDs of users and counts are strings.
    pub ids_as_text: bool,
}

impl Default for SmartfloTraps {
    fn default() -> Self {
        Self { per_second: 100_000, page: 20, token_uses: u64::MAX, ids_as_text: false }
    }
}

/// An account with its users and numbers.
pub type Smartflo = FakeService<SmartfloAccount>;

/// Its state.
pub struct SmartfloAccount {
    traps: SmartfloTraps,
    limit: Limit,
    /// IDs and logins.
    users: Vec<(u64, Option<String>)>,
    /// The numbers by their IDs.
    numbers: BTreeMap<String, String>,
    patched: HashMap<String, Vec<String>>,
    /// Users whose numbers it refuses to set.
    refused: BTreeSet<String>,
    /// What is told is added to what was there.
    adds: bool,
    /// Requests that are taken and never answered.
    silent: usize,
    /// Requests that are throttled, whatever the rate.
    burst: usize,
    spoil: Option<SmartfloSpoil>,
}

/// What it lets in.
impl Smartflo {
    /// The login.
    pub const LOGIN: &str = "ops@acme.example";
    /// Its password.
    pub const PASSWORD: &str = "s3cr3t-of-acme";
}

impl Smartflo {
    /// An account without users and numbers.
    pub async fn start(traps: SmartfloTraps) -> Self {
        let account = SmartfloAccount {
            traps,
            limit: Limit::new(traps.per_second),
            users: Vec::new(),
            numbers: BTreeMap::new(),
            patched: HashMap::new(),
            refused: BTreeSet::new(),
            adds: false,
            silent: 0,
            burst: 0,
            spoil: None,
        };
        Self::play(account, answer_request).await
    }

    /// What lets us in, as an account keeps it.
    pub fn credentials() -> Credentials {
        Self::credentials_with(Self::PASSWORD)
    }

    /// Makes it the phone system of a stack's account, which has its credentials then and no other settings.
    pub async fn connect(stack: &Stack) {
        let secrets = Secrets::new(&Aws::local(stack.endpoints()).await);
        secrets.put(&stack.account, SECRET, &Self::credentials()).await.expect("a secret");
        let settings = Settings { phone_system: PhoneSystem::Smartflo, ..Settings::default() };
        stack.directory.put_settings(&stack.account, &settings).await.expect("settings are written");
    }

    /// The same with another password.
    pub fn credentials_with(password: &str) -> Credentials {
        serde_json::from_value(json!({ "email": Self::LOGIN, "password": password })).expect("credentials")
    }

    /// Hires this many people. Most log in with an address, one of five with a name, and one of seven not at all. Gives their IDs.
    pub fn add_users(&self, count: usize) -> Vec<String> {
        let mut account = self.state();
        let first = account.users.len() + 1;
        let hired = (first..first + count).map(|number| {
            let login = match number {
                _ if number.is_multiple_of(7) => None,
                _ if number.is_multiple_of(5) => Some(format!("agent{number}")),
                _ => Some(format!("agent{number}@acme.example")),
            };
            (314_000 + number as u64, login)
        });
        let hired: Vec<_> = hired.collect();
        let ids = hired.iter().map(|(id, _)| id.to_string()).collect();
        account.users.extend(hired);
        ids
    }

    /// Buys numbers, in E.164 form.
    pub fn buy(&self, numbers: &[&str]) {
        let mut account = self.state();
        for number in numbers {
            let id = format!("{}", 70_000 + account.numbers.len());
            account.numbers.insert(id, (*number).to_owned());
        }
    }

    /// The numbers that were set last for a user; `None` when none ever were.
    pub fn caller_ids(&self, user: &str) -> Option<Vec<String>> {
        let account = self.state();
        let ids = account.patched.get(user)?;
        Some(ids.iter().map(|id| account.numbers[id].clone()).collect())
    }

    /// Hires somebody who logs in so. Gives the ID.
    pub fn hire(&self, login: &str) -> String {
        let mut account = self.state();
        let id = 314_001 + account.users.len() as u64;
        account.users.push((id, Some(login.to_owned())));
        id.to_string()
    }

    /// From now on, what is told is added to what was there, whatever the documentation means.
    pub fn add_to_lists(&self) {
        self.state().adds = true;
    }

    /// So many of the next requests that set a list are taken, done, and never answered.
    pub fn fall_silent(&self, times: usize) {
        self.state().silent = times;
    }

    /// So many of the next requests are throttled, however slowly they come: others call too.
    pub fn throttle(&self, times: usize) {
        self.state().burst = times;
    }

    /// Gives every number another ID: those that were read before mean nothing any more.
    pub fn forget_ids(&self) {
        let mut account = self.state();
        let other = |id: &str| format!("9{id}");
        let numbers = std::mem::take(&mut account.numbers);
        account.numbers = numbers.into_iter().map(|(id, number)| (other(&id), number)).collect();
        for ids in account.patched.values_mut() {
            *ids = ids.iter().map(|id| other(id)).collect();
        }
    }

    /// Refuses to set this user's numbers from now on.
    pub fn refuse(&self, user: &str) {
        self.state().refused.insert(user.to_owned());
    }

    /// Takes everybody again.
    pub fn refuse_nobody(&self) {
        self.state().refused.clear();
    }

    /// What is wrong with every list from now on; with none, after `None`.
    pub fn spoil(&self, spoil: Option<SmartfloSpoil>) {
        self.state().spoil = spoil;
    }
}

async fn answer_request(State(shared): State<Arc<Shared<SmartfloAccount>>>, request: Request) -> Response {
    shared.count_request();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match answer(&shared, &parts, &body) {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

/// What is answered; `None` for nothing at all.
fn answer(shared: &Shared<SmartfloAccount>, parts: &Parts, body: &[u8]) -> Option<Response> {
    let mut account = shared.state();
    let is_in_burst = account.burst > 0;
    account.burst -= usize::from(is_in_burst);
    if is_in_burst || !account.limit.takes() {
        shared.count_throttled();
        // As documented: the word, not the value, and no word of when to come again.
        let told = json!({ "success": "false", "message": "Too many requests." });
        return Some((StatusCode::TOO_MANY_REQUESTS, Json(told)).into_response());
    }
    let json = parts.headers.get(header::CONTENT_TYPE).is_some_and(|of| of == "application/json");
    let sent: Value = if json { serde_json::from_slice(body).unwrap_or_default() } else { Value::Null };
    if (&parts.method, parts.uri.path()) == (&Method::POST, "/v1/auth/login") {
        return Some(sign_in(&sent, &mut shared.tokens(), account.traps.token_uses));
    }
    if !shared.tokens().lets_in(bearer(&parts.headers)) {
        return Some(no(StatusCode::UNAUTHORIZED, "token-1 of ops@acme.example is no good"));
    }
    if parts.method == Method::PATCH {
        let Some(user) = parts.uri.path().strip_prefix("/v1/user/") else {
            return Some(no(StatusCode::NOT_FOUND, "nothing here"));
        };
        let answer = account.patch(user, &sent);
        let is_silent = account.silent > 0;
        account.silent -= usize::from(is_silent);
        return (!is_silent).then_some(answer);
    }
    let query: HashMap<_, _> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let list = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/v1/users") => match account.page(&query, account.traps) {
            Some(page) => page,
            None => return Some(no(StatusCode::BAD_REQUEST, "no such cursor")),
        },
        (&Method::GET, "/v1/my_number") => account.my_numbers(),
        (&Method::GET, "/v1/departments") => departments(),
        _ => return Some(no(StatusCode::NOT_FOUND, "nothing here")),
    };
    Some(match account.spoil {
        None => Json(list).into_response(),
        Some(spoil) => spoilt(spoil, list, &query, &shared.url),
    })
}

fn sign_in(sent: &Value, tokens: &mut Tokens, uses: u64) -> Response {
    if sent["email"] != Smartflo::LOGIN || sent["password"] != Smartflo::PASSWORD {
        // Of a failed login the documentation shows the body, and no status.
        let told = format!("Invalid credentials: {}", sent["password"]);
        return Json(json!({ "success": false, "message": told, "login_failed_count": 1 })).into_response();
    }
    let token = tokens.give(uses);
    let granted = json!({
        "success": true, "access_token": token, "token_type": "bearer", "expires_in": 3600, "number_of_days_left": 30,
    });
    Json(granted).into_response()
}

impl SmartfloAccount {
    fn page(&self, query: &HashMap<String, String>, traps: SmartfloTraps) -> Option<Value> {
        let after: u64 = query.get("last_seen_id").map_or(Ok(0), |id| id.parse()).ok()?;
        let limit: usize = query.get("limit").map_or(Ok(traps.page), |limit| limit.parse()).ok()?;
        let left: Vec<_> = self.users.iter().filter(|(id, _)| *id > after).collect();
        let page: Vec<_> = left.iter().take(limit.min(traps.page)).collect();
        let number = |number: u64| if traps.ids_as_text { json!(number.to_string()) } else { json!(number) };
        let user = |(id, login): &(u64, Option<String>)| {
            let agent =
                json!({ "id": format!("05028{id}"), "name": "xyz", "status": 0, "follow_me_number": "+911111111111" });
            json!({
                "id": number(*id),
                "name": "xyz",
                "agent": if id.is_multiple_of(3) { Value::Null } else { agent },
                "login_id": login,
                "is_login_based_calling_enabled": false,
                "user_role": { "id": 54_630, "name": "Quality" },
                "extension": null,
                "user_status": 1,
            })
        };
        Some(json!({
            "has_more": left.len() > page.len(),
            "count": number(page.len() as u64),
            "last_seen_id": page.last().map(|(id, _)| number(*id)),
            "data": page.iter().map(|of| user(of)).collect::<Vec<_>>(),
        }))
    }

    fn my_numbers(&self) -> Value {
        let own = self.numbers.iter().map(|(id, did)| {
            json!({ "id": id, "did": did, "alias": did.trim_start_matches('+'), "name": "xyz", "destination": null })
        });
        // One that is dialled in one country alone.
        let service = json!({ "id": "99999", "did": "1800", "alias": null, "name": "toll-free" });
        own.chain([service]).collect::<Vec<_>>().into()
    }

    fn patch(&mut self, user: &str, sent: &Value) -> Response {
        if self.refused.contains(user) {
            return no(StatusCode::NOT_FOUND, "user not found");
        }
        let known = self.users.iter().any(|(id, _)| id.to_string() == user);
        let ids: Option<Vec<String>> = sent["caller_id"]
            .as_array()
            .map(|ids| ids.iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect());
        match ids {
            Some(ids) if known && ids.iter().all(|id| self.numbers.contains_key(id)) => {
                let list = self.patched.entry(user.to_owned()).or_default();
                if !self.adds {
                    list.clear();
                }
                list.extend(ids);
                Json(json!({ "success": true, "message": "User updated" })).into_response()
            }
            _ => no(StatusCode::BAD_REQUEST, "caller_id is not valid"),
        }
    }
}

fn departments() -> Value {
    json!([
        { "id": "20546", "name": "Sales", "agent_count": "1", "agents": [{ "id": "28131", "name": "xyz", "timeout": "30" }] },
        { "id": 20_547, "name": "Support", "agent_count": "0", "agents": [] },
    ])
}

fn no(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "success": false, "message": message }))).into_response()
}
