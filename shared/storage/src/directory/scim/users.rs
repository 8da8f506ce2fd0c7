//! Users with what was sent of them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, Select, TransactWriteItem};
use jiff::Timestamp;
use rollcall_engine::world::TableUsage;
use rollcall_model::{account::AccountId, audit::Actor, user::User};
use serde_json::{Map, Value};
use tokio::time::{Duration, Instant};

use super::{CREATED, DOCUMENT, MODIFIED, VERSION, counted, number, sent, time};
use crate::{
    StorageError,
    directory::{
        Directory, Item, WriteOutcome,
        bulk::Reads,
        stream::CHANGED_BY,
        string,
        users::{ATTRIBUTES, HIDDEN, LISTED, Numbers, marks_of, read_user},
        write_id::WriteId,
    },
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, SCIM_DOCUMENT, SK, login_of, user_pk, users_index},
};

const READING: &str = "reading what was sent of users";
const WRITING: &str = "writing what was sent of a user";
const COUNTING: &str = "counting users";
/// How long a client waits for a list.
const TIMEOUT: Duration = Duration::from_secs(25);

/// What was sent of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct ScimDocument {
    /// Its attributes.
    pub fields: Map<String, Value>,
    /// Raised by every change.
    pub version: u64,
    /// When it was sent first.
    pub created: Timestamp,
    /// When it changed last.
    pub modified: Timestamp,
}

/// A stretch of the account's users, those left out that the directory has deleted.
pub struct ScimUsers {
    /// The users, in order, with what was sent of them.
    pub users: Vec<(User, Option<ScimDocument>)>,
    /// Where the next stretch begins; `None` after the last user.
    pub next: Option<String>,
}

impl Directory {
    /// A user and what was sent of it, as they are now: one request.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn scim_user(
        &self,
        account: &AccountId,
        folded_login: &str,
    ) -> Result<Option<(User, Option<ScimDocument>)>, StorageError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", AttributeValue::S(user_pk(account, folded_login)))
            .consistent_read(true);
        let (mut user, mut document) = (None, None);
        let mut items = query.into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed(READING))?;
            match string(&item, SK).as_deref() {
                Some("USER") => user = Some(read_user(&item)?),
                Some(SCIM_DOCUMENT) => document = Some(read_document(&item)?),
                _ => {}
            }
        }
        Ok(user.map(|user| (user, document)))
    }

    /// Users by folded login ID, with what was sent of them, as they are now. Those who aren't there are left out.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn scim_users(
        &self,
        account: &AccountId,
        folded_logins: &[String],
        with_documents: bool,
    ) -> Result<HashMap<String, (User, Option<ScimDocument>)>, StorageError> {
        let until = Instant::now() + TIMEOUT;
        let mut usage = TableUsage::default();
        let keys = folded_logins.iter().map(|login| Key::user(account, login)).collect::<Vec<_>>().into_iter();
        let users = self.get_many(keys, Reads::now(&ATTRIBUTES), until, &mut usage, read_user).await?;
        let mut found: HashMap<_, _> =
            users.into_iter().map(|user| (user.login.folded().into_owned(), (user, None))).collect();
        if with_documents {
            let provisioned = found.iter().filter(|(_, (user, _))| user.provisioning.is_some());
            let keys: Vec<_> = provisioned.map(|(login, _)| Key::scim_document(account, login)).collect();
            let attributes = [DOCUMENT, VERSION, CREATED, MODIFIED];
            let read = |item: &Item| {
                let login = string(item, PK).and_then(|pk| login_of(account, &pk)).unwrap_or_default();
                Ok((login, read_document(item)?))
            };
            let documents = self.get_many(keys.into_iter(), Reads::now(&attributes), until, &mut usage, read).await?;
            for (login, document) in documents {
                if let Some((_, there)) = found.get_mut(&login) {
                    *there = Some(document);
                }
            }
        }
        Ok(found)
    }

    /// Writes a user and what was sent of it as one: a new user, or one that is still at the version of `before`.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn provision_user(
        &self,
        account: &AccountId,
        before: Option<&User>,
        after: &User,
        document: &ScimDocument,
        by: &Actor,
    ) -> Result<WriteOutcome, StorageError> {
        let mark = WriteId::new();
        let marks = marks_of(by, &mark);
        let login = after.login.folded();
        let mut items = match before {
            None => self.create_items(account, after, &marks),
            Some(before) => self.update_items(account, [before, after], Numbers::TakeOff(&[]), &marks)?,
        };
        let mut item: Item = Key::scim_document(account, &login).attributes().into();
        item.extend([
            (DOCUMENT.to_owned(), AttributeValue::S(Value::from(document.fields.clone()).to_string())),
            (VERSION.to_owned(), counted(document.version)),
            (CREATED.to_owned(), AttributeValue::S(document.created.to_string())),
            (MODIFIED.to_owned(), AttributeValue::S(document.modified.to_string())),
            (CHANGED_BY.to_owned(), AttributeValue::S(by.to_string())),
        ]);
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        let put = put.map_err(|error| StorageError::unreadable(WRITING, error))?;
        items.push(TransactWriteItem::builder().put(put).build());
        let written = self.write_patiently(items, &mark, WRITING).await;
        Ok(WriteOutcome::of(self.written(Key::user(account, &login), &mark, written).await?))
    }

    /// How many users the account has, without those that the directory has deleted. The index follows changes by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn count_scim_users(&self, account: &AccountId) -> Result<usize, StorageError> {
        let (mut count, mut after) = (0, None);
        loop {
            let query = self.users_seen(account).select(Select::Count).set_exclusive_start_key(after);
            let page = query.send().await.map_err(failed(COUNTING))?;
            count += usize::try_from(page.count).unwrap_or(0);
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    /// The folded login IDs of users of this folded name, `most` of them. The index follows changes by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn logins_named(
        &self,
        account: &AccountId,
        folded_name: &str,
        most: usize,
    ) -> Result<Vec<String>, StorageError> {
        let query = self
            .users_seen(account)
            .key_condition_expression("#accountpk = :accountpk AND begins_with(#accountsk, :beginning)")
            .expression_attribute_names("#accountsk", ACCOUNT_SK)
            .expression_attribute_values(":beginning", AttributeValue::S(format!("{folded_name}#")))
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(failed(READING))?;
        Ok(page.items().iter().filter_map(|item| login_of(account, &string(item, PK)?)).collect())
    }

    /// `most` users from a place on, or from the beginning; after passing over the first `skip` of them.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn list_scim_users(
        &self,
        account: &AccountId,
        from: Option<&str>,
        skip: usize,
        most: usize,
    ) -> Result<ScimUsers, StorageError> {
        let after = from.map(|place| read_place(account, place)).transpose()?;
        let skipped = match skip {
            0 => Walked { logins: Vec::new(), last: after, goes_on: true },
            skip => self.walk(account, after, skip).await?,
        };
        if !skipped.goes_on {
            return Ok(ScimUsers { users: Vec::new(), next: None });
        }
        let Walked { logins, last, goes_on } = self.walk(account, skipped.last, most).await?;
        let mut found = self.scim_users(account, &logins, true).await?;
        let users = logins.iter().filter_map(|login| found.remove(login)).collect();
        Ok(ScimUsers { users, next: last.filter(|_| goes_on).as_ref().and_then(place_of) })
    }

    /// The next users.
    async fn walk(&self, account: &AccountId, mut last: Option<Item>, most: usize) -> Result<Walked, StorageError> {
        let mut logins = Vec::new();
        while logins.len() < most {
            let limit = i32::try_from(most - logins.len()).unwrap_or(i32::MAX);
            let query = self.users_seen(account).limit(limit).set_exclusive_start_key(last);
            let query = query.projection_expression("#pk").expression_attribute_names("#pk", PK);
            let page = query.send().await.map_err(failed(READING))?;
            let found = page.items().iter().filter_map(|item| login_of(account, &string(item, PK)?));
            logins.extend(found);
            last = page.last_evaluated_key;
            if last.is_none() {
                return Ok(Walked { logins, last, goes_on: false });
            }
        }
        Ok(Walked { logins, last, goes_on: true })
    }

    fn users_seen(&self, account: &AccountId) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(BY_ACCOUNT)
            .key_condition_expression("#accountpk = :accountpk")
            .filter_expression("attribute_not_exists(#listed.#hidden)")
            .expression_attribute_names("#accountpk", ACCOUNT_PK)
            .expression_attribute_names("#listed", LISTED)
            .expression_attribute_names("#hidden", HIDDEN)
            .expression_attribute_values(":accountpk", AttributeValue::S(users_index(account)))
    }
}

