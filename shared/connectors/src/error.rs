//! What goes wrong between us and systems of others.

use std::fmt;

/// A request that came to nothing.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed ({kind})")]
pub struct ConnectorError {
    /// What was being done, in the words of the domain.
    pub operation: &'static str,
    /// What that means for whoever asked.
    pub kind: FailureKind,
    /// More of it, for an operator. Nothing that was sent or answered, but for a status and a code.
    detail: String,
}

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The system doesn't answer, or asks for more patience than there is. The same request may pass later.
    Unavailable,
    /// It doesn't take our credentials, or they don't allow this. A person must mend that.
    Denied,
    /// It will not do it, now or later: the request asks for what it can't do.
    Refused,
    /// What it answers makes no sense.
    Malformed,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the system can't answer now",
            Self::Denied => "the system denied our credentials",
            Self::Refused => "the system refused",
            Self::Malformed => "the answer makes no sense",
        })
    }
}

impl ConnectorError {
    /// An error of an operation, in words that hold nothing of what was sent or answered.
    pub fn new(operation: &'static str, kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { operation, kind, detail: detail.into() }
    }

    /// The operation, what it means and why, on one line: for the log and a job's record.
    pub fn chain(&self) -> String {
        format!("{self}: {}", self.detail)
    }
}
