//! From what somebody typed to a caller ID of the account.
//!
//! Validity is not ownership: `1234567890` is a valid fixed line in India, and Smartflo's own sample numbers are valid
//! nowhere. So the account's inventory is asked first, in the spellings that its numbers have, and the rules of the
//! numbering plans second. Two numbers are never taken for the same because their last digits agree.

mod spelling;

use hashbrown::HashMap;
use rollcall_tabular::text;

use self::spelling::{Digits, repair, unwrapped};
use crate::{
    caller_id::CallerId,
    code::RowCode,
    country::{Country, national_digits},
    inventory::InventoryNumber,
    tel_uri,
};

/// Reads numbers for one account.
pub struct NumberReader {
    country: Country,
    /// The account's numbers, and whether lists take them.
    owned: HashMap<CallerId, bool>,
    /// Whose a number is, and whether it is in service, is not asked.
    any: bool,
    /// What each spelling means: first the inventory's own spellings, then every spelling met so far. A file holds few
    /// distinct spellings and many copies of each, so that the slow rules run once a spelling.
    digits: HashMap<Digits, Reading>,
    others: HashMap<Box<str>, Reading>,
    /// The inventory's own spellings alone. Only they may decide what another spelling means, once that was repaired: what was merely met before
    /// may not, or a row would be judged by the rows before it.
    of_inventory: HashMap<Digits, Reading>,
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
        Self::knowing(country, inventory, false)
    }

    /// A reader for numbers that others keep: it knows the spellings of `inventory`, and takes every number, whosever it is, that is
    /// valid by itself or in `country` or is written in E.164 form.
    pub fn of_any(country: Country, inventory: &[InventoryNumber]) -> Self {
        Self::knowing(country, inventory, true)
    }

    fn knowing(country: Country, inventory: &[InventoryNumber], any: bool) -> Self {
        let mut reader = Self {
            country,
            owned: inventory.iter().map(|item| (item.number, item.is_assignable())).collect(),
            any,
            digits: HashMap::new(),
            others: HashMap::new(),
            of_inventory: HashMap::new(),
        };
        // The order is the precedence where one spelling could mean two numbers.
        for item in inventory {
            reader.remember_spelling(&item.number.to_string(), item.number);
        }
        for item in inventory {
            if let Some(provider) = &item.facts.provider {
                reader.remember_spelling(text::trim(provider.as_str()), item.number);
            }
        }
        for item in inventory {
            reader.remember_spelling(&item.number.digits(), item.number);
        }
        let mut national: HashMap<String, Option<CallerId>> = HashMap::new();
        for item in inventory {
            if let Some(digits) = national_digits(item.number) {
                // Two countries may share the same national digits: then they name neither.
                national.entry(digits).and_modify(|only| *only = None).or_insert(Some(item.number));
            }
        }
        for (digits, number) in national {
            if let Some(number) = number {
                reader.remember_spelling(&digits, number);
            }
        }
        reader
    }

    /// Reads one number. `written` is what stands between two semicolons of a cell.
    pub fn read(&mut self, written: &str) -> Reading {
        let written = text::trim(written);
        if let Some(digits) = Digits::pack(written) {
            if let Some(known) = self.digits.get(&digits) {
                return *known;
            }
            let reading = self.work_out(written);
            if self.digits.len() < MAX_REMEMBERED + self.owned.len() * 4 {
                self.digits.insert(digits, reading);
            }
            return reading;
        }
        if let Some(known) = self.others.get(written) {
            return *known;
        }
        let reading = self.work_out(written);
        if self.others.len() < MAX_REMEMBERED {
            self.others.insert(written.into(), reading);
        }
        reading
    }

    fn remember_spelling(&mut self, spelling: &str, number: CallerId) {
        let reading = self.owned_reading(number, false);
        match Digits::pack(spelling) {
            Some(digits) => {
                self.digits.entry(digits).or_insert(reading);
                self.of_inventory.entry(digits).or_insert(reading);
            }
            None => drop(self.others.entry(spelling.into()).or_insert(reading)),
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
        self.any || (!behind.is_empty() && together.is_ok_and(|number| self.owned.contains_key(&number)))
    }

    fn work_out_plain(&self, plain: &str, written: &str) -> Reading {
        // Repairing may have uncovered a spelling of the inventory: "'+91…", "98765 43210.0".
        if let Some(known) = Digits::pack(plain).and_then(|digits| self.of_inventory.get(&digits)) {
            return match *known {
                Reading::Number { number, .. } if plain != written => Reading::Number { number, unusual: true },
                known => known,
            };
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
        match self.owned.get(&number) {
            _ if self.any => Reading::Number { number, unusual },
            Some(false) => Reading::Refused(RowCode::NumberRetired),
            None if !self.owned.is_empty() => Reading::Refused(RowCode::NumberNotOwned),
            Some(true) | None => Reading::Number { number, unusual },
        }
    }
}

#[cfg(test)]
mod tests;
