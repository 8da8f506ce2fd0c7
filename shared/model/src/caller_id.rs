//! A caller ID: a telephone number that a user may show when dialling.

use std::{fmt, num::NonZeroU64, str::FromStr};

use serde::{Deserialize, Serialize};

/// A telephone number in E.164 form: `+`, a country code, the national number; at most 15 digits (ITU-T E.164,
/// section 6). Whether such a number is in service anywhere is not its business: providers hand out numbers that
/// numbering plans don't know, and an account may own them.
///
/// Kept as an integer, since no E.164 number starts with a zero: grouping millions of rows is then arithmetic, and a number that may be
/// missing takes no more than one that is there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallerId(NonZeroU64);

/// The text is not a number in E.164 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number in E.164 form: a plus sign, then 4 to 15 digits that don't start with a zero")]
pub struct NotE164;

/// Shortest number taken, in digits: below this stand service codes, which can't be caller IDs.
const MIN_DIGITS: usize = 4;
/// Longest number, in digits (E.164).
pub(crate) const MAX_DIGITS: usize = 15;

impl CallerId {
    /// The number whose digits, country code first, are `digits`.
    ///
    /// # Errors
    /// [`NotE164`] when there are too few or too many digits, a leading zero or anything but ASCII digits.
    pub fn from_digits(digits: &str) -> Result<Self, NotE164> {
        let plausible = (MIN_DIGITS..=MAX_DIGITS).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !plausible {
            return Err(NotE164);
        }
        digits.parse().map(Self).map_err(|_| NotE164)
    }

    /// The digits, country code first, as one integer.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The digits without the plus sign.
    pub fn digits(self) -> String {
        self.0.to_string()
    }
}

impl FromStr for CallerId {
    type Err = NotE164;

    fn from_str(text: &str) -> Result<Self, NotE164> {
        text.strip_prefix('+').ok_or(NotE164).and_then(Self::from_digits)
    }
}

impl TryFrom<String> for CallerId {
    type Error = NotE164;

    fn try_from(text: String) -> Result<Self, NotE164> {
        text.parse()
    }
}

impl From<CallerId> for String {
    fn from(number: CallerId) -> Self {
        number.to_string()
    }
}

impl fmt::Display for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// Numbers are personal data: a debug print shows the last two digits alone.
impl fmt::Debug for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallerId(…{:02})", self.0.get() % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_shows() {
        for text in ["+919876543210", "+12025550123", "+1234", "+999999999999999"] {
            assert_eq!(text.parse::<CallerId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_not_e164() {
        for text in ["", "+", "919876543210", "+0198765", "+123", "+1234567890123456", "+91 98765", "+१२३४५६"]
        {
            assert_eq!(text.parse::<CallerId>(), Err(NotE164), "{text}");
        }
    }

    #[test]
    fn a_debug_print_hides_the_number() {
        let number: CallerId = "+919876543210".parse().unwrap();
        assert_eq!(format!("{number:?}"), "CallerId(…10)");
    }
}
