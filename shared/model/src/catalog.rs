//! What users refer to by an ID: roles, departments, teams.

use serde::{Deserialize, Serialize};

use crate::user::{Name, Ref};

/// A kind of thing in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogKind {
    /// What a user may do.
    Role,
    /// Where a user works, and what numbers belong to.
    Department,
    /// With whom a user works.
    Team,
}

/// One entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// Its ID, which users carry.
    pub id: Ref,
    /// The name that people know it by.
    pub name: Name,
}
