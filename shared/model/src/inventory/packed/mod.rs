//! An account's whole inventory in a few bytes a number, so that it is read whole at a hundredth of what its items cost.
//!
//! Numbers of one account are much alike: they are bought together and stand in the same state. So a part holds the differences
//! between neighbouring numbers, and what many numbers have in common is held once. Nothing of a number is left out.

mod part;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use rollcall_tabular::text;

use super::{Dates, InventoryNumber};
use crate::{
    caller_id::{CallerId, MAX_DIGITS},
    phone_side::DialPermission,
    user::Policy,
};

pub use part::{Part, Standing, Unreadable};

/// An account's numbers, in order.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    parts: Vec<Arc<Part>>,
    /// The numbers by their providers' spellings. Made when one is first asked for.
    of_providers: OnceLock<HashMap<Box<str>, CallerId>>,
}

/// A country code has one to three digits (ITU-T E.164, section 6.2.1).
const COUNTRY_CODES: u64 = 1_000;

/// One number of an inventory, as it is looked at in passing.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The number.
    pub number: CallerId,
    /// How it stands.
    pub standing: &'a Standing,
    /// Since when.
    pub dates: &'a Dates,
}

impl Inventory {
    /// An inventory of these parts, which are in order.
    pub fn of_parts(parts: Vec<Arc<Part>>) -> Self {
        let parts = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self { parts, of_providers: OnceLock::new() }
    }

    /// An inventory of these numbers.
    pub fn of(numbers: Vec<InventoryNumber>) -> Self {
        Self::of_parts(vec![Arc::new(Part::of(numbers))])
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether the account keeps no inventory.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// One number, whole.
    pub fn get(&self, number: CallerId) -> Option<InventoryNumber> {
        self.find(number).map(|(part, at)| part.whole(at))
    }

    /// How one number stands.
    pub fn listed(&self, number: CallerId) -> Option<Listed<'_>> {
        self.find(number).map(|(part, at)| part.listed(at))
    }

    /// The number that a provider spells so, but for padding around it; the first, where two have the same spelling.
    pub fn of_provider(&self, spelling: &str) -> Option<CallerId> {
        let of_providers = self.of_providers.get_or_init(|| {
            let mut of_providers = HashMap::new();
            for (number, provider) in self.parts.iter().flat_map(|part| part.providers()) {
                of_providers.entry(text::trim(provider.as_str()).into()).or_insert(*number);
            }
            of_providers
        });
        of_providers.get(spelling).copied()
    }

    /// The numbers that are these digits behind some one to three others, in order.
    pub(crate) fn behind_a_country_code(&self, digits: &str) -> Vec<CallerId> {
        let mut found = Vec::new();
        let plausible = digits.len() < MAX_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
        let Some(value) = digits.parse::<u64>().ok().filter(|_| plausible) else { return found };
        let step = digits.bytes().fold(1, |step, _| step * 10);
        let mut from = step;
        // From code to code that some number has.
        while let Some(code) =
            self.at_least(from).map(|number| number.get() / step).filter(|code| *code < COUNTRY_CODES)
        {
            let wanted = code * step + value;
            found.extend(self.at_least(wanted).filter(|number| number.get() == wanted));
            from = (code + 1) * step;
        }
        found
    }

    /// The lowest number that is no lower than these digits.
    fn at_least(&self, digits: u64) -> Option<CallerId> {
        let part = self.parts.partition_point(|part| part.last().is_some_and(|last| last.get() < digits));
        self.parts.get(part)?.at_least(digits)
    }

    /// Every number, in passing.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Listed<'_>> {
        self.parts.iter().flat_map(|part| (0..part.len()).map(|at| part.listed(at)))
    }

    /// Every number, whole: some hundreds of bytes each.
    pub fn whole(&self) -> impl Iterator<Item = InventoryNumber> {
        self.parts.iter().flat_map(|part| (0..part.len()).map(|at| part.whole(at)))
    }

    /// The numbers that a permission allows now, in order: those of its policy that are in the inventory and usable.
    ///
    /// **Resting and retired numbers are never among them.** An account without an inventory goes by the lists alone.
    pub fn allowed(&self, permission: &DialPermission) -> Vec<CallerId> {
        if self.is_empty() {
            return if permission.policy == Policy::Custom { permission.caller_ids.clone() } else { Vec::new() };
        }
        match permission.policy {
            Policy::Custom => {
                let usable =
                    |number: &CallerId| self.listed(*number).is_some_and(|item| item.standing.state.is_usable());
                permission.caller_ids.iter().copied().filter(usable).collect()
            }
            Policy::All | Policy::Department => {
                let allowed = |standing: &Standing| standing.is_allowed(permission);
                self.parts.iter().flat_map(|part| part.standing(allowed)).collect()
            }
        }
    }

    /// Whether a permission allows a number now.
    pub fn allows(&self, permission: &DialPermission, number: CallerId) -> bool {
        let on_list = || permission.policy == Policy::Custom && permission.caller_ids.binary_search(&number).is_ok();
        match self.listed(number) {
            Some(Listed { standing, .. }) if permission.policy == Policy::Custom => {
                standing.state.is_usable() && on_list()
            }
            Some(Listed { standing, .. }) => standing.is_allowed(permission),
            None => self.is_empty() && on_list(),
        }
    }

    fn find(&self, number: CallerId) -> Option<(&Part, usize)> {
        let part = self.parts.partition_point(|part| part.first() <= Some(number)).checked_sub(1)?;
        let part = &self.parts[part];
        Some((part, part.find(number)?))
    }
}
