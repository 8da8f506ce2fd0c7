//! A country, for its dialling rules.

use std::{fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};
use serde::{Deserialize, Serialize};

use crate::caller_id::CallerId;

/// The ISO 3166 code of the country whose numbering plan reads numbers that are written without a country code.
///
/// Reading a code is cheap; whether the country has a numbering plan is another question
/// ([`Country::has_numbering_plan`]), since the answer loads every plan of the world, which takes some milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(Region);

/// The text is not the code of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 3166 country code: two letters, such as IN, US or GB (the United Kingdom)")]
pub struct NotACountry;

/// The version of libphonenumber's metadata by which numbers are read: the numbering plans of the world as they were known then. Google
/// brings out a new one every two weeks or so: <https://github.com/google/libphonenumber/releases>.
pub const NUMBERING_PLANS: &str = "9.0.42";

impl Country {
    /// Whether the country's dialling rules are known. Without them, only numbers with a country code can be read.
    pub fn has_numbering_plan(self) -> bool {
        PHONE_NUMBER_UTIL.get_country_code_for_region(self.0).is_some()
    }

    /// A count as people of the country write it: 1,00,000 in India, 100,000 where a comma parts thousands; elsewhere 100 000, with a space that
    /// doesn't break, which nobody takes for a decimal sign (ISO 80000-1, 7.3). By the Unicode CLDR.
    pub fn write_count(self, count: u64) -> String {
        const LAKHS: [&str; 3] = ["BD", "IN", "NP"];
        const COMMAS: [&str; 49] = [
            "AE", "AU", "BB", "BH", "BN", "BS", "BZ", "CA", "CN", "DO", "EG", "ET", "FJ", "GB", "GH", "GT", "GY", "HK",
            "HN", "IE", "IL", "IR", "JM", "JP", "KE", "KR", "LK", "MM", "MO", "MT", "MW", "MX", "MY", "NG", "NI", "NZ",
            "PA", "PE", "PH", "PK", "PR", "SG", "SV", "TH", "TT", "TW", "UG", "US", "ZM",
        ];
        let (country, digits) = (self.to_string(), count.to_string());
        let (separator, beyond) = if LAKHS.contains(&country.as_str()) {
            (',', 2)
        } else if COMMAS.contains(&country.as_str()) {
            (',', 3)
        } else {
            ('\u{a0}', 3)
        };
        let mut written = String::with_capacity(2 * digits.len());
        for (at, digit) in digits.chars().enumerate() {
            let left = digits.len() - at;
            if at > 0 && (left == 3 || left > 3 && (left - 3).is_multiple_of(beyond)) {
                written.push(separator);
            }
            written.push(digit);
        }
        written
    }

    /// Reads a number by libphonenumber's rules: trunk prefixes, international prefixes, punctuation, digits of any
    /// script. Gives the number and its national digits; `None` when it is not a valid number of any country.
    pub(crate) fn read(self, text: &str) -> Option<(CallerId, String)> {
        let number = PHONE_NUMBER_UTIL.parse(text, Some(self.0)).ok()?;
        if number.extension.is_some() || !number.is_valid() {
            return None;
        }
        let read: CallerId = number.to_string().parse().ok()?;
        Some((read, after_country_code(read, number.country_code)?))
    }
}

/// The country code and the area code of a number, as digits: numbers that begin so are of the same place. `None` where the numbering plan has
/// none, as it has for mobile telephones in most countries.
pub fn area_of(number: CallerId) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(number.to_string(), None).ok()?;
    let length = parsed.get_length_of_geographical_area_code();
    let national = after_country_code(number, parsed.country_code).filter(|_| length > 0)?;
    Some(format!("{}{}", parsed.country_code, national.get(..length)?))
}

/// The digits that follow the country code, or `None` where the country code is not known.
pub(crate) fn national_digits(number: CallerId) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(number.to_string(), None).ok()?;
    after_country_code(number, parsed.country_code)
}

fn after_country_code(number: CallerId, country_code: i32) -> Option<String> {
    number.digits().strip_prefix(&country_code.to_string()).map(str::to_owned)
}

impl FromStr for Country {
    type Err = NotACountry;

    fn from_str(text: &str) -> Result<Self, NotACountry> {
        // The library would also take "001", which stands for no country.
        if text.len() != 2 {
            return Err(NotACountry);
        }
        text.parse().map(Self).map_err(|_| NotACountry)
    }
}

impl TryFrom<String> for Country {
    type Error = NotACountry;

    fn try_from(text: String) -> Result<Self, NotACountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.to_string()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_in_the_country() {
        let written = |country: &str, count| country.parse::<Country>().unwrap().write_count(count);
        for (country, count, expected) in [
            ("IN", 0, "0"),
            ("IN", 999, "999"),
            ("IN", 5_000, "5,000"),
            ("IN", 100_000, "1,00,000"),
            ("IN", 12_345_678, "1,23,45,678"),
            ("US", 100_000, "100,000"),
            ("GB", 12_345_678, "12,345,678"),
            ("DE", 100_000, "100\u{a0}000"),
            ("FR", 1_000, "1\u{a0}000"),
        ] {
            assert_eq!(written(country, count), expected);
        }
    }

    #[test]
    fn numbers_of_a_place_have_an_area_and_mobile_ones_have_none() {
        let area = |text: &str| area_of(text.parse().unwrap());
        for (number, expected) in [("+912261234501", "9122"), ("+12125550123", "1212"), ("+442071234567", "4420")] {
            assert_eq!(area(number).as_deref(), Some(expected), "{number}");
        }
        for number in ["+919876543210", "+447911123456", "+18005550123", "+9999999"] {
            assert_eq!(area(number), None, "{number}");
        }
    }

    /// The crate doesn't tell the version of its metadata to programs; its documentation does, for each of its own.
    #[test]
    fn the_version_of_the_numbering_plans_is_that_of_the_crate() {
        let locked = include_str!("../../../Cargo.lock");
        let (_, found) = locked.split_once("name = \"rlibphonenumber\"\nversion = \"").expect("the crate is used");
        let (found, _) = found.split_once('"').unwrap();
        assert_eq!(found, "2.2.15", "say in NUMBERING_PLANS which metadata this version has, and its own version here");
        let told = format!("libphonenumber's metadata {NUMBERING_PLANS} ");
        assert!(include_str!("../../../infra/docs/files.md").contains(&told), "files.md says another version");
    }

    #[test]
    fn knows_countries_and_nothing_else() {
        assert_eq!("IN".parse::<Country>().unwrap().to_string(), "IN");
        for text in ["", "in dia", "I", "001", "I1"] {
            assert_eq!(text.parse::<Country>(), Err(NotACountry), "{text}");
        }
        assert!("IN".parse::<Country>().unwrap().has_numbering_plan());
        assert!(!"XX".parse::<Country>().unwrap().has_numbering_plan());
    }

    #[test]
    fn splits_the_country_code_off_even_where_the_number_is_not_valid() {
        let national = |text: &str| national_digits(text.parse().unwrap());
        assert_eq!(national("+919876543210").as_deref(), Some("9876543210"));
        assert_eq!(national("+91987654321").as_deref(), Some("987654321"));
        assert_eq!(national("+12025550123").as_deref(), Some("2025550123"));
        assert_eq!(national("+390612345678").as_deref(), Some("0612345678"));
    }
}
