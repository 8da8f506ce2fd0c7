//! What a switch asks the edge over plain HTTP, and how it is answered: in words, since switches compare words.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rollcall_model::caller_id::CallerId;
use serde::Deserialize;
use serde_json::json;

use super::asker::{Asker, NoAnswer, Standing};
use super::question::{Check, Decision, Who};

/// What the routes share.
#[derive(Clone)]
pub struct Door {
    /// Who knows the answers.
    pub asker: Arc<Asker>,
    /// Trunks whose calls pass when nothing is known of them and nobody can be asked.
    pub fail_open: Arc<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfTrunk {
    trunk: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    user: Option<String>,
    extension: Option<String>,
    to: Option<String>,
}

const ALLOWED: HeaderName = HeaderName::from_static("rollcall-allowed");
const USE: HeaderName = HeaderName::from_static("rollcall-use");
const SOURCE: HeaderName = HeaderName::from_static("rollcall-source");

/// What a user, a number or a question can't be: the code that the API has for it.
const INVALID: &str = "INVALID_PARAMETER";
/// Nobody can be asked, and nothing is known.
const UNANSWERED: &str = "UNANSWERED";
/// The source of an answer that is the trunk's.
const TRUNK: &str = "trunk";

/// The routes.
pub fn router(door: Door) -> Router {
    Router::new()
        .route("/v1/users/{login}/caller-ids/{number}", get(of_user))
        .route("/v1/extensions/{extension}/caller-ids/{number}", get(of_extension))
        .route("/next", get(next))
        .route("/health", get(health))
        .with_state(door)
}

async fn of_user(
    State(door): State<Door>,
    Path((login, number)): Path<(String, String)>,
    Query(OfTrunk { trunk }): Query<OfTrunk>,
) -> Response {
    door.decide(Who::Login(login), &number, trunk.as_deref()).await
}

async fn of_extension(
    State(door): State<Door>,
    Path((extension, number)): Path<(String, String)>,
    Query(OfTrunk { trunk }): Query<OfTrunk>,
) -> Response {
    door.decide(Who::Extension(extension), &number, trunk.as_deref()).await
}

async fn next(State(door): State<Door>, Query(Next { user, extension, to }): Query<Next>) -> Response {
    let who = match (user, extension) {
        (Some(login), None) => Who::Login(login),
        (None, Some(extension)) => Who::Extension(extension),
        _ => return invalid("none"),
    };
    // A number that isn't in E.164 form has no area here; that is no reason to show none.
    let called = to.and_then(|to| number(&to));
    match door.asker.next(who, called).await {
        Ok((Ok(chosen), from)) => words(&chosen.to_string(), true, Some(chosen), from.into()),
        Ok((Err(code), from)) => words(&with_code("none", code.as_deref()), false, None, from.into()),
        Err(NoAnswer::Refused) => invalid("none"),
        Err(NoAnswer::Unknown) => words(&with_code("none", Some(UNANSWERED)), false, None, TRUNK),
    }
}

/// Whether all is well, for who watches over it. A switch needn't ask.
async fn health(State(door): State<Door>) -> Response {
    let Standing { asking, has_token, kept } = door.asker.standing();
    let status = if asking && has_token { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "asking": asking, "token": has_token, "kept": kept }))).into_response()
}

impl Door {
    async fn decide(&self, who: Who, written: &str, trunk: Option<&str>) -> Response {
        let Some(number) = number(written) else { return invalid("refused") };
        match self.asker.decide(Check { who, number }).await {
            Ok((Decision { allowed: true, .. }, from)) => words("allowed", true, None, from.into()),
            Ok((Decision { code, instead, .. }, from)) => {
                let mut said = with_code("refused", code.as_deref());
                said.extend(instead.map(|instead| format!(" {instead}")));
                words(&said, false, instead, from.into())
            }
            Err(NoAnswer::Refused) => invalid("refused"),
            Err(NoAnswer::Unknown) if trunk.is_some_and(|trunk| self.fail_open.contains(trunk)) => {
                words("allowed", true, None, TRUNK)
            }
            Err(NoAnswer::Unknown) => words(&with_code("refused", Some(UNANSWERED)), false, None, TRUNK),
        }
    }
}

/// A number in E.164 form, with or without its plus sign. Seven digits at least: shorter ones are service codes.
fn number(written: &str) -> Option<CallerId> {
    const SHORTEST: usize = 7;
    let digits = written.strip_prefix('+').unwrap_or(written);
    CallerId::from_digits(digits).ok().filter(|_| digits.len() >= SHORTEST)
}

fn with_code(word: &str, code: Option<&str>) -> String {
    code.map_or_else(|| word.to_owned(), |code| format!("{word} {code}"))
}

fn invalid(word: &str) -> Response {
    (StatusCode::BAD_REQUEST, with_code(word, Some(INVALID))).into_response()
}

fn words(said: &str, allowed: bool, instead: Option<CallerId>, source: &'static str) -> Response {
    let mut response = said.to_owned().into_response();
    let headers = response.headers_mut();
    // It is kept here for as long as it may be.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ALLOWED, HeaderValue::from_static(if allowed { "yes" } else { "no" }));
    headers.insert(SOURCE, HeaderValue::from_static(source));
    if let Some(instead) = instead.and_then(|number| HeaderValue::try_from(number.to_string()).ok()) {
        headers.insert(USE, instead);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_none() {
        for written in ["+919876500001", "919876500001", "+1234567"] {
            assert!(number(written).is_some(), "{written}");
        }
        for written in
            ["", "+", "d*|", "+0123456789", "09876500001", "+123456", "+1234567890123456", "+91 98765", "++9198765000"]
        {
            assert!(number(written).is_none(), "{written}");
        }
    }
}
