//! Whom of a company's directory a user is.

use serde::{Deserialize, Serialize};

use crate::text_value::text_value;

/// What a directory calls one of its users, for as long as the user exists: with Entra ID the object ID, a GUID.
///
/// 1 to 64 of `a` to `z`, `0` to `9`, `-` and `_`, without regard to case. The alphabet keeps it safe in a table key
/// and in the path of a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DirectoryId(String);

/// The text is not a directory's ID of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a directory ID is 1 to {MAX_ID} of a-z, 0-9, '-' and '_'")]
pub struct NotADirectoryId;

const MAX_ID: usize = 64;

text_value!(DirectoryId, NotADirectoryId);

impl DirectoryId {
    /// Takes the text without white space around it.
    ///
    /// # Errors
    /// [`NotADirectoryId`].
    pub fn parse(given: &str) -> Result<Self, NotADirectoryId> {
        let id = given.trim();
        let fits = (1..=MAX_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if fits { Ok(Self(id.to_ascii_lowercase())) } else { Err(NotADirectoryId) }
    }

    /// The ID, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_any_case_and_reaches_into_no_other_path() {
        let id = DirectoryId::parse(" 87D349ED-44D7-43E1-9A83-5F2406DEE5BD ").unwrap();
        assert_eq!(id.as_str(), "87d349ed-44d7-43e1-9a83-5f2406dee5bd");
        for text in ["", " ", "a/b", "..", "a?b", "a#b", "a%2Fb", "ä", &"a".repeat(65)] {
            assert_eq!(DirectoryId::parse(text), Err(NotADirectoryId), "{text}");
        }
    }
}
