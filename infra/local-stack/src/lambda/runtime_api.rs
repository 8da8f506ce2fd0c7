//! The Lambda Runtime API: where a function's process asks for its next event and leaves its answer.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{InvokeError, MAX_PAYLOAD};
use crate::index::now_ms;

/// An event on its way to a process.
pub(super) struct Work {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    /// Told when the process has taken the event, which starts the clock.
    pub(super) taken: oneshot::Sender<()>,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// What a process answers.
pub(super) type Reply = Result<Bytes, InvokeError>;

/// The desks of all processes, one for each.
#[derive(Clone, Default)]
pub(super) struct Desks(Arc<Mutex<HashMap<String, Arc<Desk>>>>);

/// Where one process is served.
pub(super) struct Desk {
    arn: String,
    timeout: Duration,
    work: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    /// The request at work, and who waits for its reply.
    current: Mutex<Option<(String, oneshot::Sender<Reply>)>>,
}

impl Desks {
    /// Opens a desk. Events sent down the channel go to the process that asks under that name.
    pub(super) fn open(&self, instance: &str, arn: &str, timeout: Duration) -> mpsc::Sender<Work> {
        let (sender, work) = mpsc::channel(1);
        let desk = Arc::new(Desk {
            arn: arn.to_owned(),
            timeout,
            work: tokio::sync::Mutex::new(work),
            current: Mutex::default(),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(instance.to_owned(), desk);
        sender
    }

    /// Closes the desk of a process that is gone.
    pub(super) fn close(&self, instance: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(instance);
    }

    fn find(&self, instance: &str) -> Result<Arc<Desk>, Refusal> {
        let desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desks.get(instance).cloned().ok_or(Refusal(StatusCode::FORBIDDEN, "InvalidInstance"))
    }
}

/// The API for the processes of these desks.
pub(super) fn router(desks: Desks) -> Router {
    Router::new()
        .route("/{instance}/2018-06-01/runtime/invocation/next", get(next))
        .route("/{instance}/2018-06-01/runtime/invocation/{request}/response", post(response))
        .route("/{instance}/2018-06-01/runtime/invocation/{request}/error", post(error))
        .route("/{instance}/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(desks)
}

/// An error in the API's own words.
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({ "errorType": self.1, "errorMessage": self.1 }))).into_response()
    }
}

const ACCEPTED: (StatusCode, &str) = (StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n");

async fn next(State(desks): State<Desks>, Path(instance): Path<String>) -> Result<Response, Refusal> {
    let gone = Refusal(StatusCode::GONE, "InstanceStopped");
    let desk = desks.find(&instance)?;
    // To drop this future, when the process hangs up, loses no event: none has been received then.
    let Some(work) = desk.work.lock().await.recv().await else {
        return Err(gone);
    };
    let deadline = now_ms() + i64::try_from(desk.timeout.as_millis()).unwrap_or_default();
    let response = Response::builder()
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &work.request_id)
        .header("Lambda-Runtime-Deadline-Ms", deadline)
        .header("Lambda-Runtime-Invoked-Function-Arn", &desk.arn)
        .header("Lambda-Runtime-Trace-Id", trace_id(&work.request_id))
        .body(Body::from(work.payload))
        .map_err(|_| Refusal(StatusCode::INTERNAL_SERVER_ERROR, "InvalidEvent"))?;
    *desk.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((work.request_id, work.reply));
    // Whoever waits may have given up meanwhile.
    let _ = work.taken.send(());
    Ok(response)
}

async fn response(
    State(desks): State<Desks>,
    Path((instance, request_id)): Path<(String, String)>,
    request: Request,
) -> Result<impl IntoResponse, Refusal> {
    let desk = desks.find(&instance)?;
    let reply = axum::body::to_bytes(request.into_body(), MAX_PAYLOAD).await.map_err(|_| InvokeError {
        kind: InvokeError::RESPONSE_TOO_LARGE.to_owned(),
        message: format!("Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."),
    });
    let too_large = reply.is_err();
    desk.answer(&request_id, reply)?;
    if too_large {
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"));
    }
    Ok(ACCEPTED)
}

async fn error(
    State(desks): State<Desks>,
    Path((instance, request_id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Refusal> {
    desks.find(&instance)?.answer(&request_id, Err(reported(&body)))?;
    Ok(ACCEPTED)
}

/// A process that can't even start: its first event fails with the reason.
async fn init_error(
    State(desks): State<Desks>,
    Path(instance): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse, Refusal> {
    let desk = desks.find(&instance)?;
    if let Some(work) = desk.work.lock().await.recv().await {
        let _ = work.reply.send(Err(reported(&body)));
    }
    Ok(ACCEPTED)
}

impl Desk {
    fn answer(&self, request_id: &str, reply: Reply) -> Result<(), Refusal> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.take() {
            Some((id, waiting)) if id == request_id => {
                let _ = waiting.send(reply);
                Ok(())
            }
            other => {
                *current = other;
                Err(Refusal(StatusCode::BAD_REQUEST, "InvalidRequestID"))
            }
        }
    }
}

fn reported(body: &[u8]) -> InvokeError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str, default: &str| body[name].as_str().unwrap_or(default).to_owned();
    InvokeError {
        kind: text("errorType", "Runtime.UnknownReason"),
        message: text("errorMessage", "the function gave no reason"),
    }
}

/// An X-Ray trace of one request, not sampled: nothing collects it here.
fn trace_id(request_id: &str) -> String {
    let random: String = request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
    format!("Root=1-{:08x}-{random:0<24};Sampled=0", now_ms() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_of_more_than_six_megabytes_is_none() {
        let desks = Desks::default();
        let work = desks.open("i", "arn", Duration::from_secs(1));
        for (bytes, fits) in [(MAX_PAYLOAD, true), (MAX_PAYLOAD + 1, false)] {
            let (taken, _was_taken) = oneshot::channel();
            let (reply, replied) = oneshot::channel();
            let event = Work { request_id: "r".to_owned(), payload: Bytes::new(), taken, reply };
            work.send(event).await.expect("there is room for one event");
            assert!(next(State(desks.clone()), Path("i".to_owned())).await.is_ok());
            let answer = Request::new(Body::from(vec![b' '; bytes]));
            let posted = response(State(desks.clone()), Path(("i".to_owned(), "r".to_owned())), answer).await;
            assert_eq!(posted.err().map(|refusal| refusal.0), (!fits).then_some(StatusCode::PAYLOAD_TOO_LARGE));
            let got = replied.await.expect("an answer");
            assert_eq!(got.as_ref().ok().map(Bytes::len), fits.then_some(bytes));
            assert_eq!(
                got.err().map(|error| error.kind).as_deref(),
                (!fits).then_some(InvokeError::RESPONSE_TOO_LARGE)
            );
        }
    }
}
