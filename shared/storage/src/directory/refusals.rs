//! Who was refused what: written down for the audit trail, which is made from the table's stream.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use rollcall_model::{account::AccountId, audit::Actor, code::ApiCode};
use sha2::{Digest, Sha256};

use super::{Directory, stream::CHANGED_BY, taken};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, PK},
};

/// Where the item says which route was refused, and with which code.
pub(super) const ROUTE: &str = "route";
/// See [`ROUTE`].
pub(super) const CODE: &str = "code";
const EXPIRES: &str = "expires";
/// The same refusal of the same caller is written down once in this time, so that a client that asks in a loop fills no trail.
const ONCE_IN_SECONDS: i64 = 60 * 60;

impl Directory {
    /// Writes down that a route was refused to somebody, once an hour for the same caller, route and code.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn note_refusal(
        &self,
        account: &AccountId,
        by: &Actor,
        (route, code): (&str, ApiCode),
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let code = code.as_str();
        let hour = now.as_second().div_euclid(ONCE_IN_SECONDS);
        // A hash, since a token's subject may be of any length.
        let what = Sha256::digest(format!("{hour}#{code}#{route}#{by}"));
        let key = Key::refusal(account, &hex::encode(what));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(key.attributes().into()))
            .item(ROUTE, AttributeValue::S(route.to_owned()))
            .item(CODE, AttributeValue::S(code.to_owned()))
            .item(CHANGED_BY, AttributeValue::S(by.to_string()))
            .item(EXPIRES, AttributeValue::N((now.as_second() + 2 * ONCE_IN_SECONDS).to_string()))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        taken(put.send().await.map(drop).map_err(failed("writing down a refusal"))).map(drop)
    }
}
