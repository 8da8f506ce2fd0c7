//! How provisioning goes: who has left on a day, what was refused, where a list ended.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{Timestamp, civil::Date};
use rollcall_model::{account::AccountId, fingerprint::fingerprint};
use serde::{Deserialize, Serialize};

use super::{EXPIRES, counted, number};
use crate::{
    StorageError,
    directory::{Directory, Item, document, read_document, string, taken},
    error::failed,
    keys::{Key, scim_errors_pk},
};

const COUNTING: &str = "counting who has left";
const NOTING: &str = "noting what was refused";
const RECORD: &str = "note";
const TIMES: &str = "times";
const LEFT: &str = "left";
const ALL: &str = "all";
const TOLD: &str = "told";
const PLACE: &str = "place";
const TOTAL: &str = "total";
/// How long a day's count is kept.
const DAY_SECONDS: i64 = 3 * 24 * 60 * 60;
/// How long a refusal is shown.
const ERROR_SECONDS: i64 = 14 * 24 * 60 * 60;
/// How long a client may take from one page to the next.
const PAGE_SECONDS: i64 = 10 * 60;

/// How many a key has made leave on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScimDay {
    /// How many.
    pub left: usize,
    /// How many users the account had, where that was counted.
    pub all: Option<usize>,
    /// Whether people have been told.
    pub told: bool,
}

/// What was refused of a user or a group, last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimErrorNote {
    /// Whom it was about, as the directory names it.
    pub about: String,
    /// When.
    pub at: Timestamp,
    /// What was asked: `PATCH /Users/{id}`.
    pub route: String,
    /// The status of the answer.
    pub status: u16,
    /// Why, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// Why, in a sentence.
    pub detail: String,
    /// How often it was asked.
    #[serde(skip)]
    pub times: u64,
}

impl Directory {
    /// Counts somebody who has left.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn count_leaver(
        &self,
        account: &AccountId,
        day: Date,
        key: &str,
        now: Timestamp,
    ) -> Result<ScimDay, StorageError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::scim_day(account, day, key).attributes().into()))
            .update_expression("ADD #left :one SET #expires = :expires")
            .expression_attribute_names("#left", LEFT)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":one", counted(1))
            .expression_attribute_values(":expires", AttributeValue::N((now.as_second() + DAY_SECONDS).to_string()))
            .return_values(ReturnValue::AllNew);
        let item = update.send().await.map_err(failed(COUNTING))?.attributes.unwrap_or_default();
        let count = |name| number(&item, name).and_then(|count| usize::try_from(count).ok());
        Ok(ScimDay { left: count(LEFT).unwrap_or(0), all: count(ALL), told: item.contains_key(TOLD) })
    }

    /// Notes how many users the account has.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn note_scim_total(
        &self,
        account: &AccountId,
        day: Date,
        key: &str,
        all: usize,
    ) -> Result<(), StorageError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::scim_day(account, day, key).attributes().into()))
            .update_expression("SET #all = :all")
            .expression_attribute_names("#all", ALL)
            .expression_attribute_values(":all", counted(all as u64));
        update.send().await.map(drop).map_err(failed(COUNTING))
    }

    /// Says that people are being told; `false` when somebody else does already.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn tell_of_leavers(&self, account: &AccountId, day: Date, key: &str) -> Result<bool, StorageError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::scim_day(account, day, key).attributes().into()))
            .update_expression("SET #told = :told")
            .condition_expression("attribute_not_exists(#told)")
            .expression_attribute_names("#told", TOLD)
            .expression_attribute_values(":told", AttributeValue::Bool(true));
        taken(update.send().await.map(drop).map_err(failed(COUNTING)))
    }

    /// Notes what was refused, in the place of what was noted of the same user or group before.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn note_scim_error(&self, account: &AccountId, note: &ScimErrorNote) -> Result<(), StorageError> {
        let about = hex::encode(fingerprint([note.about.as_bytes()]));
        let expires = note.at.as_second() + ERROR_SECONDS;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::scim_error(account, &about).attributes().into()))
            .update_expression("SET #note = :note, #expires = :expires ADD #times :one")
            .expression_attribute_names("#note", RECORD)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#times", TIMES)
            .expression_attribute_values(":note", document(note))
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()))
            .expression_attribute_values(":one", counted(1));
        update.send().await.map(drop).map_err(failed(NOTING))
    }

    /// What was refused of late, the latest first, `most` of them.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn scim_errors(
        &self,
        account: &AccountId,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<ScimErrorNote>, StorageError> {
        let mut items = self.partition(scim_errors_pk(account), "ERROR#").into_paginator().items().send();
        let mut notes: Vec<ScimErrorNote> = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed(NOTING))?;
            let note: ScimErrorNote = read_document(&item, RECORD, NOTING)?;
            // The table forgets what has expired when it has the time.
            if note.at.as_second() + ERROR_SECONDS > now.as_second() {
                notes.push(ScimErrorNote { times: number(&item, TIMES).unwrap_or(1), ..note });
            }
        }
        notes.sort_by_key(|note| std::cmp::Reverse(note.at));
        notes.truncate(most);
        Ok(notes)
    }

    /// Where the page of users begins whose first one has this place, and how many users there were, if the page before it was read of late.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn scim_page(
        &self,
        account: &AccountId,
        start: usize,
        now: Timestamp,
    ) -> Result<Option<(String, usize)>, StorageError> {
        let key = Key::scim_page(account, start).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let item = read.send().await.map_err(failed("reading where a page ended"))?.item;
        Ok(item.and_then(|item: Item| {
            let expires = number(&item, EXPIRES).and_then(|at| i64::try_from(at).ok())?;
            let total = number(&item, TOTAL).and_then(|total| usize::try_from(total).ok())?;
            (expires > now.as_second()).then_some((string(&item, PLACE)?, total))
        }))
    }

    /// Remembers where a page ended.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_scim_page(
        &self,
        account: &AccountId,
        start: usize,
        (place, total): (&str, usize),
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::scim_page(account, start).attributes().into()))
            .item(PLACE, AttributeValue::S(place.to_owned()))
            .item(TOTAL, counted(total as u64))
            .item(EXPIRES, AttributeValue::N((now.as_second() + PAGE_SECONDS).to_string()));
        put.send().await.map(drop).map_err(failed("noting where a page ended"))
    }
}
