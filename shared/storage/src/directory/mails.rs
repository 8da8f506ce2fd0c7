//! How many mails an account sends.

use async_trait::async_trait;
use rollcall_engine::world::MailQuota;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{civil::Date, tz::TimeZone};
use rollcall_model::account::AccountId;

use super::{Directory, taken};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, PK},
};

const OPERATION: &str = "counting the account's mails";
const SENT: &str = "sent";
const EXPIRES: &str = "expires";
/// How long a day's count is kept after its beginning.
const KEPT_SECONDS: i64 = 3 * 24 * 60 * 60;
/// Other jobs of the account that may be faster, one after the other, before a later delivery tries again.
const TRIES: u64 = 10;

#[async_trait]
impl MailQuota for Directory {
    async fn take_mails(&self, account: &AccountId, day: Date, mails: u32, most: u32) -> Result<bool, StorageError> {
        let key = Key::mails(account, day);
        let begun = day.to_zoned(TimeZone::UTC).map_err(|error| StorageError::unreadable(OPERATION, error))?;
        let expires = begun.timestamp().as_second() + KEPT_SECONDS;
        for attempt in 1..=TRIES {
            let read = self.client.get_item().table_name(&self.table);
            let read = read.set_key(Some(key.clone().attributes().into())).consistent_read(true);
            let item = read.send().await.map_err(failed(OPERATION))?.item;
            let sent: Option<u32> = item.and_then(|item| item.get(SENT)?.as_n().ok()?.parse().ok());
            let after = sent.unwrap_or(0).saturating_add(mails);
            if after > most {
                return Ok(false);
            }
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(key.clone().attributes().into()))
                .item(SENT, AttributeValue::N(after.to_string()))
                .item(EXPIRES, AttributeValue::N(expires.to_string()));
            let put = match sent {
                None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
                Some(sent) => put
                    .condition_expression("#sent = :sent")
                    .expression_attribute_names("#sent", SENT)
                    .expression_attribute_values(":sent", AttributeValue::N(sent.to_string())),
            };
            if taken(put.send().await.map(drop).map_err(failed(OPERATION)))? {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(20 * attempt)).await;
        }
        Err(StorageError::transient(OPERATION, "other jobs are sending too"))
    }
}
