//! The API's no.

use http::{Method, StatusCode};
use rollcall_api_types::ProblemBody;
use rollcall_connectors::{ConnectorError, HttpRequest, HttpResponse};
use rollcall_model::code::ApiCode;
use serde::Deserialize;

use super::ApiToken;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody answers, or what is answered makes no sense.
    #[error("{}", .0.chain())]
    Broken(ConnectorError),
    /// The API refuses, and says why.
    #[error("{0}")]
    Refused(Problem),
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        Self::Broken(error)
    }
}

/// What the API says: the problem of the function (RFC 9457), or what the gateway says by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The answer's status.
    pub status: u16,
    /// The function's code for it, of which a later version may have others; the gateway has none.
    code: Option<String>,
    /// A sentence for whoever asked.
    pub detail: String,
}

/// What the gateway says by itself.
#[derive(Deserialize)]
struct GatewayMessage {
    message: String,
}

impl Problem {
    /// The problem that an answer is.
    pub(super) fn of(answer: &HttpResponse, token: &ApiToken, asked: &HttpRequest) -> Self {
        let status = answer.status.as_u16();
        if let Ok(ProblemBody { code, detail, .. }) = serde_json::from_slice(&answer.body) {
            return Self { status, code: Some(code.into_owned()), detail };
        }
        let detail = match answer.status {
            StatusCode::UNAUTHORIZED => {
                format!("{} Get a new one; see `rollcall help` on ROLLCALL_TOKEN.", token.why_not_taken())
            }
            StatusCode::FORBIDDEN => match scope(asked) {
                Some(scope) => format!("The token lacks the scope {scope}, which this needs."),
                None => "The token lacks the scope that this needs.".to_owned(),
            },
            _ => match serde_json::from_slice(&answer.body) {
                Ok(GatewayMessage { message }) => format!("{message} ({status})"),
                Err(_) => format!("HTTP status {status}"),
            },
        };
        Self { status, code: None, detail }
    }

    /// Whether the function says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.has_code(ApiCode::NotFound)
    }

    /// Whether the function's code is this one.
    pub fn has_code(&self, code: ApiCode) -> bool {
        self.code.as_deref() == Some(code.as_str())
    }
}

/// The scope that a route needs, by the collection that it is of: `infra/docs/api.md` has the table.
fn scope(asked: &HttpRequest) -> Option<String> {
    let path = asked.address.path();
    let collection = path.split('/').skip_while(|part| *part != "v1").nth(1)?;
    let what = match collection.trim_end_matches(".csv") {
        "users" | "agents" | "extensions" | "roles" | "departments" | "teams" => "users",
        "numbers" => "numbers",
        "mappings" | "phone-system" => "mappings",
        "directory" => "directory",
        "jobs" | "samples" => "jobs",
        "audit" => "audit",
        "settings" => "settings",
        _ => return None,
    };
    let way = if asked.method == Method::GET { "read" } else { "write" };
    Some(format!("rollcall/{what}.{way}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_named_by_the_route_that_needs_it() {
        let asked = |method: Method, path: &str| {
            let address = format!("https://api.example/stage/v1/{path}").parse().unwrap();
            scope(&HttpRequest { method, ..HttpRequest::get("asking", address) })
        };
        assert_eq!(asked(Method::GET, "numbers.csv").as_deref(), Some("rollcall/numbers.read"));
        assert_eq!(asked(Method::POST, "numbers/rotations").as_deref(), Some("rollcall/numbers.write"));
        assert_eq!(asked(Method::PUT, "phone-system").as_deref(), Some("rollcall/mappings.write"));
        assert_eq!(asked(Method::PATCH, "settings").as_deref(), Some("rollcall/settings.write"));
        assert_eq!(asked(Method::GET, "nothing"), None);
    }
}
