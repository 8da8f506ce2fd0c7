//! SCIM 2.0 (RFC 7643, RFC 7644), as far as Entra ID, Okta and their like speak it: resources, paths, filters, changes, what is
//! announced. Pure, and without a word of the directory: what a resource means for a user is told as texts.
//!
//! **A resource is kept as it was sent.** What nobody here has a place for is kept and shown like the rest, since clients compare what
//! they read with what they have, and send it again for ever where it differs.

pub mod discovery;
mod document;
mod error;
mod filter;
mod group;
mod list;
mod names;
mod patch;
mod path;
mod projection;
mod select;
mod tombstone;
mod values;

pub use document::{Document, MAX_BYTES};
pub use error::{ScimError, ScimType};
pub use filter::{Filter, Term};
pub use group::{Group, MemberChanges};
pub use list::{Page, list_response, search_request};
pub use names::{CORE_GROUP, CORE_USER, ENTERPRISE, LIST_RESPONSE, PATCH_OP, SEARCH_REQUEST};
pub use patch::{MAX_OPERATIONS, Operation, Verb, operations};
pub use path::Path;
pub use projection::Projection;
pub use select::Selection;
pub use tombstone::without_tombstone;
