//! A proxy that does to requests what networks and throttled services do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{seeded_rng::SeededRng, signature};

/// What goes wrong, out of a thousand. The same requests in the same order go wrong each time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Statements of a batch, transactions and updates that are answered with a throttling error, and not carried out.
    pub throttled: u64,
    /// Answers that are lost after the request was carried out.
    pub dropped: u64,
    /// How long each request takes more than it has to.
    pub delay: Duration,
    /// Writes of the user with this folded login ID are refused, always and in this way.
    pub refused: Option<(&'static str, Refused)>,
}

/// How the table refuses a write that it will never carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The request breaks a rule of the table's.
    Request,
    /// The same, said in a transaction of the one item that does.
    Reason,
    /// A condition never holds.
    Condition,
}

/// Ends the world after a number of requests: those after it are never answered. Shared by the proxies of a world.
#[derive(Clone)]
pub struct Fuse(Arc<FuseState>);

struct FuseState {
    left: AtomicI64,
    /// Whether the request that blows the fuse is carried out, though never answered.
    carried_out: bool,
    blown: Notify,
}

impl Fuse {
    /// Blows at the request after this many.
    pub fn after(requests: i64, carried_out: bool) -> Self {
        Self(Arc::new(FuseState { left: AtomicI64::new(requests), carried_out, blown: Notify::new() }))
    }

    /// Waits until it has blown.
    pub async fn blown(&self) {
        self.0.blown.notified().await;
    }

