//! How a write knows itself again. A client that gets no answer asks once more, and the condition of a write that was carried out
//! doesn't hold any more. **A lost answer is no refusal**: what was written says by which request.

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::{Directory, string};
use crate::{ErrorKind, StorageError, error::failed, keys::Key};

/// The attribute that says by which request an item was last written.
pub(super) const WRITE_ID: &str = "write_id";

/// The name of one write, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WriteId(String);

impl WriteId {
    /// Of a new write. It also fits as the token of a transaction, which has 36 characters at most.
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// As the item says it.
    pub(super) fn attribute(&self) -> (&'static str, AttributeValue) {
        (WRITE_ID, AttributeValue::S(self.0.clone()))
    }

    /// As the token of a transaction.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Directory {
    /// Whether a conditional write was carried out: its condition holds, or doesn't because this very write has been carried out before
    /// and its answer was lost.
    pub(super) async fn written(
        &self,
        key: Key,
        mark: &WriteId,
        written: Result<(), StorageError>,
    ) -> Result<bool, StorageError> {
        match written {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => self.bears(key, mark).await,
            Err(error) => Err(error),
        }
    }

    async fn bears(&self, key: Key, mark: &WriteId) -> Result<bool, StorageError> {
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes().into()));
        let read = read.consistent_read(true).projection_expression(WRITE_ID).send().await;
        let item = read.map_err(failed("looking who has written"))?.item;
        Ok(item.and_then(|item| string(&item, WRITE_ID)).is_some_and(|id| id == mark.0))
    }
}
