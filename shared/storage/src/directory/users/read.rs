//! Users by login ID, and who has what only one can have.

use std::sync::Arc;

use rollcall_engine::world::TableUsage;
use rollcall_model::{
    account::AccountId,
    settings::Settings,
    user::{Claim, Ref, User},
};
use tokio::time::Instant;

use super::{ATTRIBUTES, READING, TIMEOUT, read_user};
use crate::{
    StorageError,
    directory::{Directory, Item, KnownInventory, bulk::Reads, claim::OWNER, settings::read_settings, string},
    error::failed,
    keys::{Key, SK},
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
        Ok(item.and_then(|item| string(&item, OWNER)))
    }

    /// A user, and the account's settings, both as they are now: one request, of two read units where both have less than 4 KB.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn user_with_settings(
        &self,
        account: &AccountId,
        folded_login: &str,
    ) -> Result<(Option<User>, Settings), StorageError> {
        let of_settings = Key::settings(account);
        let read = |item: &Item| match string(item, SK) {
            Some(sk) if sk == of_settings.sk => Ok((None, Some(read_settings(item)?))),
            _ => Ok((Some(read_user(item)?), None)),
        };
        let keys = [Key::user(account, folded_login), of_settings.clone()].into_iter();
        let until = Instant::now() + TIMEOUT;
        let whole = Reads { attributes: &[], consistent: true };
        let items = self.get_many(keys, whole, until, &mut TableUsage::default(), read).await?;
        let (users, settings): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        Ok((users.into_iter().flatten().next(), settings.into_iter().flatten().next().unwrap_or_default()))
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

    /// Who has an extension, and the account's numbers. Who has it, and that one's list, may be some moments old, as is what a switch keeps of
    /// an answer; the numbers are as they are now, so nobody is told to dial from one whose retirement was answered. Two units where the
    /// numbers are known, as for a user who is named: half for each of who it is and what the user is, one for the numbers.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn extension_with_inventory(
        &self,
        account: &AccountId,
        extension: &Ref,
    ) -> Result<(Option<User>, Arc<KnownInventory>), StorageError> {
        let claim = Claim::extension(extension.as_str());
        let item = self.item_of_late(Key::claim(account, &claim)).await?;
        let Some(login) = item.and_then(|item| string(&item, OWNER)) else {
            return Ok((None, self.known_inventory(account).await?));
        };
        let (item, known) =
            tokio::try_join!(self.item_of_late(Key::user(account, &login)), self.known_inventory(account))?;
        let user = item.as_ref().map(read_user).transpose()?;
        if user.as_ref().is_some_and(|user| user.claims().contains(&claim)) {
            return Ok((user, known));
        }
        // The extension has just been given to somebody else, and the two reads differ in how old they are.
        match self.owner(account, &claim).await? {
            Some(login) => self.user_with_inventory(account, &login).await,
            None => Ok((None, known)),
        }
    }

    /// An item, perhaps as it was some moments ago, which costs half.
    async fn item_of_late(&self, key: Key) -> Result<Option<Item>, StorageError> {
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes().into()));
        Ok(read.send().await.map_err(failed(READING))?.item)
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
