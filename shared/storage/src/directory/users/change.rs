//! Creating, changing and deleting users.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Delete, Put, TransactWriteItem, Update},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_engine::Backoff;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    user::{Claim, LoginId, User},
};
use tokio::time::Instant;

use super::{
    TIMEOUT,
    item::{CALLER_IDS, OWNER, attributes, claim_item, number_set, user_item},
};
use crate::{
    ErrorKind, StorageError,
    directory::{
        Directory, Item,
        bulk::WRITTEN_BY,
        stream::{CHANGED_BY, DELETED_BY},
        taken,
        write_id::WriteId,
    },
    error::{failed, transaction_failed},
    keys::{Key, PK},
};

/// Transactions in flight while users are created.
const IN_FLIGHT: usize = 4;
const CHANGING: &str = "changing a user";
const DELETING: &str = "deleting a user";

impl Directory {
    /// Creates users; login IDs and e-mail addresses that are taken are left as they are. Gives the number created. Nobody is
    /// said to have done it.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn create_users(&self, account: &AccountId, users: &[User]) -> Result<usize, StorageError> {
        /// A transaction takes 100 items, and a user is up to four: itself and its claims.
        const BATCH: usize = 25;
        let mut batches = stream::iter(users.chunks(BATCH))
            .map(|batch| async move {
                match self.create_together(account, batch, &Marks::new()).await {
                    Ok(()) => Ok(batch.len()),
                    Err(error) if error.kind == ErrorKind::Conflict => self.create_one_by_one(account, batch).await,
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

    async fn create_one_by_one(&self, account: &AccountId, users: &[User]) -> Result<usize, StorageError> {
        let mut created = 0;
        for user in users {
            match self.create_together(account, std::slice::from_ref(user), &Marks::new()).await {
                Ok(()) => created += 1,
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(created)
    }

    async fn create_together(&self, account: &AccountId, users: &[User], marks: &Marks) -> Result<(), StorageError> {
        let items = users.iter().flat_map(|user| self.create_items(account, user, marks)).collect();
        self.write_patiently(items, &WriteId::new(), "creating users").await
    }

    /// What creates a user: itself, and what is to be its alone.
    pub(super) fn create_items(&self, account: &AccountId, user: &User, marks: &Marks) -> Vec<TransactWriteItem> {
        let mut item = user_item(account, user);
        item.extend(marks.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let claims = user.claims();
        let claims = claims.iter().map(|claim| self.take_claim(account, claim, &user.login));
        [self.put_new(item)].into_iter().chain(claims).collect()
    }

    /// What turns `before` into `after` and changes its list, if it is still at the version of `before`.
    pub(super) fn update_items(
        &self,
        account: &AccountId,
        [before, after]: [&User; 2],
        numbers: Numbers<'_>,
        marks: &Marks,
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let mut update = Update::builder().table_name(&self.table);
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        let marks = marks.iter().map(|(name, value)| (*name, Some(value.clone())));
        for (name, value) in attributes(account, after).into_iter().chain(marks) {
            update = update.expression_attribute_names(format!("#{name}"), name);
            if let Some(value) = value {
                sets.push(format!("#{name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), value);
            } else {
                removes.push(format!("#{name}"));
            }
        }
        let mut expression = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression.push_str(&format!(" REMOVE {}", removes.join(", ")));
        }
        let (verb, numbers) = match numbers {
            Numbers::Add(numbers) => ("ADD", numbers),
            Numbers::TakeOff(numbers) => ("DELETE", numbers),
        };
        if !numbers.is_empty() {
            expression.push_str(&format!(" {verb} {CALLER_IDS} :numbers"));
            update = update.expression_attribute_values(":numbers", number_set(numbers));
        }
        let update = update
            .set_key(Some(Key::user(account, &after.login.folded()).attributes().into()))
            .update_expression(expression)
            .condition_expression("#version = :before")
            .expression_attribute_values(":before", AttributeValue::N(before.version.to_string()))
            .build()
            .map_err(|error| StorageError::unreadable(CHANGING, error))?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        let (had, has) = (before.claims(), after.claims());
        let gained = has.iter().filter(|claim| !had.contains(claim));
        items.extend(gained.map(|claim| self.take_claim(account, claim, &after.login)));
        for claim in had.iter().filter(|claim| !has.contains(claim)) {
            items.push(self.release_claim(account, claim, &after.login)?);
        }
        Ok(items)
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

    /// Gives a user what is to be its alone, if nobody else has it. A claim under this login ID that outlived its user is taken over.
    fn take_claim(&self, account: &AccountId, claim: &Claim, login: &LoginId) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(claim_item(account, claim, login)))
            .condition_expression("attribute_not_exists(#pk) OR #owner = :owner")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":owner", AttributeValue::S(login.folded().into_owned()))
            .build()
            .expect("table and item have been given");
        TransactWriteItem::builder().put(put).build()
    }

    /// Sets free what was a user's alone. **Only its owner can**: what another user has by now stays that user's.
    fn release_claim(
        &self,
        account: &AccountId,
        claim: &Claim,
        login: &LoginId,
    ) -> Result<TransactWriteItem, StorageError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(Key::claim(account, claim).attributes().into()))
            .condition_expression("attribute_not_exists(#pk) OR #owner = :owner")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":owner", AttributeValue::S(login.folded().into_owned()));
        let delete = delete.build().map_err(|error| StorageError::unreadable(CHANGING, error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Creates one user.
    ///
    /// # Errors
    /// [`Taken`] in the outcome says what of it another user has; otherwise when the table can't be written.
    pub async fn create_user(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<Result<(), Taken>, StorageError> {
        let (login, mark) = (user.login.folded(), WriteId::new());
        let items = self.create_items(account, user, &marks_of(by, &mark));
        let created = self.write_patiently(items, &mark, "creating a user").await;
        if self.written(Key::user(account, &login), &mark, created).await? {
            return Ok(Ok(()));
        }
        // Whatever it was may be free again by now. Then the login ID is as good an answer as any: it was taken.
        Ok(Err(match self.user(account, &login).await? {
            Some(_) => Taken::Login,
            None => self.taken(account, user).await?.unwrap_or(Taken::Login),
        }))
    }

    /// Replaces what is known of a user, but its list, if it is still at the version before `user`'s. Appends that come
    /// between are kept.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn update_user(
        &self,
        account: &AccountId,
        before: &User,
        user: &User,
        by: &Actor,
    ) -> Result<Result<(), Stale>, StorageError> {
        let mark = WriteId::new();
        let items = self.update_items(account, [before, user], Numbers::Add(&[]), &marks_of(by, &mark))?;
        let updated = self.write_patiently(items, &mark, CHANGING).await;
        let updated = self.written(Key::user(account, &user.login.folded()), &mark, updated).await?;
        Ok(if updated { Ok(()) } else { Err(Stale) })
    }

    /// What of a user another one has.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn taken(&self, account: &AccountId, user: &User) -> Result<Option<Taken>, StorageError> {
        for claim in user.claims() {
            if self.owner(account, &claim).await?.is_some_and(|owner| owner != user.login.folded()) {
                return Ok(Some(Taken::Claim(claim)));
            }
        }
        Ok(None)
    }

    /// Deletes a user, if it is still at this version.
    ///
    /// What is gone can't say who took it away, and a deletion says nothing by itself. So the user says it before, in a write of
    /// its own, and goes only as long as it says so: the audit trail finds it on what was there last.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn delete_user(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<Result<(), Stale>, StorageError> {
        let deletion = self.delete_items(account, user, by, false)?;
        if !taken(self.say_who_deletes(&self.client, account, user, by).await)? {
            return Ok(Err(Stale));
        }
        // What is gone bears no mark, but the token of the transaction does the same.
        let deleted = taken(self.write_patiently(deletion, &WriteId::new(), DELETING).await)?;
        Ok(if deleted { Ok(()) } else { Err(Stale) })
    }

    /// The same for a job, if the user's list is this one besides. [`ErrorKind::Conflict`] when either is not so any more.
    pub(super) async fn delete_with_list(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<(), StorageError> {
        self.say_who_deletes(&self.once, account, user, by).await?;
        write_together(&self.once, self.delete_items(account, user, by, true)?, None, DELETING).await
    }

    async fn say_who_deletes(
        &self,
        client: &Client,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<(), StorageError> {
        let mark = client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, &user.login.folded()).attributes().into()))
            .update_expression("SET #by = :by")
            .condition_expression("#version = :version")
            .expression_attribute_names("#by", DELETED_BY)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":version", AttributeValue::N(user.version.to_string()));
        mark.send().await.map(drop).map_err(failed(DELETING))
    }

    /// What deletes a user and what was its alone, if it is still at this version and says by whom it goes, and where that is
    /// asked, if its list is still this one.
    fn delete_items(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
        with_list: bool,
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let mut condition = "#version = :version AND #by = :by".to_owned();
        let mut delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, &user.login.folded()).attributes().into()))
            .expression_attribute_names("#by", DELETED_BY)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":version", AttributeValue::N(user.version.to_string()));
        if with_list {
            delete = delete.expression_attribute_names("#list", CALLER_IDS);
            if user.caller_ids.is_empty() {
                condition.push_str(" AND attribute_not_exists(#list)");
            } else {
                condition.push_str(" AND #list = :list");
                delete = delete.expression_attribute_values(":list", number_set(&user.caller_ids));
            }
        }
        let delete = delete.condition_expression(condition).build();
        let delete = delete.map_err(|error| StorageError::unreadable(DELETING, error))?;
        let mut items = vec![TransactWriteItem::builder().delete(delete).build()];
        for claim in user.claims() {
            items.push(self.release_claim(account, &claim, &user.login)?);
        }
        Ok(items)
    }

    /// Takes one number off a user's list. `false` when there is no such user.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn remove_caller_id(
        &self,
        account: &AccountId,
        folded_login: &str,
        number: CallerId,
        by: &Actor,
    ) -> Result<bool, StorageError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::user(account, folded_login).attributes().into()))
            .update_expression(format!("DELETE {CALLER_IDS} :number SET #by = :by"))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#by", CHANGED_BY)
            .expression_attribute_values(":by", AttributeValue::S(by.to_string()))
            .expression_attribute_values(":number", number_set(&[number]));
        taken(update.send().await.map(drop).map_err(failed("taking a number off a list")))
    }

    pub(in crate::directory) async fn write_patiently(
        &self,
        items: Vec<TransactWriteItem>,
        mark: &WriteId,
        operation: &'static str,
    ) -> Result<(), StorageError> {
        let mut patience = Backoff::new(Instant::now() + TIMEOUT);
        loop {
            match write_together(&self.client, items.clone(), Some(mark), operation).await {
                Err(error) if error.kind == ErrorKind::Transient => patience.wait(error).await?,
                done => return done,
            }
        }
    }
}

