//! A stub of DynamoDB: it answers for users' items from memory, after a fixed time, and refuses what a table would refuse.
//!
//! The local engine takes a processor of its own for what AWS does elsewhere, so a client measured against it is measured
//! together with it. The stub answers in microseconds. It knows the few requests that concern users' lists; whatever else a
//! job asks (its own record, the account's settings and numbers) goes on to the engine behind.

mod lists;
mod wire;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use e2e::SeededRng;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

pub(crate) use lists::{Behaviour, Served};
use lists::{Lists, Write};

/// How long every request takes: what a small write takes on AWS, in the same region.
pub(crate) const LATENCY: Duration = Duration::from_millis(5);

/// A running stub.
pub(crate) struct Stub {
    /// Where clients find it.
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// The engine behind.
    engine: OnceLock<String>,
    client: Client<HttpConnector, Body>,
    draws: SeededRng,
    lists: Mutex<Lists>,
}

impl Stub {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a connection"));
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let shared = Arc::new(Shared {
            engine: OnceLock::new(),
            client: Client::builder(TokioExecutor::new()).build(connector),
            draws: SeededRng::default(),
            lists: Mutex::default(),
        });
        let limit = DefaultBodyLimit::max(16 << 20);
        let router = Router::new().fallback(answer).layer(limit).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Has everything that isn't about users' lists answered there.
    pub(crate) fn before(&self, engine: &str) {
        self.shared.engine.set(engine.to_owned()).expect("one engine");
    }

    /// Begins anew: `user1` to `user{users}`, without numbers, on a table that behaves so. Nothing has been served.
    pub(crate) fn begin(&self, users: usize, behaviour: Behaviour) {
        *self.shared.lists() = Lists::new(users, behaviour);
    }

    /// Forgets what was served, and keeps the lists.
    pub(crate) fn count_anew(&self) {
        self.shared.lists().served = Served::default();
    }

    /// What has been served.
    pub(crate) fn served(&self) -> Served {
        self.shared.lists().served.clone()
    }

    /// Numbers on all lists.
    pub(crate) fn numbers(&self) -> usize {
        self.shared.lists().numbers()
    }
}

impl Shared {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().expect("nothing panics with the lists")
    }

    /// The answer, if the request is about users' lists.
    fn serve(&self, target: &str, body: &[u8]) -> Option<Response> {
        let (status, answer) = match target {
            "BatchGetItem" => {
                let (table, logins) = wire::batch_get(body)?;
                let mut lists = self.lists();
                let items: Vec<_> =
                    logins.iter().filter_map(|(pk, user)| Some(wire::item(pk, lists.read((*user)?)?))).collect();
                (StatusCode::OK, wire::items(&table, &items))
            }
            "BatchExecuteStatement" => {
                let statements = wire::appends(body)?;
                let mut lists = self.lists();
                let answers: Vec<_> =
                    statements.iter().map(|append| wire::statement_answer(&self.write(&mut lists, append))).collect();
                (StatusCode::OK, wire::statement_answers(&answers))
            }
            "UpdateItem" => {
                let (user, numbers) = wire::update(body)?;
                wire::update_answer(&self.write(&mut self.lists(), &(user, numbers, None)))
            }
            _ => return None,
        };
        let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
        if self.draws.happens(self.lists().behaviour.dropped) {
            // An answer whose body breaks off is as good as none.
            let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
            return Some((status, headers, Body::from_stream(broken)).into_response());
        }
        Some((status, headers, answer).into_response())
    }

    fn write(&self, lists: &mut Lists, (user, numbers, room): &wire::Append) -> Write {
        if self.draws.happens(lists.behaviour.throttled) { lists.throttled() } else { lists.add(*user, numbers, *room) }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    tokio::time::sleep(LATENCY).await;
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
    if let Some(answer) = target.and_then(|target| shared.serve(target, &body)) {
        return answer;
    }
    let mut request = Request::post(shared.engine.get().expect("an engine behind"));
    *request.headers_mut().expect("a request") = headers;
    let request = request.body(Body::from(body)).expect("the request that came");
    match shared.client.request(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests;
