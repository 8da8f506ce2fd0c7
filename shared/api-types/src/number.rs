//! Numbers of the inventory.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    code::NumberWarning,
    inventory::{Dates, InventoryNumber, NumberFacts, SecondLook},
    jobs::JobId,
    user::Ref,
};
use serde::{Deserialize, Serialize};

/// A number, with what follows from what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberView {
    /// In E.164 form.
    pub number: CallerId,
    /// What may be edited of it.
    #[serde(flatten)]
    pub facts: NumberFacts,
    /// What follows from the states that it has been in.
    #[serde(flatten)]
    pub dates: Dates,
    /// The rotation that is taking it out of service. Lists don't take it any more; who has it may dial from it until then.
    pub reserved_by: Option<JobId>,
    /// What took its place when a rotation retired it.
    pub replaced_by: Option<CallerId>,
    /// When who has it is looked for once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_look: Option<SecondLook>,
    /// Raised by every change. It is the entity tag.
    pub version: u64,
    /// Whole days in service; absent out of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_in_service: Option<u32>,
    /// Whole days since it was flagged; absent for one that isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_since_flagged: Option<u32>,
    /// What may be wrong with it, and keeps nobody from using it.
    pub warnings: Vec<NumberWarningView>,
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberWarningView {
    /// For programs.
    pub code: NumberWarning,
    /// For people.
    pub message: Cow<'static, str>,
}

impl From<InventoryNumber> for NumberView {
    /// By itself: **without days**, which change while the number and its entity tag don't. Its dates say the same.
    fn from(number: InventoryNumber) -> Self {
        let warning = number.warning().map(|code| NumberWarningView { code, message: code.message().into() });
        let InventoryNumber { number, facts, dates, reserved_by, replaced_by, second_look, version, .. } = number;
        Self {
            number,
            facts,
            dates,
            reserved_by,
            replaced_by,
            second_look,
            version,
            days_in_service: None,
            days_since_flagged: None,
            warnings: warning.into_iter().collect(),
        }
    }
}

impl NumberView {
    /// In a list, as of this moment.
    pub fn listed(number: InventoryNumber, now: Timestamp) -> Self {
        let (days_in_service, days_since_flagged) =
            (number.dates.days_in_service(now), number.dates.days_since_flagged(now));
        Self { days_in_service, days_since_flagged, ..number.into() }
    }
}

/// What came of each number that was to come into the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedNumbers {
    /// Those that are new to the inventory.
    pub added: Vec<CallerId>,
    /// Those that were in it, and are as they were.
    pub taken: Vec<CallerId>,
}

/// How the account's numbers stand, at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSummary {
    /// How many there are.
    pub numbers: usize,
    /// How many are in each state.
    pub states: BTreeMap<String, usize>,
    /// From how many days in service on a number counts as due.
    pub due_days: u32,
    /// How many are due.
    pub due: usize,
    /// How many each department has, and how many belong to none.
    pub departments: Vec<DepartmentNumbers>,
}

/// The numbers of a department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentNumbers {
    /// The department, by ID; `None` for the numbers that belong to none.
    pub department: Option<Ref>,
    /// How many.
    pub numbers: usize,
    /// How many of these may be dialled from.
    pub usable: usize,
}
