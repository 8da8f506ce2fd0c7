//! `Idempotency-Key`: a POST that comes twice is done once, and answered alike.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use rollcall_model::{code::ApiCode, fingerprint::fingerprint};
use rollcall_storage::directory::{IdempotencyRecord, RecordedResponse};

use crate::{Api, caller::Caller, jobs::create, problem::Problem, scim_keys};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in bytes.
const MAX_KEY: usize = 128;
/// Longest answer that is kept, in bytes: an item of the table holds 400 KB, and as JSON in JSON an answer grows. Only an
/// append of a lot that is no number is answered at such length, and that is safe to repeat.
const MAX_KEPT: usize = 64 * 1024;
/// How long a request can be at work: the function's own limit, and the gateway's.
const WORK_SECONDS: i64 = 30;

/// Answers a POST with a key once; the same request later gets the same answer.
pub(crate) async fn answer_once(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    // The answer to who asks for a key of a directory holds a secret, and no secret is kept.
    let is_kept = request.method() == Method::POST && request.uri().path() != scim_keys::PATH;
    let key = request.headers().get(KEY).filter(|_| is_kept).cloned();
    match key {
        None => next.run(request).await,
        Some(key) => once(&api, &key, request, next).await.unwrap_or_else(Problem::into_response),
    }
}

async fn once(api: &Api, key: &HeaderValue, request: Request, next: Next) -> Result<Response, Problem> {
    let caller = Caller::of(request.extensions())?;
    let (account, subject) = (&caller.account, &caller.subject);
    let plain = |key: &&str| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key.to_str().ok().filter(plain);
    let key = key.ok_or_else(|| {
        Problem::parameter("Idempotency-Key", format!("A key has 1 to {MAX_KEY} visible ASCII characters."))
    })?;
    // Two callers may hit on the same key; neither is to see what the other was told.
    let key = hash([subject.as_deref().unwrap_or_default().as_bytes(), key.as_bytes()]);
    let (parts, body) = request.into_parts();
    let body = whole(body).await?;
    let fingerprint = hash([parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &body]);
    let now = Timestamp::now().as_second();
    let mut answer = IdempotencyRecord { request: fingerprint, working_until: now + WORK_SECONDS, given: None };
    if let Some(kept) = api.directory.begin_request(account, &key, &answer, now).await? {
        if kept.request != answer.request {
            let detail = "The same Idempotency-Key came with another request.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, ApiCode::IdempotencyKeyReused, detail));
        }
        let given = kept.given.ok_or_else(|| {
            let detail = "The first request with this Idempotency-Key is still at work.";
            Problem::new(StatusCode::CONFLICT, ApiCode::IdempotencyInProgress, detail)
        })?;
        // A link is good for minutes, and an answer is kept for a day.
        return if is_permission(&parts, &given) {
            create::again(api, &caller, &given.body).await
        } else {
            Ok(again(given))
        };
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // What we can't do now, and what a new token may be allowed, may be asked once more.
    if response.status().is_server_error() || response.status() == StatusCode::FORBIDDEN {
        api.directory.release_request(account, &key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = whole(body).await?;
    if body.len() > MAX_KEPT {
        api.directory.release_request(account, &key).await?;
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    let kept = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    answer.given = Some(RecordedResponse {
        status: parts.status.as_u16(),
        headers: kept.iter().filter_map(|name| Some((name.to_string(), text(name)?))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    api.directory.complete_request(account, &key, &answer, now).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Whether the answer gives a link to upload a file with.
fn is_permission(request: &Parts, given: &RecordedResponse) -> bool {
    request.uri.path() == "/v1/jobs" && given.status == StatusCode::CREATED.as_u16()
}

fn hash<const N: usize>(parts: [&[u8]; N]) -> String {
    hex::encode(fingerprint(parts))
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    let collected = body
        .collect()
        .await
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, ApiCode::MalformedJson, "The body could not be read."))?;
    Ok(collected.to_bytes())
}

fn again(given: RecordedResponse) -> Response {
    let mut response = Response::new(Body::from(given.body));
    *response.status_mut() = StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK);
    for (name, value) in given.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
