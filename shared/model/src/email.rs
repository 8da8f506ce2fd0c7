//! An e-mail address that reports go to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    spelling::{fold, repair},
    text::text_value,
};

/// An e-mail address, as far as that can be told without writing to it: one `@` with something on both sides, nothing
/// that could end a header or begin another address, at most 254 bytes (RFC 5321, section 4.5.3.1).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address has one @, with something before and behind it, and no blanks: write the address alone")]
pub struct NotAnAddress;

const MAX_BYTES: usize = 254;

text_value!(EmailAddress, NotAnAddress);

impl EmailAddress {
    /// Takes the text without what programs put around it: blanks, quotes, `mailto:`, characters that nobody sees.
    ///
    /// # Errors
    /// [`NotAnAddress`].
    pub fn parse(given: &str) -> Result<Self, NotAnAddress> {
        let address = repair(given);
        let (mailbox, domain) = address.rsplit_once('@').ok_or(NotAnAddress)?;
        let fits = address.len() <= MAX_BYTES
            && fold(&address).len() <= MAX_BYTES
            && !crate::text::is_garbled(given)
            && !mailbox.is_empty()
            && !domain.is_empty()
            && !address
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"' | '\\'))
            && address.matches('@').count() == 1;
        if fits { Ok(Self(address.into_owned())) } else { Err(NotAnAddress) }
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
        for text in ["", "@", "a@", "@b", "a b@c", "a@b\r\nBcc: x@y", "a@b,c@d", "Ann <a@b>", "a@b@c", "plain"] {
            assert_eq!(EmailAddress::parse(text), Err(NotAnAddress), "{text:?}");
        }
    }
}
