//! Creating users.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_model::{account::AccountId, audit::Actor, user::User};

use super::{
    claims::Taken,
    item::user_item,
    transaction::{Marks, marks_of},
};
use crate::{
    ErrorKind, StorageError,
    directory::{Directory, Item, write_id::WriteId},
    keys::{Key, PK},
};

/// What came of the creation of a user.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub enum CreateOutcome {
    /// The user is new.
    Created,
    /// Nothing was written, since another user has something of it.
    Taken(Taken),
}

/// Transactions in flight while users are created.
const IN_FLIGHT: usize = 4;

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
    pub(in crate::directory) fn create_items(
        &self,
        account: &AccountId,
        user: &User,
        marks: &Marks,
    ) -> Vec<TransactWriteItem> {
        let mut item = user_item(account, user);
        item.extend(marks.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let claims = user.claims();
        let claims = claims.iter().map(|claim| self.take(Key::claim(account, claim), &user.login.folded()));
        [self.put_new(item)].into_iter().chain(claims).collect()
    }

    /// Creates one user.
    ///
    /// # Errors
    /// When the table can't be read or written.
    pub async fn create_user(
        &self,
        account: &AccountId,
        user: &User,
        by: &Actor,
    ) -> Result<CreateOutcome, StorageError> {
        let (login, mark) = (user.login.folded(), WriteId::new());
        let items = self.create_items(account, user, &marks_of(by, &mark));
        let created = self.write_patiently(items, &mark, "creating a user").await;
        if self.written(Key::user(account, &login), &mark, created).await? {
            return Ok(CreateOutcome::Created);
        }
        // Whatever it was may be free again by now. Then the login ID is as good an answer as any: it was taken.
        Ok(CreateOutcome::Taken(match self.user(account, &login).await? {
            Some(_) => Taken::Login,
            None => self.taken(account, user).await?.unwrap_or(Taken::Login),
        }))
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
}
