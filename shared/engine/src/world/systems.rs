//! Systems of others that accounts have: phone systems, and their companies' own directories.

use std::sync::Arc;

use async_trait::async_trait;
use rollcall_bulk::directory_import::{DirectoryUser, sync::DirectoryChange};
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    catalog::CatalogEntry,
    country::Country,
    phone_side::{PhoneSide, PhoneUserId},
    settings::PhoneSystem,
    user::DirectoryId,
};
use tokio::time::Instant;

use crate::StorageError;

/// Why a system of others has not done what was asked.
#[derive(Debug)]
pub enum SystemFailure {
    /// It will not, or it is not connected: a sentence for whoever can mend that.
    Refused(String),
    /// It doesn't answer, or not in a way that makes sense. A later try may pass.
    Failed(StorageError),
}

impl From<StorageError> for SystemFailure {
    fn from(error: StorageError) -> Self {
        Self::Failed(error)
    }
}

/// The phone systems of accounts, as far as they are asked over HTTP.
#[async_trait]
pub trait PhoneSystems: Send + Sync {
    /// The account's phone system.
    ///
    /// # Errors
    /// When the account has no credentials for it.
    async fn connect(
        &self,
        account: &AccountId,
        system: PhoneSystem,
    ) -> Result<Arc<dyn PhoneSystemClient>, SystemFailure>;
}

/// One account's phone system.
#[async_trait]
pub trait PhoneSystemClient: Send + Sync {
    /// Everything that it says of its users. **Whole, or not at all.**
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn users(&self, until: Instant) -> Result<PhoneSide, SystemFailure>;

    /// Its departments.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn departments(&self, until: Instant) -> Result<Vec<CatalogEntry>, SystemFailure>;

    /// The numbers that the account has there, in no order.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn numbers(&self, until: Instant) -> Result<Vec<CallerId>, SystemFailure>;

    /// Sets a user's whole list. Gives how many of the numbers it doesn't have, which were left out.
    ///
    /// # Errors
    /// [`SystemFailure::Refused`] where it refuses this user, and would take another; otherwise see [`SystemFailure`].
    async fn set_caller_ids(
        &self,
        user: &PhoneUserId,
        list: &[CallerId],
        until: Instant,
    ) -> Result<usize, SystemFailure>;
}

/// The directories of accounts' companies.
#[async_trait]
pub trait CompanyDirectories: Send + Sync {
    /// The directory of the account's company, whose people's numbers are read by the rules of this country.
    ///
    /// # Errors
    /// When the account has none connected.
    async fn open(&self, account: &AccountId, country: Country) -> Result<Arc<dyn CompanyDirectory>, SystemFailure>;
}

/// Which people of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// Those whose name, address or login begins so.
    Search(&'a str),
    /// Those whom a filter of the directory's own language chooses.
    Filter(&'a str),
}

/// The directory of one company.
#[async_trait]
pub trait CompanyDirectory: Send + Sync {
    /// Whose it is.
    fn tenant(&self) -> &str;

    /// The person with this ID.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn find(&self, id: &DirectoryId, until: Instant) -> Result<Option<DirectoryUser>, SystemFailure>;

    /// People, page by page.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    fn list(&self, which: Which<'_>) -> Result<Box<dyn PeoplePages + '_>, SystemFailure>;

    /// What has changed since the end of the delta before; without one, everybody.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    fn changes(&self, since: Option<&str>) -> Result<Box<dyn PeopleChanges + '_>, SystemFailure>;
}

/// People, page by page.
#[async_trait]
pub trait PeoplePages: Send {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn next(&mut self, until: Instant) -> Result<Option<Vec<DirectoryUser>>, SystemFailure>;
}

/// What has changed, step by step.
#[async_trait]
pub trait PeopleChanges: Send {
    /// What comes next. Nothing comes after [`ChangeStep::End`].
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn next(&mut self, until: Instant) -> Result<ChangeStep, SystemFailure>;
}

/// What a delta says next.
#[derive(Debug)]
pub enum ChangeStep {
    /// These have changed. Of several words on one person, the last counts.
    Changes(Vec<(DirectoryId, DirectoryChange)>),
    /// What was said before is void, and all is read from the beginning.
    Anew,
    /// That was all.
    End {
        /// Where the next delta begins.
        link: String,
        /// Everybody was read, and not just those that changed. **Who was not among them is not known to be gone**: ask for each
        /// ([`CompanyDirectory::find`]).
        whole: bool,
    },
}
