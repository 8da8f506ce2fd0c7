//! What accounts' phone systems are to be told, and what they were told.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{query::builders::QueryFluentBuilder, update_item::builders::UpdateItemFluentBuilder},
    types::AttributeValue,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use rollcall_bulk::push::state::PushState;
use rollcall_engine::world::{NewMark, Pushes, TableUsage, ToldTotals, Versioned};
use rollcall_model::{
    account::AccountId,
    audit::{Actor, AuditField, AuditImage, AuditSubject},
    code::RowCode,
    push::{Mark, Told},
    settings::PhoneSystem,
    user::LoginId,
};
use serde::de::{Deserialize, IntoDeserializer, value::Error as CodeError};
use tokio::time::Instant;

use super::{
    Directory, Item, Place, UserFilter,
    bulk::{IN_FLIGHT, Reads},
    document, read_document,
    stream::CHANGED_BY,
    string, taken,
};
use crate::{
    StorageError,
    error::failed,
    keys::{Key, PUSHED, SK, marks_pk, told_pk, told_prefix},
};

const READING: &str = "reading what the phone system is to be told";
const WRITING: &str = "writing what the phone system is to be told";

const LOGIN: &str = "login";
const SEQUENCE: &str = "sequence";
const SINCE: &str = "since";
const REMOVES: &str = "removes";
const FAILED: &str = "failed";
const UNSURE: &str = "unsure";
/// What the phone system was told, as JSON.
const TOLD: &str = "told";
/// How many numbers it was told.
const NUMBERS: &str = "numbers";
/// Whether the phone system has anybody who is the user.
const THERE: &str = "there";
/// Users of an account that are listed at once.
const LISTED: usize = 1_000;

impl Directory {
    async fn mark_one(&self, account: &AccountId, mark: &NewMark, at: Timestamp) -> Result<(), StorageError> {
        let removes = if mark.removes { ", #removes = :removes" } else { "" };
        let set =
            format!("SET #login = :login, #sequence = :sequence, #since = if_not_exists(#since, :since){removes}");
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::mark(account, &mark.login).attributes().into()))
            .update_expression(format!("{set} REMOVE #failed"))
            .expression_attribute_names("#login", LOGIN)
            .expression_attribute_names("#sequence", SEQUENCE)
            .expression_attribute_names("#since", SINCE)
            .expression_attribute_names("#failed", FAILED)
            .expression_attribute_values(":login", AttributeValue::S(mark.login.clone()))
            .expression_attribute_values(":sequence", AttributeValue::S(mark.sequence.clone()))
            .expression_attribute_values(":since", AttributeValue::S(at.to_string()));
        if mark.removes {
            update = update
                .expression_attribute_names("#removes", REMOVES)
                .expression_attribute_values(":removes", AttributeValue::Bool(true));
        }
        update.send().await.map(drop).map_err(failed(WRITING))
    }

    /// One attribute of what a phone system was told of each user, and of whom that is.
    fn told_items(&self, account: &AccountId, system: PhoneSystem, attribute: &str) -> QueryFluentBuilder {
        self.partition(told_pk(account), told_prefix(system))
            .projection_expression("#sk, #told")
            .expression_attribute_names("#told", attribute)
    }

    /// What this phone system was told of at most so many users, in the order of their login IDs, behind `after`. The last page is empty.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn told_after(
        &self,
        account: &AccountId,
        system: PhoneSystem,
        after: Option<&str>,
        most: i32,
    ) -> Result<Vec<(String, Told)>, StorageError> {
        let start = after.map(|login| Key::told(account, system, login));
        let told = self.partition(told_pk(account), told_prefix(system)).limit(most);
        page_after(told, start).await?.iter().map(read_told).collect()
    }

    /// What changes a user's mark, and says that it isn't known any more what the phone system has.
    fn unsure_mark(&self, account: &AccountId, folded_login: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::mark(account, folded_login).attributes().into()))
            .expression_attribute_names("#sequence", SEQUENCE)
            .expression_attribute_names("#unsure", UNSURE)
            .expression_attribute_values(":unsure", AttributeValue::Bool(true))
    }

    /// Takes a mark away, if it is still of this change. Somebody who has marked it again is none's failure.
    async fn unmark_if(&self, key: Key, sequence: &str) -> Result<(), StorageError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes().into()))
            .condition_expression("#sequence = :sequence")
            .expression_attribute_names("#sequence", SEQUENCE)
            .expression_attribute_values(":sequence", AttributeValue::S(sequence.to_owned()));
        taken(delete.send().await.map(drop).map_err(failed(WRITING))).map(drop)
    }
}

