//! The login ID, which everything refers to a user by.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use super::suspect::Suspect;
use crate::{
    blank::{self, Blank},
    spelling::{fold, is_plain, repair, undo_decimal},
    text_value::text_value,
};

/// A login ID, without what programs put around it. It never changes during a user's life.
///
/// Two login IDs that read alike are the same: [`LoginId::folded`] is what is compared and what keys are made of.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoginId(String);

/// The text is not a login ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotALogin(&'static str);

/// Longest login ID in bytes: well above any phone system's, well below the 2,048 bytes of a table key.
pub const MAX_LOGIN_BYTES: usize = 256;

const LENGTH: NotALogin = NotALogin("a login ID has 1 to 256 bytes");
const LINES: NotALogin = NotALogin("a login ID has no line break or tab inside: one cell holds one login ID");
const ERROR: NotALogin = NotALogin("it is the error of a spreadsheet's formula");
const GARBLED: NotALogin =
    NotALogin("it holds signs of text that was read in a wrong encoding: save the file as CSV UTF-8");

text_value!(LoginId, NotALogin);

/// A login ID as it was read from a text that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenLogin {
    /// The login ID.
    pub login: LoginId,
    /// It was written in another way, which can only mean this one.
    pub repaired: bool,
    /// It looks like something else, so no user is to be created by it unasked.
    pub suspect: Option<Suspect>,
}

impl LoginId {
    /// Reads a login ID to find a user by: in every spelling that can only mean that user.
    ///
    /// # Errors
    /// [`NotALogin`] when nothing is left, or too much, or a line break stands inside.
    pub fn parse(given: &str) -> Result<Self, NotALogin> {
        read(given).map(|login| Self(login.into_owned()))
    }

