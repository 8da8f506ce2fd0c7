//! Records of which each is read and written whole.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use rollcall_bulk::{
    directory_import::sync_state::SyncState,
    job::{Job, JobState},
    resync::state::ResyncState,
};
use rollcall_engine::{
    ErrorKind, StorageError,
    world::{
        Accounts, Catalogs, Jobs, MailQuota, Mappings, NotWritten, NumberChange, Numbers, Permits, Schedules,
        TableUsage, Versioned,
    },
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    catalog::{CatalogEntry, CatalogKind},
    inventory::InventoryNumber,
    jobs::{Decision, JobId},
    mapping::{CrmUserId, Mapping},
    permit::{Permit, PermitId},
    settings::Settings,
};
use tokio::time::Instant;

use crate::{
    Memory,
    log::What,
    memory::{ACCOUNT, expect_account},
    state::{gave_up, kind_name},
};

fn conflict(operation: &'static str) -> StorageError {
    StorageError::new(operation, ErrorKind::Conflict, "the condition does not hold")
}

#[async_trait]
impl Jobs for Memory {
    async fn job(&self, account: &AccountId, id: &JobId) -> Result<Option<Job>, StorageError> {
        expect_account(account);
        self.ask("reading the job", |state| state.jobs.get(id).cloned()).await
    }

    async fn claim_job(&self, job: &Job, decided_on: Option<&Job>) -> Result<(), StorageError> {
        let what = |job: &Job| (job.state, job.attempts, job.lease.as_ref().map(|lease| lease.owner.clone()));
        let claimed = self.ask_again("claiming the job", |state| {
            let there = state.jobs.get(&job.id).map(what) == decided_on.map(what);
            if there {
                // Sent back from the dead-letter queue, it lives anew.
                if decided_on.is_some_and(gave_up) && !gave_up(job) {
                    state.mails.remove(&job.id);
                }
                state.put_job(job);
                state.note(What::TookUp(job.stage));
            }
            there
        });
        if claimed.await? { Ok(()) } else { Err(conflict("claiming the job")) }
    }

    async fn save_job(&self, job: &Job, owner: &str) -> Result<(), StorageError> {
        let saved = self.ask_again("writing the job", |state| {
            let holds = |job: &Job| job.lease.as_ref().is_some_and(|lease| lease.owner == owner);
            let holds = state.jobs.get(&job.id).is_some_and(holds);
            if holds {
                state.put_job(job);
            }
            holds
        });
        if saved.await? { Ok(()) } else { Err(conflict("writing the job")) }
    }

    async fn decide_job(
        &self,
        job: &Job,
        decided_on: JobState,
        decision: Decision,
        _: &Actor,
    ) -> Result<bool, StorageError> {
        self.ask("writing the decision about the job", |state| {
            let there = state.jobs.get(&job.id).is_some_and(|now| now.state == decided_on);
            if there {
                // That it was on hold has been told; what comes of it now is another thing to tell.
                if decision == Decision::Execute {
                    state.mails.remove(&job.id);
                }
                state.jobs.insert(job.id.clone(), job.clone());
            }
            there
        })
        .await
    }
}

#[async_trait]
impl Permits for Memory {
    async fn permitted(&self, _: &AccountId, id: &PermitId) -> Result<Option<Permit>, StorageError> {
        self.ask("reading a permit", |state| state.permits.get(id.as_str()).cloned()).await
    }

    async fn permit(&self, _: &AccountId, permit: &Permit, _: Timestamp) -> Result<PermitId, StorageError> {
        self.ask("permitting an upload", |state| {
            state.versions += 1;
            let id = format!("{:032x}", state.versions);
            state.permits.insert(id.clone(), permit.clone());
            PermitId::parse(&id).expect("an ID")
        })
        .await
    }
}

#[async_trait]
impl Numbers for Memory {
    async fn inventory(&self, account: &AccountId) -> Result<Vec<InventoryNumber>, StorageError> {
        expect_account(account);
        self.ask("reading the inventory", |state| {
            state.note(What::SawInventory);
            state.numbers.values().cloned().collect()
        })
        .await
    }

    async fn number(&self, _: &AccountId, number: CallerId) -> Result<Option<InventoryNumber>, StorageError> {
        self.ask("reading the inventory", |state| state.numbers.get(&number).cloned()).await
    }

    // One request for each, as below.
    async fn numbers_of(
        &self,
        account: &AccountId,
        numbers: &[CallerId],
    ) -> Result<Vec<InventoryNumber>, StorageError> {
        let mut found = Vec::new();
        for number in numbers {
            found.extend(self.number(account, *number).await?);
        }
        Ok(found)
    }

    // One request for each: what may happen between any two of them, may happen between any two of the table's transactions.
    async fn change_numbers(
        &self,
        _: &AccountId,
        changes: &[NumberChange<'_>],
        _: &Actor,
    ) -> Result<Vec<bool>, StorageError> {
        let mut outcomes = Vec::with_capacity(changes.len());
        for NumberChange { before, after } in changes {
            let written = self.ask("writing the inventory", |state| {
                let now = state.numbers.get(&after.number).map(|now| now.version);
                let there = now == before.map(|before| before.version);
                if there {
                    state.put_number(after);
                }
                there
            });
            outcomes.push(written.await?);
        }
        Ok(outcomes)
    }

    async fn due_numbers(&self, today: Date) -> Result<Vec<(AccountId, CallerId)>, StorageError> {
        let account: AccountId = ACCOUNT.parse().expect("an account");
        self.ask("listing numbers that are due", |state| {
            let due = state.numbers.values().filter(|item| item.due().is_some_and(|day| day <= today));
            due.map(|item| (account.clone(), item.number)).collect()
        })
        .await
    }
}

#[async_trait]
impl Mappings for Memory {
    async fn mappings_after(
        &self,
        account: &AccountId,
        after: Option<&CrmUserId>,
    ) -> Result<Vec<Mapping>, StorageError> {
        /// Few, so that there are several pages.
        const PAGE: usize = 2;
        expect_account(account);
        self.ask("reading mappings", |state| {
            let later =
                state.mappings.values().filter(|(mapping, _)| after.is_none_or(|after| mapping.crm_user > *after));
            later.take(PAGE).map(|(mapping, _)| mapping.clone()).collect()
        })
        .await
    }

