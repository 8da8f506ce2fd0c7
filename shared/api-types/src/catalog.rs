//! Roles, departments and teams.

use rollcall_model::{
    catalog::CatalogEntry,
    user::{Name, Ref},
};
use serde::{Deserialize, Serialize};

/// One entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntryView {
    /// Its ID, which users carry.
    pub id: Ref,
    /// The name that people know it by.
    pub name: Name,
}

impl From<CatalogEntry> for CatalogEntryView {
    fn from(CatalogEntry { id, name }: CatalogEntry) -> Self {
        Self { id, name }
    }
}

/// All entries of a kind: catalogues are short and have no pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogView {
    /// The entries, by ID.
    pub items: Vec<CatalogEntryView>,
}

/// What may be said of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogEntryRequest {
    /// The name that people know it by.
    pub name: Name,
}

/// What a request has done that takes an entry away with more users than it moves at once. The same request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedView {
    /// Users who have another entry now.
    pub moved: usize,
}
