//! From what somebody typed to a caller ID of the account.
//!
//! Validity is not ownership: `1234567890` is a valid fixed line in India, and Smartflo's own sample numbers are valid
//! nowhere. So the account's inventory is asked first, in the spellings that its numbers have, and the rules of the
//! numbering plans second. Two numbers are never taken for the same because their last digits agree.

mod spelling;

use std::sync::Arc;

use hashbrown::HashMap;
use rollcall_tabular::text;

use self::spelling::{Digits, repair, unwrapped};
use crate::{
    caller_id::CallerId,
    code::RowCode,
    country::{Country, national_digits},
    inventory::{Inventory, InventoryNumber},
    tel_uri,
};

/// Reads numbers for one account.
pub struct NumberReader {
    country: Country,
    /// The account's numbers.
    inventory: Arc<Inventory>,
    /// How many they are.
    owned: usize,
    /// Whose a number is, and whether it is in service, is not asked.
    any: bool,
    /// What each spelling means that was met so far. A file holds few distinct spellings and many copies of each, so that the slow rules run once
    /// a spelling. **A spelling is never judged by another that was met before it**, or a row would be judged by the rows before it.
    digits: HashMap<Digits, Reading>,
    others: HashMap<Box<str>, Reading>,
}

/// What one written number turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A number that users may be given.
    Number {
        /// The number.
        number: CallerId,
        /// It was not written as E.164, with or without the plus sign, nor as the provider writes it, nor in plain
        /// national digits.
        unusual: bool,
    },
    /// Not one, and why.
    Refused(RowCode),
}

/// Spellings remembered at most, for each of the two kinds: bounds memory where every cell is a new one.
const MAX_REMEMBERED: usize = 100_000;

impl NumberReader {
    /// A reader for the account that owns `inventory`. An account without an inventory takes every number that is valid
    /// by itself or in `country`.
    pub fn new(country: Country, inventory: &[InventoryNumber]) -> Self {
        Self::of_inventory(country, Arc::new(Inventory::of(inventory.to_vec())))
    }

    /// The same for an inventory that is packed: made at once, whatever its size.
    pub fn of_inventory(country: Country, inventory: Arc<Inventory>) -> Self {
        let owned = inventory.len();
        Self { country, inventory, owned, any: false, digits: HashMap::new(), others: HashMap::new() }
    }

    /// A reader for numbers that others keep: it knows the spellings of `inventory`, and takes every number, whosever it is, that is
    /// valid by itself or in `country` or is written in E.164 form.
    pub fn of_any(country: Country, inventory: &[InventoryNumber]) -> Self {
        Self::new(country, inventory).taking_any()
    }

    /// The same reader, but for numbers that others keep.
    #[must_use]
    pub fn taking_any(self) -> Self {
        Self { any: true, ..self }
    }

    /// Reads one number. `written` is what stands between two semicolons of a cell.
    pub fn read(&mut self, written: &str) -> Reading {
        let written = text::trim(written);
        if let Some(digits) = Digits::pack(written) {
            if let Some(known) = self.digits.get(&digits) {
                return *known;
            }
            let reading = self.known_or_worked_out(written);
            if self.digits.len() < MAX_REMEMBERED + self.owned * 4 {
                self.digits.insert(digits, reading);
            }
            return reading;
        }
        if let Some(known) = self.others.get(written) {
            return *known;
        }
        let reading = self.known_or_worked_out(written);
        if self.others.len() < MAX_REMEMBERED {
            self.others.insert(written.into(), reading);
        }
        reading
    }

    /// The number of the inventory that is spelt so. The order is the precedence where a spelling could mean two numbers: E.164, as the
    /// provider writes it, E.164 without the plus sign, the national digits.
    fn spelt(&self, spelling: &str) -> Option<CallerId> {
        let owned = |number: &CallerId| self.inventory.listed(*number).is_some();
        let international = spelling.parse().ok().filter(owned);
        international
            .or_else(|| self.inventory.of_provider(spelling))
            .or_else(|| CallerId::from_digits(spelling).ok().filter(owned))
            .or_else(|| self.of_national_digits(spelling))
    }

    /// Two countries may share the same national digits: then they name neither's number.
    fn of_national_digits(&self, digits: &str) -> Option<CallerId> {
        let mut named = self.inventory.behind_a_country_code(digits).into_iter();
        let mut named = named.by_ref().filter(|number| national_digits(*number).as_deref() == Some(digits));
        named.next().filter(|_| named.next().is_none())
    }

    fn known_or_worked_out(&self, written: &str) -> Reading {
        match self.spelt(written) {
            Some(number) => self.owned_reading(number, false),
            None => self.work_out(written),
        }
    }

    fn work_out(&self, written: &str) -> Reading {
        // What we have written ourselves reads back, even if no numbering plan knows it.
        if let (true, Ok(number)) = (self.any, written.parse()) {
            return Reading::Number { number, unusual: false };
        }
        let bare = unwrapped(written);
        let uri = match tel_uri::read(bare) {
            None => None,
            Some(Ok(uri)) => Some(uri),
            Some(Err(tel_uri::Unusable)) => return Reading::Refused(RowCode::NumberInvalid),
        };
        let plain = match repair(uri.as_ref().map_or(bare, |uri| &uri.number)) {
            Ok(plain) => plain,
            Err(code) => return Reading::Refused(code),
        };
        let reading = self.work_out_plain(&plain, written);
        match (reading, uri.and_then(|uri| uri.behind)) {
            (Reading::Number { number, .. }, Some(behind)) if self.means_another(number, &behind) => {
                Reading::Refused(RowCode::NumberInvalid)
            }
            (reading, _) => reading,
        }
    }

    /// Whether a number with an extension is another destination than the number. Where calls go there, it is: without the extension, somebody
    /// else answers. A caller ID is shown, and nobody is dialled by it; unless the digits together are another of the account's numbers.
    fn means_another(&self, number: CallerId, behind: &str) -> bool {
        let together = CallerId::from_digits(&format!("{}{behind}", number.digits()));
        self.any || (!behind.is_empty() && together.is_ok_and(|number| self.inventory.listed(number).is_some()))
    }

    fn work_out_plain(&self, plain: &str, written: &str) -> Reading {
        // Repairing may have uncovered a spelling of the inventory: "'+91…", "98765 43210.0".
        if let Some(known) = Digits::pack(plain).and_then(|_| self.spelt(plain)) {
            return self.owned_reading(known, plain != written);
        }
        match self.country.read(plain) {
            None => Reading::Refused(RowCode::NumberInvalid),
            Some((number, national)) => {
                let usual = plain == written
                    && (plain.strip_prefix('+').unwrap_or(plain) == number.digits() || plain == national);
                self.owned_reading(number, !usual)
            }
        }
    }

    fn owned_reading(&self, number: CallerId, unusual: bool) -> Reading {
        match self.inventory.listed(number) {
            _ if self.any => Reading::Number { number, unusual },
            Some(item) if !item.standing.is_assignable() => Reading::Refused(RowCode::NumberRetired),
            None if self.owned > 0 => Reading::Refused(RowCode::NumberNotOwned),
            Some(_) | None => Reading::Number { number, unusual },
        }
    }
}

#[cfg(test)]
mod tests;
