//! The account's own numbers, and which of them a user may dial from.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    user::{Name, Ref},
};

/// One number that the account has bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryNumber {
    /// In E.164 form.
    pub number: CallerId,
    /// What may be edited of it.
    #[serde(flatten)]
    pub facts: NumberFacts,
    /// Raised by every change.
    #[serde(default)]
    pub version: u64,
}

impl InventoryNumber {
    /// A number as it comes into the inventory.
    pub fn new(number: CallerId, facts: NumberFacts) -> Self {
        Self { number, facts, version: 1 }
    }

    /// The number in service again, if it rests and the day has come that its rest ends.
    pub fn rested(&self, today: Date) -> Option<Self> {
        let over = self.facts.state == NumberState::Resting && self.facts.resting_until.is_some_and(|day| day <= today);
        over.then(|| {
            let facts = NumberFacts { state: NumberState::Active, resting_until: None, ..self.facts.clone() };
            Self { facts, version: self.version + 1, ..self.clone() }
        })
    }
}

/// What may be edited of a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberFacts {
    /// How the provider writes it, where that is not the E.164 form. A file may use this spelling, even if no
    /// numbering plan knows it: Smartflo's own sample numbers have nine digits.
    #[serde(default)]
    pub provider: Option<Name>,
    /// Where it stands in its life.
    #[serde(default)]
    pub state: NumberState,
    /// Until which day it rests; set for a resting number, and for no other.
    #[serde(default)]
    pub resting_until: Option<Date>,
    /// The department that it belongs to, by ID.
    #[serde(default)]
    pub department: Option<Ref>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<Ref>,
}

/// Where a number stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberState {
    /// Bought, and not used yet.
    New,
    /// In service.
    #[default]
    Active,
    /// In service, though somebody takes it for spam.
    Flagged,
    /// Out of service until a day.
    Resting,
    /// Out of service for good: no list takes it any more.
    Retired,
}

impl NumberState {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Flagged => "flagged",
            Self::Resting => "resting",
            Self::Retired => "retired",
        }
    }

    /// Whether users may dial from such a number, whatever their policy.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Resting | Self::Retired)
    }
}

impl NumberFacts {
    /// Whether a day of rest is said just where there is one.
    pub fn is_consistent(&self) -> bool {
        self.resting_until.is_some() == (self.state == NumberState::Resting)
    }
}
