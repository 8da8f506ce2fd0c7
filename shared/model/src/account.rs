//! An account: one tenant. Every key of the table starts with it.

use serde::{Deserialize, Serialize};

use crate::text_value::text_value;

/// The name of an account: 1 to 64 of `a` to `z`, `0` to `9`, `-` and `_`.
///
/// The alphabet keeps it safe inside a table key (`#` separates there) and an object key (`/` separates there), so
/// that no account's name can reach into another's items.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// The text is not the name of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account's name is 1 to {MAX_LENGTH} of a-z, 0-9, '-' and '_'")]
pub struct NotAnAccount;

const MAX_LENGTH: usize = 64;

text_value!(AccountId, NotAnAccount);

impl AccountId {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// [`NotAnAccount`].
    pub fn parse(text: &str) -> Result<Self, NotAnAccount> {
        let fits = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAnAccount) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_reach_into_another_key_is_a_name() {
        for text in ["", "a#b", "a/b", "..", "A", "ä", "a b", &"a".repeat(65)] {
            assert_eq!(text.parse::<AccountId>(), Err(NotAnAccount), "{text}");
        }
        assert_eq!("acme-2_in".parse::<AccountId>().unwrap().as_str(), "acme-2_in");
    }
}