#[async_trait]
impl Pushes for Directory {
    async fn push_state(&self, account: &AccountId) -> Result<Option<Versioned<PushState>>, StorageError> {
        self.versioned(Key::pushing(account)).await
    }

    async fn put_push_state(&self, account: &AccountId, state: &Versioned<PushState>) -> Result<bool, StorageError> {
        taken(self.put_versioned(account, &Key::pushing(account), PUSHED, state).await)
    }

    async fn pushed_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        self.accounts(PUSHED).await
    }

    async fn marks_after(&self, account: &AccountId, after: Option<&str>) -> Result<Vec<Mark>, StorageError> {
        let start = after.map(|login| Key::mark(account, login));
        page_after(self.partition(marks_pk(account), "MARK#"), start).await?.iter().map(read_mark).collect()
    }

    async fn marks_of(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Mark>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::mark(account, login));
        let reads = Reads::now(&[LOGIN, SEQUENCE, SINCE, REMOVES, FAILED, UNSURE]);
        let marks = self.get_many(keys, reads, until, usage, read_mark).await?;
        Ok(marks.into_iter().map(|mark| (mark.login.clone(), mark)).collect())
    }

    async fn mark(&self, account: &AccountId, marks: &[NewMark], at: Timestamp) -> Result<(), StorageError> {
        let each = marks.iter().map(|mark| self.mark_one(account, mark, at)).collect::<Vec<_>>();
        stream::iter(each).buffer_unordered(IN_FLIGHT).try_collect().await
    }

    async fn unmark(&self, account: &AccountId, folded_login: &str, sequence: &str) -> Result<(), StorageError> {
        self.unmark_if(Key::mark(account, folded_login), sequence).await
    }

    async fn begin_telling(&self, account: &AccountId, folded_login: &str) -> Result<bool, StorageError> {
        let update = self
            .unsure_mark(account, folded_login)
            .update_expression("SET #unsure = :unsure")
            .condition_expression("attribute_exists(#sequence)");
        taken(update.send().await.map(drop).map_err(failed(WRITING)))
    }

    async fn fail_mark(
        &self,
        account: &AccountId,
        folded_login: &str,
        sequence: &str,
        code: RowCode,
    ) -> Result<(), StorageError> {
        let update = self
            .unsure_mark(account, folded_login)
            .update_expression("SET #failed = :code, #unsure = :unsure")
            .condition_expression("#sequence = :sequence")
            .expression_attribute_names("#failed", FAILED)
            .expression_attribute_values(":code", AttributeValue::S(code.as_str().to_owned()))
            .expression_attribute_values(":sequence", AttributeValue::S(sequence.to_owned()));
        taken(update.send().await.map(drop).map_err(failed(WRITING))).map(drop)
    }

    async fn mark_everybody(&self, account: &AccountId, sequence: &str) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::mark_everybody(account).attributes().into()))
            .item(SEQUENCE, AttributeValue::S(sequence.to_owned()));
        put.send().await.map(drop).map_err(failed(WRITING))
    }

    async fn everybody(&self, account: &AccountId) -> Result<Option<String>, StorageError> {
        let key = Key::mark_everybody(account).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let item = read.send().await.map_err(failed(READING))?.item;
        Ok(item.and_then(|item| string(&item, SEQUENCE)))
    }

    async fn unmark_everybody(&self, account: &AccountId, sequence: &str) -> Result<(), StorageError> {
        self.unmark_if(Key::mark_everybody(account), sequence).await
    }

    async fn logins_after(
        &self,
        account: &AccountId,
        after: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), StorageError> {
        let place = after.map(serde_json::from_str::<Place>).transpose();
        let place = place.map_err(|error| StorageError::unreadable(READING, error))?;
        let (users, next) =
            self.users_page(account, &UserFilter::default(), place.as_ref(), LISTED, usize::MAX).await?;
        let logins = users.iter().map(|user| user.login.folded().into_owned()).collect();
        let next = next.map(|place| serde_json::to_string(&place).expect("a place can be written as JSON"));
        Ok((logins, next))
    }

    async fn told_of(
        &self,
        account: &AccountId,
        system: PhoneSystem,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Told>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::told(account, system, login));
        Ok(self.get_many(keys, Reads::now(&[SK, TOLD]), until, usage, read_told).await?.into_iter().collect())
    }

    async fn put_told(&self, account: &AccountId, folded_login: &str, told: &Told) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::told(account, told.system, folded_login).attributes().into()))
            .item(TOLD, document(told))
            .item(NUMBERS, AttributeValue::N(told.count.to_string()))
            .item(THERE, AttributeValue::Bool(told.user.is_some()))
            .item(CHANGED_BY, AttributeValue::S(Actor::Job(told.job.clone()).to_string()));
        put.send().await.map(drop).map_err(failed(WRITING))
    }

    async fn told_users(&self, account: &AccountId, system: PhoneSystem) -> Result<Vec<(String, bool)>, StorageError> {
        let mut users = Vec::new();
        let mut items = self.told_items(account, system, THERE).into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed(READING))?;
            let is_there = item.get(THERE).and_then(|there| there.as_bool().ok()).copied().unwrap_or_default();
            users.push((login_of_told(&item)?, is_there));
        }
        Ok(users)
    }

    async fn told_totals(&self, account: &AccountId, system: PhoneSystem) -> Result<ToldTotals, StorageError> {
        let mut totals = ToldTotals::default();
        let mut items = self.told_items(account, system, NUMBERS).into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed(READING))?;
            let count = item.get(NUMBERS).and_then(|count| count.as_n().ok()?.parse::<usize>().ok());
            totals.users += 1;
            totals.numbers += count.unwrap_or_default();
        }
        Ok(totals)
    }
}

