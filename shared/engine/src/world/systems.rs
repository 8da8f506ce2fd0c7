//! Systems of others that accounts have: phone systems, and their companies' own directories.

use std::{collections::BTreeMap, sync::Arc};

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

    /// Who there is, without what each may dial from.
    ///
    /// # Errors
    /// See [`SystemFailure`].
    async fn roster(&self, until: Instant) -> Result<PhoneSide, SystemFailure>;

    /// What a user has there; `None` where the phone system can't tell.
    ///
    /// # Errors
    /// See [`TellFailure`].
    async fn held(&self, user: &PhoneUserId, until: Instant) -> Result<Option<HeldList>, TellFailure>;

    /// Tells it which numbers a user may dial from. To do so twice is like once.
    ///
    /// # Errors
    /// See [`TellFailure`].
    async fn tell(&self, user: &PhoneUserId, telling: &Telling<'_>, until: Instant) -> Result<(), TellFailure>;
}

/// What a user has in a phone system: the numbers, each with what the phone system calls its being there.
pub type HeldList = BTreeMap<CallerId, String>;

/// What a phone system is told of a user. One that takes whole lists takes the first, another the differences.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The whole list, in its order: numbers that the phone system has.
    pub list: &'a [CallerId],
    /// Those of them that the user doesn't have there.
    pub add: &'a [CallerId],
    /// What the phone system calls it that the user has those which go off ([`HeldList`]).
    pub remove: &'a [String],
}

/// Why a phone system was told in vain.
#[derive(Debug)]
pub enum TellFailure {
    /// It refuses this user, and would take another: why, in few words that are the same for the same reason.
    User(String),
    /// It takes nothing at all from this account: a sentence for whoever can mend that.
    Account(String),
    /// It doesn't answer, or not in a way that makes sense. A later try may pass.
    Failed(StorageError),
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
