//! Mappings of CRM users, and the phone system that they lead to.

use jiff::Timestamp;
use rollcall_bulk::resync::state::{Ended, ResyncState, Resynced};
use rollcall_model::{
    caller_id::CallerId,
    mapping::{CrmUserId, GivenMapping, Mapping, MappingState},
    phone_side::DialPermission,
    settings::PhoneSystem,
};
use serde::{Deserialize, Serialize};

/// A CRM user, and whom of the phone system it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingView {
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
    /// Raised by every change. It is the entity tag.
    pub version: u64,
}

impl From<Mapping> for MappingView {
    fn from(mapping: Mapping) -> Self {
        let Mapping { crm_user, given, state, permission, changed, version, .. } = mapping;
        Self { crm_user, given, state, permission, changed, version }
    }
}

/// What a CRM user sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibleCallerIds {
    /// The CRM user.
    pub crm_user: CrmUserId,
    /// In order. Resting and retired numbers are never among them.
    pub caller_ids: Vec<CallerId>,
    /// When a resync last changed whom the CRM user is, or what that one might dial from.
    pub resynced: Option<Timestamp>,
}

/// How the account stands with its resyncs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncView {
    /// The last that was carried out.
    pub done: Option<Resynced>,
    /// The last that was not, if none has been carried out since.
    pub ended: Option<Ended>,
    /// One holds, and waits for a person. Until then the schedule asks for no other.
    pub on_hold: bool,
}

impl From<ResyncState> for ResyncView {
    fn from(state: ResyncState) -> Self {
        Self { on_hold: state.is_on_hold(), done: state.done, ended: state.ended }
    }
}

/// The account's phone system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneSystemChoice {
    /// Which it is.
    pub system: PhoneSystem,
}
