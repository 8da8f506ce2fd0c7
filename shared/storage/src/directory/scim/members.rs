//! Who is in a group: an item for each, so that a group may have thousands.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_engine::{Backoff, world::TableUsage};
use rollcall_model::{account::AccountId, audit::Actor, user::User};
use tokio::time::{Duration, Instant};

use super::CREATED;
use crate::{
    ErrorKind, StorageError,
    directory::{Directory, Item, bulk::Reads, stream::CHANGED_BY, string},
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, SK, scim_groups_of, scim_members_pk},
};

const READING: &str = "reading members of a group";
const WRITING: &str = "writing members of a group";
/// Items that one request writes (`BatchWriteItem`).
const BATCH: usize = 25;
/// Requests in flight.
const IN_FLIGHT: usize = 8;
/// How long a client waits.
const TIMEOUT: Duration = Duration::from_secs(25);

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScimMember {
    /// By folded login ID.
    pub login: String,
    /// When that user was created: a later one of the same login ID is somebody else.
    pub created: Option<String>,
}

impl ScimMember {
    /// A user as a member.
    pub fn of(user: &User) -> Self {
        let created = user.created.map(|created| created.to_string());
        Self { login: user.login.folded().into_owned(), created }
    }
}

impl Directory {
    /// Who is in a group, by login ID.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn scim_members(&self, account: &AccountId, group: &str) -> Result<Vec<ScimMember>, StorageError> {
        let mut items = self.partition(scim_members_pk(account, group), "MEMBER#").into_paginator().items().send();
        let mut members = Vec::new();
        while let Some(item) = items.next().await {
            members.extend(read_member(&item.map_err(failed(READING))?));
        }
        Ok(members)
    }

    /// Which of these users are in which of these groups: pairs of group and member.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn scim_memberships(
        &self,
        account: &AccountId,
        groups: &[String],
        folded_logins: &[String],
    ) -> Result<HashSet<(String, ScimMember)>, StorageError> {
        let pairs = groups.iter().flat_map(|group| folded_logins.iter().map(move |login| (group, login)));
        let keys: Vec<_> = pairs.map(|(group, login)| Key::scim_member(account, group, login)).collect();
        let partition = scim_members_pk(account, "");
        let read = |item: &Item| {
            let pk = string(item, crate::keys::PK).unwrap_or_default();
            let group = pk.strip_prefix(&partition).unwrap_or_default().to_owned();
            Ok(read_member(item).map(|member| (group, member)))
        };
        let until = Instant::now() + TIMEOUT;
        let found = self
            .get_many(keys.into_iter(), Reads::now(&[SK, CREATED]), until, &mut TableUsage::default(), read)
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The groups that a user is in, by ID. The index follows changes by some milliseconds.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn scim_groups_of(&self, account: &AccountId, folded_login: &str) -> Result<Vec<String>, StorageError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_ACCOUNT)
            .key_condition_expression("#accountpk = :accountpk")
            .expression_attribute_names("#accountpk", ACCOUNT_PK)
            .expression_attribute_values(":accountpk", AttributeValue::S(scim_groups_of(account, folded_login)));
        let mut items = query.into_paginator().items().send();
        let mut groups = Vec::new();
        while let Some(item) = items.next().await {
            groups.extend(string(&item.map_err(failed(READING))?, ACCOUNT_SK));
        }
        Ok(groups)
    }

    /// Brings members into a group and takes others out. **Not as one**, since they may be thousands: what was cut short is done by
    /// asking again, which finds what is done already.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn change_scim_members(
        &self,
        account: &AccountId,
        group: &str,
        add: &[ScimMember],
        remove: &[String],
        by: &Actor,
    ) -> Result<(), StorageError> {
        let added = add.iter().map(|member| {
            let mut item: Item = Key::scim_member(account, group, &member.login).attributes().into();
            item.extend([
                (ACCOUNT_PK.to_owned(), AttributeValue::S(scim_groups_of(account, &member.login))),
                (ACCOUNT_SK.to_owned(), AttributeValue::S(group.to_owned())),
                (CHANGED_BY.to_owned(), AttributeValue::S(by.to_string())),
            ]);
            item.extend(member.created.clone().map(|created| (CREATED.to_owned(), AttributeValue::S(created))));
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(|error| StorageError::unreadable(WRITING, error))?;
            Ok(WriteRequest::builder().put_request(put).build())
        });
        let removed = remove.iter().map(|login| {
            let key = Key::scim_member(account, group, login).attributes().into();
            let delete = DeleteRequest::builder().set_key(Some(key)).build();
            let delete = delete.map_err(|error| StorageError::unreadable(WRITING, error))?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        });
        let all = added.chain(removed).collect::<Result<Vec<_>, StorageError>>()?;
        let until = Instant::now() + TIMEOUT;
        let batches: Vec<_> = all.chunks(BATCH).map(|batch| self.write_batch(batch.to_vec(), until)).collect();
        stream::iter(batches).buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>().await.map(drop)
    }

    async fn write_batch(&self, mut batch: Vec<WriteRequest>, until: Instant) -> Result<(), StorageError> {
        let mut patience = Backoff::new(until);
        while !batch.is_empty() {
            let asked = batch.len();
            let write = self.client.batch_write_item().request_items(&self.table, batch.clone()).send().await;
            match write.map_err(failed(WRITING)) {
                Ok(mut answer) => {
                    let left = answer.unprocessed_items.as_mut().and_then(|left| left.remove(&self.table));
                    batch = left.unwrap_or_default();
                    if batch.len() == asked {
                        patience.wait(StorageError::transient(WRITING, "the table asks for patience")).await?;
                    }
                }
                Err(error) if error.kind == ErrorKind::Transient => patience.wait(error).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn read_member(item: &Item) -> Option<ScimMember> {
    let login = string(item, SK)?.strip_prefix("MEMBER#")?.to_owned();
    Some(ScimMember { login, created: string(item, CREATED) })
}
