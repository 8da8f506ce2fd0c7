//! Which undos of a job were begun. A later one takes up what the earlier ones have passed over.

use rollcall_bulk::job::Job;
use rollcall_model::{jobs::JobId, stored};

use crate::{Attempt, ErrorKind, StorageError};

/// Others that undo the same job at the same moment, one after the other, before this attempt gives up.
const TRIES: usize = 5;
const WRITING: &str = "writing which undos of a job there are";

/// The undos of a job that were begun before this one, in order. Where the attempt writes, this one is entered.
///
/// # Errors
/// When the bucket can't be read or written.
pub(crate) async fn earlier(attempt: &Attempt<'_>, undone: &Job) -> Result<Vec<JobId>, StorageError> {
    let (bucket, key, me) = (&attempt.world.bucket, undone.keys().undos(), &attempt.job.id);
    for _ in 0..TRIES {
        let (mut undos, tag): (Vec<JobId>, _) = match bucket.get_tagged(&key).await? {
            Some((bytes, tag)) => {
                (stored::from_json(&bytes).map_err(|error| StorageError::unreadable(WRITING, error))?, Some(tag))
            }
            None => (Vec::new(), None),
        };
        if let Some(at) = undos.iter().position(|undo| undo == me) {
            undos.truncate(at);
            return Ok(undos);
        }
        if !attempt.writes() {
            return Ok(undos);
        }
        let entered: Vec<JobId> = undos.iter().chain([me]).cloned().collect();
        match bucket.replace(&key, tag.as_deref(), stored::to_json(&entered).into()).await {
            Ok(()) => return Ok(undos),
            Err(error) if error.kind == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(StorageError::transient(WRITING, "others do so all the time"))
}
