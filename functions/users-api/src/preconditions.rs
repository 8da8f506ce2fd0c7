//! Entity tags, and what a request makes of them (RFC 9110, section 13).

use axum::{
    Json,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::problem::Problem;

/// The tag of a version.
pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Answers with a tagged value, or 304 when the client has it.
pub(crate) fn tagged(headers: &HeaderMap, tag: &str, value: &impl Serialize) -> Response {
    let etag = [(header::ETAG, tag.to_owned())];
    if named(headers, &header::IF_NONE_MATCH, tag) == Some(true) {
        return (StatusCode::NOT_MODIFIED, etag).into_response();
    }
    (etag, Json(value)).into_response()
}

/// Refuses a change that was decided on another version.
pub(crate) fn check_match(headers: &HeaderMap, tag: &str) -> Result<(), Problem> {
    if named(headers, &header::IF_MATCH, tag) == Some(false) { Err(Problem::changed()) } else { Ok(()) }
}

/// Whether a header names a tag; `None` without the header. Weak tags never match: ours are strong.
fn named(headers: &HeaderMap, header: &HeaderName, tag: &str) -> Option<bool> {
    let value = headers.get(header)?.to_str().unwrap_or_default();
    Some(value.split(',').map(str::trim).any(|named| named == "*" || named == tag))
}
