//! Several items written as one, and what they say of who writes them.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, TransactWriteItem},
};
use rollcall_engine::Backoff;
use rollcall_model::audit::Actor;
use tokio::time::Instant;

use super::TIMEOUT;
use crate::{
    ErrorKind, StorageError,
    directory::{Directory, bulk::WRITTEN_BY, stream::CHANGED_BY, write_id::WriteId},
    error::{failed, transaction_failed},
};

impl Directory {
    pub(in crate::directory) async fn write_patiently(
        &self,
        items: Vec<TransactWriteItem>,
        mark: &WriteId,
        operation: &'static str,
    ) -> Result<(), StorageError> {
        let mut patience = Backoff::new(Instant::now() + TIMEOUT);
        loop {
            match write_together(&self.client, items.clone(), Some(mark), operation).await {
                Err(error) if error.kind == ErrorKind::Transient => patience.wait(error).await?,
                done => return done,
            }
        }
    }
}

/// What an item says of who writes it: for the audit trail, and for a job that comes back after its death.
pub(crate) fn marks(by: &Actor) -> impl Iterator<Item = (&'static str, AttributeValue)> {
    let job = match by {
        Actor::Job(job) => Some((WRITTEN_BY, AttributeValue::S(job.to_string()))),
        Actor::Call(_) | Actor::Schedule | Actor::Bucket => None,
    };
    [(CHANGED_BY, AttributeValue::S(by.to_string()))].into_iter().chain(job)
}

/// What a user's item says of who writes it.
pub(in crate::directory) type Marks = Vec<(&'static str, AttributeValue)>;

/// The same, and for a call by which write.
pub(in crate::directory) fn marks_of(by: &Actor, mark: &WriteId) -> Marks {
    marks(by).chain([mark.attribute()]).collect()
}

/// Writes all of the items or none. A single one needs no transaction, which would cost twice as much.
pub(super) async fn write_together(
    client: &Client,
    items: Vec<TransactWriteItem>,
    mark: Option<&WriteId>,
    operation: &'static str,
) -> Result<(), StorageError> {
    match <[TransactWriteItem; 1]>::try_from(items) {
        Ok([TransactWriteItem { put: Some(put), .. }]) => {
            let write = client.put_item().table_name(put.table_name).set_item(Some(put.item));
            let write = write.set_condition_expression(put.condition_expression);
            let write = write.set_expression_attribute_names(put.expression_attribute_names);
            let write = write.set_expression_attribute_values(put.expression_attribute_values);
            write.send().await.map(|_| ()).map_err(failed(operation))
        }
        Ok([TransactWriteItem { update: Some(update), .. }]) => {
            let write = client.update_item().table_name(update.table_name).set_key(Some(update.key));
            let write = write.update_expression(update.update_expression);
            let write = write.set_condition_expression(update.condition_expression);
            let write = write.set_expression_attribute_names(update.expression_attribute_names);
            let write = write.set_expression_attribute_values(update.expression_attribute_values);
            write.send().await.map(|_| ()).map_err(failed(operation))
        }
        Ok(one) => transact(client, one.into(), mark, operation).await,
        Err(items) => transact(client, items, mark, operation).await,
    }
}

/// With a mark, the table takes a transaction that is sent again for the one that it has carried out
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>, "Idempotency").
async fn transact(
    client: &Client,
    items: Vec<TransactWriteItem>,
    mark: Option<&WriteId>,
    operation: &'static str,
) -> Result<(), StorageError> {
    let token = mark.map(|mark| mark.as_str().to_owned());
    let write = client.transact_write_items().set_transact_items(Some(items)).set_client_request_token(token);
    write.send().await.map(drop).map_err(transaction_failed(operation))
}
