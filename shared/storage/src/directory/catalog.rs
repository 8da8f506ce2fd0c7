//! Roles, departments and teams.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_engine::world::Catalogs;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    catalog::{CatalogEntry, CatalogKind},
    user::Ref,
};

use super::{Directory, Item, document, read_document, stream::CHANGED_BY};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, catalog_pk},
};

const READING: &str = "reading the catalogue";
const WRITING: &str = "writing the catalogue";
const RECORD: &str = "entry";

impl Directory {
    /// Takes an entry away, and says before who does. Users that carry its ID keep it.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_entry(
        &self,
        account: &AccountId,
        kind: CatalogKind,
        id: &Ref,
        by: &Actor,
    ) -> Result<(), StorageError> {
        self.delete_saying(Key::catalog(account, prefix(kind), id.as_str()), by, WRITING).await.map(drop)
    }
}

#[async_trait]
impl Catalogs for Directory {
    async fn catalog(&self, account: &AccountId, kind: CatalogKind) -> Result<Vec<CatalogEntry>, StorageError> {
        let query = self.partition(catalog_pk(account), format!("{}#", prefix(kind)));
        let mut items = query.into_paginator().items().send();
        let mut entries = Vec::new();
        while let Some(item) = items.next().await {
            entries.push(read_entry(&item.map_err(failed(READING))?)?);
        }
        Ok(entries)
    }

    async fn put_entry(
        &self,
        account: &AccountId,
        kind: CatalogKind,
        entry: &CatalogEntry,
        by: Option<&Actor>,
    ) -> Result<(), StorageError> {
        let key = Key::catalog(account, prefix(kind), entry.id.as_str()).attributes().into();
        let put = self.client.put_item().table_name(&self.table).set_item(Some(key)).item(RECORD, document(entry));
        let put = by.into_iter().fold(put, |put, by| put.item(CHANGED_BY, AttributeValue::S(by.to_string())));
        put.send().await.map_err(failed(WRITING))?;
        Ok(())
    }
}

pub(super) fn read_entry(item: &Item) -> Result<CatalogEntry, StorageError> {
    read_document(item, RECORD, READING)
}

fn prefix(kind: CatalogKind) -> &'static str {
    match kind {
        CatalogKind::Role => "ROLE",
        CatalogKind::Department => "DEPT",
        CatalogKind::Team => "TEAM",
    }
}
