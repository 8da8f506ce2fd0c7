//! What goes wrong, in the words of RFC 9457.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_api_types::ProblemBody;
use rollcall_model::code::ApiCode;
use rollcall_storage::{ErrorKind, StorageError};

use crate::cursor::InvalidCursor;

/// A problem. `detail` is for whoever made the request; what an operator needs is in the log.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: ApiCode,
    detail: String,
    pointer: Option<String>,
}

/// The code of a problem, on the answer that tells it.
#[derive(Clone, Copy)]
pub(crate) struct Code(pub ApiCode);

impl Problem {
    pub(crate) fn new(status: StatusCode, code: ApiCode, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), pointer: None }
    }

    /// Says where it is.
    pub(crate) fn at(self, pointer: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), ..self }
    }

    /// Says in which part of the request it is.
    pub(crate) fn within(self, outer: &str) -> Self {
        let pointer = format!("{outer}{}", self.pointer.as_deref().unwrap_or_default());
        self.at(pointer)
    }

    pub(crate) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ApiCode::InvalidField, detail).at(pointer)
    }

    /// The same of a field of the body.
    pub(crate) fn of_field(self, pointer: &str) -> Self {
        Self::field(pointer, self.detail)
    }

    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ApiCode::InvalidParameter, detail).at(name)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, ApiCode::NotFound, format!("The account has no such {what}."))
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.code == ApiCode::NotFound
    }

    pub(crate) fn not_storable() -> Self {
        let detail = "The table can't store it: it would be larger than the 400 KB that an item can have.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ApiCode::NotStorable, detail)
    }

    pub(crate) fn changed() -> Self {
        let detail = "It has been changed since it was read. Read it again and repeat the change.";
        Self::new(StatusCode::PRECONDITION_FAILED, ApiCode::VersionConflict, detail)
    }
}

/// AWS fails. Whoever asked is told whether to try again, and nothing else. What the table can't store is theirs to mend.
impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = error.chain(), "a request failed");
        match error.kind {
            ErrorKind::NotStorable => Self::not_storable(),
            ErrorKind::Transient => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, ApiCode::Unavailable, "Please try again in a moment.")
            }
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, ApiCode::Internal, "Something went wrong on our side."),
        }
    }
}

impl From<InvalidCursor> for Problem {
    fn from(_: InvalidCursor) -> Self {
        let detail = "The cursor was not given out for this list. Begin without one.";
        Self::new(StatusCode::BAD_REQUEST, ApiCode::InvalidCursor, detail).at("cursor")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            r#type: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or_default().into(),
            status: self.status.as_u16(),
            code: self.code.as_str().into(),
            detail: self.detail,
            pointer: self.pointer,
        };
        let mut response = (self.status, Json(body)).into_response();
        let problem = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response.extensions_mut().insert(Code(self.code));
        response
    }
}
