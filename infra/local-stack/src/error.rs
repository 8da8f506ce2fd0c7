//! Why the stack could not do something.

use std::error::Error as StdError;
use std::fmt;

/// What was being done, and the cause when there is one. `Display` names the operation alone; the cause is the source.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StackError {
    what: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of an operation of the stack.
pub type Result<T> = std::result::Result<T, StackError>;

impl StackError {
    /// An error that is its own explanation.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    /// The operation and every cause beneath it on one line, for a terminal.
    pub fn chain(&self) -> String {
        let mut line = self.what.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            next = cause.source();
        }
        line
    }
}

/// Names the operation that failed.
pub trait Context<T> {
    /// Keeps the error as the source of one that says what was being done.
    ///
    /// # Errors
    /// Where there was one before.
    fn context(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|source| StackError { what: what.to_string(), source: Some(source.into()) })
    }
}
