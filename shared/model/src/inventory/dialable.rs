//! Which users can dial from a number at all.

use std::collections::HashMap;

use super::InventoryNumber;
use crate::{
    caller_id::CallerId,
    user::{Policy, Ref},
};

/// Numbers that can be dialled from, to be held against many users.
#[derive(Clone, Debug, Default)]
pub struct DialableNumbers {
    numbers: HashMap<CallerId, Option<Ref>>,
    departments: HashMap<Ref, usize>,
    /// The account keeps no inventory: lists count alone.
    lists_alone: bool,
}

impl DialableNumbers {
    /// Those of an inventory that are in service.
    pub fn of(inventory: &[InventoryNumber]) -> Self {
        let usable = inventory.iter().filter(|item| item.facts.state.is_usable());
        let usable = usable.map(|item| (item.number, item.facts.department.as_ref()));
        Self { lists_alone: inventory.is_empty(), ..Self::these(usable) }
    }

    /// These, each with its department.
    pub fn these<'a>(numbers: impl IntoIterator<Item = (CallerId, Option<&'a Ref>)>) -> Self {
        let mut dialable = Self::default();
        for (number, department) in numbers {
            dialable.numbers.insert(number, department.cloned());
            if let Some(department) = department {
                *dialable.departments.entry(department.clone()).or_default() += 1;
            }
        }
        dialable
    }

    /// Whether this number is one.
    pub fn contains(&self, number: CallerId) -> bool {
        self.lists_alone || self.numbers.contains_key(&number)
    }

    /// Whether this number is one, and of this department.
    pub fn is_of(&self, number: CallerId, department: Option<&Ref>) -> bool {
        self.numbers.get(&number).is_some_and(|of| of.as_ref() == department)
    }

    /// Whether all of these are among others, each in the same department.
    pub fn is_within(&self, others: &Self) -> bool {
        self.numbers.iter().all(|(number, department)| others.numbers.get(number) == Some(department))
    }

    /// How many numbers somebody with this policy, department and list can dial from.
    pub fn count(&self, policy: Policy, department: Option<&Ref>, list: &[CallerId]) -> usize {
        match policy {
            Policy::Custom => list.iter().filter(|number| self.contains(**number)).count(),
            Policy::All => self.numbers.len(),
            Policy::Department => department.and_then(|id| self.departments.get(id)).copied().unwrap_or_default(),
        }
    }

    /// Whether somebody with this policy, department and list can dial from this number.
    pub fn allow(&self, policy: Policy, department: Option<&Ref>, list: &[CallerId], number: CallerId) -> bool {
        match policy {
            Policy::Custom => list.contains(&number) && self.contains(number),
            Policy::All => self.numbers.contains_key(&number),
            Policy::Department => department.is_some() && self.is_of(number, department),
        }
    }

    /// Whether somebody with this policy, department and list can dial from any.
    pub fn reach(&self, policy: Policy, department: Option<&Ref>, list: &[CallerId]) -> bool {
        match policy {
            Policy::Custom => list.iter().any(|number| self.contains(*number)),
            Policy::All | Policy::Department => self.count(policy, department, list) > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::inventory::{NumberFacts, NumberState};

    #[test]
    fn each_policy_reaches_what_it_covers_and_is_in_service() {
        let sales: Ref = Ref::parse("sales").unwrap();
        let number = |digit: u8| format!("+91987654321{digit}").parse::<CallerId>().unwrap();
        let item = |digit, state, department: Option<&Ref>| {
            let facts = NumberFacts { state, department: department.cloned(), ..NumberFacts::default() };
            InventoryNumber::new(number(digit), facts, Timestamp::UNIX_EPOCH)
        };
        let inventory = [
            item(0, NumberState::Active, None),
            item(1, NumberState::Flagged, Some(&sales)),
            item(2, NumberState::Retired, Some(&sales)),
        ];
        let dialable = DialableNumbers::of(&inventory);
        let count = |policy, list: &[CallerId]| dialable.count(policy, Some(&sales), list);
        assert_eq!([Policy::All, Policy::Department].map(|policy| count(policy, &[])), [2, 1]);
        assert_eq!([&[number(0), number(2)][..], &[number(2)]].map(|list| count(Policy::Custom, list)), [1, 0]);
        let allows = |policy, last| dialable.allow(policy, Some(&sales), &[number(0), number(2)], number(last));
        assert_eq!([0, 1, 2].map(|last| allows(Policy::Custom, last)), [true, false, false]);
        assert_eq!([0, 1, 2].map(|last| allows(Policy::Department, last)), [false, true, false]);
        assert_eq!([0, 1, 2].map(|last| allows(Policy::All, last)), [true, true, false]);
        assert!(!dialable.allow(Policy::Department, None, &[], number(0)), "nobody's department is none");
        assert!(!dialable.reach(Policy::Department, None, &[number(0)]));
        assert!(!dialable.reach(Policy::Custom, None, &[]));
        assert!(DialableNumbers::of(&[]).reach(Policy::Custom, None, &[number(2)]), "lists count alone");
        assert!(!DialableNumbers::of(&[]).reach(Policy::All, None, &[number(2)]));
    }
}
