//! The account's keys: one item for all, so that there are never more than may be.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use rollcall_engine::world::Versioned;
use rollcall_model::{account::AccountId, audit::Actor, scim_key::ScimKey};
use serde::{Deserialize, Serialize};

use super::{VERSION, counted, number};
use crate::{
    StorageError,
    directory::{Directory, Item, document, read_document, stream::CHANGED_BY, string, taken, write_id::WriteId},
    error::failed,
    keys::{Key, PK},
};

const READING: &str = "reading the account's SCIM keys";
const WRITING: &str = "writing the account's SCIM keys";
const RECORD: &str = "keys";

#[derive(Serialize, Deserialize)]
struct Keys {
    keys: Vec<ScimKey>,
}

/// The attribute that says on which day a key was used last.
fn used(id: &str) -> String {
    format!("used_{id}")
}

impl Directory {
    /// The account's keys, as they are now. Version 0 is that of an account that never had one.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn scim_keys(&self, account: &AccountId) -> Result<Versioned<Vec<ScimKey>>, StorageError> {
        let key = Key::scim_keys(account).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let Some(item) = read.send().await.map_err(failed(READING))?.item else {
            return Ok(Versioned { value: Vec::new(), version: 0 });
        };
        let mut keys = read_keys(&item)?;
        for key in &mut keys {
            key.last_used = string(&item, &used(&key.id)).and_then(|day| day.parse().ok());
        }
        Ok(Versioned { value: keys, version: number(&item, VERSION).unwrap_or(0) })
    }

    /// Writes the account's keys, if they are still at this version.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_scim_keys(
        &self,
        account: &AccountId,
        keys: Versioned<Vec<ScimKey>>,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        let mark = WriteId::new();
        let (write_id, written_by) = mark.attribute();
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::scim_keys(account).attributes().into()))
            .update_expression("SET #keys = :keys, #version = :after, #by = :by, #mark = :mark")
            .condition_expression("attribute_not_exists(#pk) OR #version = :version")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#keys", RECORD)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#by", CHANGED_BY)
            .expression_attribute_names("#mark", write_id)
            .expression_attribute_values(":keys", document(&Keys { keys: keys.value }))
            .expression_attribute_values(":version", counted(keys.version))
            .expression_attribute_values(":after", counted(keys.version + 1))
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":mark", written_by);
        let written = update.send().await.map(drop).map_err(failed(WRITING));
        self.written(Key::scim_keys(account), &mark, written).await
    }

    /// Notes the day of a key's last use.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn note_scim_use(&self, account: &AccountId, id: &str, day: Date) -> Result<(), StorageError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::scim_keys(account).attributes().into()))
            .update_expression("SET #used = :day")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#used", used(id))
            .expression_attribute_values(":day", AttributeValue::S(day.to_string()));
        taken(update.send().await.map(drop).map_err(failed(WRITING))).map(drop)
    }
}

/// The keys of an item, but for the days of their last use.
pub(in crate::directory) fn read_keys(item: &Item) -> Result<Vec<ScimKey>, StorageError> {
    let Keys { keys } = read_document(item, RECORD, READING)?;
    Ok(keys)
}
