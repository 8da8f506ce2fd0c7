//! What a phone system says of its users: who there is, and which numbers each may dial from.

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    email::EmailAddress,
    user::{LoginId, Policy, Ref, User, read_login},
};

/// Everything that a phone system says of its users: whole, or not at all. **Half of it would look as if the other half had been
/// taken away.**
///
/// Kept as JSON, which is read strictly: an unknown field is a field with a wrong name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Said", into = "Said")]
pub struct PhoneSide {
    /// The users, each ID once.
    pub users: Vec<PhoneUser>,
}

/// One user of a phone system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneUser {
    /// What mappings refer to the user by.
    pub id: PhoneUserId,
    /// What the user logs in with.
    #[serde(default)]
    pub login: Option<LoginId>,
    /// The user's address.
    #[serde(default)]
    pub email: Option<EmailAddress>,
    /// Which numbers the user may dial from. `None`: the system can't tell, so the list in our own directory is in force. JSON must
    /// say so, by `null`.
    #[serde(deserialize_with = "Option::deserialize")]
    pub permission: Option<DialPermission>,
}

/// Which numbers a phone user may dial from: smrtPhone's All caller IDs, All department IDs, Custom caller IDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Permitted")]
pub struct DialPermission {
    /// The kind.
    pub policy: Policy,
    /// The user's department. Under [`Policy::Department`], its numbers are the user's; without one, none are.
    pub department: Option<Ref>,
    /// The user's list, in order, each number once; under [`Policy::Custom`] alone.
    pub caller_ids: Vec<CallerId>,
}

/// What a phone system calls one of its users, for as long as the user exists: an ID of its own, or the login ID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneUserId(String);

/// The text is not a phone system's ID of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone user's ID has 1 to 256 bytes and no control characters")]
pub struct NotAPhoneUserId;

/// What is said contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Mappings could not tell them apart.
    #[error("two users have the same ID")]
    TwoUsersWithOneId,
    /// A list that isn't in force.
    #[error("there is a list of caller IDs, though the policy is not custom")]
    ListNotInForce,
}

impl PhoneSide {
    /// What these users are together.
    ///
    /// # Errors
    /// [`Contradiction::TwoUsersWithOneId`].
    pub fn new(users: Vec<PhoneUser>) -> Result<Self, Contradiction> {
        let mut ids = HashSet::with_capacity(users.len());
        if users.iter().all(|user| ids.insert(&user.id)) {
            Ok(Self { users })
        } else {
            Err(Contradiction::TwoUsersWithOneId)
        }
    }
}

impl From<User> for PhoneUser {
    /// A user of our own directory.
    fn from(user: User) -> Self {
        Self {
            id: PhoneUserId::of_login(&user.login),
            permission: Some(DialPermission::of(&user)),
            email: user.profile.email,
            login: Some(user.login),
        }
    }
}

impl DialPermission {
    /// All of the account's numbers.
    pub fn all() -> Self {
        Self { policy: Policy::All, department: None, caller_ids: Vec::new() }
    }

    /// The numbers of a department.
    pub fn department(department: Ref) -> Self {
        Self { policy: Policy::Department, department: Some(department), caller_ids: Vec::new() }
    }

    /// These numbers.
    pub fn custom(caller_ids: impl IntoIterator<Item = CallerId>) -> Self {
        let mut caller_ids: Vec<_> = caller_ids.into_iter().collect();
        caller_ids.sort_unstable();
        caller_ids.dedup();
        Self { policy: Policy::Custom, department: None, caller_ids }
    }
}

impl PhoneUserId {
    /// Takes the text without the padding around it.
    ///
    /// # Errors
    /// [`NotAPhoneUserId`].
    pub fn parse(given: &str) -> Result<Self, NotAPhoneUserId> {
        // A login ID can be one, so it is read as one.
        read_login(given).map(|id| Self(id.into_owned())).map_err(|_| NotAPhoneUserId)
    }

