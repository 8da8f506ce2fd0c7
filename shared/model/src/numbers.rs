//! From what somebody typed to a caller ID of the account.
//!
//! Validity is not ownership: `1234567890` is a valid fixed line in India, and Smartflo's own sample numbers are valid
//! nowhere. So the account's inventory is asked first, in the spellings that its numbers have, and the rules of the
//! numbering plans second. Two numbers are never taken for the same because their last digits agree.

use hashbrown::HashMap;

use crate::{
    caller_id::{CallerId, MAX_DIGITS},
    code::RowCode,
    country::{Country, national_digits},
    inventory::InventoryNumber,
    tel_uri,
};
use rollcall_tabular::text;

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

/// A spelling of digits alone, or of a plus sign and digits, packed so that looking it up costs a multiplication.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Digits(u64);

impl Digits {
    /// `None` for any other spelling, and for more digits than a number has. Leading zeros count: `0987…` is another
    /// spelling than `987…`.
    fn pack(text: &str) -> Option<Self> {
        let (plus, digits) = match text.strip_prefix('+') {
            Some(digits) => (1_u64, digits),
            None => (0, text),
        };
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return None;
        }
        let mut value = 0_u64;
        for byte in digits.bytes() {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u64::from(byte - b'0');
        }
        // Fifteen digits take 50 bits; above them the length, and the plus sign at the top.
        Some(Self(value | (digits.len() as u64) << 56 | plus << 63))
    }
}

/// A number without a leading `'`, or `=` with or without quotes: how it is kept from being reckoned with.
fn unwrapped(written: &str) -> &str {
    let bare = written.trim_start_matches('\'');
    bare.strip_prefix('=').map_or(bare, |formula| formula.trim_matches('"'))
}

/// Undoes what spreadsheets and keyboards do to a number, and refuses what can't be undone.
///
/// - digits of other scripts
/// - `9876543210.0`: a number that went through a floating-point column
/// - `9.87654321E8`: the last digits are gone. As digits it would even be a valid number, but another one.
/// - punctuation between digits
fn repair(bare: &str) -> Result<String, RowCode> {
    let mut plain = String::with_capacity(bare.len());
    for c in bare.chars() {
        match c {
            '＋' => plain.push('+'),
            _ if text::is_padding(c) => {}
            // Dashes of every kind: hyphens, en and em dashes, the minus sign, the full-width one.
            ' ' | '-' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}' => {}
            _ => plain.push(ascii_digit(c).unwrap_or(c)),
        }
    }
    if is_scientific(&plain) {
        return Err(RowCode::NumberScientific);
    }
    if let Some((whole, fraction)) = plain.split_once(['.', ','])
        && !fraction.is_empty()
        && fraction.bytes().all(|digit| digit == b'0')
        && Digits::pack(whole).is_some()
    {
        plain.truncate(whole.len());
    }
    // Points also group digits: 98.765.43210. A comma never does: it would glue two numbers into one.
    plain.retain(|c| c != '.');
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(plain)
    } else {
        // Letters too: numbering rules would find a number inside "call 98765 43210" and spell out 1-800-FLOWERS.
        Err(RowCode::NumberInvalid)
    }
}

/// `digits[.digits]E[+]digits`, with a comma where the decimal point is one.
fn is_scientific(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let mantissa_is_number = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => all_digits(mantissa),
    };
    mantissa_is_number && all_digits(exponent)
}

