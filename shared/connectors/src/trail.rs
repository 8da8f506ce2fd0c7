//! The pages of a list, each read once.

use std::collections::HashSet;

use crate::{ConnectorError, FailureKind};

/// Remembers where a list has led: a place that comes again would come for ever.
pub struct Trail {
    operation: &'static str,
    seen: HashSet<String>,
}

impl Trail {
    /// A list of which no page was read. Errors name the operation.
    pub fn new(operation: &'static str) -> Self {
        Self { operation, seen: HashSet::new() }
    }

    /// Goes on to the next page, by its link, its token, or whatever names it.
    ///
    /// # Errors
    /// [`FailureKind::Malformed`] for a page that was read before.
    pub fn follow(&mut self, place: &str) -> Result<(), ConnectorError> {
        if self.seen.insert(place.to_owned()) {
            Ok(())
        } else {
            Err(ConnectorError::new(
                self.operation,
                FailureKind::Malformed,
                "a list leads back to a page that was read",
            ))
        }
    }
}
