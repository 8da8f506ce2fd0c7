//! Answers that are given again to a request that comes again with the same `Idempotency-Key`.

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::account::AccountId;
use serde::{Deserialize, Serialize};

use super::{Directory, document, read_document, write_id::WriteId};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, PK},
};

/// What is kept of a request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// A hash of method, path and body: the same key with another request is a mistake.
    pub request: String,
    /// Until when the request may still be at work, in seconds since 1970. After that it has died without an answer.
    pub working_until: i64,
    /// What was answered, once it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<RecordedResponse>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedResponse {
    /// Its status.
    pub status: u16,
    /// Its headers, as far as they matter.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

const OPERATION: &str = "keeping an answer";
const RECORD: &str = "answer";
const REQUEST: &str = "request";
const WORKING_UNTIL: &str = "working_until";
const EXPIRES: &str = "expires";
/// How long an answer is kept: a day is longer than any client tries again.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

impl Directory {
    /// Takes the key for a request: `None`. It can be taken if nobody has it, or if the same request had it and died; what
    /// that one did, it may do again without harm. Otherwise gives what is kept.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn begin_request(
        &self,
        account: &AccountId,
        key: &str,
        answer: &IdempotencyRecord,
        now: i64,
    ) -> Result<Option<IdempotencyRecord>, StorageError> {
        let mark = WriteId::new();
        let (write_id, value) = mark.attribute();
        let put = self
            .put_answer(account, key, answer, now)
            .item(write_id, value)
            // One that is past its time is taken for absent before the table gets round to deleting it.
            .condition_expression(
                "attribute_not_exists(#pk) OR #expires < :now OR (#request = :request AND #working_until < :now)",
            )
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#request", REQUEST)
            .expression_attribute_names("#working_until", WORKING_UNTIL)
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
            .expression_attribute_values(":request", AttributeValue::S(answer.request.clone()));
        loop {
            let taken = put.clone().send().await.map(drop).map_err(failed(OPERATION));
            if self.written(Key::answer(account, key), &mark, taken).await? {
                return Ok(None);
            }
            let key = Key::answer(account, key).attributes().into();
            let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
            // If it is gone, the key has just been freed.
            if let Some(item) = read.send().await.map_err(failed(OPERATION))?.item {
                return read_document(&item, RECORD, OPERATION).map(Some);
            }
        }
    }

    /// Keeps what was answered.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn complete_request(
        &self,
        account: &AccountId,
        key: &str,
        answer: &IdempotencyRecord,
        now: i64,
    ) -> Result<(), StorageError> {
        self.put_answer(account, key, answer, now).send().await.map_err(failed(OPERATION))?;
        Ok(())
    }

    /// Frees the key: the request came to nothing, and may be tried again.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn release_request(&self, account: &AccountId, key: &str) -> Result<(), StorageError> {
        let key = Key::answer(account, key).attributes().into();
        self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await.map_err(failed(OPERATION))?;
        Ok(())
    }

    fn put_answer(
        &self,
        account: &AccountId,
        key: &str,
        answer: &IdempotencyRecord,
        now: i64,
    ) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::answer(account, key).attributes().into()))
            .item(RECORD, document(answer))
            .item(REQUEST, AttributeValue::S(answer.request.clone()))
            .item(EXPIRES, AttributeValue::N((now + KEPT_SECONDS).to_string()));
        match answer.given {
            Some(_) => put,
            None => put.item(WORKING_UNTIL, AttributeValue::N(answer.working_until.to_string())),
        }
    }
}
