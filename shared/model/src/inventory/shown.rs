//! A number as people see it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{InventoryNumber, compliance};
use crate::code::NumberWarning;

/// A number, with what follows from what is kept of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NumberView {
    /// The number.
    #[serde(flatten)]
    pub number: InventoryNumber,
    /// Whole days in service; absent out of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_in_service: Option<u32>,
    /// Whole days since it was flagged; absent for one that isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_since_flagged: Option<u32>,
    /// What may be wrong with it, and keeps nobody from using it.
    pub warnings: Vec<Warned>,
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// For programs.
    pub code: NumberWarning,
    /// For people.
    pub message: Cow<'static, str>,
}

impl From<InventoryNumber> for NumberView {
    /// By itself: **without days**, which change while the number and its entity tag don't. Its dates say the same.
    fn from(number: InventoryNumber) -> Self {
        let warning = compliance::judge(number.number, number.facts.purpose);
        let warnings = warning.map(|code| Warned { code, message: code.message().into() });
        Self { number, days_in_service: None, days_since_flagged: None, warnings: warnings.into_iter().collect() }
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
