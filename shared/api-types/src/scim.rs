//! Keys by which a company's directory pushes users in, and how that goes.

use jiff::{Timestamp, civil::Date};
use rollcall_model::{audit::Actor, scim_key::ScimKey, user::Name};
use serde::{Deserialize, Serialize};

/// What is asked for with a new key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScimKeyRequest {
    /// What people call it.
    pub name: Option<Name>,
    /// Syncs with Entra ID end: from now on the directory pushes.
    pub instead_of_sync: bool,
}

/// A key, without what opens anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimKeyView {
    /// Its ID: who did something by it is `call:scim:{id}` in the audit trail.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: Actor,
    /// The day of its last use.
    pub last_used: Option<Date>,
}

impl From<ScimKey> for ScimKeyView {
    fn from(key: ScimKey) -> Self {
        let ScimKey { id, hash: _, name, created_by, created, last_used } = key;
        Self { id, name, created, created_by, last_used }
    }
}

/// A new key, with its token. **It is shown this once.**
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewScimKey {
    /// The key.
    #[serde(flatten)]
    pub key: ScimKeyView,
    /// What the directory shows with each request.
    pub token: String,
}

/// The account's keys, and what the directory was refused of late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimKeysView {
    /// The keys.
    pub items: Vec<ScimKeyView>,
    /// What was refused in the last two weeks, the latest first: of each user or group the last.
    pub errors: Vec<ScimErrorView>,
}

/// What was refused of a user or a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimErrorView {
    /// Whom it was about: a login ID, or what the directory calls it.
    pub about: String,
    /// When it was refused last.
    pub at: Timestamp,
    /// What was asked, such as `PATCH /Users/{id}`.
    pub route: String,
    /// The status of the answer.
    pub status: u16,
    /// Why, for programs: `uniqueness`, for instance.
    pub scim_type: Option<String>,
    /// Why, in a sentence.
    pub detail: String,
    /// How often it was refused.
    pub times: u64,
}
