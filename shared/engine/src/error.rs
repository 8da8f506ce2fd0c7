//! What goes wrong between us and the world.

use std::fmt;

/// An operation on the world that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed ({kind})")]
pub struct StorageError {
    /// What was being done, in the words of the domain.
    pub operation: &'static str,
    /// What that means for whoever asked.
    pub kind: ErrorKind,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service can't answer now, or asks for patience. The same request may pass later.
    Transient,
    /// The condition of a write does not hold: somebody else was first.
    Conflict,
    /// It isn't there.
    NotFound,
    /// The table can't store it, now or later: an item or a key would be larger than it takes, or the request breaks another rule of
    /// the table's.
    NotStorable,
    /// A permission is missing. Whoever runs the stack may give it; then the same request passes.
    Denied,
    /// The service will not do it, now or later: a bad request, something that can't be read.
    Refused,
}

impl ErrorKind {
    /// Whether trying the same again is no use: nothing has failed that passes by itself.
    pub fn is_final(self) -> bool {
        match self {
            Self::Transient | Self::Conflict | Self::Denied => false,
            Self::NotFound | Self::NotStorable | Self::Refused => true,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "the service can't answer now",
            Self::Conflict => "somebody else was first",
            Self::NotFound => "it isn't there",
            Self::NotStorable => "the table can't store it",
            Self::Denied => "a permission is missing",
            Self::Refused => "the service refused",
        })
    }
}

impl StorageError {
    /// An operation failed by this.
    pub fn new(
        operation: &'static str,
        kind: ErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { operation, kind, source: source.into() }
    }

    /// Something that was read makes no sense, or is missing where it must be. Reading it again won't help.
    pub fn unreadable(operation: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, kind: ErrorKind::Refused, source: source.into() }
    }

    /// A connection broke, or a service asked for patience until none was left.
    pub fn transient(operation: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, kind: ErrorKind::Transient, source: source.into() }
    }

    /// The operation, what it means and every cause, on one line: for the log and a job's record.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause: Option<&dyn std::error::Error> = Some(self.source.as_ref());
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
