//! Roles, departments and teams.

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    catalog::{Entry, Kind},
    user::Ref,
};

use super::{Directory, Item, document, read_document, stream::CHANGED_BY};
use crate::{
    Error,
    error::failed,
    keys::{Key, catalog_pk},
};

const READING: &str = "reading the catalogue";
const WRITING: &str = "writing the catalogue";
const RECORD: &str = "entry";

impl Directory {
    /// Every entry of a kind, by ID. Catalogues are short: a company has tens of departments, not thousands.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn catalog(&self, account: &AccountId, kind: Kind) -> Result<Vec<Entry>, Error> {
        let query = self.partition(catalog_pk(account), format!("{}#", prefix(kind)));
        let mut items = query.into_paginator().items().send();
        let mut entries = Vec::new();
        while let Some(item) = items.next().await {
            entries.push(read_entry(&item.map_err(failed(READING))?)?);
        }
        Ok(entries)
    }

    /// Adds an entry, or replaces its name.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_entry(
        &self,
        account: &AccountId,
        kind: Kind,
        entry: &Entry,
        by: Option<&Actor>,
    ) -> Result<(), Error> {
        let key = Key::catalog(account, prefix(kind), entry.id.as_str()).attributes().into();
        let put = self.client.put_item().table_name(&self.table).set_item(Some(key)).item(RECORD, document(entry));
        let put = by.into_iter().fold(put, |put, by| put.item(CHANGED_BY, AttributeValue::S(by.to_string())));
        put.send().await.map_err(failed(WRITING))?;
        Ok(())
    }

    /// Takes an entry away, and says before who does ([`Directory::delete_saying`]). Users that carry its ID keep it.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_entry(&self, account: &AccountId, kind: Kind, id: &Ref, by: &Actor) -> Result<(), Error> {
        self.delete_saying(Key::catalog(account, prefix(kind), id.as_str()), by, WRITING).await.map(drop)
    }
}

pub(super) fn read_entry(item: &Item) -> Result<Entry, Error> {
    read_document(item, RECORD, READING)
}

fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Role => "ROLE",
        Kind::Department => "DEPT",
        Kind::Team => "TEAM",
    }
}
