//! What the family's systems answer, as JSON.
//! <https://docs.acefone.in/reference/fetch-multiple-users>, <https://docs.acefone.in/reference/fetch-details-of-all-departments>

use rollcall_model::{
    catalog::CatalogEntry,
    email::EmailAddress,
    phone_side::{PhoneUser, PhoneUserId},
    user::{LoginId, Name, Ref},
};
use serde::Deserialize;

/// A part of the list of users.
#[derive(Deserialize)]
pub(super) struct UserPage {
    pub has_more: bool,
    /// Of this page.
    pub count: Count,
    /// Where the next page begins.
    pub last_seen_id: Option<Id>,
    pub data: Vec<User>,
}

#[derive(Deserialize)]
pub(super) struct User {
    id: Id,
    login_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Department {
    id: Id,
    name: String,
}

/// A number of the account.
#[derive(Deserialize)]
pub(super) struct MyNumber {
    pub id: Id,
    /// In E.164 form.
    pub did: Option<String>,
    /// The same without the plus sign.
    pub alias: Option<String>,
}

/// An ID: a number here, the same digits as a string there.
#[derive(Deserialize)]
#[serde(try_from = "NumberOrText")]
pub(super) struct Id(String);

/// How many there are: a number, or its digits as a string.
#[derive(Deserialize)]
#[serde(try_from = "NumberOrText")]
pub(super) struct Count(pub u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl Id {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<NumberOrText> for Id {
    type Error = &'static str;

    fn try_from(given: NumberOrText) -> Result<Self, &'static str> {
        /// More digits than any ID has.
        const LONGEST: usize = 64;
        match given {
            NumberOrText::Number(number) => Ok(Self(number.to_string())),
            // Leading zeros belong to it.
            NumberOrText::Text(text)
                if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Ok(Self(text))
            }
            NumberOrText::Text(_) => Err("an ID is not made of digits"),
        }
    }
}

impl TryFrom<NumberOrText> for Count {
    type Error = &'static str;

    fn try_from(given: NumberOrText) -> Result<Self, &'static str> {
        match given {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self).map_err(|_| "a count is not made of digits"),
        }
    }
}

impl TryFrom<User> for PhoneUser {
    type Error = &'static str;

    fn try_from(user: User) -> Result<Self, &'static str> {
        let id = PhoneUserId::parse(user.id.as_str()).map_err(|_| "a user's ID is none")?;
        let given = user.login_id.filter(|login| !login.trim().is_empty());
        let login = given.map(|login| LoginId::parse(&login)).transpose().map_err(|_| "a user's login ID is none")?;
        // The list has no address. A login ID often is one.
        let email = login.as_ref().and_then(|login| EmailAddress::parse(login.as_str()).ok());
        Ok(Self { id, login, email, permission: None })
    }
}

impl TryFrom<Department> for CatalogEntry {
    type Error = &'static str;

    fn try_from(department: Department) -> Result<Self, &'static str> {
        let id = Ref::parse(department.id.as_str()).map_err(|_| "a department's ID is none")?;
        let name = Name::parse(&department.name).map_err(|_| "a department has no name")?;
        Ok(Self { id, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_or_digits_and_nothing_else() {
        let read = |json: &str| serde_json::from_str::<Id>(json).map(Id::into_string).ok();
        assert_eq!(read("314678").as_deref(), Some("314678"));
        assert_eq!(read("\"0502842370097\"").as_deref(), Some("0502842370097"));
        for json in ["\"\"", "\"x\"", "null", "1.5", "-1", "[1]", "{}", "true"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn a_login_that_is_an_address_is_one() {
        let user = |login: &str| {
            let json = format!(r#"{{"id": "1", "login_id": {login}, "agent": null, "extension": null, "new": []}}"#);
            PhoneUser::try_from(serde_json::from_str::<User>(&json).unwrap()).unwrap()
        };
        let asha = user("\"asha@example.com\"");
        assert_eq!(asha.email.unwrap().as_str(), asha.login.unwrap().as_str());
        assert_eq!(user("\"asha\"").email, None);
        assert_eq!(user("null").login, None);
        assert_eq!(user("\" \"").login, None);
    }
}
