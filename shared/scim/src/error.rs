//! What a client is told when something can't be done (RFC 7644, section 3.12).

use serde_json::{Value, json};

/// The schema of an error.
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Why a request is refused, as SCIM names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    /// The filter can't be read, or asks for what isn't looked up.
    InvalidFilter,
    /// Too much at once.
    TooMany,
    /// Somebody else has it.
    Uniqueness,
    /// It can't be changed.
    Mutability,
    /// The body can't be read.
    InvalidSyntax,
    /// The path of an operation can't be read.
    InvalidPath,
    /// An operation that needs a path has none.
    NoTarget,
    /// A value can't be.
    InvalidValue,
}

impl ScimType {
    /// As it stands in an answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// The status of the answer.
    pub status: u16,
    /// Why, for programs.
    pub kind: Option<ScimType>,
    /// Why, in a sentence, for whoever reads the client's log.
    pub detail: String,
}

impl ScimError {
    /// A request that can't be, with status 400.
    pub fn bad(kind: ScimType, detail: impl Into<String>) -> Self {
        Self { status: 400, kind: Some(kind), detail: detail.into() }
    }

    /// Somebody else has it: 409. Clients fall back to the record that is there by `scimType`.
    pub fn taken(detail: impl Into<String>) -> Self {
        Self { status: 409, kind: Some(ScimType::Uniqueness), detail: detail.into() }
    }

    /// One of another status.
    pub fn of(status: u16, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into() }
    }

    /// As it is answered. **The status is a text**: clients read it as one.
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR], "status": self.status.to_string(), "detail": self.detail });
        if let Some(kind) = self.kind {
            body["scimType"] = kind.as_str().into();
        }
        body
    }
}
