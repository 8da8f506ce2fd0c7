//! Zoom's token endpoint and its phone API, played over HTTP, with what is nasty about them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use rollcall_connectors::zoom_phone::Credentials;
use serde_json::{Value, json};

use crate::served::{FakeService, Limit, Shared, Tokens, bearer};

/// What it does to whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct ZoomTraps {
    /// Calls that are taken in a second.
    pub per_second: usize,
    /// Calls that are taken in a day.
    pub per_day: u64,
    /// Entries on a page at most, whatever is asked for.
    pub page: usize,
    /// How often a token may be used before it is refused.
    pub token_uses: u64,
}

impl Default for ZoomTraps {
    fn default() -> Self {
        Self { per_second: 100_000, per_day: u64::MAX, page: 30, token_uses: u64::MAX }
    }
}

/// What is wrong with every answer from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoomSpoil {
    /// It is 200 and HTML.
    Rubbish,
    /// It breaks off.
    HalfJson,
    /// A list has half of what it counts.
    HalfPage,
    /// A list has more than it counts.
    TooMany,
    /// The next page is where this one began.
    RepeatedToken,
    /// An ID is an object, or a number is one.
    ChangedType,
    /// A list has another name.
    NoList,
    /// A list is empty, and says so.
    Empty,
    /// A list is empty, though it counts entries.
    EmptyPage,
    /// It is an error of the server's.
    Broken,
    /// The app lacks a scope.
    Forbidden,
}

/// A phone user of the account.
#[derive(Clone, Debug)]
pub struct ZoomUser {
    /// Zoom's ID.
    pub id: String,
    /// The address.
    pub email: String,
    /// The customised list.
    pub customised: Vec<String>,
    /// What there is to choose from without one.
    pub choices: Vec<String>,
}

/// An account with its phone users.
pub type Zoom = FakeService<ZoomAccount>;

/// Its state.
pub struct ZoomAccount {
    traps: ZoomTraps,
    limit: Limit,
    users: Vec<ZoomUser>,
    /// The account's numbers.
    numbers: Vec<String>,
    /// Where lists go on: the tokens of next pages.
    places: HashMap<String, usize>,
    spoil: Option<ZoomSpoil>,
    taken: u64,
    in_flight: usize,
    most_in_flight: usize,
}

/// The app that it lets in.
impl Zoom {
    /// The account.
    pub const ACCOUNT: &str = "aBcD-1234";
    /// The app.
    pub const CLIENT_ID: &str = "app-of-acme";
    /// Its secret.
    pub const CLIENT_SECRET: &str = "s3cr3t:of+acme";
}

impl Zoom {
    /// An account without users.
    pub async fn start(traps: ZoomTraps) -> Self {
        let account = ZoomAccount {
            traps,
            limit: Limit::new(traps.per_second),
            users: Vec::new(),
            numbers: Vec::new(),
            // For the sake of a token that comes again.
            places: HashMap::from([("again".to_owned(), 0)]),
            spoil: None,
            taken: 0,
            in_flight: 0,
            most_in_flight: 0,
        };
        Self::play(account, answer_request).await
    }

    /// What lets us in, as an account keeps it.
    pub fn credentials() -> Credentials {
        Self::credentials_with(Self::CLIENT_SECRET)
    }

    /// The same with another secret.
    pub fn credentials_with(secret: &str) -> Credentials {
        let json = json!({ "account_id": Self::ACCOUNT, "client_id": Self::CLIENT_ID, "client_secret": secret });
        serde_json::from_value(json).expect("credentials")
    }