/// What an item says of who writes it: for the audit trail, and for a job that comes back after its death.
pub(crate) fn marks(by: &Actor) -> impl Iterator<Item = (&'static str, AttributeValue)> {
    let job = match by {
        Actor::Job(job) => Some((WRITTEN_BY, AttributeValue::S(job.to_string()))),
        Actor::Call(_) | Actor::Schedule | Actor::Bucket => None,
    };
    [(CHANGED_BY, AttributeValue::S(by.to_string()))].into_iter().chain(job)
}

/// What a user's item says of who writes it.
pub(super) type Marks = Vec<(&'static str, AttributeValue)>;

/// The same, and for a call by which write.
fn marks_of(by: &Actor, mark: &WriteId) -> Marks {
    marks(by).chain([mark.attribute()]).collect()
}

/// Writes all of the items or none. A single one needs no transaction, which would cost twice as much.
pub(super) async fn write_together(
    client: &Client,
    items: Vec<TransactWriteItem>,
    mark: Option<&WriteId>,
    operation: &'static str,
) -> Result<(), StorageError> {
    match <[TransactWriteItem; 1]>::try_from(items) {
        Ok([TransactWriteItem { put: Some(put), .. }]) => {
            let write = client.put_item().table_name(put.table_name).set_item(Some(put.item));
            let write = write.set_condition_expression(put.condition_expression);
            let write = write.set_expression_attribute_names(put.expression_attribute_names);
            write.send().await.map(|_| ()).map_err(failed(operation))
        }
        Ok([TransactWriteItem { update: Some(update), .. }]) => {
            let write = client.update_item().table_name(update.table_name).set_key(Some(update.key));
            let write = write.update_expression(update.update_expression);
            let write = write.set_condition_expression(update.condition_expression);
            let write = write.set_expression_attribute_names(update.expression_attribute_names);
            let write = write.set_expression_attribute_values(update.expression_attribute_values);
            write.send().await.map(|_| ()).map_err(failed(operation))
        }
        Ok(one) => transact(client, one.into(), mark, operation).await,
        Err(items) => transact(client, items, mark, operation).await,
    }
}

/// With a mark, the table takes a transaction that is sent again for the one that it has carried out
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>, "Idempotency").
async fn transact(
    client: &Client,
    items: Vec<TransactWriteItem>,
    mark: Option<&WriteId>,
    operation: &'static str,
) -> Result<(), StorageError> {
    let token = mark.map(|mark| mark.as_str().to_owned());
    let write = client.transact_write_items().set_transact_items(Some(items)).set_client_request_token(token);
    write.send().await.map(drop).map_err(transaction_failed(operation))
}

/// What becomes of a list, beside a change of its user.
#[derive(Clone, Copy)]
pub(super) enum Numbers<'a> {
    Add(&'a [CallerId]),
    TakeOff(&'a [CallerId]),
}

/// What of a new user another one has.
#[derive(Clone, PartialEq, Eq)]
pub enum Taken {
    /// The login ID.
    Login,
    /// Something else that only one user can have.
    Claim(Claim),
}

/// The user has been changed or deleted meanwhile, or something of it is another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;
