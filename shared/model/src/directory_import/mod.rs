//! Users that come from an organisation's own directory, such as Entra ID, and stay in step with it.
//!
//! An import takes [chosen](request) users of the directory, and keeps the link to each by the directory's own ID, since
//! names and login names change. [A sync](sync) brings later changes. Both end as [rows] of a file of users, which goes
//! the way of every such file.
//!
//! **Nothing is deleted because a directory says so**: who is gone there is deactivated here.

pub mod request;
pub mod rows;
pub mod sync;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    email::EmailAddress,
    numbers::{NumberReader, Reading},
    user::{LoginId, Name},
};

/// What a directory calls one of its users, for as long as the user exists: with Entra ID the object ID, a GUID.
///
/// 1 to 64 of `a` to `z`, `0` to `9`, `-` and `_`, without regard to case. The alphabet keeps it safe in a table key and in the path
/// of a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DirectoryId(String);

/// The text is not a directory's ID of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a directory ID is 1 to {MAX_ID} of a-z, 0-9, '-' and '_'")]
pub struct NotADirectoryId;

const MAX_ID: usize = 64;

/// A user as a directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUser {
    /// What the directory calls the user.
    pub id: DirectoryId,
    /// What the user logs in with there. It becomes the login ID here, and stays that when it changes there.
    pub login: LoginId,
    /// The name that people know the user by.
    pub name: Name,
    /// The address that mail to the user goes to.
    pub email: Option<EmailAddress>,
    /// The user's telephone.
    pub phone: Phone,
    /// The user's job.
    pub designation: Option<Name>,
    /// Whether the user may log in there.
    pub enabled: bool,
}

/// A telephone in a directory, where people type what they like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phone {
    /// There is none.
    #[default]
    None,
    /// A number.
    Number(CallerId),
    /// Something is written there, and no number can be made of it. No reason to leave out the person.
    Unreadable,
}

impl Phone {
    /// The first of several texts that is a number.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>, numbers: &mut NumberReader) -> Self {
        let mut phone = Self::None;
        for text in texts {
            match numbers.read(text) {
                Reading::Number { number, .. } => return Self::Number(number),
                Reading::Refused(_) if text.trim().is_empty() => {}
                Reading::Refused(_) => phone = Self::Unreadable,
            }
        }
        phone
    }

    /// The number, if there is one.
    pub fn number(self) -> Option<CallerId> {
        match self {
            Self::Number(number) => Some(number),
            Self::None | Self::Unreadable => None,
        }
    }
}

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

impl TryFrom<String> for DirectoryId {
    type Error = NotADirectoryId;

    fn try_from(text: String) -> Result<Self, NotADirectoryId> {
        Self::parse(&text)
    }
}

impl From<DirectoryId> for String {
    fn from(id: DirectoryId) -> Self {
        id.0
    }
}

impl fmt::Display for DirectoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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

    #[test]
    fn the_first_number_that_can_be_read_counts() {
        let mut numbers = NumberReader::new("IN".parse().unwrap(), &[]);
        let mut read = |texts: &[&str]| Phone::read(texts.iter().copied(), &mut numbers);
        let number = Phone::Number("+919876543210".parse().unwrap());
        assert_eq!(read(&["ask at the desk", "098765 43210", "+12025550123"]), number);
        assert_eq!(read(&["+91 98765-43210"]), number);
        assert_eq!(read(&["ext. 12", ""]), Phone::Unreadable);
        assert_eq!(read(&["", " "]), Phone::None);
        assert_eq!(read(&[]), Phone::None);
    }
}