/// Some items that a query finds, behind `start`. The last page is empty.
async fn page_after(query: QueryFluentBuilder, start: Option<Key>) -> Result<Vec<Item>, StorageError> {
    let mut start = start.map(|key| key.attributes().into());
    loop {
        let page = query.clone().set_exclusive_start_key(start).send().await.map_err(failed(READING))?;
        start = page.last_evaluated_key;
        let items = page.items.unwrap_or_default();
        if !items.is_empty() || start.is_none() {
            return Ok(items);
        }
    }
}

/// What the phone system was told of a user. Of a long list the hash and the length alone are kept.
pub(super) fn phone_list(item: &Item, sk: &str) -> Result<AuditImage, StorageError> {
    let login = LoginId::parse(sk.splitn(3, '#').nth(2).unwrap_or_default());
    let login = login.map_err(|error| StorageError::unreadable(READING, error))?;
    let told: Told = read_document(item, TOLD, READING)?;
    let fields = BTreeMap::from([
        ("phone_system", AuditField::Shown(told.system.as_str().to_owned())),
        ("numbers", AuditField::Shown(told.count.to_string())),
        ("list", AuditField::Shown(told.hash)),
    ]);
    Ok(AuditImage {
        caller_ids: told.list.unwrap_or_default().into_iter().collect(),
        fields,
        ..AuditImage::of(AuditSubject::PhoneList(login))
    })
}

fn read_told(item: &Item) -> Result<(String, Told), StorageError> {
    Ok((login_of_told(item)?, read_document(item, TOLD, READING)?))
}

fn login_of_told(item: &Item) -> Result<String, StorageError> {
    let sk = string(item, SK).unwrap_or_default();
    // The name of a phone system holds no separator.
    let login = sk.splitn(3, '#').nth(2).map(str::to_owned);
    login.ok_or_else(|| StorageError::unreadable(READING, "its key names nobody"))
}

fn read_mark(item: &Item) -> Result<Mark, StorageError> {
    let text = |name| string(item, name).ok_or_else(|| StorageError::unreadable(READING, format!("it has no {name}")));
    let unreadable = |error: CodeError| StorageError::unreadable(READING, error);
    let is_set = |name| item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default();
    let failed = string(item, FAILED).map(|code| RowCode::deserialize(code.into_deserializer())).transpose();
    Ok(Mark {
        login: text(LOGIN)?,
        sequence: text(SEQUENCE)?,
        since: text(SINCE)?.parse().map_err(|error: jiff::Error| StorageError::unreadable(READING, error))?,
        removes: is_set(REMOVES),
        failed: failed.map_err(unreadable)?,
        unsure: is_set(UNSURE),
    })
}
