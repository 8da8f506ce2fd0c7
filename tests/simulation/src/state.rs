//! What the world holds.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::{Timestamp, civil::Date};
use rollcall_bulk::{
    directory_import::{DirectoryUser, sync_state::SyncState},
    job::{Failure, Job},
    resync::state::ResyncState,
    upload::UploadOptions,
};
use rollcall_engine::world::Versioned;
use rollcall_model::{
    caller_id::CallerId,
    catalog::{CatalogEntry, CatalogKind},
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::{JobId, ObjectVersion},
    mapping::{CrmUserId, GivenMapping, Mapping},
    permit::Permit,
    phone_side::PhoneUserId,
    settings::Settings,
    user::{Claim, DirectoryId, LoginId, Name, Profile, User},
};

/// A user's item.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user, with the list.
    pub user: User,
    /// The job that last wrote it whole.
    pub(crate) written_by: Option<JobId>,
}

/// Numbers that came off a list.
#[derive(Clone, Debug)]
pub struct ListWrite {
    /// By which job; `None` for a person.
    pub job: Option<JobId>,
    /// Whose list.
    pub login: String,
    /// Which numbers.
    pub removed: BTreeSet<CallerId>,
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
    /// Numbers that came off lists since this was last cleared, in order.
    pub log: Vec<ListWrite>,
    /// Mails of each job's present life.
    pub mails: BTreeMap<JobId, u32>,
    /// Lists that the phone system was told.
    pub told: BTreeMap<PhoneUserId, Vec<CallerId>>,
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

    /// What the bucket has to tell of new objects, once.
    pub fn take_notices(&mut self) -> Vec<ObjectVersion> {
        std::mem::take(&mut self.notices)
    }

    pub(crate) fn put_job(&mut self, job: &Job) {
        if job.mail.is_some() {
            self.unnoted.remove(&job.id);
        }
        let before = self.jobs.insert(job.id.clone(), job.clone());
        assert!(
            before.is_none_or(|before| before.is_underway() || gave_up(&before)),
            "a job that has ended is written: {job:?}"
        );
    }

    pub(crate) fn take_off(&mut self, job: Option<&JobId>, login: &str, numbers: &[CallerId]) {
        if let Some(person) = self.users.get_mut(login) {
            person.user.caller_ids.retain(|number| !numbers.contains(number));
            let removed = numbers.iter().copied().collect();
            self.log.push(ListWrite { job: job.cloned(), login: login.to_owned(), removed });
        }
    }
}

pub(crate) fn gave_up(job: &Job) -> bool {
    matches!(job.failure, Some(Failure::GaveUp { .. }))
}

pub(crate) fn sort(list: &mut Vec<CallerId>) {
    list.sort_unstable();
    list.dedup();
}

/// What a person does by the API, or the company's directory by itself: in one write.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A number is taken off a list.
    TakeOff(String, CallerId),
    /// A user is created.
    Create(String),
    /// A user is deleted.
    Delete(String),
    /// A user gets another name.
    Rename(String, String),
    /// A number comes to another state, if it can.
    Number(CallerId, NumberState),
    /// Somebody says whom of the phone system a CRM user is, or leaves it to the resync.
    Choose(CrmUserId, Option<String>),
    /// The company's directory has this person so.
    Person(Box<DirectoryUser>),
    /// The company's directory has this person no longer.
    Gone(DirectoryId),
}

impl State {
    /// Does it.
    pub fn edit(&mut self, edit: &Edit) {
        let time = self.time();
        match edit {
            Edit::TakeOff(login, number) => self.take_off(None, login, &[*number]),
            Edit::Create(login) => {
                self.users.entry(login.clone()).or_insert_with(|| {
                    let profile = Profile::named(&format!("The {login}")).expect("a name");
                    let login = LoginId::parse(login).expect("a login ID");
                    Person { user: User::created(login, profile, time), written_by: None }
                });
            }
            Edit::Delete(login) => {
                if let Some(person) = self.users.remove(login) {
                    let removed = person.user.caller_ids.into_iter().collect();
                    self.log.push(ListWrite { job: None, login: login.clone(), removed });
                }
            }
            Edit::Rename(login, name) => {
                if let Some(person) = self.users.get_mut(login) {
                    person.user.profile.name = Name::parse(name).expect("a name");
                    person.user.version += 1;
                }
            }
            Edit::Number(number, state) => {
                let Some(now) = self.numbers.get(number) else { return };
                let facts = NumberFacts { state: *state, ..now.facts.clone() };
                if let Ok(after) = now.change(facts, time) {
                    self.numbers.insert(*number, after);
                }
            }
            Edit::Choose(crm_user, chosen) => {
                let Some((before, _)) = self.mappings.get(crm_user) else { return };
                let phone_user = chosen.as_ref().map(|login| PhoneUserId::parse(login).expect("a phone user"));
                let after = before.with(GivenMapping { phone_user, ..before.given.clone() });
                self.mappings.insert(crm_user.clone(), (after, None));
            }
            Edit::Person(person) => {
                self.changes.push(person.id.clone());
                self.people.insert(person.id.clone(), (**person).clone());
            }
            Edit::Gone(id) => {
                self.people.remove(id);
                self.changes.push(id.clone());
            }
        }
    }
}