    /// Hires this many people. Two of three have a customised list, of up to four numbers; one of three has what comes with a user.
    pub fn add_users(&self, count: usize) {
        let mut account = self.state();
        let first = account.users.len() + 1;
        let numbers = |number: usize, count: usize| {
            (0..count).map(move |at| format!("+1202555{:04}", (number * 5 + at) % 10_000))
        };
        account.users.extend((first..first + count).map(|number| ZoomUser {
            id: format!("Zu_{number}-x"),
            email: format!("agent{number}@acme.example"),
            customised: if number.is_multiple_of(3) { Vec::new() } else { numbers(number, 1 + number % 4).collect() },
            choices: numbers(number + 1_000, number % 3).collect(),
        }));
    }

    /// Buys numbers, in E.164 form.
    pub fn buy(&self, numbers: &[&str]) {
        self.state().numbers.extend(numbers.iter().map(ToString::to_string));
    }

    /// Hires somebody with this address, and a customised list. Gives the place among the users.
    pub fn hire(&self, email: &str, customised: &[&str]) -> usize {
        let mut account = self.state();
        let (at, customised) = (account.users.len(), customised.iter().map(ToString::to_string).collect());
        account.users.push(ZoomUser {
            id: format!("Zu_{}-x", at + 1),
            email: email.to_owned(),
            customised,
            choices: Vec::new(),
        });
        at
    }

    /// The users as they are.
    pub fn users(&self) -> Vec<ZoomUser> {
        self.state().users.clone()
    }

    /// Changes a user.
    pub fn change(&self, at: usize, change: impl FnOnce(&mut ZoomUser)) {
        change(&mut self.state().users[at]);
    }

    /// What is wrong with every answer from now on; with none, after `None`.
    pub fn spoil(&self, spoil: Option<ZoomSpoil>) {
        self.state().spoil = spoil;
    }

    /// The most requests that were there at once.
    pub fn most_in_flight(&self) -> usize {
        self.state().most_in_flight
    }
}

