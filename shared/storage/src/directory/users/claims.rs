//! What only one user can have: each is an item of its own, written and deleted together with its user.

use rollcall_model::{
    account::AccountId,
    user::{Claim, User},
};

use crate::{StorageError, directory::Directory};

/// What of a new user another one has.
#[derive(Clone, PartialEq, Eq)]
pub enum Taken {
    /// The login ID.
    Login,
    /// Something else that only one user can have.
    Claim(Claim),
}

impl Directory {
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
}
