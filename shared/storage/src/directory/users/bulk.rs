//! Users written by a bulk job: created or changed, many in flight, each with an outcome of its own.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_engine::world::{Found, NotWritten, TableUsage, UserWrite, Users};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    jobs::JobId,
    user::{Claim, DirectoryId, User, fold},
};
use tokio::time::Instant;

use std::collections::HashMap;

use super::{ATTRIBUTES, CALLER_IDS, CREATED, POLICY, READING, read_user};
use super::{
    change::Numbers,
    transaction::{Marks, marks, write_together},
};
use crate::{
    StorageError,
    directory::{
        Directory, Item,
        bulk::{Reads, read_found},
        claim::OWNER,
        string,
    },
    error::failed,
    keys::{ACCOUNT_PK, BY_ACCOUNT, Key, PK, login_of, users_index},
};

const WRITING: &str = "writing users";

impl Directory {
    async fn write_user(
        &self,
        account: &AccountId,
        write: UserWrite<'_>,
        job: &JobId,
        until: Instant,
    ) -> Result<(bool, TableUsage), StorageError> {
        let by = Actor::Job(job.clone());
        let marks: Marks = marks(&by).collect();
        let (login, items) = match write {
            UserWrite::Create(user, caller_ids) => {
                let user = User { caller_ids: caller_ids.to_vec(), ..user.clone() };
                let items = self.create_items(account, &user, &marks);
                (user.login, items)
            }
            UserWrite::Update(users, add) => {
                (users[1].login.clone(), self.update_items(account, users, Numbers::Add(add), &marks)?)
            }
            UserWrite::Restore(users, take_off) => {
                (users[1].login.clone(), self.update_items(account, users, Numbers::TakeOff(take_off), &marks)?)
            }
            UserWrite::Delete(user) => {
                let write = || self.delete_with_list(account, user, &by);
                let key = Key::user(account, &user.login.folded());
                return self.write_once(key, 2 + user.claims().len(), job, until, write).await;
            }
        };
        let key = Key::user(account, &login.folded());
        self.write_once(key, items.len(), job, until, || write_together(&self.once, items.clone(), None, WRITING)).await
    }
}

#[async_trait]
impl Users for Directory {
    async fn find_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Found>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::user(account, login));
        let read = |item: &Item| {
            let login = string(item, PK).and_then(|pk| login_of(account, &pk));
            let login = login.ok_or_else(|| StorageError::unreadable(READING, "an item is not a user"))?;
            Ok((login, read_found(item)?))
        };
        let attributes = ["email", POLICY, "department", CREATED, CALLER_IDS];
        let users = self.get_many(keys, Reads::now(&attributes), until, usage, read).await?;
        Ok(users.into_iter().collect())
    }

    async fn whole_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, User>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::user(account, login));
        let users = self.get_many(keys, Reads::now(&ATTRIBUTES), until, usage, read_user).await?;
        Ok(users.into_iter().map(|user| (user.login.folded().into_owned(), user)).collect())
    }

    async fn owners(
        &self,
        account: &AccountId,
        claims: Vec<Claim>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<Claim, String>, StorageError> {
        // A read that names a key twice is refused.
        let mut claims: HashMap<String, Claim> =
            claims.into_iter().map(|claim| (Key::claim(account, &claim).pk, claim)).collect();
        let keys: Vec<Key> = claims.values().map(|claim| Key::claim(account, claim)).collect();
        let read = |item: &Item| Ok(string(item, PK).zip(string(item, OWNER)));
        let found = self.get_many(keys.into_iter(), Reads::now(&[OWNER]), until, usage, read).await?;
        Ok(found.into_iter().flatten().filter_map(|(pk, owner)| Some((claims.remove(&pk)?, owner))).collect())
    }

    async fn linked_users(&self, account: &AccountId) -> Result<Vec<(DirectoryId, String)>, StorageError> {
        const LISTING: &str = "listing users of the directory";
        let mut linked = Vec::new();
        let mut after = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(BY_ACCOUNT)
                .key_condition_expression("#accountpk = :accountpk")
                .filter_expression("attribute_exists(#id)")
                .projection_expression("#id, #login")
                .expression_attribute_names("#accountpk", ACCOUNT_PK)
                .expression_attribute_names("#id", "directory_id")
                .expression_attribute_names("#login", "login")
                .expression_attribute_values(":accountpk", AttributeValue::S(users_index(account)))
                .set_exclusive_start_key(after);
            let page = query.send().await.map_err(failed(LISTING))?;
            for item in page.items() {
                let text = |name| string(item, name).unwrap_or_default();
                let id = DirectoryId::parse(&text("directory_id"));
                let id = id.map_err(|error| StorageError::unreadable(LISTING, error))?;
                linked.push((id, fold(&text("login")).into_owned()));
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(linked);
            }
        }
    }

    async fn write_users(
        &self,
        account: &AccountId,
        writes: &[UserWrite<'_>],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let each = writes.iter().map(|write| self.write_user(account, *write, job, until));
        Self::write_each(each.collect::<Vec<_>>(), usage).await
    }
}