/// The ASCII form of a decimal digit of another script (Unicode category Nd), for the scripts of countries with call
/// centres: Arabic (both forms), the scripts of India, Thai, Lao, Tibetan, Burmese, Khmer, and full-width digits.
fn ascii_digit(c: char) -> Option<char> {
    const ZEROS: [u32; 18] = [
        0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0,
        0x0F20, 0x1040, 0x17E0, 0xFF10,
    ];
    let code = u32::from(c);
    ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code)).and_then(|zero| char::from_digit(code - zero, 10))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        inventory::{NumberFacts, NumberState},
        jobs::JobId,
        user::Name,
    };

    fn owned(numbers: &[(&str, Option<&str>)]) -> NumberReader {
        let inventory: Vec<_> = numbers
            .iter()
            .map(|(number, provider)| {
                InventoryNumber::new(
                    number.parse().unwrap(),
                    NumberFacts { provider: provider.map(|text| Name::parse(text).unwrap()), ..NumberFacts::default() },
                    Timestamp::UNIX_EPOCH,
                )
            })
            .collect();
        NumberReader::new("IN".parse().unwrap(), &inventory)
    }

    fn no_inventory() -> NumberReader {
        owned(&[])
    }

    fn number(text: &str) -> Reading {
        Reading::Number { number: text.parse().unwrap(), unusual: false }
    }

    fn unusual(text: &str) -> Reading {
        Reading::Number { number: text.parse().unwrap(), unusual: true }
    }

    const MINE: &str = "+919876543210";

    #[test]
    fn the_inventory_is_matched_in_every_spelling_of_its_numbers() {
        let mut reader = owned(&[(MINE, Some("DID-77")), ("+911234567", Some("0 11-234567"))]);
        for written in [MINE, "919876543210", "9876543210", "DID-77", " 9876543210 "] {
            assert_eq!(reader.read(written), number(MINE), "{written}");
        }
        assert_eq!(reader.read("0 11-234567"), number("+911234567"));
    }

    #[test]
    fn smartflos_own_sample_numbers_pass_where_they_are_owned() {
        let mut reader = owned(&[("+91987654321", Some("987654321")), ("+91987654320", None)]);
        assert_eq!(reader.read("987654321"), number("+91987654321"));
        assert_eq!(reader.read("987654320"), number("+91987654320"));
        assert_eq!(no_inventory().read("987654321"), Reading::Refused(RowCode::NumberInvalid));
    }

    #[test]
    fn national_digits_that_two_countries_share_go_by_the_accounts_country() {
        let mut reader = owned(&[("+912025550123", None), ("+12025550123", None)]);
        assert_eq!(reader.read("2025550123"), number("+912025550123"));
        assert_eq!(reader.read("+12025550123"), number("+12025550123"));
    }

    #[test]
    fn the_last_ten_digits_are_never_enough() {
        let mut reader = owned(&[("+12025550123", None)]);
        assert_eq!(reader.read("+912025550123"), Reading::Refused(RowCode::NumberNotOwned));
    }

    #[test]
    fn number_not_owned() {
        let mut reader = owned(&[(MINE, None)]);
        assert_eq!(reader.read("9876543211"), Reading::Refused(RowCode::NumberNotOwned));
        assert_eq!(reader.read("1234567890"), Reading::Refused(RowCode::NumberNotOwned));
    }

    #[test]
    fn number_retired() {
        let retired = InventoryNumber::new(
            MINE.parse().unwrap(),
            NumberFacts { state: NumberState::Retired, ..NumberFacts::default() },
            Timestamp::UNIX_EPOCH,
        );
        let mut reader = NumberReader::new("IN".parse().unwrap(), &[retired]);
        for written in [MINE, "9876543210", "'9876543210", "098765 43210"] {
            assert_eq!(reader.read(written), Reading::Refused(RowCode::NumberRetired), "{written}");
        }
    }

    #[test]
    fn a_number_that_a_rotation_is_retiring_is_refused_before_it_is_retired() {
        let mut reserved_by =
            InventoryNumber::new(MINE.parse().unwrap(), NumberFacts::default(), Timestamp::UNIX_EPOCH);
        reserved_by.reserved_by = JobId::parse(&"0".repeat(32));
        assert!(reserved_by.reserved_by.is_some());
        let mut reader = NumberReader::new("IN".parse().unwrap(), &[reserved_by]);
        assert_eq!(reader.read("9876543210"), Reading::Refused(RowCode::NumberRetired));
    }

    #[test]
    fn numbers_that_others_keep_are_read_whosever_they_are() {
        let facts = NumberFacts {
            state: NumberState::Retired,
            provider: Some(Name::parse("987654321").unwrap()),
            ..NumberFacts::default()
        };
        let retired = InventoryNumber::new("+91987654321".parse().unwrap(), facts, Timestamp::UNIX_EPOCH);
        let mut reader = NumberReader::of_any("IN".parse().unwrap(), &[retired]);
        for written in ["987654321", "+91987654321", "'987654321"] {
            assert!(
                matches!(reader.read(written), Reading::Number { number, .. } if number.digits() == "91987654321"),
                "{written}"
            );
        }
        assert_eq!(reader.read("9876543210"), number(MINE));
        assert_eq!(reader.read("+2100012345"), number("+2100012345"), "no plan has this country code");
        assert_eq!(reader.read("21000"), Reading::Refused(RowCode::NumberInvalid));
        assert_eq!(reader.read("9.8E9"), Reading::Refused(RowCode::NumberScientific));
    }

    #[test]
    fn number_scientific() {
        let mut reader = no_inventory();
        for written in ["9.87654321E8", "9.87654321e+09", "9,87654321E+11", "+9.2E11", "987E7", "٩.٨٧E8", "'9.8E9"] {
            assert_eq!(reader.read(written), Reading::Refused(RowCode::NumberScientific), "{written}");
        }
    }

    #[test]
    fn number_invalid() {
        let mut reader = no_inventory();
        for written in [
            "abc",
            "12",
            "98765",
            "98765432101234567890",
            "call 9876543210",
            "1-800-FLOWERS",
            "9876543210 ext 5",
            "9876543210x5",
            "9876543210,9876543211",
            "9876543210.5",
            "-",
            "+",
            "''",
            "=",
            "#N/A",
            "9876543210\n9876543211",
            "++919876543210",
            "9876+543210",
        ] {
            let reading = reader.read(written);
            assert_eq!(reading, Reading::Refused(RowCode::NumberInvalid), "{written}");
        }
    }

    #[test]
    fn what_spreadsheets_and_keyboards_do_is_undone_and_said() {
        for mut reader in [no_inventory(), owned(&[(MINE, None)])] {
            for written in [
                "9876543210.0",
                "9876543210,00",
                "'+919876543210",
                "'9876543210",
                "=9876543210",
                "=\"9876543210\"",
                "=\"+919876543210\"",
                "98765 43210",
                "98765-43210",
                "(98765) 43210",
                "98.765.43210",
                "98765\u{a0}43210",
                "98765\u{200b}43210",
                "98765\u{2013}43210",
                "०९८७६५४३२१०",
                "९८७६५४३२१०",
                "٩٨٧٦٥٤٣٢١٠",
                "۹۸۷۶۵۴۳۲۱۰",
                "＋919876543210",
                "９８７６５４３２１０",
                "09876543210",
                "00919876543210",
                "+91 98765 43210",
                "tel:+91-98765-43210",
                "TEL:09876543210",
                "tel:+91-98765-43210;ext=12",
                "tel:+91.98765.43210;isub=7",
                "tel:98765-43210;phone-context=+91",
                "tel:0%2098765%2043210;phone-context=%2B91;ext=12",
                "'tel:+919876543210;x=y",
            ] {
                assert_eq!(reader.read(written), unusual(MINE), "{written}");
            }
        }
    }

    #[test]
    fn an_extension_is_refused_where_it_changes_what_is_meant() {
        // Of a caller ID, where the digits together are another of the account's numbers: a direct line.
        let mut reader = owned(&[("+4930901820", None), ("+493090182012", None)]);
        assert_eq!(reader.read("tel:+49-30-901820;ext=12"), Reading::Refused(RowCode::NumberInvalid));
        assert_eq!(reader.read("tel:+49-30-901820;ext=13"), unusual("+4930901820"));
        // Of a number that is dialled, always.
        let mut dialled = NumberReader::of_any("IN".parse().unwrap(), &[]);
        for written in ["tel:+91-98765-43210;ext=12", "tel:+91-98765-43210;isub=7"] {
            assert_eq!(dialled.read(written), Reading::Refused(RowCode::NumberInvalid), "{written}");
        }
        assert_eq!(dialled.read("tel:98765-43210;phone-context=+91"), unusual(MINE));
        for written in ["tel:7042;phone-context=example.com", "tel:7042;phone-context=+91", "tel:", "tel:;ext=1"] {
            assert_eq!(no_inventory().read(written), Reading::Refused(RowCode::NumberInvalid), "{written}");
        }
    }

    #[test]
    fn an_account_without_an_inventory_takes_what_is_valid_in_its_country() {
        let mut reader = no_inventory();
        assert_eq!(reader.read("9876543210"), number(MINE));
        assert_eq!(reader.read("+12025550123"), number("+12025550123"));
        assert_eq!(reader.read("2025550123"), number("+912025550123"));
    }

    #[test]
    fn a_spelling_is_read_the_same_whatever_was_read_before() {
        let inventory = [InventoryNumber::new(MINE.parse().unwrap(), NumberFacts::default(), Timestamp::UNIX_EPOCH)];
        // Each spelling repairs to the one before it, or nearly.
        let spellings = [
            "+4321",
            "+4\u{0}321",
            "'+4321",
            "4321",
            "'4321",
            MINE,
            "9876543210",
            "09876543210",
            "'09876543210",
            "+2100012345",
            "+21 000 12345",
        ];
        for (inventory, any) in [(&[][..], false), (&inventory[..], false), (&[][..], true), (&inventory[..], true)] {
            let reader = || NumberReader::knowing("IN".parse().unwrap(), inventory, any);
            for before in spellings {
                for written in spellings {
                    let mut used = reader();
                    used.read(before);
                    assert_eq!(used.read(written), reader().read(written), "{written:?} after {before:?}, any: {any}");
                }
            }
        }
    }

    #[test]
    fn the_same_spelling_reads_the_same_twice() {
        let mut reader = owned(&[(MINE, None)]);
        for written in ["98765 43210", "9876543211", "junk", "9.8E9", MINE] {
            assert_eq!(reader.read(written), reader.read(written), "{written}");
        }
    }
}
