//! The services of a history, in memory: a table that writes on conditions, a bucket, mail. Each call is one request: it waits for
//! its turn, and then happens whole. Whoever dies while waiting has not asked; whoever dies after it has not heard.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    task::Poll,
};

use jiff::Timestamp;
use rollcall_bulk::job::{Failure, Job, JobState};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::JobId,
    mapping::{CrmUserId, Mapping},
    user::User,
};

/// A change of one list.
pub struct Write {
    pub job: Option<JobId>,
    pub login: String,
    pub removed: BTreeSet<CallerId>,
}

#[derive(Default)]
pub struct Services {
    pub users: RefCell<BTreeMap<String, User>>,
    pub inventory: RefCell<BTreeMap<CallerId, InventoryNumber>>,
    pub mappings: RefCell<BTreeMap<CrmUserId, Mapping>>,
    pub jobs: RefCell<BTreeMap<JobId, Job>>,
    pub bucket: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Numbers that came off lists, in order.
    pub log: RefCell<Vec<Write>>,
    /// Mails of each job's present life.
    pub mails: RefCell<BTreeMap<JobId, u32>>,
    /// Jobs whose last mail the record doesn't know of: the one moment in which a death makes a second one.
    unnoted: RefCell<BTreeSet<JobId>>,
    /// The job that last wrote each user.
    written_by: RefCell<BTreeMap<String, JobId>>,
    /// The resync that last wrote each mapping.
    resynced_by: RefCell<BTreeMap<CrmUserId, JobId>>,
    /// A request takes one second.
    pub now: Cell<i64>,
}

/// Waits to be chosen.
async fn turn() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

