//! Groups, but for their members.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use rollcall_model::{account::AccountId, audit::Actor, fingerprint::fingerprint, user::fold};
use serde_json::{Map, Value};

use super::{CREATED, DOCUMENT, MODIFIED, VERSION, counted, number, sent, time};
use crate::{
    StorageError,
    directory::{Directory, Item, WriteOutcome, claim::OWNER, stream::CHANGED_BY, string, taken, write_id::WriteId},
    error::failed,
    keys::{Key, PK, SK, scim_groups_pk},
};

const READING: &str = "reading groups";
const WRITING: &str = "writing a group";

/// A group.
#[derive(Clone, Debug, PartialEq)]
pub struct ScimGroup {
    /// Its ID.
    pub id: String,
    /// What was sent of it, without members.
    pub fields: Map<String, Value>,
    /// Raised by every change, of its members too.
    pub version: u64,
    /// When it was sent first.
    pub created: Timestamp,
    /// When it changed last.
    pub modified: Timestamp,
}

/// Something that one group of an account can have, by its hash.
pub type GroupClaim = String;

/// What is a group's alone: its name, in any case, and the directory's own ID of it.
pub fn group_claims(fields: &Map<String, Value>) -> Vec<GroupClaim> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let hash = |kind: &str, value: &str| hex::encode(fingerprint([kind.as_bytes(), value.as_bytes()]));
    let name = text("displayName").map(|name| hash("name", &fold(name)));
    name.into_iter().chain(text("externalId").map(|id| hash("external", id))).collect()
}

impl Directory {
    /// A group, as it is now.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn scim_group(&self, account: &AccountId, id: &str) -> Result<Option<ScimGroup>, StorageError> {
        let key = Key::scim_group(account, id).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        read.send().await.map_err(failed(READING))?.item.as_ref().map(read_group).transpose()
    }

    /// All groups of the account, by ID.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn scim_groups(&self, account: &AccountId) -> Result<Vec<ScimGroup>, StorageError> {
        let mut items = self.partition(scim_groups_pk(account), "GROUP#").into_paginator().items().send();
        let mut groups = Vec::new();
        while let Some(item) = items.next().await {
            groups.push(read_group(&item.map_err(failed(READING))?)?);
        }
        Ok(groups)
    }

    /// Which group has a name or an ID.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn group_owner(&self, account: &AccountId, claim: &str) -> Result<Option<String>, StorageError> {
        let key = Key::scim_group_claim(account, claim).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        Ok(read.send().await.map_err(failed(READING))?.item.and_then(|item| string(&item, OWNER)))
    }

    /// Writes a group and what is its alone as one: a new one, or one that is still at the version of `before`.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_scim_group(
        &self,
        account: &AccountId,
        before: Option<&ScimGroup>,
        after: &ScimGroup,
        by: &Actor,
    ) -> Result<WriteOutcome, StorageError> {
        let mark = WriteId::new();
        let key = Key::scim_group(account, &after.id);
        let mut item: Item = key.clone().attributes().into();
        let (write_id, value) = mark.attribute();
        item.extend([
            (DOCUMENT.to_owned(), AttributeValue::S(Value::from(after.fields.clone()).to_string())),
            (VERSION.to_owned(), counted(after.version)),
            (CREATED.to_owned(), AttributeValue::S(after.created.to_string())),
            (MODIFIED.to_owned(), AttributeValue::S(after.modified.to_string())),
            (CHANGED_BY.to_owned(), AttributeValue::S(by.to_string())),
            (write_id.to_owned(), value),
        ]);
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
            Some(before) => put
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", counted(before.version)),
        };
        let put = put.build().map_err(|error| StorageError::unreadable(WRITING, error))?;
        let mut items = vec![TransactWriteItem::builder().put(put).build()];
        let (had, has) =
            (before.map(|group| group_claims(&group.fields)).unwrap_or_default(), group_claims(&after.fields));
        for claim in has.iter().filter(|claim| !had.contains(claim)) {
            items.push(self.take(Key::scim_group_claim(account, claim), &after.id));
        }
        for claim in had.iter().filter(|claim| !has.contains(claim)) {
            items.push(self.release(Key::scim_group_claim(account, claim), &after.id));
        }
        let written = self.write_patiently(items, &mark, WRITING).await;
        Ok(WriteOutcome::of(self.written(key, &mark, written).await?))
    }

    /// Deletes a group, if it is still at this version. Its members are gone before.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_scim_group(
        &self,
        account: &AccountId,
        group: &ScimGroup,
    ) -> Result<WriteOutcome, StorageError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(Key::scim_group(account, &group.id).attributes().into()))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":version", counted(group.version))
            .build()
            .map_err(|error| StorageError::unreadable(WRITING, error))?;
        let mut items = vec![TransactWriteItem::builder().delete(delete).build()];
        for claim in group_claims(&group.fields) {
            items.push(self.release(Key::scim_group_claim(account, &claim), &group.id));
        }
        Ok(WriteOutcome::of(taken(self.write_patiently(items, &WriteId::new(), WRITING).await)?))
    }
}

fn read_group(item: &Item) -> Result<ScimGroup, StorageError> {
    let id = string(item, SK).and_then(|sk| sk.strip_prefix("GROUP#").map(str::to_owned));
    Ok(ScimGroup {
        id: id.ok_or_else(|| StorageError::unreadable(READING, "its key names no group"))?,
        fields: sent(item, READING)?,
        version: number(item, VERSION).ok_or_else(|| StorageError::unreadable(READING, "it has no version"))?,
        created: time(item, CREATED, READING)?,
        modified: time(item, MODIFIED, READING)?,
    })
}
