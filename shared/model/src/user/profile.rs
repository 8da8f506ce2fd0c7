//! What may be edited of a user.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{blank, caller_id::CallerId, email::EmailAddress, object, spelling::repair, text_value::text_value};
use rollcall_tabular::text;

/// The editable part of a user. Unknown fields are refused by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name that people know the user by.
    pub name: Name,
    /// Unique in the account.
    #[serde(default)]
    pub email: Option<EmailAddress>,
    /// Where calls to the user are forwarded.
    #[serde(default)]
    pub call_forward_number: Option<CallerId>,
    /// The user makes and takes calls.
    #[serde(default)]
    pub calling_agent: bool,
    /// The user's extension.
    #[serde(default, deserialize_with = "object::optional")]
    pub extension: Option<Extension>,
    /// What the user's calls show where nothing else is said. It counts for as long as the user may dial from it
    /// ([`default_of`](crate::dial::default_of)), and what takes its place by a rotation counts in its place.
    #[serde(default)]
    pub default_caller_id: Option<CallerId>,
    /// The user's role, by ID.
    #[serde(default)]
    pub role: Option<Ref>,
    /// The user's department, by ID.
    #[serde(default)]
    pub department: Option<Ref>,
    /// The user's team, by ID.
    #[serde(default)]
    pub team: Option<Ref>,
    /// The user's designation.
    #[serde(default)]
    pub designation: Option<Name>,
}

impl Profile {
    /// A profile of which only the name is known.
    ///
    /// # Errors
    /// [`NotAName`].
    pub fn named(name: &str) -> Result<Self, NotAName> {
        Name::parse(name).map(Self::of)
    }

    /// The same, of a name.
    pub fn of(name: Name) -> Self {
        Self {
            name,
            email: None,
            call_forward_number: None,
            default_caller_id: None,
            calling_agent: false,
            extension: None,
            role: None,
            department: None,
            team: None,
            designation: None,
        }
    }
}

/// A user's extension. Its password is not among what is kept: it belongs to the phone system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The extension's own login.
    pub login: Ref,
    /// The number that colleagues dial.
    pub intercom: Ref,
    /// The number shown when the extension dials out.
    #[serde(default)]
    pub caller_id: Option<CallerId>,
    /// Devices that are registered now.
    #[serde(default)]
    pub registrations: u32,
    /// Whether it can be used.
    #[serde(default)]
    pub active: bool,
}

/// A name of a person or a thing: 1 to 256 characters, none of them NUL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The ID of something that a user refers to: 1 to 64 characters, none of them white space, a control character, `#` or `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ref(String);

/// The text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAName(&'static str);

/// It stands for a missing value, or is the error of a formula.
const NO_VALUE: NotAName = NotAName("it stands for a missing value");
const MAX_NAME: usize = 256;
const MAX_REF: usize = 64;

text_value!(Name, NotAName);
text_value!(Ref, NotAName);

impl Name {
    /// Takes the text without the padding around it.
    ///
    /// # Errors
    /// [`NotAName`].
    pub fn parse(given: &str) -> Result<Self, NotAName> {
        let name = text::trim(given);
        // An export writes it so, to keep a spreadsheet from reckoning.
        let name = name.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).map_or(name, text::trim);
        if blank::of(name).is_some() {
            return Err(NO_VALUE);
        }
        if text::is_garbled(name) {
            return Err(NotAName("it holds signs of text that was read in a wrong encoding"));
        }
        let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains('\0');
        if fits { Ok(Self(name.to_owned())) } else { Err(NotAName("a name has 1 to 256 characters, none of them NUL")) }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ref {
    /// Takes the text without what programs put around it.
    ///
    /// # Errors
    /// [`NotAName`].
    pub fn parse(given: &str) -> Result<Self, NotAName> {
        let id = repair(given);
        if blank::of(&id).is_some() {
            return Err(NO_VALUE);
        }
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '#' | '/');
        let control = text::trim(given).contains(char::is_control);
        let fits = !control && (1..=MAX_REF).contains(&id.chars().count()) && !id.chars().any(odd);
        if fits {
            Ok(Self(id.into_owned()))
        } else {
            Err(NotAName("an ID has 1 to 64 characters, without white space, # and /"))
        }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names are personal data: a debug print shows the length alone.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({} bytes)", self.0.len())
    }
}
