//! Records of jobs.

use async_trait::async_trait;
use rollcall_bulk::job::{Job, JobState};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    jobs::{Decision, JobId},
};

use crate::StorageError;

/// Records of jobs.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// A job's record.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    async fn job(&self, account: &AccountId, id: &JobId) -> Result<Option<Job>, StorageError>;

    /// Writes a claimed record, if what the claim was decided on is still there.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when another delivery was first; otherwise when the table can't be written.
    async fn claim_job(&self, job: &Job, decided_on: Option<&Job>) -> Result<(), StorageError>;

    /// Writes the record, as the holder of its lease.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when `owner` holds the lease no longer; otherwise when the table can't be written.
    async fn save_job(&self, job: &Job, owner: &str) -> Result<(), StorageError>;

    /// Writes what has been decided about a job, if it is still in the state that this was decided on. `false` when it
    /// isn't. Until somebody writes the job again, its item says what was decided and by whom: the audit trail is made from that.
    ///
    /// # Errors
    /// When the table can't be written.
    async fn decide_job(
        &self,
        job: &Job,
        decided_on: JobState,
        decision: Decision,
        by: &Actor,
    ) -> Result<bool, StorageError>;
}