    /// The same, with what there is to say of the spelling.
    ///
    /// # Errors
    /// As [`LoginId::parse`].
    pub fn read(given: &str) -> Result<GivenLogin, NotALogin> {
        let text = read(given)?;
        let repaired = text != plain_trim(given);
        let suspect = Suspect::of(&text, given);
        Ok(GivenLogin { login: Self(text.into_owned()), repaired, suspect })
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

impl GivenLogin {
    /// The login ID of a user that is to be created. What only a new login ID must keep to is checked here; existing
    /// users are found by [`LoginId::parse`] whatever their login IDs look like.
    ///
    /// # Errors
    /// What the text looks like instead. Whoever knows better says so by `confirmed`.
    pub fn for_new_user(self, confirmed: bool) -> Result<LoginId, Suspect> {
        match self.suspect {
            Some(suspect) if !confirmed => Err(suspect),
            _ => Ok(self.login),
        }
    }
}

/// The login ID that a text means. A plain one costs no memory.
///
/// # Errors
/// [`NotALogin`].
pub fn read(given: &str) -> Result<Cow<'_, str>, NotALogin> {
    // What begins with a letter is no number, and what is plain is no error of a formula: those have a mark.
    if is_plain(given) && given.len() <= MAX_LOGIN_BYTES && given.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(Cow::Borrowed(given));
    }
    let text = match repair(given) {
        Cow::Borrowed(text) => Cow::Borrowed(undo_decimal(text).unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(undo_decimal(&text).map(str::to_owned).unwrap_or(text)),
    };
    let fits = |text: &str| (1..=MAX_LOGIN_BYTES).contains(&text.len());
    // A few letters take more bytes in the form that is compared.
    if !fits(&text) || (!text.is_ascii() && !fits(&fold(&text))) {
        return Err(LENGTH);
    }
    if blank::of(&text) == Some(Blank::Error) {
        return Err(ERROR);
    }
    if text.contains('\n') {
        return Err(LINES);
    }
    if !text.is_ascii() && rollcall_tabular::text::is_garbled(given) {
        return Err(GARBLED);
    }
    Ok(text)
}

/// The text without what every editor leaves at the ends of a cell, of which there is nothing to say.
pub fn plain_trim(given: &str) -> &str {
    given.trim_matches(|c: char| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// Login IDs are personal data: a debug print shows the length alone.
impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginId({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_login_is_the_same_in_any_case() {
        let login = LoginId::parse(" \u{a0}Ana.PÉREZ@Example.com ").unwrap();
        assert_eq!(login.as_str(), "Ana.PÉREZ@Example.com");
        assert_eq!(login.folded(), "ana.pérez@example.com");
        assert!(matches!(LoginId::parse("user1").unwrap().folded(), Cow::Borrowed("user1")));
    }

    #[test]
    fn a_line_break_and_nothing_are_no_login() {
        for text in ["", " \u{200b}", "\0", "a\nb", "a\tb", "\"\"", "=\"\"", &"x".repeat(MAX_LOGIN_BYTES + 1)] {
            assert!(LoginId::parse(text).is_err(), "{text:?}");
        }
        // In the form that is compared it has eleven times as many bytes.
        assert!(LoginId::parse(&"\u{fdfa}".repeat(85)).is_err());
    }

    #[test]
    fn a_plain_login_costs_nothing_to_read() {
        for text in ["user1", "ann.rao@example.com", "00123", "front desk"] {
            assert!(matches!(read(text), Ok(Cow::Borrowed(login)) if login == text), "{text}");
        }
    }

    #[test]
    fn what_is_repaired_is_said_and_blanks_around_are_not_worth_it() {
        let read = |text| LoginId::read(text).unwrap();
        for (text, login) in [("=\"00123\"", "00123"), ("us\u{200b}er1", "user1"), ("user1\u{a0}", "user1")] {
            assert_eq!((read(text).login.as_str(), read(text).repaired), (login, true), "{text:?}");
        }
        for text in ["user1", " user1\t", "José"] {
            assert!(!read(text).repaired, "{text:?}");
        }
    }

    #[test]
    fn a_number_from_a_column_of_decimals_is_found_and_creates_nobody() {
        let read = LoginId::read("100234.0").unwrap();
        assert_eq!((read.login.as_str(), read.repaired), ("100234", true));
        assert_eq!(read.clone().for_new_user(false), Err(Suspect::Decimal));
        assert_eq!(read.clone().for_new_user(true).map(String::from), Ok("100234".to_owned()));
    }

    fn spellings() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9][a-zA-Z0-9._-]{0,12}[a-zA-Z0-9]",
            "[a-zé-ỹΑ-Ωα-ω0-9]{1,12}",
            any::<String>().prop_map(|text| text.chars().take(12).collect::<String>()),
        ]
    }

    proptest! {
        /// However a program or a keyboard spells it.
        #[test]
        fn every_spelling_of_a_login_finds_the_same_user(text in spellings(), way in 0_usize..12, at in 0_usize..12) {
            let Ok(login) = LoginId::parse(&text) else { return Ok(()) };
            let known = login.as_str();
            let at = known.char_indices().map(|(at, _)| at).nth(at).unwrap_or(0);
            let (before, after) = known.split_at(at);
            let spelled = match way {
                0 => format!("{before}\u{200b}{after}"),
                1 => format!("\u{feff}{known}\u{a0}"),
                2 => format!("\u{1f}{known}"),
                3 => format!("=\"{known}\""),
                4 => format!("'{known}"),
                5 => format!("“{known}”"),
                6 => icu_normalizer::DecomposingNormalizer::new_nfd().normalize(known).into_owned(),
                7 => known.to_uppercase().to_lowercase(),
                8 => known.chars().map(wide).collect(),
                9 => known.replace(' ', "\u{a0}"),
                10 => format!("{before}\u{2060}{after}"),
                _ => format!("\"{known}\""),
            };
            let lower = LoginId::parse(&known.to_uppercase().to_lowercase());
            prop_assume!(!known.ends_with('\''));
            prop_assume!(way != 7 || lower.is_ok_and(|lower| lower.folded() == login.folded()));
            let found = LoginId::parse(&spelled);
            let found = found.map(|found| found.folded().into_owned());
            prop_assert_eq!(found, Ok(login.folded().into_owned()), "{:?}", spelled);
        }

        #[test]
        fn what_was_read_reads_as_itself(text in spellings()) {
            let Ok(login) = LoginId::parse(&text) else { return Ok(()) };
            prop_assert_eq!(LoginId::parse(login.as_str()), Ok(login.clone()));
            prop_assert_eq!(read(&login.folded()).map(|again| fold(&again).into_owned()), Ok(login.folded().into_owned()));
        }
    }

    fn wide(c: char) -> char {
        if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xFEE0).unwrap() } else { c }
    }
}