async fn answer_request(State(shared): State<Arc<Shared<ZoomAccount>>>, request: Request) -> Response {
    shared.count_request();
    {
        let mut account = shared.state();
        account.in_flight += 1;
        account.most_in_flight = account.most_in_flight.max(account.in_flight);
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    // Others have time to come.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let mut account = shared.state();
    account.in_flight -= 1;
    account.taken += 1;
    if account.taken > account.traps.per_day {
        let tomorrow = [("x-ratelimit-type", "Daily-limit"), ("retry-after", "2099-01-01T00:00:00Z")];
        return (tomorrow, no(StatusCode::TOO_MANY_REQUESTS, 429)).into_response();
    }
    if !account.limit.takes() {
        shared.count_throttled();
        // For the limit of a second, no word of when to come again is documented.
        return ([("x-ratelimit-type", "QPS")], no(StatusCode::TOO_MANY_REQUESTS, 429)).into_response();
    }
    if (&parts.method, parts.uri.path()) == (&Method::POST, "/oauth/token") {
        return sign_in(&parts.headers, &body, &mut shared.tokens(), account.traps.token_uses);
    }
    if !shared.tokens().lets_in(bearer(&parts.headers)) {
        return no(StatusCode::UNAUTHORIZED, 124);
    }
    let query: HashMap<_, _> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = parts.uri.path().to_owned();
    if let Some(list) = path.strip_prefix("/v2/phone/users/").and_then(|path| path.strip_suffix(CUSTOMISED))
        && parts.method != Method::GET
    {
        let ids = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let ids: Vec<String> = ids.filter(|(name, _)| name == "customize_ids").map(|(_, id)| id.into_owned()).collect();
        return match account.change_list(list, &parts.method, &body, &ids) {
            Ok(status) => status.into_response(),
            Err((status, code)) => no(status, code),
        };
    }
    if path == "/v2/phone/numbers" && parts.method == Method::GET {
        let entry = |number: &String| json!({ "id": format!("n{number}"), "number": number, "status": "assigned" });
        let entries = account.numbers.iter().map(entry).collect();
        return match account.page("phone_numbers", entries, &query) {
            Ok(page) => Json(page).into_response(),
            Err((status, code)) => no(status, code),
        };
    }
    let Some(path) = path.strip_prefix("/v2/phone/users").filter(|_| parts.method == Method::GET) else {
        return no(StatusCode::NOT_FOUND, 300);
    };
    let answer = account.answer(path, &query);
    match (answer, account.spoil) {
        (Err((status, code)), _) => no(status, code),
        (Ok(answer), None) => Json(answer).into_response(),
        (Ok(answer), Some(spoil)) => spoilt(spoil, answer, &query),
    }
}

fn sign_in(headers: &HeaderMap, form: &[u8], tokens: &mut Tokens, uses: u64) -> Response {
    let form: HashMap<_, _> = form_urlencoded::parse(form).into_owned().collect();
    let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
    // app-of-acme:s3cr3t:of+acme
    let basic = headers.get(header::AUTHORIZATION).is_some_and(|of| of == "Basic YXBwLW9mLWFjbWU6czNjcjN0Om9mK2FjbWU=");
    let denied = |status, error: &str| {
        let reason = format!("{error}: {}", Zoom::CLIENT_SECRET);
        (status, Json(json!({ "reason": reason, "error": error }))).into_response()
    };
    if !is("grant_type", "account_credentials") {
        return denied(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    if !basic || !is("account_id", Zoom::ACCOUNT) {
        return denied(StatusCode::BAD_REQUEST, "invalid_client");
    }
    let token = tokens.give(uses);
    Json(json!({
        "access_token": token, "token_type": "bearer", "expires_in": 3599, "scope": "phone:read:admin",
        "api_url": "https://api.zoom.us",
    }))
    .into_response()
}

/// Where a user's customised list is, and how many numbers one request takes.
const CUSTOMISED: &str = "/outbound_caller_id/customized_numbers";
const MOST: usize = 30;

impl ZoomAccount {
    /// Adds to a user's customised list, or takes from it. **Without IDs, all goes**, as documented.
    fn change_list(&mut self, id: &str, method: &Method, body: &[u8], ids: &[String]) -> Result<StatusCode, Refusal> {
        let numbers = self.numbers.clone();
        let user = self.users.iter_mut().find(|user| user.id == id).ok_or((StatusCode::NOT_FOUND, 1_001))?;
        if *method == Method::DELETE {
            if ids.len() > MOST {
                return Err((StatusCode::BAD_REQUEST, 300));
            }
            user.customised.retain(|number| !ids.is_empty() && !ids.contains(&format!("c{number}")));
            return Ok(StatusCode::NO_CONTENT);
        }
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let added: Vec<&str> =
            sent["phone_number_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let added: Option<Vec<String>> =
            added.iter().map(|id| numbers.iter().find(|number| format!("n{number}") == *id).cloned()).collect();
        let added = added.filter(|added| (1..=MOST).contains(&added.len())).ok_or((StatusCode::BAD_REQUEST, 300))?;
        user.customised.extend(added);
        Ok(StatusCode::CREATED)
    }

    fn answer(&mut self, path: &str, query: &HashMap<String, String>) -> Result<Value, Refusal> {
        if path.is_empty() {
            let users = self.users.iter().map(|user| {
                json!({
                    "id": user.id, "phone_user_id": format!("p{}", user.id), "email": user.email, "name": "xyz",
                    "extension_number": 100, "status": "activate", "site": { "id": "s", "name": "Main" },
                })
            });
            return self.page("users", users.collect(), query);
        }
        let (id, of) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        let Some(user) = self.users.iter().find(|user| user.id == id) else {
            return Err((StatusCode::NOT_FOUND, 404));
        };
        match of {
            "settings" => {
                let hide = json!({ "is_default": false, "name": "Hide Caller ID" });
                let choices =
                    user.choices.iter().map(|number| json!({ "is_default": false, "name": "xyz", "number": number }));
                Ok(json!({ "status": "Active", "outbound_caller_ids": choices.chain([hide]).collect::<Vec<_>>() }))
            }
            "outbound_caller_id/customized_numbers" => {
                // Without being asked for the chosen ones, it gives those that could be chosen too.
                let numbers = if query.get("selected").is_some_and(|selected| selected == "true") {
                    user.customised.clone()
                } else {
                    user.customised.iter().chain(&user.choices).cloned().collect()
                };
                let entry = |number| json!({ "customize_id": format!("c{number}"), "phone_number_id": format!("n{number}"), "phone_number": number, "outgoing": true });
                self.page("customize_numbers", numbers.iter().map(entry).collect(), query)
            }
            _ => Err((StatusCode::NOT_FOUND, 300)),
        }
    }

    fn page(&mut self, name: &str, entries: Vec<Value>, query: &HashMap<String, String>) -> Result<Value, Refusal> {
        let size = query.get("page_size").map_or(Ok(30), |size| size.parse::<usize>());
        let size = size.ok().filter(|size| (1..=100).contains(size)).ok_or((StatusCode::BAD_REQUEST, 300))?;
        let from = match query.get("next_page_token") {
            Some(token) => *self.places.get(token).ok_or((StatusCode::BAD_REQUEST, 300))?,
            None => 0,
        };
        let total = entries.len();
        let page: Vec<_> = entries.into_iter().skip(from).take(size.min(self.traps.page)).collect();
        let next = from + page.len();
        let token = if next < total {
            let token = format!("next-{}", self.places.len());
            self.places.insert(token.clone(), next);
            token
        } else {
            String::new()
        };
        Ok(json!({ "next_page_token": token, "page_size": page.len(), "total_records": total, name: page }))
    }
}

/// A status, and Zoom's own code.
type Refusal = (StatusCode, u32);

/// What is answered instead.
fn spoilt(spoil: ZoomSpoil, mut answer: Value, query: &HashMap<String, String>) -> Response {
    let name = ["users", "customize_numbers", "outbound_caller_ids"]
        .into_iter()
        .find(|name| answer.get(name).is_some())
        .expect("an answer of the phone API");
    let entries = answer[name].as_array().cloned().unwrap_or_default();
    match spoil {
        ZoomSpoil::Rubbish => return (StatusCode::OK, "<html>agent1@acme.example</html>").into_response(),
        ZoomSpoil::HalfJson => {
            let text = answer.to_string();
            return (StatusCode::OK, text[..text.len() / 2].to_owned()).into_response();
        }
        ZoomSpoil::HalfPage => answer[name] = entries[..entries.len() / 2].into(),
        ZoomSpoil::TooMany => answer["total_records"] = (entries.len() / 2).into(),
        ZoomSpoil::RepeatedToken => {
            answer["next_page_token"] = query.get("next_page_token").map_or("again", String::as_str).into();
            // It is taken, whatever it was.
            answer["total_records"] = 1_000_000.into();
        }
        ZoomSpoil::ChangedType => {
            let field = match name {
                "users" => "id",
                "customize_numbers" => "phone_number",
                _ => "number",
            };
            let mut changed = entries;
            for entry in &mut changed {
                entry[field] = json!({ "of": "agent1" });
            }
            answer[name] = changed.into();
        }
        ZoomSpoil::NoList => answer = json!({ "next_page_token": "", "total_records": 0, "others": [] }),
        ZoomSpoil::Empty => answer = json!({ "next_page_token": "", "total_records": 0, name: [] }),
        ZoomSpoil::EmptyPage => answer[name] = json!([]),
        ZoomSpoil::Broken => return no(StatusCode::INTERNAL_SERVER_ERROR, 500),
        ZoomSpoil::Forbidden => return no(StatusCode::BAD_REQUEST, 4_711),
    }
    Json(answer).into_response()
}

fn no(status: StatusCode, code: u32) -> Response {
    (status, Json(json!({ "code": code, "message": "agent1@acme.example may not, with token-1" }))).into_response()
}
