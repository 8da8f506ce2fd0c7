//! The account's own numbers, and which of them a user may dial from.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    user::{Name, Policy, Ref, User},
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

/// The numbers that a user may dial from now, in order. An account without an inventory goes by the lists alone.
///
/// **Resting and retired numbers are never among them**, whatever the policy.
pub fn effective_caller_ids(user: &User, inventory: &[InventoryNumber]) -> Vec<CallerId> {
    let listed = |number: CallerId| user.caller_ids.contains(&number);
    if inventory.is_empty() {
        return if user.policy == Policy::Custom { user.caller_ids.clone() } else { Vec::new() };
    }
    let department = user.profile.department.as_ref();
    let mut numbers: Vec<CallerId> = inventory
        .iter()
        .filter(|item| item.facts.state.is_usable())
        .filter(|item| match user.policy {
            Policy::All => true,
            Policy::Department => department.is_some() && item.facts.department.as_ref() == department,
            Policy::Custom => listed(item.number),
        })
        .map(|item| item.number)
        .collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{LoginId, Profile};

    fn number(digits: &str, state: NumberState, department: Option<&str>) -> InventoryNumber {
        let department = department.map(|id| Ref::parse(id).unwrap());
        let facts = NumberFacts { state, department, ..NumberFacts::default() };
        InventoryNumber::new(CallerId::from_digits(digits).unwrap(), facts)
    }

    #[test]
    fn a_policy_resolves_against_the_inventory_and_never_to_a_resting_or_retired_number() {
        let inventory = [
            number("919800000001", NumberState::Active, Some("sales")),
            number("919800000002", NumberState::Flagged, None),
            number("919800000003", NumberState::Resting, Some("sales")),
            number("919800000004", NumberState::Retired, Some("sales")),
        ];
        let mut user = User::new(LoginId::parse("ana").unwrap(), Profile::named("Ana").unwrap());
        user.profile.department = Some(Ref::parse("sales").unwrap());
        user.caller_ids = inventory[1..].iter().map(|item| item.number).collect();
        let last = |policy, user: &mut User| {
            user.policy = policy;
            let numbers = effective_caller_ids(user, &inventory);
            numbers.iter().map(|number| number.digits().pop().unwrap()).collect::<String>()
        };
        assert_eq!(last(Policy::All, &mut user), "12");
        assert_eq!(last(Policy::Department, &mut user), "1");
        assert_eq!(last(Policy::Custom, &mut user), "2");
        user.profile.department = None;
        assert_eq!(last(Policy::Department, &mut user), "");
    }
}
