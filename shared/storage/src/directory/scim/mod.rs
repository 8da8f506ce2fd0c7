//! What a company's directory pushes in by SCIM: documents beside users, groups, keys, and how it goes.

mod groups;
mod keys;
mod members;
mod state;
mod users;

pub(super) use keys::read_keys;

pub use groups::{GroupClaim, ScimGroup, group_claims};
pub use members::ScimMember;
pub use state::{ScimDay, ScimErrorNote};
pub use users::{ScimDocument, ScimUsers};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

use super::{Item, string};
use crate::StorageError;

/// What was sent, as JSON.
const DOCUMENT: &str = "document";
const VERSION: &str = "version";
const CREATED: &str = "created";
const MODIFIED: &str = "modified";
const EXPIRES: &str = "expires";

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn counted(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// What was sent, of an item.
fn sent(item: &Item, operation: &'static str) -> Result<Map<String, Value>, StorageError> {
    let text = string(item, DOCUMENT).unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| StorageError::unreadable(operation, error))
}

fn time(item: &Item, name: &str, operation: &'static str) -> Result<jiff::Timestamp, StorageError> {
    string(item, name).unwrap_or_default().parse().map_err(|error| StorageError::unreadable(operation, error))
}
