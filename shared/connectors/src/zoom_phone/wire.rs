//! What Zoom answers, as JSON. <https://developers.zoom.us/docs/api/phone/>

use rollcall_model::{caller_id::CallerId, email::EmailAddress, phone_side::PhoneUserId, user::LoginId};
use serde::Deserialize;

/// A part of a list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    /// Empty on the last page.
    pub next_page_token: Option<String>,
    /// Of the whole list.
    pub total_records: u64,
    #[serde(alias = "users", alias = "customize_numbers", alias = "phone_numbers")]
    pub entries: Vec<T>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub id: PhoneUserId,
    email: Option<String>,
}

/// A number on a user's customised list.
#[derive(Deserialize)]
pub(super) struct CustomisedNumber {
    pub phone_number: CallerId,
    /// What Zoom calls its being on the list.
    pub customize_id: Option<String>,
}

/// A number of the account.
#[derive(Deserialize)]
pub(super) struct AccountNumber {
    pub id: String,
    pub number: CallerId,
}

/// What a user is set to.
#[derive(Deserialize)]
pub(super) struct Settings {
    /// What the user may choose from.
    outbound_caller_ids: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    number: Option<String>,
}

/// Zoom's error.
#[derive(Deserialize)]
pub(super) struct Refusal {
    pub code: u32,
}

impl User {
    /// Users of Zoom sign in with their address.
    pub(super) fn sign_in(&self) -> (Option<LoginId>, Option<EmailAddress>) {
        let email = self.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
        (email.as_ref().and_then(|email| LoginId::parse(email.as_str()).ok()), email)
    }
}

impl Settings {
    /// The numbers. A choice without one is to hide it.
    ///
    /// # Errors
    /// Something that is no number.
    pub(super) fn caller_ids(self) -> Result<Vec<CallerId>, &'static str> {
        let given = self.outbound_caller_ids.into_iter().filter_map(|choice| choice.number);
        let numbers = given.filter(|number| !number.trim().is_empty());
        numbers.map(|number| number.parse().map_err(|_| "a number of a user's settings is none")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_without_a_number_is_to_hide_it() {
        let numbers = |json: &str| serde_json::from_str::<Settings>(json).map(Settings::caller_ids);
        let json = r#"{"outbound_caller_ids": [{"number": "+12025550123", "is_default": true}, {"name": "Hide"}, {"number": ""}]}"#;
        assert_eq!(numbers(json).unwrap().unwrap(), ["+12025550123".parse().unwrap()]);
        assert_eq!(numbers(r#"{"outbound_caller_ids": []}"#).unwrap(), Ok(Vec::new()));
        assert!(numbers(r#"{"outbound_caller_ids": [{"number": "x1"}]}"#).unwrap().is_err());
        assert!(numbers("{}").is_err());
    }
}
