//! The table: users, numbers, settings and jobs.

mod bulk;
mod catalog;
mod claim;
mod cursors;
mod explain;
mod follow;
mod idempotency;
mod inventory;
mod jobs;
mod mails;
mod mappings;
mod numbers;
mod permits;
mod pushes;
mod refusals;
mod scim;
mod settings;
mod standing;
mod statements;
mod stream;
mod users;
mod write_id;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Delete, TransactWriteItem},
};
use rollcall_model::{audit::Actor, stored};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ErrorKind, StorageError,
    connect::Aws,
    error::failed,
    keys::{Key, PK, SK},
    rate_limiter::AdaptiveRateLimiter,
};

use bulk::AnswerSizes;
pub use cursors::CURSOR_SECRET_BYTES;
pub use follow::{FollowedChange, FollowedRecord};
pub use idempotency::{IdempotencyRecord, RecordedResponse};
pub use inventory::KnownInventory;
use inventory::{KnownInventories, nothing_known};
pub use jobs::job_place;
pub use scim::{GroupClaim, ScimDay, ScimDocument, ScimErrorNote, ScimGroup, ScimMember, ScimUsers, group_claims};
use stream::DELETED_BY;
pub use stream::StreamRecord;
pub use users::{CreateOutcome, FilterValue, Place, Reach, SearchPlace, Taken, UserFilter, WriteOutcome};
use write_id::WriteId;

/// The directory of one deployment.
pub struct Directory {
    /// For single requests: repeats by itself what is worth repeating.
    client: Client,
    /// For the bulk path: one try, since pacing and repeating happen here, item by item.
    once: Client,
    table: String,
    reads: AdaptiveRateLimiter,
    writes: AdaptiveRateLimiter,
    answers: AnswerSizes,
    /// The accounts' numbers, as they were when they were last looked at.
    known: KnownInventories,
}

type Item = HashMap<String, AttributeValue>;

impl Directory {
    /// The directory in this table.
    pub fn new(aws: &Aws, table: impl Into<String>) -> Self {
        Self {
            client: Client::from_conf(aws.dynamodb().build()),
            once: Client::from_conf(aws.dynamodb().retry_config(RetryConfig::disabled()).build()),
            table: table.into(),
            reads: AdaptiveRateLimiter::new(),
            writes: AdaptiveRateLimiter::new(),
            answers: AnswerSizes::new(),
            known: nothing_known(),
        }
    }
}

impl Directory {
    /// The items of a partition whose place begins with `prefix`, as they are now.
    fn partition(&self, pk: String, prefix: impl Into<String>) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.into()))
            .consistent_read(true)
    }
}

impl Directory {
    /// Deletes an item. `false` when there is none.
    ///
    /// What is gone can't say who took it away. So the item says it before, in a write of its own, and goes only as long as it says so:
    /// the audit trail finds it on what was there last. Somebody who writes it in between makes us begin again.
    async fn delete_saying(&self, key: Key, by: &Actor, operation: &'static str) -> Result<bool, StorageError> {
        let by = AttributeValue::S(by.to_string());
        loop {
            let mark = self.client.update_item().table_name(&self.table).set_key(Some(key.clone().attributes().into()));
            let mark = mark
                .update_expression("SET #by = :by")
                .condition_expression("attribute_exists(#pk)")
                .expression_attribute_names("#by", DELETED_BY)
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":by", by.clone());
            if !taken(mark.send().await.map(drop).map_err(failed(operation)))? {
                return Ok(false);
            }
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(key.clone().attributes().into()))
                .condition_expression("#by = :by")
                .expression_attribute_names("#by", DELETED_BY)
                .expression_attribute_values(":by", by.clone())
                .build()
                .map_err(|error| StorageError::unreadable(operation, error))?;
            let delete = TransactWriteItem::builder().delete(delete).build();
            // What is gone bears no mark of who deleted it, should the answer be lost. A transaction has a token for that.
            if taken(self.write_patiently(vec![delete], &WriteId::new(), operation).await)? {
                return Ok(true);
            }
        }
    }
}

/// Whether a conditional write was carried out.
fn taken(written: Result<(), StorageError>) -> Result<bool, StorageError> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

fn string(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

/// A record that is kept as JSON in one attribute: read and written whole, by one owner.
fn document<T: Serialize>(record: &T) -> AttributeValue {
    AttributeValue::S(stored::to_json(record))
}

fn read_document<T: DeserializeOwned>(item: &Item, name: &str, operation: &'static str) -> Result<T, StorageError> {
    let text = item
        .get(name)
        .and_then(|value| value.as_s().ok())
        .ok_or_else(|| StorageError::unreadable(operation, format!("the item has no attribute {name}")))?;
    stored::from_json(text.as_bytes()).map_err(|error| StorageError::unreadable(operation, error))
}
