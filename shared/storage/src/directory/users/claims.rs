//! What only one user can have: each is an item of its own, written and deleted together with its user.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use rollcall_model::{
    account::AccountId,
    user::{Claim, LoginId, User},
};

use super::item::{OWNER, claim_item};
use crate::{
    StorageError,
    directory::Directory,
    keys::{Key, PK},
};

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

    /// Gives a user what is to be its alone, if nobody else has it. A claim under this login ID that outlived its user is taken over.
    pub(super) fn take_claim(&self, account: &AccountId, claim: &Claim, login: &LoginId) -> TransactWriteItem {
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
    pub(super) fn release_claim(
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
        let delete = delete.build().map_err(|error| StorageError::unreadable("setting a claim free", error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