    /// Whether this request is the one that blows it, or comes after that.
    fn burn(&self) -> Burn {
        match self.0.left.fetch_sub(1, Ordering::Relaxed) {
            1.. => Burn::Whole,
            0 if self.0.carried_out => Burn::Last,
            _ => Burn::Blown,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Burn {
    Whole,
    Last,
    Blown,
}

/// Stands between a client and a service.
pub struct Proxy {
    /// Where clients find it.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    client: Client<HttpConnector, Body>,
    faults: Faults,
    fuse: Option<Fuse>,
    down: AtomicBool,
    refuses_writes: AtomicBool,
    /// Requests before the one whose answer is lost.
    until_lost: AtomicI64,
    /// A part of the paths of objects that are gone.
    gone: Mutex<Option<String>>,
    draws: SeededRng,
    requests: AtomicU64,
    statements: AtomicU64,
    /// Units of the reads that were metered, in halves; nothing is metered before somebody asks.
    half_units: Mutex<Option<u64>>,
}

impl Proxy {
    /// A proxy for the service at `upstream`.
    pub async fn start(upstream: &str, faults: Faults, fuse: Option<Fuse>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            faults,
            fuse,
            down: AtomicBool::new(false),
            refuses_writes: AtomicBool::new(false),
            until_lost: AtomicI64::new(i64::MAX),
            gone: Mutex::default(),
            draws: SeededRng::default(),
            requests: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            half_units: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Whether every request is refused from now on.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::Relaxed);
    }

    /// Refuses every write from now on, as what the table can't store.
    pub fn refuse_writes(&self) {
        self.shared.refuses_writes.store(true, Ordering::Relaxed);
    }

    /// From now on, there is no object in whose path this stands.
    pub fn forget(&self, path: &str) {
        *self.shared.gone.lock().expect("nobody panics") = Some(path.to_owned());
    }

    /// Loses the answer of the request that comes after so many others from now on, once. The request is carried out.
    pub fn lose_answer(&self, after: i64) {
        self.shared.until_lost.store(after, Ordering::Relaxed);
    }

    /// Read units that the table has taken for since this was last asked, as it says itself. The first time, it says nothing yet.
    pub fn units(&self) -> f64 {
        let halves = self.shared.half_units.lock().expect("nobody panics").replace(0).unwrap_or(0);
        f64::from(u32::try_from(halves).expect("few")) / 2.0
    }

    /// Requests that came.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Statements of batches that were carried out.
    pub fn statements(&self) -> u64 {
        self.shared.statements.load(Ordering::Relaxed)
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(shared.faults.delay).await;
    let burn = shared.fuse.as_ref().map_or(Burn::Whole, Fuse::burn);
    if burn == Burn::Blown {
        return never(&shared).await;
    }
    if shared.down.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let gone = shared.gone.lock().expect("nobody panics").clone();
    if request.method() == Method::GET && gone.is_some_and(|gone| request.uri().path().contains(&gone)) {
        let answer = "<Error><Code>NoSuchVersion</Code><Message>It is gone.</Message></Error>";
        return (StatusCode::NOT_FOUND, answer).into_response();
    }
    let is_lost = shared.until_lost.fetch_sub(1, Ordering::Relaxed) == 0;
    let (mut parts, body) = request.into_parts();
    let mut body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
    let target = target.map(str::to_owned);
    let target = target.as_deref();
    let batch = target == Some("BatchExecuteStatement");
    if let Some(refusal) = target.and_then(refusal).filter(|_| shared.draws.happens(shared.faults.throttled)) {
        return (StatusCode::BAD_REQUEST, refusal.to_string()).into_response();
    }
    if shared.refuses_writes.load(Ordering::Relaxed) && target.is_some_and(is_write) {
        return (StatusCode::BAD_REQUEST, invalid().to_string()).into_response();
    }
    if let Some((login, refused)) = shared.faults.refused
        && let Some(refusal) = target.and_then(|target| refusal_of(target, &body, login, refused))
    {
        return (StatusCode::BAD_REQUEST, refusal.to_string()).into_response();
    }
    let mut throttled = Vec::new();
    if batch {
        (body, throttled) = hold_back(&shared, body);
        if !throttled.is_empty() {
            // One of the headers that are signed.
            parts.headers.insert("content-length", HeaderValue::from(body.len()));
            signature::sign_anew(&mut parts.headers, &body);
        }
    }
    let reads = ["GetItem", "BatchGetItem", "Query"];
    let is_metered = shared.half_units.lock().expect("nobody panics").is_some();
    let is_metered = is_metered && target.is_some_and(|target| reads.contains(&target));
    if is_metered && let Ok(mut request) = serde_json::from_slice::<Value>(&body) {
        request["ReturnConsumedCapacity"] = "TOTAL".into();
        body = Bytes::from(request.to_string());
        parts.headers.insert("content-length", HeaderValue::from(body.len()));
        signature::sign_anew(&mut parts.headers, &body);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{}{path}", shared.upstream).parse::<Uri>().expect("the upstream's address");
    let answer = match shared.client.request(Request::from_parts(parts, Body::from(body))).await {
        Ok(answer) => answer,
        Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    };
    if burn == Burn::Last {
        return never(&shared).await;
    }
    if is_lost || shared.draws.happens(shared.faults.dropped) {
        // An answer whose body breaks off is as good as none.
        let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
        return Response::new(Body::from_stream(broken));
    }
    if is_metered {
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        meter(&shared, &body);
        return Response::from_parts(parts, Body::from(body));
    }
    if throttled.is_empty() {
        return answer.map(Body::new);
    }
    let (mut parts, body) = answer.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    parts.headers.remove("content-length");
    // The checksum is of the answer before we put our errors into it.
    parts.headers.remove("x-amz-crc32");
    Response::from_parts(parts, Body::from(put_back(&body, &throttled)))
}

/// Adds what the table has taken for an answer.
fn meter(shared: &Shared, answer: &[u8]) {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let taken = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        one => one["CapacityUnits"].as_f64().unwrap_or(0.0),
    };
    if let Some(halves) = shared.half_units.lock().expect("nobody panics").as_mut() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "units come in halves")]
        let taken = (taken * 2.0).round() as u64;
        *halves += taken;
    }
}

async fn never(shared: &Shared) -> Response {
    if let Some(fuse) = &shared.fuse {
        fuse.0.blown.notify_one();
    }
    std::future::pending().await
}

fn kind(name: &str) -> String {
    format!("com.amazonaws.dynamodb.v20120810#{name}")
}

/// Statements are writes: ours read otherwise.
fn is_write(target: &str) -> bool {
    let items = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];
    items.contains(&target) || target.ends_with("ExecuteStatement")
}

