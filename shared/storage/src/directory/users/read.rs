//! Users by login ID, and who has what only one can have.

use std::collections::HashMap;

use rollcall_model::{
    account::AccountId,
    user::{Claim, User},
};
use tokio::time::Instant;

use super::{ATTRIBUTES, READING, TIMEOUT, read_user};
use crate::{
    StorageError,
    directory::{Directory, TableUsage, string},
    error::failed,
    keys::{Key, PK},
};

impl Directory {
    /// Those of the login IDs that are users, in the order asked for.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
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
        let items = self.get_many(keys, &ATTRIBUTES, until, &mut TableUsage::default()).await?;
        let mut users = items.iter().map(read_user).collect::<Result<Vec<_>, _>>()?;
        users.sort_by_cached_key(|user| asked.iter().position(|login| *login == user.login.folded()));
        Ok(users)
    }

    /// Those of the login IDs that are users, with their lists, by folded login ID.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
    pub async fn whole_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, User>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::user(account, login));
        let items = self.get_many(keys, &ATTRIBUTES, until, usage).await?;
        let users = items.iter().map(|item| {
            let user = read_user(item)?;
            Ok((user.login.folded().into_owned(), user))
        });
        users.collect()
    }

    /// Who has what only one user can have: folded login IDs. Claims that nobody has are left out.
    ///
    /// # Errors
    /// As [`Directory::find_users`].
    pub async fn owners(
        &self,
        account: &AccountId,
        claims: impl IntoIterator<Item = Claim>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<Claim, String>, StorageError> {
        // A read that names a key twice is refused.
        let mut claims: HashMap<String, Claim> =
            claims.into_iter().map(|claim| (Key::claim(account, &claim).pk, claim)).collect();
        let keys: Vec<Key> = claims.values().map(|claim| Key::claim(account, claim)).collect();
        let items = self.get_many(keys.into_iter(), &["owner"], until, usage).await?;
        let owner = |item| Some((claims.remove(&string(item, PK)?)?, string(item, "owner")?));
        Ok(items.iter().filter_map(owner).collect())
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
