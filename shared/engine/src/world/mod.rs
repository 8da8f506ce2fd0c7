//! What the engine and the kinds of job ask of the world, in the words of the domain. Two worlds answer: AWS (`shared/storage`),
//! and the one in memory that histories are simulated in (`tests/simulation`). What is promised here, both keep.

mod accounts;
mod bucket;
mod catalogs;
mod jobs;
mod lists;
mod mail_quota;
mod mails;
mod mappings;
mod numbers;
mod permits;
mod pushes;
mod schedules;
mod systems;
mod users;

use std::sync::Arc;

use jiff::Timestamp;

pub use accounts::Accounts;
pub use bucket::{Bucket, Download, Upload};
pub use catalogs::Catalogs;
pub use jobs::Jobs;
pub use lists::{Added, ListChange, ListNumbers, Lists, Sought, Walk};
pub use mail_quota::MailQuota;
pub use mails::{Attachment, MAX_ATTACHED_BYTES, Mails};
pub use mappings::Mappings;
pub use numbers::{NumberChange, Numbers};
pub use permits::Permits;
pub use pushes::{NewMark, Pushes, ToldTotals};
pub use schedules::Schedules;
pub use systems::{
    ChangeStep, CompanyDirectories, CompanyDirectory, HeldList, PeopleChanges, PeoplePages, PhoneSystemClient,
    PhoneSystems, SystemFailure, TellFailure, Telling, Which,
};
pub use users::{Found, ListRoom, UserWrite, Users};

/// The world of one deployment.
#[derive(Clone)]
pub struct World {
    /// Records of jobs.
    pub jobs: Arc<dyn Jobs>,
    /// What was agreed on about uploads.
    pub permits: Arc<dyn Permits>,
    /// Users.
    pub users: Arc<dyn Users>,
    /// Users' own lists.
    pub lists: Arc<dyn Lists>,
    /// Inventories.
    pub numbers: Arc<dyn Numbers>,
    /// Mappings of CRM users.
    pub mappings: Arc<dyn Mappings>,
    /// Roles, departments and teams.
    pub catalogs: Arc<dyn Catalogs>,
    /// What accounts have set.
    pub accounts: Arc<dyn Accounts>,
    /// How accounts stand with what is done by schedule.
    pub schedules: Arc<dyn Schedules>,
    /// What accounts' phone systems are to be told, and were told.
    pub pushes: Arc<dyn Pushes>,
    /// How many mails an account sends.
    pub mail_quota: Arc<dyn MailQuota>,
    /// The bucket.
    pub bucket: Arc<dyn Bucket>,
    /// The mail service.
    pub mails: Arc<dyn Mails>,
    /// What time it is.
    pub clock: Clock,
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl World {
    /// A world whose records are all in one table.
    pub fn of_table<T>(table: &Arc<T>, bucket: Arc<dyn Bucket>, mails: Arc<dyn Mails>, clock: Clock) -> Self
    where
        T: Jobs
            + Permits
            + Users
            + Lists
            + Numbers
            + Mappings
            + Catalogs
            + Accounts
            + Schedules
            + Pushes
            + MailQuota
            + 'static,
    {
        Self {
            jobs: table.clone(),
            permits: table.clone(),
            users: table.clone(),
            lists: table.clone(),
            numbers: table.clone(),
            mappings: table.clone(),
            catalogs: table.clone(),
            accounts: table.clone(),
            schedules: table.clone(),
            pushes: table.clone(),
            mail_quota: table.clone(),
            bucket,
            mails,
            clock,
        }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// Which of several writes were not carried out, by position, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotWritten {
    /// Their conditions don't hold any more: they must be decided again.
    pub outdated: Vec<usize>,
    /// The table can't store what they write.
    pub not_storable: Vec<usize>,
}

/// What the bulk path asked of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableUsage {
    /// Requests sent.
    pub calls: u64,
    /// Items asked for or statements sent that the table put off. Each was sent again.
    pub throttled: u64,
    /// Write statements sent.
    pub statements: u64,
}

impl TableUsage {
    /// Adds what another request has asked.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.throttled += other.throttled;
        self.statements += other.statements;
    }
}

/// A record that is written on condition of its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versioned<T> {
    /// What it says.
    pub value: T,
    /// Raised by each write; 0 for what was never written.
    pub version: u64,
}