    async fn mappings_of(
        &self,
        _: &AccountId,
        crm_users: &[&CrmUserId],
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<HashMap<CrmUserId, Mapping>, StorageError> {
        let mut found = HashMap::new();
        for crm_user in crm_users {
            let mapping = self.ask("reading mappings", |state| state.mappings.get(*crm_user).cloned()).await?;
            found.extend(mapping.map(|(mapping, _)| ((*crm_user).clone(), mapping)));
        }
        Ok(found)
    }

    async fn write_mappings(
        &self,
        _: &AccountId,
        mappings: &[&Mapping],
        job: &JobId,
        _: Instant,
        _: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let mut not_written = NotWritten::default();
        for (at, mapping) in mappings.iter().enumerate() {
            let written = self.ask("writing a mapping", |state| {
                let now = state.mappings.get(&mapping.crm_user);
                if now.is_some_and(|(now, _)| now.version + 1 == mapping.version) {
                    state.put_mapping(&mapping.crm_user, Some((*mapping).clone()), Some(job.clone()));
                    return true;
                }
                now.is_some_and(|(_, by)| by.as_ref() == Some(job))
            });
            not_written.outdated.extend((!written.await?).then_some(at));
        }
        Ok(not_written)
    }

    async fn has_written_mapping(
        &self,
        _: &AccountId,
        crm_user: &CrmUserId,
        job: &JobId,
    ) -> Result<bool, StorageError> {
        self.ask("looking who has written", |state| {
            state.mappings.get(crm_user).is_some_and(|(_, by)| by.as_ref() == Some(job))
        })
        .await
    }
}

#[async_trait]
impl Catalogs for Memory {
    async fn catalog(&self, _: &AccountId, kind: CatalogKind) -> Result<Vec<CatalogEntry>, StorageError> {
        self.ask("reading the catalogue", |state| state.catalog.get(kind_name(kind)).cloned().unwrap_or_default()).await
    }

    async fn put_entry(
        &self,
        _: &AccountId,
        kind: CatalogKind,
        entry: &CatalogEntry,
        _: Option<&Actor>,
    ) -> Result<(), StorageError> {
        self.ask("writing the catalogue", |state| {
            let entries = state.catalog.entry(kind_name(kind)).or_default();
            entries.retain(|known| known.id != entry.id);
            entries.push(entry.clone());
        })
        .await
    }
}

#[async_trait]
impl Accounts for Memory {
    async fn settings(&self, account: &AccountId) -> Result<Settings, StorageError> {
        expect_account(account);
        self.ask("reading the account's settings", |state| state.settings.clone()).await
    }
}

/// Writes a record if it is of the version before.
fn put_versioned<T: Clone>(there: &mut Option<Versioned<T>>, state: &Versioned<T>) -> bool {
    let holds = there.as_ref().map_or(0, |there| there.version) == state.version;
    if holds {
        *there = Some(Versioned { value: state.value.clone(), version: state.version + 1 });
    }
    holds
}

#[async_trait]
impl Schedules for Memory {
    async fn sync_state(&self, _: &AccountId) -> Result<Option<Versioned<SyncState>>, StorageError> {
        self.ask("reading how the account stands", |state| state.sync.clone()).await
    }

    async fn put_sync_state(&self, _: &AccountId, sync: &Versioned<SyncState>) -> Result<bool, StorageError> {
        self.ask_again("writing how the account stands", |state| put_versioned(&mut state.sync, sync)).await
    }

    async fn resync_state(&self, _: &AccountId) -> Result<Option<Versioned<ResyncState>>, StorageError> {
        self.ask("reading how the account stands", |state| state.resync.clone()).await
    }

    async fn put_resync_state(&self, _: &AccountId, resync: &Versioned<ResyncState>) -> Result<bool, StorageError> {
        self.ask_again("writing how the account stands", |state| put_versioned(&mut state.resync, resync)).await
    }

    async fn synced_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        let account: AccountId = ACCOUNT.parse().expect("an account");
        self.ask("listing accounts to sync", |state| state.sync.iter().map(|_| account.clone()).collect()).await
    }

    async fn resynced_accounts(&self) -> Result<Vec<AccountId>, StorageError> {
        let account: AccountId = ACCOUNT.parse().expect("an account");
        self.ask("listing accounts to resync", |state| state.resync.iter().map(|_| account.clone()).collect()).await
    }
}

#[async_trait]
impl MailQuota for Memory {
    async fn take_mails(&self, _: &AccountId, day: Date, mails: u32, most: u32) -> Result<bool, StorageError> {
        self.ask("counting the account's mails", |state| {
            let sent = state.mails_sent.entry(day).or_default();
            let fits = *sent + mails <= most;
            *sent += if fits { mails } else { 0 };
            fits
        })
        .await
    }
}
