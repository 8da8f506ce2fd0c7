//! What the world holds.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::{Timestamp, civil::Date};
use rollcall_bulk::{
    directory_import::{DirectoryUser, sync_state::SyncState},
    job::{Failure, Job, JobState},
    push::state::PushState,
    resync::state::ResyncState,
    upload::UploadOptions,
};
use rollcall_engine::world::Versioned;
use rollcall_model::{
    caller_id::CallerId,
    catalog::{CatalogEntry, CatalogKind},
    inventory::InventoryNumber,
    jobs::{JobId, ObjectVersion},
    mapping::{CrmUserId, Mapping},
    permit::Permit,
    phone_side::PhoneUserId,
    push::{Mark, Told},
    settings::Settings,
    user::{Claim, DirectoryId, User},
};

use crate::log::{By, Entry};

/// A user's item.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user, with the list.
    pub user: User,
    /// Which creation made it: whoever has the login ID after a deletion is another one.
    pub born: u64,
    /// The job that last wrote it whole.
    pub(crate) written_by: Option<JobId>,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub version: u64,
    pub bytes: Bytes,
    pub options: UploadOptions,
    pub modified: Timestamp,
}

/// The tables, the bucket, and the systems of others.
#[derive(Clone, Default)]
pub struct State {
    /// Users by folded login ID.
    pub users: BTreeMap<String, Person>,
    /// The inventory.
    pub numbers: BTreeMap<CallerId, InventoryNumber>,
    /// Mappings, each with the resync that last wrote it.
    pub mappings: BTreeMap<CrmUserId, (Mapping, Option<JobId>)>,
    /// Records of jobs.
    pub jobs: BTreeMap<JobId, Job>,
    /// What the account has set.
    pub settings: Settings,
    /// Roles, departments and teams.
    pub catalog: BTreeMap<&'static str, Vec<CatalogEntry>>,
    /// How the account and its own directory stand.
    pub sync: Option<Versioned<SyncState>>,
    /// How the account stands with its resyncs.
    pub resync: Option<Versioned<ResyncState>>,
    /// People of the company's directory.
    pub people: BTreeMap<DirectoryId, DirectoryUser>,
    /// Whom the directory has changed, in order.
    pub changes: Vec<DirectoryId>,
    /// What happened since this was last taken, in order.
    pub log: Vec<Entry>,
    /// Who acts now.
    pub by: By,
    /// The jobs of files that were dropped, by the places of these in the history.
    pub dropped: BTreeMap<usize, JobId>,
    /// Jobs whose events nobody sends back from the dead-letter queue.
    pub forsaken: BTreeSet<JobId>,
    /// Mails of each job's present life.
    pub mails: BTreeMap<JobId, u32>,
    /// Lists as phone systems have them, by the phone system.
    pub lists: BTreeMap<(&'static str, PhoneUserId), Vec<CallerId>>,
    /// How often the phone system was told something.
    pub tellings: usize,
    /// Users whom the phone system refuses.
    pub refused: BTreeSet<PhoneUserId>,
    /// How the account stands with what its phone system is told.
    pub pushing: Option<Versioned<PushState>>,
    /// Users whose lists are to be told.
    pub marks: BTreeMap<String, Mark>,
    /// Everybody's are.
    pub everybody: Option<String>,
    /// What phone systems were told, as it is remembered, by phone system and login ID.
    pub told: BTreeMap<(&'static str, String), Told>,
    pub(crate) permits: BTreeMap<String, Permit>,
    pub(crate) objects: BTreeMap<String, Vec<Object>>,
    /// Objects of the inbox and decisions that nobody has been told of yet.
    pub(crate) notices: Vec<ObjectVersion>,
    pub(crate) mails_sent: BTreeMap<Date, u32>,
    /// Jobs whose last mail the record doesn't know of: the one moment in which a crash makes a second one.
    pub(crate) unnoted: BTreeSet<JobId>,
    pub(crate) versions: u64,
    /// Seconds since the beginning.
    pub now: i64,
}

/// The name of a kind of catalogue entry.
pub(crate) fn kind_name(kind: CatalogKind) -> &'static str {
    match kind {
        CatalogKind::Role => "role",
        CatalogKind::Department => "department",
        CatalogKind::Team => "team",
    }
}

impl State {
    /// What time it is. A history begins in the morning, in UTC.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_second(1_700_035_200 + self.now).expect("a time")
    }

    /// The folded login ID of whoever has what only one can have.
    pub fn owner(&self, claim: &Claim) -> Option<&String> {
        self.users.iter().find(|(_, person)| person.user.claims().contains(claim)).map(|(login, _)| login)
    }

    /// Puts an object into the bucket. One of the inbox, or a decision, is told of.
    pub fn put(&mut self, key: &str, bytes: Bytes, options: UploadOptions) -> ObjectVersion {
        self.versions += 1;
        let object = Object { version: self.versions, bytes, options, modified: self.time() };
        let size = object.bytes.len() as u64;
        self.objects.entry(key.to_owned()).or_default().push(object);
        let version =
            ObjectVersion { bucket: "files".to_owned(), key: key.to_owned(), version: self.versions.to_string(), size };
        if key.starts_with("inbox/") || key.starts_with("decisions/") {
            self.notices.push(version.clone());
        }
        version
    }

    /// The present bytes of an object.
    pub fn object(&self, key: &str) -> Option<&Bytes> {
        self.objects.get(key).and_then(|versions| versions.last()).map(|object| &object.bytes)
    }

    /// The version of an object that was put last, and when.
    pub fn newest(&self, key: &str) -> Option<(String, Timestamp)> {
        let newest = self.objects.get(key).and_then(|versions| versions.last())?;
        Some((newest.version.to_string(), newest.modified))
    }

    /// What the bucket has to tell of new objects, once.
    pub fn take_notices(&mut self) -> Vec<ObjectVersion> {
        std::mem::take(&mut self.notices)
    }

    pub(crate) fn put_job(&mut self, job: &Job) {
        if job.mail.is_some() {
            self.unnoted.remove(&job.id);
        }
        let before = self.jobs.insert(job.id.clone(), job.clone());
        let Some(before) = before else { return };
        assert!(before.is_underway() || gave_up(&before), "a job that has ended is written: {job:?}");
        // Whoever gives a job up counts what was done, not what was meant; and a directory may give fewer users than before.
        let done = before.progress.users_done.min(job.progress.users);
        assert!(
            gave_up(job) || gave_up(&before) || done <= job.progress.users_done,
            "a job goes back: {before:?}, {job:?}"
        );
        let told = job.state != JobState::Finished || job.progress.rows_reported == job.counts.rows();
        assert!(told, "a report that tells of other rows than it has: {job:?}");
    }

    /// What tells a creation of a user from every other.
    pub(crate) fn next_birth(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }
}

pub(crate) fn gave_up(job: &Job) -> bool {
    matches!(job.failure, Some(Failure::GaveUp { .. }))
}

pub(crate) fn sort(list: &mut Vec<CallerId>) {
    list.sort_unstable();
    list.dedup();
}
