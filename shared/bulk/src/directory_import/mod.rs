//! Users that come from an organisation's own directory, such as Entra ID, and stay in step with it.
//!
//! An import takes [chosen](request) users of the directory, and keeps the link to each by the directory's own ID,
//! since names and login names change. [A sync](sync) brings later changes. Both end as [rows] of a file of users,
//! which goes the way of every such file. [The sync's state](sync_state) is what is kept of both.
//!
//! **Nothing is deleted because a directory says so**: who is gone there is deactivated here.

pub mod request;
pub mod rows;
pub mod sync;
pub mod sync_state;

use rollcall_model::{
    caller_id::CallerId,
    email::EmailAddress,
    numbers::{NumberReader, Reading},
    user::{DirectoryId, LoginId, Name},
};

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

#[cfg(test)]
mod tests {
    use super::*;

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
