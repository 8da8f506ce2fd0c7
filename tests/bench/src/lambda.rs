//! What Lambda is to a function that is measured alone: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use e2e::Stack;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// Hands the same event out several times.
pub(crate) struct Lambda {
    /// Where a function finds it.
    pub(crate) address: String,
    signs: mpsc::Receiver<Instant>,
    server: JoinHandle<()>,
}

struct Runtime {
    event: Value,
    /// What an answer must hold.
    wanted: &'static str,
    calls: usize,
    asked: AtomicUsize,
    signs: mpsc::Sender<Instant>,
    /// How long it waits after each sign, so that somebody can look at the function.
    pause: Duration,
}

impl Lambda {
    pub(crate) async fn start(event: Value, wanted: &'static str, calls: usize, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port").to_string();
        let (send, signs) = mpsc::channel(calls + 1);
        let runtime = Runtime { event, wanted, calls, asked: AtomicUsize::default(), signs: send, pause };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .with_state(Arc::new(runtime));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, signs, server }
    }

    /// When the function asked for work first; then, when it gave each answer.
    pub(crate) async fn sign(&mut self) -> Instant {
        self.signs.recv().await.expect("the function says something")
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let now = Instant::now();
    let before = runtime.asked.fetch_add(1, Ordering::Relaxed);
    if before == 0 {
        let _ = runtime.signs.send(now).await;
        tokio::time::sleep(runtime.pause).await;
    }
    if before >= runtime.calls {
        std::future::pending::<()>().await;
    }
    let id = format!("00000000-0000-4000-8000-{:012}", before + 1);
    let headers = [
        ("lambda-runtime-aws-request-id", id.as_str()),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench"),
    ];
    (headers, runtime.event.to_string()).into_response()
}

async fn answer(State(runtime): State<Arc<Runtime>>, body: String) -> StatusCode {
    assert!(body.contains(runtime.wanted), "{body}");
    let _ = runtime.signs.send(Instant::now()).await;
    tokio::time::sleep(runtime.pause).await;
    StatusCode::ACCEPTED
}

/// A call of the API as the gateway tells it: of a user, or of nothing that there is.
pub(crate) fn call(stack: &Stack, route: &str, path: &str, scope: &str) -> Value {
    let names = route.split('/').zip(path.split('/'));
    let parameters: serde_json::Map<String, Value> = names
        .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?.to_owned(), value.into())))
        .collect();
    json!({
        "version": "2.0",
        "routeKey": format!("GET {route}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "pathParameters": parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "bench",
            "authorizer": { "jwt": {
                "claims": { "custom:account": stack.account.as_str(), "sub": "bench" },
                "scopes": [scope],
            } },
            "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1" },
            "requestId": "bench",
            "routeKey": format!("GET {route}"),
            "stage": "$default",
            "timeEpoch": 0,
        },
        "isBase64Encoded": false,
    })
}