impl Services {
    pub fn time(&self) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + self.now.get()).expect("a time")
    }

    pub async fn user(&self, login: &str) -> Option<User> {
        turn().await;
        self.users.borrow().get(login).cloned()
    }

    /// Those of them who are there.
    pub async fn people(&self, logins: &BTreeSet<String>) -> Vec<User> {
        turn().await;
        let users = self.users.borrow();
        logins.iter().filter_map(|login| users.get(login).cloned()).collect()
    }

    pub async fn logins(&self) -> Vec<String> {
        turn().await;
        self.users.borrow().keys().cloned().collect()
    }

    /// Adds to a list, if the user is there.
    pub async fn append(&self, login: &str, numbers: &[CallerId]) -> bool {
        turn().await;
        self.users.borrow_mut().get_mut(login).is_some_and(|user| {
            user.caller_ids.extend(numbers);
            sort(&mut user.caller_ids);
            true
        })
    }

    /// Takes numbers off a list.
    pub async fn remove(&self, job: &JobId, login: &str, numbers: &[CallerId]) {
        turn().await;
        self.take_off(Some(job), login, numbers);
    }

    pub fn take_off(&self, job: Option<&JobId>, login: &str, numbers: &[CallerId]) {
        if let Some(user) = self.users.borrow_mut().get_mut(login) {
            user.caller_ids.retain(|number| !numbers.contains(number));
            let removed = numbers.iter().copied().collect();
            self.log.borrow_mut().push(Write { job: job.cloned(), login: login.to_owned(), removed });
        }
    }

    /// Sets a list, if it is still as it was. Whether it is as wanted: also where this job has written the user before.
    pub async fn set_list(&self, job: &JobId, login: &str, lists: Option<[Vec<CallerId>; 2]>) -> bool {
        turn().await;
        let mut users = self.users.borrow_mut();
        let user = users.get_mut(login);
        match (lists, user) {
            (Some([before, after]), Some(user)) if user.caller_ids == before => {
                let after_set: BTreeSet<CallerId> = after.iter().copied().collect();
                let removed = before.into_iter().filter(|number| !after_set.contains(number)).collect();
                self.log.borrow_mut().push(Write { job: Some(job.clone()), login: login.to_owned(), removed });
                user.caller_ids = after;
                self.written_by.borrow_mut().insert(login.to_owned(), job.clone());
                true
            }
            (_, user) => user.is_some() && self.written_by.borrow().get(login) == Some(job),
        }
    }

    pub async fn numbers(&self) -> Vec<InventoryNumber> {
        turn().await;
        self.inventory.borrow().values().cloned().collect()
    }

    pub async fn number(&self, number: CallerId) -> Option<InventoryNumber> {
        turn().await;
        self.inventory.borrow().get(&number).cloned()
    }

    /// Changes a number, if it is still as it was.
    pub async fn change_number(&self, before: &InventoryNumber, after: &InventoryNumber) -> bool {
        turn().await;
        let mut inventory = self.inventory.borrow_mut();
        let there = inventory.get(&before.number).is_some_and(|now| now.version == before.version);
        if there {
            inventory.insert(after.number, after.clone());
        }
        there
    }

    pub async fn all_mappings(&self) -> Vec<Mapping> {
        turn().await;
        self.mappings.borrow().values().cloned().collect()
    }

    pub async fn mapping(&self, crm_user: &CrmUserId) -> Option<Mapping> {
        turn().await;
        self.mappings.borrow().get(crm_user).cloned()
    }

    /// Writes a mapping, if it is still at the version before. Whether it is as wanted: also where this resync has written it.
    pub async fn write_mapping(&self, job: &JobId, mapping: &Mapping) -> bool {
        turn().await;
        let mut mappings = self.mappings.borrow_mut();
        let crm_user = &mapping.crm_user;
        if mappings.get(crm_user).is_some_and(|now| now.version + 1 == mapping.version) {
            mappings.insert(crm_user.clone(), mapping.clone());
            self.resynced_by.borrow_mut().insert(crm_user.clone(), job.clone());
            return true;
        }
        self.resynced_by.borrow().get(crm_user) == Some(job)
    }

    /// Writes a mapping as a person does.
    pub fn put_mapping(&self, mapping: Mapping) {
        self.resynced_by.borrow_mut().remove(&mapping.crm_user);
        self.mappings.borrow_mut().insert(mapping.crm_user.clone(), mapping);
    }

    pub async fn job(&self, id: &JobId) -> Option<Job> {
        turn().await;
        self.jobs.borrow().get(id).cloned()
    }

    /// Writes a claimed record, if what the claim was decided on is still there.
    pub async fn claim(&self, job: &Job, decided_on: Option<&Job>) -> bool {
        turn().await;
        let what = |job: &Job| (job.state, job.attempts, job.lease.as_ref().map(|lease| lease.owner.clone()));
        let there = self.jobs.borrow().get(&job.id).map(what) == decided_on.map(what);
        if there {
            // Sent back from the dead-letter queue, it lives anew.
            if decided_on.is_some_and(gave_up) && !gave_up(job) {
                self.mails.borrow_mut().remove(&job.id);
            }
            self.put_job(job);
        }
        there
    }

    /// Writes a record, as the holder of its lease.
    pub async fn save(&self, job: &Job, owner: &str) -> bool {
        turn().await;
        let holds = |job: &Job| job.lease.as_ref().is_some_and(|lease| lease.owner == owner);
        let holds = self.jobs.borrow().get(&job.id).is_some_and(holds);
        if holds {
            self.put_job(job);
        }
        holds
    }

    /// Writes that a job is undone, if it is still in this state.
    pub async fn decide(&self, job: &Job, decided_on: JobState) {
        turn().await;
        let mut jobs = self.jobs.borrow_mut();
        if jobs[&job.id].state == decided_on {
            jobs.insert(job.id.clone(), job.clone());
        }
    }

    fn put_job(&self, job: &Job) {
        if job.mail.is_some() {
            self.unnoted.borrow_mut().remove(&job.id);
        }
        let before = self.jobs.borrow_mut().insert(job.id.clone(), job.clone());
        assert!(
            before.is_none_or(|before| before.is_underway() || gave_up(&before)),
            "a job that has ended is written"
        );
    }

    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        turn().await;
        self.bucket.borrow().get(key).cloned()
    }

    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        turn().await;
        self.bucket.borrow_mut().insert(key.to_owned(), bytes);
    }

    pub async fn mail(&self, job: &JobId) {
        turn().await;
        let mut mails = self.mails.borrow_mut();
        let sent = mails.entry(job.clone()).or_default();
        *sent += 1;
        let first = self.unnoted.borrow_mut().insert(job.clone());
        assert!(*sent == 1 || !first, "a second mail, though the first is noted");
    }
}

fn gave_up(job: &Job) -> bool {
    matches!(job.failure, Some(Failure::GaveUp { .. }))
}

fn sort(list: &mut Vec<CallerId>) {
    list.sort_unstable();
    list.dedup();
}