/// Users of the index, one after the other, by folded login ID.
struct Walked {
    logins: Vec<String>,
    /// Where they end.
    last: Option<Item>,
    /// Whether there may be more.
    goes_on: bool,
}

/// A place among the account's users, as text.
fn place_of(key: &Item) -> Option<String> {
    Some(serde_json::json!([string(key, PK)?, string(key, ACCOUNT_SK)?]).to_string())
}

fn read_place(account: &AccountId, place: &str) -> Result<Item, StorageError> {
    let [pk, sort]: [String; 2] =
        serde_json::from_str(place).map_err(|error| StorageError::unreadable(READING, error))?;
    let login =
        login_of(account, &pk).ok_or_else(|| StorageError::unreadable(READING, "a place of another account"))?;
    let mut key: Item = Key::user(account, &login).attributes().into();
    key.insert(ACCOUNT_PK.to_owned(), AttributeValue::S(users_index(account)));
    key.insert(ACCOUNT_SK.to_owned(), AttributeValue::S(sort));
    Ok(key)
}

fn read_document(item: &Item) -> Result<ScimDocument, StorageError> {
    Ok(ScimDocument {
        fields: sent(item, READING)?,
        version: number(item, VERSION).ok_or_else(|| StorageError::unreadable(READING, "it has no version"))?,
        created: time(item, CREATED, READING)?,
        modified: time(item, MODIFIED, READING)?,
    })
}

impl ScimDocument {
    /// The first of a user.
    pub fn first(fields: Map<String, Value>, now: Timestamp) -> Self {
        Self { fields, version: 1, created: now, modified: now }
    }

    /// The next.
    #[must_use]
    pub fn next(&self, fields: Map<String, Value>, now: Timestamp) -> Self {
        Self { fields, version: self.version + 1, created: self.created, modified: now }
    }
}
