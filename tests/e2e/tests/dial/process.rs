//! `rollcall edge` as a process, and APIs that it may meet.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use e2e::{Stack, binaries};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;
use tokio::net::TcpListener;

/// The edge, running. It ends when this is dropped.
pub(crate) struct Edge {
    child: Child,
    pub(crate) url: String,
    client: Client<HttpConnector, Body>,
}

/// What a switch is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub status: StatusCode,
    pub words: String,
    pub source: String,
}

impl Edge {
    /// For the stack on this machine.
    pub(crate) fn of_stack(stack: &Stack) -> Self {
        let dir = stack.dir().to_str().expect("a path");
        Self::start(&["--dir", dir, "edge", "--account", stack.account.as_str()], &[])
    }

    /// With these words of its command line after the command's own, and this in its environment.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binaries().join("rollcall"));
        let mut child = command
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .env_remove("ROLLCALL_TOKEN")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the edge starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("where it listens");
        let url = url.trim_end_matches('.').to_owned();
        Self { child, url, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Asks.
    pub(crate) async fn ask(&self, path: &str) -> Told {
        let address = format!("{}{path}", self.url).parse().expect("an address");
        let (parts, body) = self.client.get(address).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        let source = parts.headers.get("rollcall-source").and_then(|source| source.to_str().ok()).unwrap_or_default();
        let words = String::from_utf8_lossy(&body).into_owned();
        Told { status: parts.status, words, source: source.to_owned() }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How an API behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It allows everything, for no time at all.
    Allows,
    /// It takes the question, and never answers.
    Hangs,
    /// It is out of order.
    Fails,
}

/// An API that behaves as it is told, and the issuer of its tokens.
#[derive(Clone)]
pub(crate) struct FakeApi {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<String>>,
    /// The token that is good, and tokens that were asked for.
    token: AtomicUsize,
    credentials: Mutex<Vec<String>>,
}

impl FakeApi {
    /// One that allows everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Allows),
            asked: Mutex::default(),
            token: AtomicUsize::new(0),
            credentials: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// From now on it behaves so.
    pub(crate) fn become_(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// What it was asked, but for tokens: paths with their queries.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// No token that it gave is good any more.
    pub(crate) fn end_tokens(&self) {
        self.shared.token.fetch_add(1, Ordering::Relaxed);
    }

    /// By what it was asked for tokens.
    pub(crate) fn credentials(&self) -> Vec<String> {
        self.shared.credentials.lock().unwrap().clone()
    }

    /// The token that is good now.
    pub(crate) fn token(&self) -> String {
        token(self.shared.token.load(Ordering::Relaxed))
    }
}

fn token(number: usize) -> String {
    let claims = json!({ "custom:account": "acme", "jti": number });
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, request: Request) -> Response {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok()).unwrap_or_default();
    let good = token(shared.token.load(Ordering::Relaxed));
    if request.uri().path() == "/oauth2/token" {
        let body = request.into_body().collect().await.expect("a whole question").to_bytes();
        shared.credentials.lock().unwrap().push(format!("{shown} {}", String::from_utf8_lossy(&body)));
        let granted = json!({ "access_token": good, "token_type": "Bearer", "expires_in": 3600 });
        return axum::Json(granted).into_response();
    }
    shared.asked.lock().unwrap().push(request.uri().to_string());
    let mood = *shared.mood.lock().unwrap();
    match mood {
        Mood::Hangs => std::future::pending().await,
        Mood::Fails => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Allows if shown != format!("Bearer {good}") => StatusCode::UNAUTHORIZED.into_response(),
        Mood::Allows if request.uri().path().ends_with("/choices") => {
            let numbers =
                ["+912261234501", "+911161234502"].map(|number| json!({ "number": number, "flagged": false }));
            axum::Json(json!({ "numbers": numbers })).into_response()
        }
        Mood::Allows => {
            ([(header::CACHE_CONTROL, "private, max-age=0")], axum::Json(json!({ "allowed": true }))).into_response()
        }
    }
}
