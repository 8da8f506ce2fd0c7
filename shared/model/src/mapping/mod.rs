//! Which numbers each user of a CRM sees.
//!
//! A mapping joins a CRM user to a user of the phone system, with a snapshot of what that one might dial from at the last
//! resync. **What a CRM user sees is the snapshot, resolved against the account's inventory, without resting and retired
//! numbers.** What changes on the phone side shows after the next resync.

mod explain;
mod matching;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use explain::{Explanation, ExplanationInput, ExplanationStep, Link};
pub use matching::{Match, MatchIndex};

use crate::{
    caller_id::CallerId,
    email::EmailAddress,
    inventory::{Inventory, InventoryNumber},
    phone_side::{DialPermission, PhoneUserId},
    text_value::text_value,
    user::{LoginId, Policy, User, fold},
    version::first_version,
};
use rollcall_tabular::text;

/// What the CRM calls one of its users: 1 to 128 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrmUserId(String);

/// The text is not a CRM's ID of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a CRM user's ID has 1 to {MAX_ID} characters, none of them a control character")]
pub struct NotACrmUser;

const MAX_ID: usize = 128;

text_value!(CrmUserId, NotACrmUser);

impl CrmUserId {
    /// Takes the text without the padding around it.
    ///
    /// # Errors
    /// [`NotACrmUser`].
    pub fn parse(given: &str) -> Result<Self, NotACrmUser> {
        let id = text::trim(given);
        let fits = (1..=MAX_ID).contains(&id.chars().count()) && !id.contains(char::is_control);
        if fits { Ok(Self(id.to_owned())) } else { Err(NotACrmUser) }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A CRM's users are personal data: a debug print shows the length alone.
impl fmt::Debug for CrmUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrmUserId({} bytes)", self.0.len())
    }
}

/// A CRM user, and whom of the phone system it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The CRM user.
    pub crm_user: CrmUserId,
    /// What a person has said of it.
    #[serde(flatten)]
    pub given: GivenMapping,
    /// Whom of the phone system it is.
    pub state: MappingState,
    /// What the phone user might dial from at the last resync. `None` before the first, and when the phone user is gone.
    pub permission: Option<DialPermission>,
    /// When the state or the permission last changed by a resync.
    pub changed: Option<Timestamp>,
    /// When that was read on the phone side which the permission was last set by. **What was read earlier is never written over it.**
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Timestamp>,
    /// Begins with [the time of creation](first_version), so that no later mapping of this CRM user has one that this one had. Raised by
    /// every change.
    pub version: u64,
}

/// What is said of a CRM user. A resync never changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenMapping {
    /// The CRM user's address: it finds the phone user.
    #[serde(default)]
    pub email: Option<EmailAddress>,
    /// The CRM user's login: it finds the phone user where no address does.
    #[serde(default)]
    pub login: Option<LoginId>,
    /// The phone user, where a person has chosen one. Nobody is looked for then.
    #[serde(default)]
    pub phone_user: Option<PhoneUserId>,
}

/// Whom of the phone system a CRM user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "is")]
#[strum(serialize_all = "snake_case")]
pub enum MappingState {
    /// Nobody has been found.
    Unmapped,
    /// Several could be it. A person chooses.
    Ambiguous {
        /// Who could be it.
        candidates: Vec<PhoneUserId>,
    },
    /// This one.
    Mapped {
        /// The phone user.
        phone_user: PhoneUserId,
    },
    /// The phone user is not there any more.
    Orphaned {
        /// Who it was.
        phone_user: PhoneUserId,
    },
}

impl MappingState {
    /// The phone user that it is, or was as long as that one was there.
    pub fn last_phone_user(&self) -> Option<&PhoneUserId> {
        match self {
            Self::Mapped { phone_user } | Self::Orphaned { phone_user } => Some(phone_user),
            Self::Unmapped | Self::Ambiguous { .. } => None,
        }
    }

    /// The phone user that it is now.
    pub fn phone_user(&self) -> Option<&PhoneUserId> {
        match self {
            Self::Mapped { phone_user } => Some(phone_user),
            _ => None,
        }
    }

    /// As it stands in records.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }
}

impl Mapping {
    /// A mapping that is made now, and that no resync has seen.
    pub fn new(crm_user: CrmUserId, given: GivenMapping, now: Timestamp) -> Self {
        let mut mapping = Self {
            crm_user,
            given,
            state: MappingState::Unmapped,
            permission: None,
            changed: None,
            read: None,
            version: first_version(now),
        };
        mapping.settle_state();
        mapping
    }

    /// The same with what is said of it now. Where that makes it somebody else's, the permission is gone until the next
    /// resync: nobody sees another's numbers.
    #[must_use]
    pub fn with(&self, given: GivenMapping) -> Self {
        let mut mapping = Self { given, version: self.version + 1, ..self.clone() };
        if mapping.given != self.given {
            mapping.settle_state();
            if mapping.phone_user() != self.phone_user() {
                mapping.permission = None;
            }
        }
        mapping
    }

    /// The phone user that it is mapped to.
    pub fn phone_user(&self) -> Option<&PhoneUserId> {
        self.state.phone_user()
    }

    /// Folded login IDs of those of our own users whom it is, was or could be, but for the one whom its address finds.
    pub fn logins(&self) -> impl Iterator<Item = String> {
        let ids = self.given.phone_user.iter().chain(self.state.last_phone_user()).map(PhoneUserId::as_str);
        ids.chain(self.given.login.iter().map(LoginId::as_str)).map(|id| fold(id).into_owned())
    }

    /// What the CRM user sees, in order.
    pub fn visible(&self, inventory: &Inventory) -> Vec<CallerId> {
        self.permission.as_ref().map(|permission| inventory.allowed(permission)).unwrap_or_default()
    }

    /// A person's choice counts at once; who else it could be, the next resync finds out.
    fn settle_state(&mut self) {
        self.state = match (&self.given.phone_user, &self.state) {
            (Some(chosen), _) => MappingState::Mapped { phone_user: chosen.clone() },
            (None, _) => MappingState::Unmapped,
        };
    }
}

impl DialPermission {
    /// What a user of our own directory may dial from: nothing, once the company's directory says that the user has left.
    pub fn of(user: &User) -> Self {
        match user.policy {
            _ if user.has_left() => Self::custom([]),
            Policy::All => Self::all(),
            Policy::Department => {
                Self { policy: Policy::Department, department: user.profile.department.clone(), caller_ids: Vec::new() }
            }
            Policy::Custom => Self::custom(user.caller_ids.iter().copied()),
        }
    }

    /// Whether a number of the inventory may be dialled from.
    pub fn allows(&self, item: &InventoryNumber) -> bool {
        item.facts.state.is_usable() && self.covers(item)
    }

    /// Whether the policy covers a number of the inventory, in service or not.
    pub fn covers(&self, item: &InventoryNumber) -> bool {
        match self.policy {
            Policy::All => true,
            Policy::Department => self.department.is_some() && item.facts.department == self.department,
            Policy::Custom => self.caller_ids.binary_search(&item.number).is_ok(),
        }
    }
}
