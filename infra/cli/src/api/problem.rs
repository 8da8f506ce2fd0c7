//! The API's no.

use http::StatusCode;
use rollcall_connectors::{ConnectorError, HttpResponse};
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

/// The body of a refusal: the function's, or the gateway's own.
#[derive(Default, Deserialize)]
struct ProblemBody {
    code: Option<String>,
    detail: Option<String>,
    message: Option<String>,
}

impl Problem {
    /// The problem that an answer is.
    pub(super) fn of(answer: &HttpResponse, token: &ApiToken) -> Self {
        let ProblemBody { code, detail, message } = serde_json::from_slice(&answer.body).unwrap_or_default();
        let status = answer.status.as_u16();
        let by_the_gateway = || match answer.status {
            StatusCode::UNAUTHORIZED => token.why_not_taken(),
            StatusCode::FORBIDDEN => "The token lacks the scope that this needs.".to_owned(),
            _ => message.map_or_else(|| format!("HTTP status {status}"), |message| format!("{message} ({status})")),
        };
        let mut detail = detail.unwrap_or_else(by_the_gateway);
        if answer.status == StatusCode::UNAUTHORIZED {
            detail.push_str(" Get a new one; see `rollcall help` on ROLLCALL_TOKEN.");
        }
        Self { status, code, detail }
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
