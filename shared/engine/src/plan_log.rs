//! The log of plans: what a job does to each group of users stands in the bucket *before* it is done, and again when it is, so that the
//! next attempt knows what was this job's own doing.

use rollcall_bulk::job::Job;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Attempt, StorageError};

/// Users dealt with together: few enough that progress shows and little is repeated after a crash, many enough that
/// logging their plans costs next to nothing beside writing the users.
pub(crate) const GROUP_USERS: usize = 2_000;

/// What a job does to one group of users.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlanGroup<P> {
    /// How many of the plans, from the first, have been carried out.
    pub written: usize,
    /// How many of them, from the first, an earlier attempt has decided.
    #[serde(skip)]
    pub recalled: usize,
    pub plans: Vec<P>,
}

impl<P> Default for PlanGroup<P> {
    fn default() -> Self {
        Self { written: 0, recalled: 0, plans: Vec::new() }
    }
}

/// A group that an earlier attempt may have logged.
pub(crate) async fn logged_before<P: DeserializeOwned>(
    attempt: &Attempt<'_>,
    number: usize,
) -> Result<PlanGroup<P>, StorageError> {
    // The first attempt finds nothing, and need not look.
    if attempt.job.attempts == 1 {
        return Ok(PlanGroup::default());
    }
    Ok(find(attempt, number).await?.unwrap_or_default())
}

/// A group that some attempt has logged. One that can't be read is as good as none: carrying a plan out twice is like once.
pub(crate) async fn find<P: DeserializeOwned>(
    attempt: &Attempt<'_>,
    number: usize,
) -> Result<Option<PlanGroup<P>>, StorageError> {
    let bytes = attempt.world.bucket.get(&attempt.keys.changes(number)).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// A group that this attempt has logged.
pub(crate) async fn load<P: DeserializeOwned>(
    attempt: &Attempt<'_>,
    number: usize,
) -> Result<PlanGroup<P>, StorageError> {
    const OPERATION: &str = "reading a plan again";
    let bytes = attempt.world.bucket.get(&attempt.keys.changes(number)).await?;
    let bytes = bytes.ok_or_else(|| StorageError::unreadable(OPERATION, "it is missing"))?;
    serde_json::from_slice(&bytes).map_err(|error| StorageError::unreadable(OPERATION, error))
}

/// Logs a group.
pub(crate) async fn save<P: Serialize>(
    attempt: &Attempt<'_>,
    number: usize,
    group: &PlanGroup<P>,
) -> Result<(), StorageError> {
    let bytes = serde_json::to_vec(group).expect("a group can be written as JSON");
    attempt.world.bucket.put(&attempt.keys.changes(number), "application/json", bytes.into()).await
}

/// What another job did, as it has logged it, in the order of its rows.
///
/// # Errors
/// When the bucket can't be read, or what it holds can't.
pub(crate) async fn plans_of<P: DeserializeOwned>(attempt: &Attempt<'_>, job: &Job) -> Result<Vec<P>, StorageError> {
    let (keys, mut plans) = (job.keys(), Vec::new());
    for number in 0.. {
        let Some(bytes) = attempt.world.bucket.get(&keys.changes(number)).await? else { break };
        let group: PlanGroup<P> = serde_json::from_slice(&bytes)
            .map_err(|error| StorageError::unreadable("reading what a job did", error))?;
        plans.extend(group.plans);
    }
    Ok(plans)
}
