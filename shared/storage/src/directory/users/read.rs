//! Users by login ID, and who has what only one can have.

use std::sync::Arc;

use rollcall_engine::world::TableUsage;
use rollcall_model::{
    account::AccountId,
    user::{Claim, User},
};
use tokio::time::Instant;

use super::{ATTRIBUTES, READING, TIMEOUT, read_user};
use crate::{
    StorageError,
    directory::{Directory, KnownInventory, bulk::Reads, string},
    error::failed,
    keys::Key,
};

impl Directory {
    /// Those of the login IDs that are users, in the order asked for.
    ///
    /// # Errors
    /// As [`Users::find_users`](rollcall_engine::world::Users::find_users).
    pub async fn named_users(&self, account: &AccountId, folded_logins: &[&str]) -> Result<Vec<User>, StorageError> {
        let mut asked: Vec<&str> = Vec::with_capacity(folded_logins.len());
        for login in folded_logins {
            // A read that names a key twice is refused.
            if !asked.contains(login) {
                asked.push(login);
            }
        }
        let keys = asked.iter().map(|login| Key::user(account, login));
        let until = Instant::now() + TIMEOUT;
        let mut users =
            self.get_many(keys, Reads::now(&ATTRIBUTES), until, &mut TableUsage::default(), read_user).await?;
        users.sort_by_cached_key(|user| asked.iter().position(|login| *login == user.login.folded()));
        Ok(users)
    }

    /// Who has a claim: a folded login ID.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn owner(&self, account: &AccountId, claim: &Claim) -> Result<Option<String>, StorageError> {
        let key = Key::claim(account, claim).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let item = read.send().await.map_err(failed("looking up who has it"))?.item;
        Ok(item.and_then(|item| string(&item, "owner")))
    }

    /// A user, and the account's numbers, both as they are now: one request where the numbers are known.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn user_with_inventory(
        &self,
        account: &AccountId,
        folded_login: &str,
    ) -> Result<(Option<User>, Arc<KnownInventory>), StorageError> {
        let (item, known) = self.with_inventory(account, Key::user(account, folded_login)).await?;
        Ok((item.as_ref().map(read_user).transpose()?, known))
    }

    /// A user, as it is now.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn user(&self, account: &AccountId, folded_login: &str) -> Result<Option<User>, StorageError> {
        let key = Key::user(account, folded_login).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        read.send().await.map_err(failed(READING))?.item.as_ref().map(read_user).transpose()
    }
}