    /// The ID of a user whom the phone system knows by the login ID alone. The same in any case of letters.
    pub fn of_login(login: &LoginId) -> Self {
        // A few letters take more bytes in lower case, which can be too many.
        Self::parse(&login.folded()).unwrap_or_else(|_| Self(login.as_str().to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A phone side as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    users: Vec<PhoneUser>,
}

impl TryFrom<Said> for PhoneSide {
    type Error = Contradiction;

    fn try_from(said: Said) -> Result<Self, Contradiction> {
        Self::new(said.users)
    }
}

impl From<PhoneSide> for Said {
    fn from(side: PhoneSide) -> Self {
        Self { users: side.users }
    }
}

/// A permission as JSON has it. A list must be there, or its misspelt name would take away all numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permitted {
    policy: Policy,
    #[serde(default)]
    department: Option<Ref>,
    caller_ids: Vec<CallerId>,
}

impl TryFrom<Permitted> for DialPermission {
    type Error = Contradiction;

    fn try_from(said: Permitted) -> Result<Self, Contradiction> {
        if said.policy != Policy::Custom && !said.caller_ids.is_empty() {
            return Err(Contradiction::ListNotInForce);
        }
        Ok(Self { policy: said.policy, department: said.department, ..Self::custom(said.caller_ids) })
    }
}

impl TryFrom<String> for PhoneUserId {
    type Error = NotAPhoneUserId;

    fn try_from(text: String) -> Result<Self, NotAPhoneUserId> {
        Self::parse(&text)
    }
}

impl From<PhoneUserId> for String {
    fn from(id: PhoneUserId) -> Self {
        id.0
    }
}

impl fmt::Display for PhoneUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// It may be a login ID, which is personal data: a debug print shows the length alone.
impl fmt::Debug for PhoneUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneUserId({} bytes)", self.0.len())
    }
}

impl PhoneSide {
    /// Whether something that users are known by could come out wrong in a wrong encoding.
    pub fn has_letters_past_ascii(&self) -> bool {
        self.users.iter().any(|user| {
            let department = user.permission.as_ref().and_then(|permission| permission.department.as_ref());
            !user.id.as_str().is_ascii()
                || user.login.as_ref().is_some_and(|login| !login.as_str().is_ascii())
                || user.email.as_ref().is_some_and(|email| !email.as_str().is_ascii())
                || department.is_some_and(|department| !department.as_str().is_ascii())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<PhoneSide, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_in_order_and_holds_each_number_once() {
        let side = read(
            r#"{"users": [{"id": "7", "permission":
                {"policy": "custom", "caller_ids": ["+919876500002", "+919876500001", "+919876500002"]}}]}"#,
        )
        .unwrap();
        let permission = side.users[0].permission.as_ref().unwrap();
        let numbers: Vec<String> = permission.caller_ids.iter().map(ToString::to_string).collect();
        assert_eq!(numbers, ["+919876500001", "+919876500002"]);
    }

    #[test]
    fn what_contradicts_itself_or_leaves_out_what_counts_is_refused() {
        for (json, reason) in [
            (r#"{"users": [{"id": "7", "permission": null}, {"id": "7", "permission": null}]}"#, "the same ID"),
            (
                r#"{"users": [{"id": "7", "permission": {"policy": "all", "caller_ids": ["+919876500001"]}}]}"#,
                "though the policy is not custom",
            ),
            (r#"{"users": [{"id": "7"}]}"#, "missing field `permission`"),
            (r#"{"users": [{"id": "7", "permission": {"policy": "custom"}}]}"#, "missing field `caller_ids`"),
            (r#"{"users": [{"id": "7", "permission": null, "mail": "x"}]}"#, "unknown field `mail`"),
            (r#"{"users": [{"id": "", "permission": null}]}"#, "1 to 256 bytes"),
            (r#"{"users": [], "more": true}"#, "unknown field `more`"),
            ("{}", "missing field `users`"),
        ] {
            let told = read(json).unwrap_err();
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn a_debug_print_hides_whom_it_is_about() {
        let user = PhoneUser {
            id: PhoneUserId::parse("asha").unwrap(),
            login: Some(LoginId::parse("asha").unwrap()),
            email: Some(EmailAddress::parse("asha@example.com").unwrap()),
            permission: Some(DialPermission::custom(["+919876543210".parse().unwrap()])),
        };
        let told = format!("{:?}", PhoneSide::new(vec![user]).unwrap());
        assert!(!told.contains("asha") && !told.contains("98765"), "{told}");
    }

    #[test]
    fn the_id_of_a_login_is_the_same_in_any_case() {
        let id = |login: &str| PhoneUserId::of_login(&LoginId::parse(login).unwrap());
        assert_eq!(id("Asha.RAO"), id("asha.rao"));
        let longest = id(&"İ".repeat(80));
        assert_eq!(PhoneUserId::parse(longest.as_str()), Ok(longest));
    }
}
