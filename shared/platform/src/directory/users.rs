//! Users, by name and by login ID.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    user::{LoginId, Policy, User, fold},
};
use tokio::time::Instant;

use super::{BulkWork, Directory, Item, bulk::Patience, string};
use crate::{
    Error, Kind,
    error::failed,
    keys::{ACCOUNT_PK, ACCOUNT_SK, BY_ACCOUNT, Key, PK, users_index},
};

/// How long a person waits for users to be shown.
const PATIENCE: Duration = Duration::from_secs(30);
/// Transactions in flight while users are created.
const IN_FLIGHT: usize = 4;

const READING: &str = "reading users";
pub(super) const CALLER_IDS: &str = "caller_ids";

impl Directory {
    /// Creates users; login IDs and e-mail addresses that are taken are left as they are. Gives the number created.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn create_users(&self, account: &AccountId, users: &[User]) -> Result<usize, Error> {
        /// A transaction takes 100 items, and a user is up to two: itself, and the claim on its e-mail address.
        const BATCH: usize = 50;
        let mut batches = stream::iter(users.chunks(BATCH))
            .map(|batch| async move {
                match self.create_together(account, batch).await {
                    Ok(()) => Ok(batch.len()),
                    Err(error) if error.kind == Kind::Conflict => self.create_one_by_one(account, batch).await,
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(IN_FLIGHT);
        let mut created = 0;
        while let Some(count) = batches.try_next().await? {
            created += count;
        }
        Ok(created)
    }

    async fn create_one_by_one(&self, account: &AccountId, users: &[User]) -> Result<usize, Error> {
        let mut created = 0;
        for user in users {
            match self.create_together(account, std::slice::from_ref(user)).await {
                Ok(()) => created += 1,
                Err(error) if error.kind == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(created)
    }

    async fn create_together(&self, account: &AccountId, users: &[User]) -> Result<(), Error> {
        let items = users.iter().flat_map(|user| self.create_items(account, user)).collect();
        let write = self.client.transact_write_items().set_transact_items(Some(items));
        let mut patience = Patience::new(Instant::now() + PATIENCE);
        loop {
            match write.clone().send().await {
                Ok(_) => return Ok(()),
                Err(error) if may_pass_later(&error) => patience.wait(failed("creating users")(error)).await?,
                Err(error) => return Err(failed("creating users")(error)),
            }
        }
    }

    fn create_items(&self, account: &AccountId, user: &User) -> Vec<TransactWriteItem> {
        let login = user.login.folded();
        let mut items = vec![self.put_new(user_item(account, user))];
        if let Some(email) = &user.email {
            let email = fold(email);
            let mut claim: Item = Key::email(account, &email).attributes().into();
            claim.insert("email".into(), AttributeValue::S(email.into_owned()));
            claim.insert("owner".into(), AttributeValue::S(login.into_owned()));
            items.push(self.put_new(claim));
        }
        items
    }

    fn put_new(&self, item: Item) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .expect("table and item have been given");
        TransactWriteItem::builder().put(put).build()
    }

    /// Those of the login IDs that are users, in the order asked for.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
    pub async fn named_users(&self, account: &AccountId, folded_logins: &[&str]) -> Result<Vec<User>, Error> {
        let mut asked: Vec<&str> = Vec::with_capacity(folded_logins.len());
        for login in folded_logins {
            // A read that names a key twice is refused.
            if !asked.contains(login) {
                asked.push(login);
            }
        }
        let keys = asked.iter().map(|login| Key::user(account, login));
        let until = Instant::now() + PATIENCE;
        let attributes = ["login", "name", "email", "policy", CALLER_IDS];
        let items = self.get_many(keys, &attributes, until, &mut BulkWork::default()).await?;
        let mut users = items.iter().map(read_user).collect::<Result<Vec<_>, _>>()?;
        users.sort_by_cached_key(|user| asked.iter().position(|login| *login == user.login.folded()));
        Ok(users)
    }

    /// The account's users by name, with their lists; at most `most`.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn users(&self, account: &AccountId, most: usize) -> Result<Vec<User>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_ACCOUNT)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", ACCOUNT_PK)
            .expression_attribute_values(":pk", AttributeValue::S(users_index(account)))
            .into_paginator()
            .items()
            .send();
        let mut users = Vec::new();
        while users.len() < most
            && let Some(item) = pages.next().await
        {
            users.push(read_user(&item.map_err(failed("listing users"))?)?);
        }
        // The index doesn't hold the lists, so that appending to them doesn't write it.
        let logins: Vec<_> = users.iter().map(|user| user.login.folded().into_owned()).collect();
        let logins: Vec<_> = logins.iter().map(String::as_str).collect();
        let until = Instant::now() + PATIENCE;
        let mut lists = self.find_users(account, &logins, until, &mut BulkWork::default()).await?;
        for user in &mut users {
            if let Some(found) = lists.remove(&*user.login.folded()) {
                user.caller_ids = found.caller_ids;
            }
        }
        Ok(users)
    }
}

/// Whether a transaction was cancelled though none of its conditions failed: another one was at the same items, or the
/// table asks for patience. The SDK doesn't repeat these by itself.
fn may_pass_later(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    let mut codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    codes.all(|code| {
        matches!(code, "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    })
}

fn user_item(account: &AccountId, user: &User) -> Item {
    let login = user.login.folded();
    let mut item: Item = Key::user(account, &login).attributes().into();
    let mut set = |name: &str, value: String| item.insert(name.to_owned(), AttributeValue::S(value));
    set(ACCOUNT_PK, users_index(account));
    set(ACCOUNT_SK, format!("{}#{login}", fold(&user.name)));
    set("login", user.login.to_string());
    set("name", user.name.clone());
    set("policy", policy_name(user.policy).to_owned());
    if let Some(email) = &user.email {
        set("email", email.clone());
    }
    // A set can't be empty; a user without numbers has none.
    if !user.caller_ids.is_empty() {
        let numbers = user.caller_ids.iter().map(ToString::to_string).collect();
        item.insert(CALLER_IDS.to_owned(), AttributeValue::Ss(numbers));
    }
    item
}

fn read_user(item: &Item) -> Result<User, Error> {
    let login = string(item, "login").unwrap_or_default();
    let login = LoginId::parse(&login).map_err(|error| Error::unreadable(READING, error))?;
    let (name, email) = (string(item, "name").unwrap_or_default(), string(item, "email"));
    Ok(User { login, name, email, policy: policy(item)?, caller_ids: caller_ids(item)? })
}

pub(super) fn caller_ids(item: &Item) -> Result<Vec<CallerId>, Error> {
    let numbers = item.get(CALLER_IDS).and_then(|set| set.as_ss().ok()).map_or(&[][..], Vec::as_slice);
    let numbers: Result<Vec<CallerId>, _> = numbers.iter().map(|number| number.parse()).collect();
    let mut numbers = numbers.map_err(|error| Error::unreadable(READING, error))?;
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn policy(item: &Item) -> Result<Policy, Error> {
    match string(item, "policy").as_deref() {
        Some("custom") | None => Ok(Policy::Custom),
        Some("all") => Ok(Policy::All),
        Some("department") => Ok(Policy::Department),
        Some(_) => Err(Error::unreadable(READING, "a user's policy is unknown")),
    }
}

fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::All => "all",
        Policy::Department => "department",
        Policy::Custom => "custom",
    }
}
