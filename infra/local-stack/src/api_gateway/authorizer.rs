//! Functions that say who is let in: Lambda authorizers of the type REQUEST, with payload format 2.0, simple answers, and a cache of what
//! they have said.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::{self, Call};
use crate::lambda::Functions;
use crate::template::RequestAuthorizer;

/// What is kept of answers at most: whoever makes up headers fills no memory.
const KEPT: usize = 10_000;

/// What was said of a caller.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Authorized {
    /// It is let in, with what the function behind is told.
    Yes(Value),
    /// It isn't.
    No(StatusCode),
}

/// What functions have said, as long as it counts.
#[derive(Default)]
pub(super) struct Authorizers {
    said: Mutex<HashMap<Shown, Said>>,
}

/// An authorizer's name, and the header.
type Shown = (String, String);
/// Until when, and what.
type Said = (Instant, Authorized);

/// The simple answer of a function.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Simple {
    is_authorized: bool,
    #[serde(default)]
    context: Option<Value>,
}

impl Authorizers {
    /// Asks whether whoever shows this header is let in. Without the header, the function isn't asked.
    pub(super) async fn ask(
        &self,
        functions: &Functions,
        by: &RequestAuthorizer,
        header: Option<&str>,
        call: Call<'_>,
    ) -> Authorized {
        let Some(header) = header.filter(|header| !header.is_empty()) else {
            return Authorized::No(StatusCode::UNAUTHORIZED);
        };
        let key = (by.name.clone(), header.to_owned());
        if let Some(said) = self.said(&key) {
            return said;
        }
        let Some(event) = event_of(header, call) else { return Authorized::No(StatusCode::INTERNAL_SERVER_ERROR) };
        let answer = match functions.invoke(&by.function, event.into()).await {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::warn!(function.name = by.function, error = %failure, "an authorizer gave no answer");
                return Authorized::No(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        let Ok(Simple { is_authorized, context }) = serde_json::from_slice(&answer) else {
            return Authorized::No(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let said = if is_authorized {
            Authorized::Yes(context.unwrap_or_else(|| json!({})))
        } else {
            Authorized::No(StatusCode::FORBIDDEN)
        };
        self.keep(key, by, said.clone());
        said
    }

    fn said(&self, key: &Shown) -> Option<Authorized> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.get(key).filter(|(until, _)| Instant::now() < *until).map(|(_, said)| said.clone())
    }

    /// What is refused is kept as long as what isn't.
    fn keep(&self, key: Shown, by: &RequestAuthorizer, said: Authorized) {
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.retain(|_, (until, _)| Instant::now() < *until);
        }
        if all.len() < KEPT && !by.ttl.is_zero() {
            all.insert(key, (Instant::now() + by.ttl, said));
        }
    }
}

/// What the function is shown: the request without its body.
fn event_of(header: &str, call: Call<'_>) -> Option<Vec<u8>> {
    let arn = format!("arn:aws:execute-api:::{}/$default/{}", call.api, call.request.uri.path());
    let mut event: Value = serde_json::from_slice(&event::event(call).ok()?).ok()?;
    let fields = event.as_object_mut()?;
    fields.remove("isBase64Encoded");
    fields.insert("type".to_owned(), "REQUEST".into());
    fields.insert("routeArn".to_owned(), arn.into());
    fields.insert("identitySource".to_owned(), json!([header]));
    serde_json::to_vec(&event).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn by(seconds: u64) -> RequestAuthorizer {
        RequestAuthorizer { name: "Key".to_owned(), function: "f".to_owned(), ttl: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_was_said_counts_as_long_as_the_template_says_and_for_that_header_alone() {
        let (kept, not_kept) = (Authorizers::default(), Authorizers::default());
        let key = |header: &str| ("Key".to_owned(), header.to_owned());
        let (yes, no) = (Authorized::Yes(json!({ "account": "acme" })), Authorized::No(StatusCode::FORBIDDEN));
        kept.keep(key("a"), &by(60), yes.clone());
        kept.keep(key("b"), &by(60), no.clone());
        not_kept.keep(key("a"), &by(0), yes.clone());
        assert_eq!([kept.said(&key("a")), kept.said(&key("b"))], [Some(yes), Some(no)]);
        assert!(kept.said(&key("c")).is_none() && kept.said(&("Other".to_owned(), "a".to_owned())).is_none());
        assert!(not_kept.said(&key("a")).is_none());
    }

    #[test]
    fn the_function_is_shown_the_request_without_its_body() {
        let request =
            axum::http::Request::post("/scim/v2/Users?x=1").header("Host", "127.0.0.1:80").body(()).expect("a request");
        let (request, ()) = request.into_parts();
        let call = Call {
            api: "api",
            request: &request,
            body: &[],
            id: "id",
            time: jiff::Timestamp::UNIX_EPOCH,
            route: "ANY /scim/v2/{proxy+}",
            parameters: [("proxy", "Users".to_owned())].into(),
            caller: None,
        };
        let event: Value = serde_json::from_slice(&event_of("Bearer x", call).expect("an event")).expect("JSON");
        assert_eq!((&event["type"], &event["version"]), (&json!("REQUEST"), &json!("2.0")));
        assert_eq!((&event["identitySource"], event.get("body")), (&json!(["Bearer x"]), None));
        assert_eq!(event["pathParameters"], json!({ "proxy": "Users" }));
    }
}
