//! A system's no.

use http::StatusCode;

use crate::{ConnectorError, FailureKind};

/// An answer that is none: its status, and the system's own word for it where that can be told.
pub(crate) struct Refusal {
    pub status: StatusCode,
    code: Option<String>,
}

impl Refusal {
    /// The code is left out where it could be somebody's data.
    pub(crate) fn new(status: StatusCode, code: Option<String>) -> Self {
        Self { status, code: code.filter(|code| is_plain(code)) }
    }

    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|given| given.eq_ignore_ascii_case(code))
    }

    pub(crate) fn into_error(self, operation: &'static str) -> ConnectorError {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FailureKind::Denied,
            status if status.is_client_error() => FailureKind::Refused,
            // A success without an answer, or a redirection, which nobody gives that we ask.
            _ => FailureKind::Malformed,
        };
        self.told(operation, kind)
    }

    pub(crate) fn told(self, operation: &'static str, kind: FailureKind) -> ConnectorError {
        let status = self.status.as_u16();
        let told =
            self.code.map_or_else(|| format!("HTTP status {status}"), |code| format!("HTTP status {status}, {code}"));
        ConnectorError::new(operation, kind, told)
    }
}

/// A code that can be told: a word, and nobody's data.
fn is_plain(code: &str) -> bool {
    const LONGEST: usize = 64;
    (1..=LONGEST).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_code_is_told() {
        let told = |code: &str| Refusal::new(StatusCode::BAD_REQUEST, Some(code.to_owned())).into_error("x").chain();
        for code in ["Request_ResourceNotFound", "invalid_client", "300"] {
            assert!(told(code).ends_with(&format!("HTTP status 400, {code}")));
        }
        for text in ["", "User asha@example.com not found", &"x".repeat(65)] {
            assert!(told(text).ends_with("HTTP status 400"), "{text}");
        }
    }
}
