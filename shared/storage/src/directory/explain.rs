//! What is known of a CRM user and a number, gathered to be explained.

use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    mapping::{CrmUserId, Explanation, ExplanationInput, Mapping},
    phone_side::{DialPermission, PhoneUserId},
    settings::PhoneSystem,
    user::{LoginId, User},
};

use super::Directory;
use rollcall_engine::world::{Accounts, Schedules};

use crate::StorageError;

impl Directory {
    /// Why a CRM user sees a number, or doesn't.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn explain(
        &self,
        account: &AccountId,
        crm_user: &CrmUserId,
        number: CallerId,
    ) -> Result<Explanation, StorageError> {
        let mapping = self.mapping(account, crm_user).await?;
        let now = match &mapping {
            Some(mapping) => self.allowed_now(account, mapping).await?,
            None => None,
        };
        let inventory = self.packed_inventory(account).await?;
        let item = inventory.get(number);
        let done = self.resync_state(account).await?.and_then(|state| state.value.done);
        Ok(Explanation::of(&ExplanationInput {
            number,
            mapping: mapping.as_ref(),
            now: now.as_ref(),
            item: item.as_ref(),
            no_inventory: inventory.is_empty(),
            last_resync: done.map(|done| done.at),
        }))
    }

    /// The user here whom a phone user is, where this directory is the account's phone system.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn user_of(&self, account: &AccountId, phone_user: &PhoneUserId) -> Result<Option<User>, StorageError> {
        match LoginId::parse(phone_user.as_str()) {
            Ok(login) => self.user(account, &login.folded()).await,
            Err(_) => Ok(None),
        }
    }

    /// What the phone side allows now, where it is this directory: others can't be asked while somebody waits.
    async fn allowed_now(
        &self,
        account: &AccountId,
        mapping: &Mapping,
    ) -> Result<Option<DialPermission>, StorageError> {
        let Some(phone_user) = mapping.phone_user() else { return Ok(None) };
        if self.settings(account).await?.phone_system != PhoneSystem::Builtin {
            return Ok(None);
        }
        Ok(self.user_of(account, phone_user).await?.as_ref().map(DialPermission::of))
    }
}
