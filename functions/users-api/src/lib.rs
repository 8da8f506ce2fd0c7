//! The directory's HTTP API.

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Every route of the API.
pub fn router() -> Router {
    Router::new().fallback(not_built)
}

/// A problem in RFC 9457's words.
async fn not_built() -> Response {
    let problem = json!({
        "type": "about:blank",
        "title": "Not Implemented",
        "status": StatusCode::NOT_IMPLEMENTED.as_u16(),
        "code": "NOT_IMPLEMENTED",
    });
    (StatusCode::NOT_IMPLEMENTED, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
}
