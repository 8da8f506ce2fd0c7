//! An e-mail address that reports go to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    spelling::{fold, repair},
    text_value::text_value,
};
use rollcall_tabular::text::{is_invisible, trim};

/// An e-mail address, as far as that can be told without writing to it, of at most 254 bytes (RFC 5321, section 4.5.3.1).
///
/// Only what mail headers read as one address, and as this one: a mailbox of the characters of an `atom` and dots, and a domain of letters,
/// digits, hyphens and dots (RFC 5322, section 3.2.3), beside letters of other alphabets. So no comment, group, quoted text or domain literal, no
/// encoded word (RFC 2047), and no character that isn't seen.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address has one @, with something before and behind it, and no blanks: write the address alone")]
pub struct NotAnAddress;

const MAX_BYTES: usize = 254;
/// What a mailbox may hold beside letters and digits: the rest of `atext`, and dots.
const MAILBOX: &str = "!#$%&'*+-/=?^_`{|}~.";

/// A character of another alphabet that is seen, and seen where it stands.
fn is_seen_letter(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !is_invisible(c)
}

text_value!(EmailAddress, NotAnAddress);

impl EmailAddress {
    /// Takes the text without what programs put around it: blanks, quotes, `mailto:`, characters that nobody sees.
    ///
    /// # Errors
    /// [`NotAnAddress`].
    pub fn parse(given: &str) -> Result<Self, NotAnAddress> {
        let address = repair(given);
        let (mailbox, domain) = address.split_once('@').ok_or(NotAnAddress)?;
        let fits = address.len() <= MAX_BYTES
            && fold(&address).len() <= MAX_BYTES
            && !rollcall_tabular::text::is_garbled(given)
            && !mailbox.is_empty()
            && !domain.is_empty()
            && mailbox.chars().all(|c| is_seen_letter(c) || c.is_ascii_alphanumeric() || MAILBOX.contains(c))
            && domain.chars().all(|c| is_seen_letter(c) || c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
            // The beginning of an encoded word.
            && !mailbox.contains("=?");
        if fits { Ok(Self(address.into_owned())) } else { Err(NotAnAddress) }
    }

    /// The address of a mailbox as people write it in headers and forms: `ann@example.com`, `<ann@example.com>`, `Ann Rao <ann@example.com>`.
    ///
    /// # Errors
    /// [`NotAnAddress`], also for several.
    pub fn parse_mailbox(given: &str) -> Result<Self, NotAnAddress> {
        let text = trim(given);
        match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) if !name.contains(['@', ',', ';', ':', '<', '>']) => Self::parse(address),
            Some(_) => Err(NotAnAddress),
            None => Self::parse(text),
        }
    }

    /// What is behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a report can be sent there: only if it is ASCII. The mail service takes no other mailbox, and a domain in
    /// Punycode alone (<https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html>); the metadata of an
    /// upload, where the address stands meanwhile, is ASCII too
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).
    pub fn takes_reports(&self) -> bool {
        self.0.is_ascii()
    }

    /// The form that is compared: without regard to case.
    pub fn folded(&self) -> std::borrow::Cow<'_, str> {
        fold(&self.0)
    }
}

/// Addresses are personal data: a debug print shows the domain alone.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress(…@{})", self.0.rsplit('@').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_and_nothing_that_could_smuggle_another() {
        for text in ["ops@example.com", " ann.o'neil+x@münchen.example "] {
            let address = EmailAddress::parse(text).expect(text);
            assert_eq!(address.takes_reports(), text.is_ascii(), "{text}");
        }
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b\r\nBcc: x@y",
            "a@b,c@d",
            "Ann <a@b>",
            "a@b@c",
            "plain",
            // What a header reads otherwise: a comment, a group, quoted text, an encoded word, a domain literal.
            "(comment)x@e.example",
            "x@e.example(comment)",
            "a:b@c.example",
            "a:b@c.example;",
            "\"a b\"@c.example",
            "=?utf-8?q?x?=@e.example",
            "x=?y@e.example",
            "x@[127.0.0.1]",
            "x@e_.example?=",
            "a\\b@c.example",
            "a\u{3000}b@c.example",
        ] {
            assert_eq!(EmailAddress::parse(text), Err(NotAnAddress), "{text:?}");
        }
    }

    #[test]
    fn one_mailbox_is_read_and_several_are_not() {
        for text in ["ann@e.example", "<ann@e.example>", "Ann Rao <ann@e.example>", "\"Rao, A.\" <ann@e.example>"] {
            let read = EmailAddress::parse_mailbox(text).map(String::from);
            // A comma may begin another address, also in quotes.
            let expected = if text.contains(',') { Err(NotAnAddress) } else { Ok("ann@e.example".to_owned()) };
            assert_eq!(read, expected, "{text}");
        }
        for text in
            ["a@e.example, b@e.example", "A <a@e.example>, B <b@e.example>", "team: a@e.example;", "a@e.example b"]
        {
            assert_eq!(EmailAddress::parse_mailbox(text), Err(NotAnAddress), "{text}");
        }
    }
}
