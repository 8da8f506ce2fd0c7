//! The account's numbers, and which of them a user may dial from.

use std::collections::HashMap;

use http::Method;
use rollcall_model::{caller_id::CallerId, phone_side::PhoneUserId};
use serde_json::json;
use tokio::time::Instant;

use super::{Smartflo, wire};
use crate::{ConnectorError, FailureKind, base_url::encode, http_client::HttpRequest};

/// The numbers that the account has in the phone system, with their IDs there.
pub struct MyNumbers(HashMap<CallerId, String>);

impl MyNumbers {
    /// The numbers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = CallerId> {
        self.0.keys().copied()
    }
}

const NUMBERS: &str = "listing the phone system's numbers";
const SET: &str = "setting a user's caller IDs in the phone system";

impl Smartflo {
    /// Reads the account's numbers.
    ///
    /// # Errors
    /// See [`FailureKind`]. [`FailureKind::Malformed`], too, for a number that stands there twice: which ID is meant can't be told.
    pub async fn my_numbers(&self, until: Instant) -> Result<MyNumbers, ConnectorError> {
        let listed: Vec<wire::MyNumber> = self.list(NUMBERS, "v1/my_number", &[], until).await?;
        let mut numbers = HashMap::with_capacity(listed.len());
        for number in listed {
            let did = number.did.as_deref().and_then(|did| did.trim().parse().ok());
            let alias = || number.alias.as_deref().and_then(|alias| CallerId::from_digits(alias.trim()).ok());
            // What is neither, such as a number that is dialled in one country alone, is no caller ID of ours.
            let Some(caller_id) = did.or_else(alias) else { continue };
            if numbers.insert(caller_id, number.id.into_string()).is_some() {
                return Err(ConnectorError::new(NUMBERS, FailureKind::Malformed, "a number has two IDs"));
            }
        }
        Ok(MyNumbers(numbers))
    }

    /// Sets which numbers a user may dial from, in this order: *"The first selected caller ID will be used as the extension's caller ID if the extension
    /// is assigned to the agent"* (<https://docs.smartflo.tatatelebusiness.com/docs/users>).
    ///
    /// **It must be the user's whole list**: whether the phone system adds to what it has or replaces it is not documented, nor what an empty list means.
    ///
    /// # Errors
    /// See [`FailureKind`]. [`FailureKind::Refused`], too, for a number that the account doesn't have in the phone system: nothing is sent then.
    pub async fn set_caller_ids(
        &self,
        user: &PhoneUserId,
        whole_list: &[CallerId],
        numbers: &MyNumbers,
        until: Instant,
    ) -> Result<(), ConnectorError> {
        let ids: Option<Vec<&String>> = whole_list.iter().map(|number| numbers.0.get(number)).collect();
        let foreign = || ConnectorError::new(SET, FailureKind::Refused, "a number is none of the account's there");
        let ids = ids.ok_or_else(foreign)?;
        let path = format!("v1/user/{}", encode(user.as_str()));
        let address = self.base.address(SET, &path, &[])?;
        self.ask(HttpRequest::json(SET, Method::PATCH, address, &json!({ "caller_id": ids })), until).await.map(drop)
    }
}
