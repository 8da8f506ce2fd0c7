//! The log of plans: what a job does to each group of users stands in the bucket *before* it is done, and again when it is, so that the
//! next attempt knows what was this job's own doing.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use rollcall_bulk::{
    bulk_job::Plan,
    job::{Job, Progress},
    upload::ResultKeys,
};
use rollcall_model::stored;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Attempt, StorageError, world::Bucket};

/// Users dealt with together: few enough that progress shows and little is repeated after a crash, many enough that
/// logging their plans costs next to nothing beside writing the users.
pub const GROUP_USERS: usize = 2_000;
/// Numbers that the plans of a group hold, but for those of its last users: two groups are in memory at a time, with what is written of
/// them, which comes to some 40 bytes a number.
pub(crate) const GROUP_NUMBERS: usize = 500_000;

/// What a job does to one group of users.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlanGroup<P> {
    /// The first user behind the group. How many users make a group follows from what was read of them, so that it is logged, and **the
    /// same in each attempt**. `None` where nothing is logged, and of a group that was logged when all had the same size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<usize>,
    /// How many of the plans, from the first, have been carried out.
    pub written: usize,
    /// How many of them, from the first, an earlier attempt has decided.
    #[serde(skip)]
    pub recalled: usize,
    pub plans: Vec<P>,
}

impl<P> Default for PlanGroup<P> {
    fn default() -> Self {
        Self { end: None, written: 0, recalled: 0, plans: Vec::new() }
    }
}

impl<P> PlanGroup<P> {
    /// Whether some attempt has logged it.
    pub fn is_logged(&self) -> bool {
        self.end.is_some() || !self.plans.is_empty()
    }

    /// The first user behind a group that begins with this one; `most` users behind it, where nothing is logged.
    pub fn end(&self, start: usize, most: usize) -> usize {
        self.end.unwrap_or(start + most)
    }
}

impl<P: Plan> PlanGroup<P> {
    /// Whether some of the plans may be left to be carried out.
    pub fn is_open(&self) -> bool {
        self.plans.iter().skip(self.written).any(Plan::writes)
    }
}

/// Groups that are asked for before their turn: a job that goes on reads what was logged at a multiple of the speed of one after the other, and
/// holds no more than these.
const AHEAD: usize = 8;

/// The groups that some attempt has logged, in order.
pub(crate) struct LoggedGroups {
    /// `None` behind the last one.
    ahead: Option<BoxStream<'static, Result<Option<Bytes>, StorageError>>>,
}

impl LoggedGroups {
    /// Those below these keys, of which the first are there for sure: these are asked for ahead, and the others one after the other, since what isn't
    /// there is asked for in vain.
    pub fn of(bucket: &Arc<dyn Bucket>, keys: &ResultKeys, sure: usize) -> Self {
        let (bucket, keys) = (Arc::clone(bucket), keys.clone());
        let get = move |number| {
            let (bucket, key) = (Arc::clone(&bucket), keys.changes(number));
            async move { bucket.get(&key).await }
        };
        let further = stream::iter(sure..).map(get.clone()).buffered(1);
        Self { ahead: Some(stream::iter(0..sure).map(get).buffered(AHEAD).chain(further).boxed()) }
    }

    /// Those of a job that has come so far, and deals with so many users together.
    pub fn of_job(bucket: &Arc<dyn Bucket>, keys: &ResultKeys, progress: Progress, group: usize) -> Self {
        // None has more users.
        let sure = progress.users_done / group as u64;
        Self::of(bucket, keys, usize::try_from(sure).unwrap_or(usize::MAX))
    }

    /// Those of attempts before this one. The first finds nothing, and need not look.
    pub fn before(attempt: &Attempt<'_>, group: usize) -> Self {
        if attempt.job.attempts == 1 {
            return Self { ahead: None };
        }
        Self::of_job(&attempt.world.bucket, &attempt.keys, attempt.job.progress, group)
    }

    /// The bytes of the next one.
    async fn bytes(&mut self) -> Result<Option<Bytes>, StorageError> {
        let Some(ahead) = &mut self.ahead else { return Ok(None) };
        let next = ahead.next().await.transpose()?.flatten();
        if next.is_none() {
            self.ahead = None;
        }
        Ok(next)
    }

    /// The next one. One that can't be read is as good as an empty one: carrying a plan out twice is like once.
    pub async fn next<P: DeserializeOwned>(&mut self) -> Result<Option<PlanGroup<P>>, StorageError> {
        Ok(self.bytes().await?.map(|bytes| stored::from_json(&bytes).unwrap_or_default()))
    }

    /// The next one, which must be there.
    pub async fn expect_next<P: DeserializeOwned>(&mut self) -> Result<PlanGroup<P>, StorageError> {
        const OPERATION: &str = "reading a plan again";
        let bytes = self.bytes().await?.ok_or_else(|| StorageError::unreadable(OPERATION, "it is missing"))?;
        stored::from_json(&bytes).map_err(|error| StorageError::unreadable(OPERATION, error))
    }
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

/// What another job did, as it has logged it, in the order of its rows, read group by group: `take` makes of each plan what is kept of it.
///
/// # Errors
/// When the bucket can't be read, or what it holds can't.
pub(crate) async fn plans_of<P: DeserializeOwned, T>(
    attempt: &Attempt<'_>,
    job: &Job,
    take: impl Fn(P) -> Option<T>,
) -> Result<Vec<T>, StorageError> {
    let mut logged = LoggedGroups::of_job(&attempt.world.bucket, &job.keys(), job.progress, GROUP_USERS);
    let mut taken = Vec::new();
    while let Some(bytes) = logged.bytes().await? {
        let group: PlanGroup<P> =
            stored::from_json(&bytes).map_err(|error| StorageError::unreadable("reading what a job did", error))?;
        drop(bytes);
        taken.extend(group.plans.into_iter().filter_map(&take));
    }
    Ok(taken)
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
