//! Which undos of a job were begun. A later one takes up what the earlier ones have passed over.

use rollcall_bulk::job::Job;
use rollcall_model::{jobs::JobId, stored};
use serde::{Deserialize, Serialize};

use crate::{Attempt, ErrorKind, StorageError};

/// Others that undo the same job at the same moment, one after the other, before this attempt gives up.
const TRIES: usize = 5;
const WRITING: &str = "writing which undos of a job there are";

/// Kept beside the results of the job that is undone.
#[derive(Default, Serialize, Deserialize)]
struct Register {
    undos: Vec<JobId>,
}

/// The undos of a job that were begun before this one and have ended, in order. Where the attempt writes, this one is entered. What one that is at work
/// will have taken back isn't known yet: both look at what is there.
///
/// # Errors
/// When the bucket can't be read or written.
pub(crate) async fn earlier(attempt: &Attempt<'_>, undone: &Job) -> Result<Vec<JobId>, StorageError> {
    let (bucket, key, me) = (&attempt.world.bucket, undone.keys().undos(), &attempt.job.id);
    for _ in 0..TRIES {
        let (Register { mut undos }, tag) = match bucket.get_tagged(&key).await? {
            Some((bytes, tag)) => {
                (stored::from_json(&bytes).map_err(|error| StorageError::unreadable(WRITING, error))?, Some(tag))
            }
            None => (Register::default(), None),
        };
        if let Some(at) = undos.iter().position(|undo| undo == me) {
            undos.truncate(at);
            return ended(attempt, undos).await;
        }
        if !attempt.writes() {
            return ended(attempt, undos).await;
        }
        let entered = Register { undos: undos.iter().chain([me]).cloned().collect() };
        match bucket.replace(&key, tag.as_deref(), stored::to_json(&entered).into()).await {
            Ok(()) => return ended(attempt, undos).await,
            Err(error) if error.kind == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(StorageError::transient(WRITING, "others do so all the time"))
}

async fn ended(attempt: &Attempt<'_>, undos: Vec<JobId>) -> Result<Vec<JobId>, StorageError> {
    let mut ended = Vec::new();
    for undo in undos {
        let record = attempt.world.jobs.job(attempt.account(), &undo).await?;
        ended.extend(record.filter(|record| record.ended.is_some()).map(|_| undo));
    }
    Ok(ended)
}
