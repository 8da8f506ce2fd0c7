//! A country, for its dialling rules.

use std::{fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};
use serde::{Deserialize, Serialize};

use crate::caller_id::CallerId;

/// An ISO 3166 country code whose numbering plan reads numbers that are written without a country code.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(Region);

/// The text is not a country whose numbering plan is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the ISO 3166 code of a country, such as IN or US")]
pub struct NotACountry;

impl Country {
    /// Reads a number by libphonenumber's rules: trunk prefixes, international prefixes, punctuation, digits of any
    /// script. `None` when it is not a valid number of any country.
    pub(crate) fn read(self, text: &str) -> Option<CallerId> {
        let number = PHONE_NUMBER_UTIL.parse(text, Some(self.0)).ok()?;
        if number.extension.is_some() || !number.is_valid() {
            return None;
        }
        number.to_string().parse().ok()
    }
}

/// The digits that follow the country code, or `None` where the country code is not known.
pub(crate) fn national_digits(number: CallerId) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(number.to_string(), None).ok()?;
    let code = parsed.country_code.to_string();
    number.digits().strip_prefix(&code).map(str::to_owned)
}

impl FromStr for Country {
    type Err = NotACountry;

    fn from_str(text: &str) -> Result<Self, NotACountry> {
        let region: Region = text.parse().map_err(|_| NotACountry)?;
        PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| Self(region)).ok_or(NotACountry)
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
    fn knows_countries_and_nothing_else() {
        assert_eq!("IN".parse::<Country>().unwrap().to_string(), "IN");
        for text in ["", "in dia", "XX", "I"] {
            assert_eq!(text.parse::<Country>(), Err(NotACountry), "{text}");
        }
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
