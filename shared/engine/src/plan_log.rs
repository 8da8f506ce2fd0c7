//! The log of plans: what a job does to each group of users stands in the bucket *before* it is done, and again when it is, so that the
//! next attempt knows what was this job's own doing.

use rollcall_bulk::job::Job;
use rollcall_model::stored;
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
    Ok(bytes.and_then(|bytes| stored::from_json(&bytes).ok()))
}

/// A group that this attempt has logged.
pub(crate) async fn load<P: DeserializeOwned>(
    attempt: &Attempt<'_>,
    number: usize,
) -> Result<PlanGroup<P>, StorageError> {
    const OPERATION: &str = "reading a plan again";
    let bytes = attempt.world.bucket.get(&attempt.keys.changes(number)).await?;
    let bytes = bytes.ok_or_else(|| StorageError::unreadable(OPERATION, "it is missing"))?;
    stored::from_json(&bytes).map_err(|error| StorageError::unreadable(OPERATION, error))
}

/// Logs a group.
pub(crate) async fn save<P: Serialize>(
    attempt: &Attempt<'_>,
    number: usize,
    group: &PlanGroup<P>,
) -> Result<(), StorageError> {
    let json = stored::to_json(group);
    attempt.world.bucket.put(&attempt.keys.changes(number), "application/json", json.into()).await
}

/// What another job did, as it has logged it, in the order of its rows.
///
/// # Errors
/// When the bucket can't be read, or what it holds can't.
pub(crate) async fn plans_of<P: DeserializeOwned>(attempt: &Attempt<'_>, job: &Job) -> Result<Vec<P>, StorageError> {
    let (keys, mut plans) = (job.keys(), Vec::new());
    for number in 0.. {
        let Some(bytes) = attempt.world.bucket.get(&keys.changes(number)).await? else { break };
        let group: PlanGroup<P> =
            stored::from_json(&bytes).map_err(|error| StorageError::unreadable("reading what a job did", error))?;
        plans.extend(group.plans);
    }
    Ok(plans)
}

#[cfg(test)]
mod tests {
    use rollcall_bulk::{append::AppendPlan, rotation::RotationPlan, undo::UndoPlan, user_upload::UserPlan};

    use super::*;

    /// A group that is read as it was logged without a version, and again as it is logged now.
    fn read<P: Serialize + DeserializeOwned>(plan: &str) -> P {
        let logged = format!(r#"{{"written":1,"plans":[{plan}]}}"#);
        let group: PlanGroup<P> = stored::from_json(logged.as_bytes()).expect("a group of before");
        let json = stored::to_json(&group);
        assert!(json.starts_with("{\"schema\":"), "{json}");
        let mut again: PlanGroup<P> = stored::from_json(json.as_bytes()).expect("a group of now");
        assert_eq!((group.written, again.written, again.recalled), (1, 1, 0));
        again.plans.pop().expect("a plan")
    }

    #[test]
    fn plans_that_were_logged_before_they_had_a_version_are_read() {
        let numbers = r#"{"login":"asha","standing":{"user":"custom"},"add":["+919876543210"]}"#;
        let append: AppendPlan = read(numbers);
        assert_eq!((append.login.as_str(), append.add.len()), ("asha", 1));
        let upload: UserPlan = read(&format!(r#"{{"numbers":{numbers},"change":"none"}}"#));
        assert_eq!(upload.numbers, append);
        let undo: UndoPlan = read(r#"{"login":"asha","take_off":["+919876543210"],"change":"none","waits":false}"#);
        assert_eq!(undo.take_off.len(), 1);
        let rotation: RotationPlan =
            read(r#"{"login":"asha","removed":[{"old":"+919876543210","new":null}],"added":[]}"#);
        assert_eq!(rotation.removed.len(), 1);
    }
}
