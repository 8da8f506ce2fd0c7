//! Answers that are given again to a request that comes again with the same `Idempotency-Key`.

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::account::AccountId;
use serde::{Deserialize, Serialize};

use super::{Directory, document, read_document};
use crate::{
    Error, Kind,
    error::failed,
    keys::{Key, PK},
};

/// What is kept of a request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// A hash of method, path and body: the same key with another request is a mistake.
    pub request: String,
    /// Until when the request may still be at work, in seconds since 1970. After that it has died.
    pub working_until: i64,
    /// What was answered, once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Its status.
    pub status: u16,
    /// Its headers, as far as they matter.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

const OPERATION: &str = "keeping an answer";
const RECORD: &str = "answer";
/// How long an answer is kept: a day is longer than any client tries again.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

impl Directory {
    /// Takes the key for a request, if nobody has it: `None`. Otherwise gives what is kept.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn take_answer(
        &self,
        account: &AccountId,
        key: &str,
        answer: &Answer,
        now: i64,
    ) -> Result<Option<Answer>, Error> {
        let put = self
            .put_answer(account, key, answer, now)
            // One that is past its time is taken for absent before the table gets round to deleting it.
            .condition_expression("attribute_not_exists(#pk) OR #expires < :now")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
        match put.send().await.map_err(failed(OPERATION)) {
            Ok(_) => Ok(None),
            Err(error) if error.kind == Kind::Conflict => {
                let key = Key::answer(account, key).attributes().into();
                let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
                let item = read.send().await.map_err(failed(OPERATION))?.item;
                item.map(|item| read_document(&item, RECORD, OPERATION)).transpose()
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps what was answered.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn keep_answer(&self, account: &AccountId, key: &str, answer: &Answer, now: i64) -> Result<(), Error> {
        self.put_answer(account, key, answer, now).send().await.map_err(failed(OPERATION))?;
        Ok(())
    }

    /// Frees the key: the request came to nothing, and may be tried again.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn free_answer(&self, account: &AccountId, key: &str) -> Result<(), Error> {
        let key = Key::answer(account, key).attributes().into();
        self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await.map_err(failed(OPERATION))?;
        Ok(())
    }

    fn put_answer(
        &self,
        account: &AccountId,
        key: &str,
        answer: &Answer,
        now: i64,
    ) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::answer(account, key).attributes().into()))
            .item(RECORD, document(answer))
            .item("expires", AttributeValue::N((now + KEPT_SECONDS).to_string()))
    }
}
