//! How many mails an account sends.

use async_trait::async_trait;
use jiff::civil::Date;
use rollcall_model::account::AccountId;

use crate::StorageError;

/// How many mails an account sends.
#[async_trait]
pub trait MailQuota: Send + Sync {
    /// Takes `mails` of those that the account may send on a day. `false` when that would be more than `most`; then none is taken. A
    /// job that dies before it has sent them has taken them all the same.
    ///
    /// # Errors
    /// When the table can't be read or written.
    async fn take_mails(&self, account: &AccountId, day: Date, mails: u32, most: u32) -> Result<bool, StorageError>;
}
