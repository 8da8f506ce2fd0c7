//! What was agreed on about a file before it was dropped: who asked for its job, and who gets the report.
//!
//! Anybody who may write to the bucket can put any metadata on an object, so metadata proves nothing about who asked. The API keeps
//! what it has agreed on as a record, and binds the record's [ID](PermitId) to the upload: whoever drops a file straight into the bucket
//! knows none.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{audit::Actor, email::EmailAddress};

/// The ID of a [`Permit`]. It can't be guessed, and whoever has it may have a job done in somebody's name: it is not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermitId(String);

/// Hexadecimal digits of an ID: 128 bits, of which a random UUID fills 122.
const ID_DIGITS: usize = 32;

impl PermitId {
    /// An ID as metadata says it; `None` for what can be none.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// As it stands in metadata.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PermitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PermitId(…)")
    }
}

/// What was agreed on about one upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The key of the upload. A permit is good for no other.
    pub upload: String,
    /// Who asked for the job.
    pub asked_by: Actor,
    /// Who gets the report, in place of the account's recipients. The API has seen that the account allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<EmailAddress>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_is_not_printed() {
        let text = "0123456789abcdef0123456789abcdef";
        let id = PermitId::parse(text).unwrap();
        assert_eq!(id.as_str(), text);
        assert!(!format!("{id:?}").contains("0123"));
        for bad in ["", "0123", &text.to_uppercase(), &format!("{text}0"), "../../../../../../../../../../.."] {
            assert_eq!(PermitId::parse(bad), None, "{bad}");
        }
    }
}