fn invalid() -> Value {
    let message = "One or more parameter values were invalid: Size limit exceeded";
    json!({ "__type": kind("ValidationException"), "message": message })
}

/// How the table refuses a write, if it is one of this user, or of the mapping of a CRM user of this name. Of statements, the whole request
/// is refused.
fn refusal_of(target: &str, body: &Bytes, login: &str, refused: Refused) -> Option<Value> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let ends_in = |value: &Value, end: String| value["S"].as_str().is_some_and(|text| text.ends_with(&end));
    let is_user = |key: &Value| {
        ends_in(&key["PK"], format!("#USER#{login}")) || key["SK"]["S"].as_str() == Some(&format!("CRM#{login}"))
    };
    let is_meant = |write: &Value| is_user(&write["Item"]) || is_user(&write["Key"]);
    match target {
        "PutItem" | "UpdateItem" | "DeleteItem" if is_meant(&request) => Some(match refused {
            Refused::Request | Refused::Reason => invalid(),
            Refused::Condition => json!({
                "__type": kind("ConditionalCheckFailedException"), "message": "The conditional request failed",
            }),
        }),
        "BatchExecuteStatement" if refused != Refused::Condition => {
            let names = |statement: &Value| {
                let parameters = statement["Parameters"].as_array().into_iter().flatten();
                parameters.into_iter().any(|value| ends_in(value, format!("#USER#{login}")))
            };
            request["Statements"].as_array()?.iter().any(names).then(invalid)
        }
        "TransactWriteItems" => {
            let items = request["TransactItems"].as_array()?;
            let meant = |item: &Value| item.as_object().is_some_and(|item| item.values().any(is_meant));
            if !items.iter().any(meant) {
                return None;
            }
            let code = match refused {
                Refused::Request => return Some(invalid()),
                Refused::Reason => "ValidationError",
                Refused::Condition => "ConditionalCheckFailed",
            };
            let reason = |item: &Value| json!({ "Code": if meant(item) { code } else { "None" } });
            Some(json!({
                "__type": kind("TransactionCanceledException"),
                "Message": "Transaction cancelled",
                "CancellationReasons": items.iter().map(reason).collect::<Vec<_>>(),
            }))
        }
        _ => None,
    }
}

/// How the table puts off a write of one user.
fn refusal(target: &str) -> Option<Value> {
    match target {
        "TransactWriteItems" => Some(json!({
            "__type": kind("TransactionCanceledException"),
            "Message": "Transaction cancelled",
            "CancellationReasons": [{ "Code": "None" }, { "Code": "ThrottlingError", "Message": "Rate exceeded" }],
        })),
        "UpdateItem" => {
            Some(json!({ "__type": kind("ProvisionedThroughputExceededException"), "message": "Rate exceeded" }))
        }
        _ => None,
    }
}

/// Takes statements out of a batch. Gives the positions that they had.
fn hold_back(shared: &Shared, body: Bytes) -> (Bytes, Vec<usize>) {
    let mut request: Value = serde_json::from_slice(&body).expect("a request in JSON");
    let statements = request["Statements"].as_array_mut().expect("a batch of statements");
    let (mut kept, mut throttled) = (Vec::new(), Vec::new());
    for (at, statement) in std::mem::take(statements).into_iter().enumerate() {
        // The engine refuses an empty batch, so one statement always goes through.
        if at > 0 && shared.draws.happens(shared.faults.throttled) {
            throttled.push(at);
        } else {
            kept.push(statement);
        }
    }
    shared.statements.fetch_add(kept.len() as u64, Ordering::Relaxed);
    *statements = kept;
    // What nothing was taken out of goes on as it was signed.
    let body = if throttled.is_empty() { body } else { request.to_string().into() };
    (body, throttled)
}

fn put_back(body: &Bytes, throttled: &[usize]) -> Bytes {
    let mut answer: Value = serde_json::from_slice(body).expect("an answer in JSON");
    if let Some(responses) = answer["Responses"].as_array_mut() {
        for &at in throttled {
            let error = json!({ "Error": { "Code": "ThrottlingError", "Message": "Rate exceeded" } });
            responses.insert(at, error);
        }
    }
    answer.to_string().into()
}
