//! The login ID, which everything refers to a user by.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::text::{self, text_value};

/// A login ID as it was given. It never changes during a user's life.
///
/// Two login IDs that differ by case alone are the same: [`LoginId::folded`] is what is compared and what keys are
/// made of.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoginId(String);

/// The text is not a login ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a login ID has 1 to {MAX_LOGIN_BYTES} bytes and no control characters")]
pub struct NotALogin;

/// Longest login ID in bytes: well above any phone system's, well below the 2,048 bytes of a table key.
pub const MAX_LOGIN_BYTES: usize = 256;

text_value!(LoginId, NotALogin);

impl LoginId {
    /// Takes the text without the padding around it.
    ///
    /// # Errors
    /// [`NotALogin`] when nothing is left, or too much, or control characters stand inside.
    pub fn parse(given: &str) -> Result<Self, NotALogin> {
        let login = text::trim(given);
        if could_be_login(login) { Ok(Self(login.to_owned())) } else { Err(NotALogin) }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared.
    pub fn folded(&self) -> Cow<'_, str> {
        fold(&self.0)
    }
}

/// Whether a text without padding can be a login ID.
pub(crate) fn could_be_login(text: &str) -> bool {
    (1..=MAX_LOGIN_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A login ID or an e-mail address without regard to case.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

/// Login IDs are personal data: a debug print shows the length alone.
impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginId({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_the_same_in_any_case() {
        let login = LoginId::parse(" \u{a0}Ana.PÉREZ@Example.com ").unwrap();
        assert_eq!(login.as_str(), "Ana.PÉREZ@Example.com");
        assert_eq!(login.folded(), "ana.pérez@example.com");
        assert!(matches!(LoginId::parse("user1").unwrap().folded(), Cow::Borrowed("user1")));
    }

    #[test]
    fn control_characters_and_nothing_are_no_login() {
        for text in ["", " \u{200b}", "a\nb", "a\0b", &"x".repeat(MAX_LOGIN_BYTES + 1)] {
            assert_eq!(LoginId::parse(text), Err(NotALogin), "{text:?}");
        }
    }
}
