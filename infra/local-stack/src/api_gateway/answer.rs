//! What a caller gets: the function's answer, or an error of API Gateway's own.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::lambda::InvokeError;

/// The type of an answer that names none.
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Headers that belong to the connection, which is not the function's.
const CONNECTION: [HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// An answer in API Gateway's form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// An error of API Gateway. It says no more than its status does, and of an answer that is too large not even that.
pub(super) fn error(status: StatusCode) -> Response {
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::BAD_GATEWAY => "Internal Server Error",
        status => status.canonical_reason().unwrap_or_default(),
    };
    respond(status, JSON, format!(r#"{{"message":"{message}"}}"#))
}

/// A JSON document.
pub(super) fn document(value: &Value) -> Response {
    respond(StatusCode::OK, JSON, value.to_string())
}

/// The answer of a function.
pub(super) fn of_function(answer: &Bytes) -> Response {
    // A list would pass for one, too.
    if answer.trim_ascii_start().starts_with(b"{")
        && let Ok(answer) = serde_json::from_slice(answer)
    {
        return formed(answer).unwrap_or_else(|| error(StatusCode::INTERNAL_SERVER_ERROR));
    }
    // Without a status, all of it is the body.
    match serde_json::from_slice(answer) {
        Ok(Value::Object(answer)) if answer.contains_key("statusCode") => error(StatusCode::INTERNAL_SERVER_ERROR),
        Ok(Value::String(text)) => respond(StatusCode::OK, JSON, text),
        Ok(_) => respond(StatusCode::OK, JSON, answer.clone()),
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What is said of a function that gave no answer.
pub(super) fn of_failure(failure: &InvokeError) -> Response {
    error(match failure.kind.as_str() {
        InvokeError::REQUEST_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        InvokeError::RESPONSE_TOO_LARGE => StatusCode::BAD_GATEWAY,
        InvokeError::UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

/// `None` if a part of it can't be sent.
fn formed(answer: Answer) -> Option<Response> {
    let body = answer.body.unwrap_or_default();
    let is_base64 = answer.is_base64_encoded == Some(true);
    let body = if is_base64 { BASE64_STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok().filter(|status| status.as_u16() >= 200)?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.unwrap_or_default() {
        let name = HeaderName::try_from(name).ok()?;
        let value = match value {
            Value::String(text) => HeaderValue::try_from(text),
            other => HeaderValue::try_from(other.to_string()),
        };
        if !CONNECTION.contains(&name) {
            headers.insert(name, value.ok()?);
        }
    }
    for cookie in answer.cookies.unwrap_or_default() {
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie).ok()?);
    }
    headers.entry(header::CONTENT_TYPE).or_insert(PLAIN);
    Some(response)
}

fn respond(status: StatusCode, kind: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(text: &'static str) -> (u16, String, Vec<(String, String)>) {
        let response = of_function(&Bytes::from_static(text.as_bytes()));
        let status = response.status().as_u16();
        let header =
            |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.to_str().expect("a text").to_owned());
        let headers = response.headers().iter().map(header).collect();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned(), headers)
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    /// The examples of the page that the module names.
    #[tokio::test]
    async fn an_answer_without_a_status_is_the_body() {
        let json = [header("content-type", "application/json")];
        for (text, body) in [
            (r#""Hello from Lambda!""#, "Hello from Lambda!"),
            (r#"{ "message": "Hello" }"#, r#"{ "message": "Hello" }"#),
            ("[1]", "[1]"),
            ("null", "null"),
        ] {
            assert_eq!(answer(text).await, (200, body.to_owned(), json.to_vec()), "{text}");
        }
    }

    #[tokio::test]
    async fn an_answer_with_a_status_says_all_itself() {
        let (status, body, headers) = answer(
            r#"{"statusCode":201,"headers":{"X-A":"1","x-b":2,"Content-Length":"99"},"multiValueHeaders":{},
                "body":"w6k=","isBase64Encoded":true,"cookies":["a=1; Secure","b=2"]}"#,
        )
        .await;
        assert_eq!((status, body.as_str()), (201, "é"));
        for expected in [
            header("x-a", "1"),
            header("x-b", "2"),
            header("set-cookie", "a=1; Secure"),
            header("set-cookie", "b=2"),
            header("content-type", "text/plain;charset=UTF-8"),
        ] {
            assert!(headers.contains(&expected), "{expected:?} in {headers:?}");
        }
        assert_eq!(headers.len(), 5, "{headers:?}");
        assert_eq!(answer(r#"{"statusCode":204,"body":null,"headers":null,"cookies":null}"#).await.0, 204);
    }

    #[tokio::test]
    async fn a_function_without_an_answer_is_an_error_that_tells_nothing() {
        for (kind, status, message) in [
            (InvokeError::REQUEST_TOO_LARGE, 413, "Request Entity Too Large"),
            (InvokeError::RESPONSE_TOO_LARGE, 502, "Internal Server Error"),
            (InvokeError::UNAVAILABLE, 503, "Service Unavailable"),
            ("Runtime.ExitError", 500, "Internal Server Error"),
            ("Sandbox.Timedout", 500, "Internal Server Error"),
        ] {
            let failure = InvokeError { kind: kind.to_owned(), message: "a secret".to_owned() };
            let response = of_failure(&failure);
            assert_eq!(response.status().as_u16(), status, "{kind}");
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            assert_eq!(body, format!(r#"{{"message":"{message}"}}"#), "{kind}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_sent_is_an_error() {
        for text in [
            "",
            "no JSON",
            r#"{"statusCode":"x"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":100}"#,
            r#"{"statusCode":200,"body":{}}"#,
            r#"{"statusCode":200,"body":"*","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":{"a b":"1"}}"#,
            r#"{"statusCode":200,"headers":{"a":"1\n2"}}"#,
        ] {
            let (status, body, _) = answer(text).await;
            assert_eq!((status, body.as_str()), (500, r#"{"message":"Internal Server Error"}"#), "{text}");
        }
    }
}
