//! What a client gets.

use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use rollcall_scim::ScimError;
use rollcall_storage::{ErrorKind, StorageError};
use serde_json::Value;

/// The type of what is answered. Microsoft's validator stops at any other.
const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// An answer.
pub(crate) struct Answer {
    pub status: u16,
    pub body: Option<Value>,
    pub etag: Option<String>,
    pub location: Option<String>,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), etag: None, location: None }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, etag: None, location: None }
    }

    /// A resource, with the tag of its version.
    pub(crate) fn resource(status: u16, body: Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let location = if status == 201 { text("/meta/location") } else { None };
        Self { status, etag: text("/meta/version"), location, body: Some(body) }
    }

    pub(crate) fn scim_type(&self) -> Option<&str> {
        self.body.as_ref().filter(|_| self.status >= 400)?.get("scimType")?.as_str()
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = self.body.map_or(Body::Empty, |body| Body::Text(body.to_string()));
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, SCIM_JSON);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let told = [(header::ETAG, self.etag), (header::LOCATION, self.location)];
        for (name, value) in told {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        if self.status == 503 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<ScimError> for Answer {
    fn from(error: ScimError) -> Self {
        Self { body: Some(error.to_json()), ..Self::empty(error.status) }
    }
}

/// AWS fails. The client is told whether to try again, and nothing else.
pub(crate) fn failed(error: &StorageError) -> ScimError {
    tracing::error!(error = error.chain(), "a request failed");
    match error.kind {
        ErrorKind::NotStorable => {
            ScimError::bad(rollcall_scim::ScimType::InvalidValue, "The table can't store it: it is too large.")
        }
        ErrorKind::Transient => ScimError::of(503, "Please try again in a moment."),
        _ => ScimError::of(500, "Something went wrong on our side."),
    }
}

/// Whether a header of tags names a version. Whether a tag is weak makes no difference: all of ours are.
pub(crate) fn names(header: &str, version: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    header.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(version))
}

/// Refuses a change that was decided on another version.
pub(crate) fn check_match(if_match: Option<&str>, version: &str) -> Result<(), ScimError> {
    match if_match {
        Some(header) if !names(header, version) => {
            Err(ScimError::of(412, "It has been changed since it was read. Read it again and repeat the change."))
        }
        _ => Ok(()),
    }
}

pub(crate) fn changed_meanwhile() -> ScimError {
    ScimError::of(503, "It is being changed by others at the same time. Please try again in a moment.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_version_however_it_is_written() {
        for header in ["W/\"3\"", "\"3\"", "*", "W/\"2\", W/\"3\"", "3"] {
            assert!(names(header, "W/\"3\""), "{header}");
        }
        assert!(!names("W/\"2\"", "W/\"3\"") && !names("", "W/\"3\""));
        assert!(check_match(None, "W/\"3\"").is_ok());
        assert_eq!(check_match(Some("\"2\""), "W/\"3\"").unwrap_err().status, 412);
    }
}
