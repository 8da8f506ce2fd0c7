//! Pages of lists.

use jiff::Timestamp;
use rollcall_model::audit::AuditEntry;
use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last one. A page may be short, or empty, and have a next one: each reads a
    /// bounded part of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A page of the audit trail.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditPage {
    /// Its entries, the oldest first.
    #[serde(flatten)]
    pub page: Page<AuditEntry>,
    /// Nothing comes into the trail before this moment any more, and nothing after it is shown yet.
    pub settled_until: Timestamp,
}

impl<T> Page<T> {
    /// The page with each item as it is shown.
    pub fn map<V>(self, shown: impl FnMut(T) -> V) -> Page<V> {
        Page { items: self.items.into_iter().map(shown).collect(), next: self.next }
    }
}
