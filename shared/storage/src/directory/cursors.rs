//! What cursors are sealed with.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use uuid::Uuid;

use super::{Directory, taken};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, PK},
};

const OPERATION: &str = "reading what cursors are sealed with";
const SECRET: &str = "secret";
/// Bytes of the secret, as many as the seal's hash has.
pub const CURSOR_SECRET_BYTES: usize = 32;

impl Directory {
    /// What the stack's cursors are sealed with: made by who needs it first, and the same for ever. Whoever may read the table needs no
    /// forged cursor to read it, so it is kept there and needs neither a service nor a permission of its own.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn cursor_secret(&self) -> Result<[u8; CURSOR_SECRET_BYTES], StorageError> {
        if let Some(secret) = self.kept_cursor_secret().await? {
            return Ok(secret);
        }
        let secret = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::cursor_secret().attributes().into()))
            .item(SECRET, AttributeValue::B(Blob::new(secret)))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        taken(put.send().await.map(drop).map_err(failed(OPERATION)))?;
        // Somebody else may have been faster, or this very request before its answer was lost: what is kept counts.
        let kept = self.kept_cursor_secret().await?;
        kept.ok_or_else(|| StorageError::unreadable(OPERATION, "it was taken away at once"))
    }

    async fn kept_cursor_secret(&self) -> Result<Option<[u8; CURSOR_SECRET_BYTES]>, StorageError> {
        let read = self.client.get_item().table_name(&self.table);
        let read = read.set_key(Some(Key::cursor_secret().attributes().into())).consistent_read(true);
        let Some(item) = read.send().await.map_err(failed(OPERATION))?.item else { return Ok(None) };
        let secret = item.get(SECRET).and_then(|value| value.as_b().ok());
        let secret = secret.and_then(|secret| secret.as_ref().try_into().ok());
        secret.map(Some).ok_or_else(|| StorageError::unreadable(OPERATION, "it has another length"))
    }
}
