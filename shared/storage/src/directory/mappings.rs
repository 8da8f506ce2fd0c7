//! Mappings of CRM users.

use async_trait::async_trait;
use rollcall_engine::world::{Mappings, NotWritten, Schedules, TableUsage};
use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    jobs::JobId,
    mapping::{CrmUserId, Mapping},
};
use tokio::time::Instant;

use super::{Directory, Item, KnownInventory, bulk::Reads, document, read_document, users::marks, write_id::WriteId};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, PK, mappings_pk},
};

const READING: &str = "reading mappings";
const WRITING: &str = "writing a mapping";
const RECORD: &str = "mapping";
const VERSION: &str = "version";

impl Directory {
    /// A CRM user's mapping, as it is now.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn mapping(&self, account: &AccountId, crm_user: &CrmUserId) -> Result<Option<Mapping>, StorageError> {
        self.mapping_item(account, crm_user).await?.as_ref().map(read_mapping).transpose()
    }

    /// A CRM user's mapping, and the account's numbers, both as they are now: one request where the numbers are known.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn mapping_with_inventory(
        &self,
        account: &AccountId,
        crm_user: &CrmUserId,
    ) -> Result<(Option<Mapping>, Arc<KnownInventory>), StorageError> {
        let (item, known) = self.with_inventory(account, Key::mapping(account, crm_user.as_str())).await?;
        Ok((item.as_ref().map(read_mapping).transpose()?, known))
    }

    /// Some of the account's mappings, by CRM user: at most `most` after `after`. The flag says whether there are more.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn mappings_page(
        &self,
        account: &AccountId,
        after: Option<&CrmUserId>,
        most: usize,
    ) -> Result<(Vec<Mapping>, bool), StorageError> {
        let start = after.map(|crm_user| Key::mapping(account, crm_user.as_str()).attributes().into());
        let page = self
            .partition(mappings_pk(account), "CRM#")
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed(READING))?;
        let mappings = page.items().iter().map(read_mapping).collect::<Result<_, _>>()?;
        Ok((mappings, page.last_evaluated_key.is_some()))
    }

    /// Writes a mapping if what the table holds of it is still `before`. `false` when it isn't. From its first mapping on, the
    /// account is resynced by schedule.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn change_mapping(
        &self,
        account: &AccountId,
        before: Option<&Mapping>,
        mapping: &Mapping,
        by: Option<&Actor>,
    ) -> Result<bool, StorageError> {
        // First, so that the schedule knows of every mapping.
        if before.is_none() && self.resync_state(account).await?.is_none() {
            self.begin_resyncs(account).await?;
        }
        let mark = WriteId::new();
        let before = before.map(|before| before.version);
        let marks = by.into_iter().flat_map(marks).chain([mark.attribute()]).collect();
        let written = self.put_mapping(&self.client, account, before, mapping, marks).await;
        self.written(Key::mapping(account, mapping.crm_user.as_str()), &mark, written).await
    }

    /// Takes a mapping away, and says before who does. `false` when there is none.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_mapping(
        &self,
        account: &AccountId,
        crm_user: &CrmUserId,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        self.delete_saying(Key::mapping(account, crm_user.as_str()), by, "deleting a mapping").await
    }

    async fn write_mapping(
        &self,
        account: &AccountId,
        mapping: &Mapping,
        job: &JobId,
        until: Instant,
    ) -> Result<(bool, TableUsage), StorageError> {
        let key = Key::mapping(account, mapping.crm_user.as_str());
        let before = Some(mapping.version - 1);
        let marks: Vec<_> = marks(&Actor::Job(job.clone())).collect();
        let write = || self.put_mapping(&self.once, account, before, mapping, marks.clone());
        self.write_once(key, 1, job, until, write).await
    }

    async fn put_mapping(
        &self,
        client: &aws_sdk_dynamodb::Client,
        account: &AccountId,
        before: Option<u64>,
        mapping: &Mapping,
        marks: Vec<(&'static str, AttributeValue)>,
    ) -> Result<(), StorageError> {
        let put = client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::mapping(account, mapping.crm_user.as_str()).attributes().into()))
            .item(RECORD, document(mapping))
            .item(VERSION, AttributeValue::N(mapping.version.to_string()));
        let put = marks.into_iter().fold(put, |put, (name, value)| put.item(name, value));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK),
            Some(before) => put
                .condition_expression("#version = :before")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":before", AttributeValue::N(before.to_string())),
        };
        put.send().await.map(drop).map_err(failed(WRITING))
    }

    async fn mapping_item(&self, account: &AccountId, crm_user: &CrmUserId) -> Result<Option<Item>, StorageError> {
        let key = Key::mapping(account, crm_user.as_str()).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        Ok(read.send().await.map_err(failed(READING))?.item)
    }
}

#[async_trait]
impl Mappings for Directory {
    async fn mappings_after(
        &self,
        account: &AccountId,
        after: Option<&CrmUserId>,
    ) -> Result<Vec<Mapping>, StorageError> {
        // A query of a megabyte may find nothing, and say that there is more.
        let mut start = after.map(|crm_user| Key::mapping(account, crm_user.as_str()).attributes().into());
        loop {
            let query = self.partition(mappings_pk(account), "CRM#").set_exclusive_start_key(start);
            let page = query.send().await.map_err(failed(READING))?;
            if !page.items().is_empty() || page.last_evaluated_key.is_none() {
                return page.items().iter().map(read_mapping).collect();
            }
            start = page.last_evaluated_key;
        }
    }

    async fn mappings_of(
        &self,
        account: &AccountId,
        crm_users: &[&CrmUserId],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<CrmUserId, Mapping>, StorageError> {
        let keys = crm_users.iter().map(|crm_user| Key::mapping(account, crm_user.as_str()));
        let mappings = self.get_many(keys, Reads::now(&[RECORD]), until, usage, read_mapping).await?;
        Ok(mappings.into_iter().map(|mapping| (mapping.crm_user.clone(), mapping)).collect())
    }

    async fn write_mappings(
        &self,
        account: &AccountId,
        mappings: &[&Mapping],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let each = mappings.iter().map(|mapping| self.write_mapping(account, mapping, job, until));
        Self::write_each(each.collect::<Vec<_>>(), usage).await
    }

    async fn has_written_mapping(
        &self,
        account: &AccountId,
        crm_user: &CrmUserId,
        job: &JobId,
    ) -> Result<bool, StorageError> {
        self.has_written(Key::mapping(account, crm_user.as_str()), job).await
    }
}

pub(super) fn read_mapping(item: &Item) -> Result<Mapping, StorageError> {
    read_document(item, RECORD, READING)
}
