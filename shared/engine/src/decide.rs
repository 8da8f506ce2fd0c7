//! What a person decides about a job.

use bytes::Bytes;
use rollcall_bulk::{
    job::{InvalidJobState, Job},
    upload::InboxEvent,
};
use rollcall_model::{audit::Actor, jobs::Decision};

use crate::{
    StorageError,
    world::{Bucket, Jobs},
};

/// Has a job executed that has shown what it would do, or that held. Its function takes it up when the bucket tells it so; until
/// then, asking once more tells it once more.
///
/// # Errors
/// [`InvalidJobState`] in the answer, where there is nothing to execute or somebody was faster; otherwise when AWS fails.
pub async fn execute(
    (jobs, bucket): (&dyn Jobs, &dyn Bucket),
    job: &Job,
    by: &Actor,
) -> Result<Result<Job, InvalidJobState>, StorageError> {
    let executed = match decide(jobs, job, Decision::Execute, by).await? {
        Ok(executed) => executed,
        Err(illegal) => return Ok(Err(illegal)),
    };
    // Told after it is written. Should nobody come to tell it, the job waits, and can be executed once more.
    let key = InboxEvent::execute_key(&job.upload.account, job.upload.kind, &job.id);
    bucket.put(&key, "text/plain", Bytes::new()).await?;
    Ok(Ok(executed))
}

/// Writes a decision down, and who has made it.
///
/// # Errors
/// As [`execute`].
pub async fn decide(
    jobs: &dyn Jobs,
    job: &Job,
    decision: Decision,
    by: &Actor,
) -> Result<Result<Job, InvalidJobState>, StorageError> {
    let mut job = job.clone();
    loop {
        let decided = match job.decide(decision, by) {
            Ok(decided) => decided,
            Err(illegal) => return Ok(Err(illegal)),
        };
        if decided == job || jobs.decide_job(&decided, job.state, decision, by).await? {
            return Ok(Ok(decided));
        }
        // Somebody was faster. What the job is now says whether there is anything left to decide.
        let now = jobs.job(&job.upload.account, &job.id).await?;
        job = now.ok_or_else(|| StorageError::unreadable("deciding about a job", "the job is gone"))?;
    }
}
