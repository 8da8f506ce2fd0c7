//! Users' customised lists: read, added to, and taken from. Zoom knows no way to set one whole.

use std::collections::{BTreeMap, HashMap};

use http::Method;
use rollcall_model::{caller_id::CallerId, phone_side::PhoneUserId};
use serde_json::json;
use tokio::time::Instant;

use super::{ZoomPhone, wire};
use crate::{ConnectorError, FailureKind, base_url::encode, http_client::HttpRequest};

/// The numbers that the account has in Zoom, with their IDs there.
pub struct AccountNumbers(HashMap<CallerId, String>);

impl AccountNumbers {
    /// The numbers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = CallerId> {
        self.0.keys().copied()
    }
}

/// What Zoom calls it that numbers are on a list: at least one. **A request that takes numbers off and names none takes all of them.**
struct Named<'a>(&'a [String]);

impl<'a> Named<'a> {
    fn new(ids: &'a [String]) -> Option<Self> {
        (!ids.is_empty() && ids.iter().all(|id| !id.is_empty())).then_some(Self(ids))
    }
}

/// Numbers that one request takes. Zoom names no bound; its twin for an account's own list refuses more.
const MOST: usize = 30;

const NUMBERS: &str = "listing Zoom's numbers";
const LIST: &str = "reading a phone user's customised list from Zoom";
const ADD: &str = "putting numbers on a phone user's customised list in Zoom";
const REMOVE: &str = "taking numbers off a phone user's customised list in Zoom";

impl ZoomPhone {
    /// Reads the account's numbers.
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn account_numbers(&self, until: Instant) -> Result<AccountNumbers, ConnectorError> {
        let listed: Vec<wire::AccountNumber> = self.list(NUMBERS, "v2/phone/numbers", &[], until).await?;
        Ok(AccountNumbers(listed.into_iter().map(|listed| (listed.number, listed.id)).collect()))
    }

    /// A user's customised list: its numbers, each with what Zoom calls its being there.
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn customised_list(
        &self,
        user: &PhoneUserId,
        until: Instant,
    ) -> Result<BTreeMap<CallerId, String>, ConnectorError> {
        let listed: Vec<wire::CustomisedNumber> =
            self.list(LIST, &list_of(user), &[("selected", "true")], until).await?;
        let named = listed.into_iter().map(|listed| Some((listed.phone_number, listed.customize_id?)));
        let named: Option<BTreeMap<_, _>> = named.collect();
        named.ok_or_else(|| ConnectorError::new(LIST, FailureKind::Malformed, "a number of a list has no ID"))
    }

    /// Puts numbers on a user's customised list.
    ///
    /// # Errors
    /// See [`FailureKind`]. [`FailureKind::Refused`], too, for a number that the account doesn't have in Zoom: nothing is sent then.
    pub async fn add_to_list(
        &self,
        user: &PhoneUserId,
        add: &[CallerId],
        numbers: &AccountNumbers,
        until: Instant,
    ) -> Result<(), ConnectorError> {
        let ids: Option<Vec<&String>> = add.iter().map(|number| numbers.0.get(number)).collect();
        let foreign = || ConnectorError::new(ADD, FailureKind::Refused, "a number is none of the account's there");
        for ids in ids.ok_or_else(foreign)?.chunks(MOST) {
            let address = self.endpoints.api.address(ADD, &list_of(user), &[])?;
            self.ask(HttpRequest::json(ADD, Method::POST, address, &json!({ "phone_number_ids": ids })), until).await?;
        }
        Ok(())
    }

    /// Takes numbers off a user's customised list, by what Zoom calls their being there.
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn remove_from_list(
        &self,
        user: &PhoneUserId,
        remove: &[String],
        until: Instant,
    ) -> Result<(), ConnectorError> {
        for ids in remove.chunks(MOST) {
            let unnamed = || ConnectorError::new(REMOVE, FailureKind::Malformed, "a number of a list has no ID");
            let ask = self.removal(user, &Named::new(ids).ok_or_else(unnamed)?)?;
            self.ask(ask, until).await?;
        }
        Ok(())
    }

    fn removal(&self, user: &PhoneUserId, Named(ids): &Named<'_>) -> Result<HttpRequest, ConnectorError> {
        let query: Vec<(&str, &str)> = ids.iter().map(|id| ("customize_ids", id.as_str())).collect();
        let address = self.endpoints.api.address(REMOVE, &list_of(user), &query)?;
        Ok(HttpRequest { method: Method::DELETE, ..HttpRequest::get(REMOVE, address) })
    }
}

fn list_of(user: &PhoneUserId) -> String {
    format!("v2/phone/users/{}/outbound_caller_id/customized_numbers", encode(user.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_takes_numbers_off_always_names_them() {
        let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(Named::new(&ids(&["c1"])).is_some());
        for nothing in [&[][..], &[""], &["c1", ""]] {
            assert!(Named::new(&ids(nothing)).is_none(), "{nothing:?}");
        }
    }
}
