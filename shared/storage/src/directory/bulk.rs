//! What a bulk job reads of users, and how it appends to their lists.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::{BatchStatementRequest, KeysAndAttributes};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_bulk::append::AppendPlan;
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    jobs::JobId,
    user::{Policy, fold},
};
use tokio::time::Instant;

use super::{
    Directory, Item,
    statements::Refusal,
    string,
    users::{CALLER_IDS, caller_ids, number_set, policy},
};
use crate::{
    ErrorKind, StorageError,
    error::failed,
    keys::{Key, PK, login_of},
};

/// What the bulk path needs to know of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The user's policy.
    pub policy: Policy,
    /// The user's e-mail address, folded.
    pub email: Option<String>,
    /// The user's own list.
    pub caller_ids: Vec<CallerId>,
}

/// What came of a batch of appends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Positions of the plans whose user is not there any more.
    pub vanished: Vec<usize>,
    /// Positions of the plans whose user's item would become larger than the table takes.
    pub too_large: Vec<usize>,
    /// Positions of the plans that the table can't store for another reason.
    pub not_storable: Vec<usize>,
}

/// Which of several writes were not carried out, by position, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotWritten {
    /// Their conditions don't hold any more: they must be decided again.
    pub outdated: Vec<usize>,
    /// The table can't store what they write.
    pub not_storable: Vec<usize>,
}

/// What the bulk path asked of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableUsage {
    /// Requests sent.
    pub calls: u64,
    /// Items asked for or statements sent that the table put off. Each was sent again.
    pub throttled: u64,
    /// Write statements sent.
    pub statements: u64,
}

/// Keys that one read takes (`BatchGetItem`).
const READ_BATCH: usize = 100;
/// Requests in flight. Above the table's own limits more only wait; below them, 16 of 5 ms each carry 80,000 statements
/// a second.
pub(super) const IN_FLIGHT: usize = 16;
/// First wait before a request is sent again, doubled each time up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

const READING: &str = "reading users";
const APPENDING: &str = "appending to users";

impl Directory {
    /// Those of the login IDs that are users, by folded login ID. Repeats what the table puts off, until `until`.
    ///
    /// # Errors
    /// [`ErrorKind::Transient`] when the table doesn't answer until then; otherwise when it refuses or holds what can't be
    /// read.
    pub async fn find_users(
        &self,
        account: &AccountId,
        folded_logins: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<HashMap<String, Found>, StorageError> {
        let keys = folded_logins.iter().map(|login| Key::user(account, login));
        let items = self.get_many(keys, &["email", "policy", CALLER_IDS], until, usage).await?;
        let mut users = HashMap::with_capacity(items.len());
        for item in &items {
            let login = string(item, PK).and_then(|pk| login_of(account, &pk));
            let login = login.ok_or_else(|| StorageError::unreadable(READING, "an item is not a user"))?;
            users.insert(login, read_found(item)?);
        }
        Ok(users)
    }

    /// Adds the plans' numbers to their users' lists: one statement a user, each with an outcome of its own. Adding to a
    /// set is atomic, takes away nothing and changes nothing when it is repeated, so that a request whose answer was
    /// lost is simply sent again.
    ///
    /// # Errors
    /// As [`Directory::find_users`]. What was added stays added.
    pub async fn append(
        &self,
        account: &AccountId,
        plans: &[&AppendPlan],
        by: &Actor,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Appended, StorageError> {
        let statements =
            plans.iter().map(|plan| self.set_statement("set_add", account, &plan.login, &plan.add, by)).collect();
        let mut all = Appended::default();
        for (at, refusal) in self.execute_each(APPENDING, statements, until, usage).await? {
            match refusal {
                // An update of an item that isn't there fails its condition: nothing is created by it.
                Refusal::Condition => all.vanished.push(at),
                Refusal::TooLarge => all.too_large.push(at),
                Refusal::NotStorable => all.not_storable.push(at),
            }
        }
        Ok(all)
    }

    /// Adds numbers to a user's list, or takes them off it, by this function (`set_add`, `set_delete`). Refused where there is no such user.
    pub(super) fn set_statement(
        &self,
        function: &str,
        account: &AccountId,
        folded_login: &str,
        numbers: &[CallerId],
        by: &Actor,
    ) -> BatchStatementRequest {
        let change = format!("SET {CALLER_IDS} = {function}({CALLER_IDS}, ?)");
        self.list_statement(account, folded_login, &change, vec![number_set(numbers)], by, None)
    }

    /// The items of these keys, in no order. Keys without an item are left out.
    pub(super) async fn get_many(
        &self,
        keys: impl Iterator<Item = Key>,
        attributes: &[&str],
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Vec<Item>, StorageError> {
        let keys: Vec<Item> = keys.map(|key| key.attributes().into()).collect();
        let batches: Vec<_> = keys.chunks(READ_BATCH).map(<[Item]>::to_vec).collect();
        let mut batches =
            stream::iter(batches).map(|batch| self.get_batch(batch, attributes, until)).buffer_unordered(IN_FLIGHT);
        let mut items = Vec::with_capacity(keys.len());
        while let Some((found, done)) = batches.try_next().await? {
            items.extend(found);
            usage.add(done);
        }
        Ok(items)
    }

    async fn get_batch(
        &self,
        mut keys: Vec<Item>,
        attributes: &[&str],
        until: Instant,
    ) -> Result<(Vec<Item>, TableUsage), StorageError> {
        let mut items = Vec::with_capacity(keys.len());
        let mut work = TableUsage::default();
        let mut patience = Backoff::new(until);
        while !keys.is_empty() {
            patience.check(READING)?;
            let asked = keys.len();
            self.reads.turn(asked).await;
            work.calls += 1;
            let names = attributes.iter().enumerate().map(|(at, name)| (format!("#{at}"), (*name).to_owned()));
            let names: HashMap<_, _> = names.chain([("#pk".to_owned(), PK.to_owned())]).collect();
            let projection = names.keys().cloned().collect::<Vec<_>>().join(", ");
            // Strongly consistent: a list that a job has just been told of must not look shorter to the next one.
            let request = KeysAndAttributes::builder()
                .consistent_read(true)
                .projection_expression(projection)
                .set_expression_attribute_names(Some(names))
                .set_keys(Some(keys.clone()))
                .build()
                .expect("keys have been given");
            let answer = self.once.batch_get_item().request_items(&self.table, request).send().await;
            match answer.map_err(failed(READING)) {
                Ok(mut answer) => {
                    items.extend(
                        answer.responses.as_mut().and_then(|found| found.remove(&self.table)).unwrap_or_default(),
                    );
                    let left = answer.unprocessed_keys.as_mut().and_then(|left| left.remove(&self.table));
                    keys = left.map(|left| left.keys).unwrap_or_default();
                    self.reads.learn(asked - keys.len(), keys.len());
                    work.throttled += keys.len() as u64;
                    // Half the keys come back undone when the answer grows too long, too: only a batch of which
                    // nothing was done asks for patience.
                    if keys.len() == asked {
                        patience.wait(StorageError::transient(READING, "the table asks for patience")).await?;
                    }
                }
                Err(error) if error.kind == ErrorKind::Transient => {
                    self.reads.learn(0, asked);
                    work.throttled += asked as u64;
                    patience.wait(error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok((items, work))
    }
}

impl TableUsage {
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.throttled += other.throttled;
        self.statements += other.statements;
    }
}

/// The job that last wrote a record: one that comes back after its death knows its own doing by it.
pub(super) const WRITTEN_BY: &str = "written_by";

impl Directory {
    /// Carries out writes, many in flight. One that the table can't store costs itself alone.
    pub(super) async fn write_each(
        writes: impl IntoIterator<Item = impl Future<Output = Result<(bool, TableUsage), StorageError>>>,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let numbered = writes.into_iter().enumerate().map(|(at, write)| async move {
            match write.await {
                Err(error) if error.kind == ErrorKind::NotStorable => {
                    tracing::warn!(error = error.chain(), "the table can't store this");
                    Ok((at, None))
                }
                done => done.map(|done| (at, Some(done))),
            }
        });
        let mut outcomes = stream::iter(numbered.collect::<Vec<_>>()).buffer_unordered(IN_FLIGHT);
        let mut not_written = NotWritten::default();
        while let Some((at, outcome)) = outcomes.try_next().await? {
            match outcome {
                Some((written, done)) => {
                    usage.add(done);
                    not_written.outdated.extend((!written).then_some(at));
                }
                None => not_written.not_storable.push(at),
            }
        }
        not_written.outdated.sort_unstable();
        not_written.not_storable.sort_unstable();
        Ok(not_written)
    }

    /// Carries out one write of `count` items, as [`Self::write_until`]. Whether it was carried out: where its condition doesn't
    /// hold, that is so if the record at `key` says that this job has written it.
    pub(super) async fn write_once<F: Future<Output = Result<(), StorageError>>>(
        &self,
        key: Key,
        count: usize,
        job: &JobId,
        until: Instant,
        write: impl Fn() -> F,
    ) -> Result<(bool, TableUsage), StorageError> {
        let (written, mut work) = self.write_until(count, until, write).await?;
        if written {
            return Ok((true, work));
        }
        work.calls += 1;
        Ok((self.has_written(key, job).await?, work))
    }

    /// Carries out one write of `count` items, again and again while the table puts it off, until `until`. Whether its condition
    /// holds.
    pub(super) async fn write_until<F: Future<Output = Result<(), StorageError>>>(
        &self,
        count: usize,
        until: Instant,
        write: impl Fn() -> F,
    ) -> Result<(bool, TableUsage), StorageError> {
        const WRITING: &str = "writing for a job";
        let mut work = TableUsage::default();
        let mut patience = Backoff::new(until);
        loop {
            patience.check(WRITING)?;
            self.writes.turn(count).await;
            work.calls += 1;
            work.statements += 1;
            match write().await {
                Ok(()) => {
                    self.writes.learn(count, 0);
                    return Ok((true, work));
                }
                Err(error) if error.kind == ErrorKind::Transient => {
                    self.writes.learn(0, count);
                    work.throttled += 1;
                    patience.wait(error).await?;
                }
                Err(error) if error.kind == ErrorKind::Conflict => return Ok((false, work)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the record at `key` says that this job has written it.
    pub(super) async fn has_written(&self, key: Key, job: &JobId) -> Result<bool, StorageError> {
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes().into()));
        let read = read.consistent_read(true).projection_expression(WRITTEN_BY).send().await;
        let item = read.map_err(failed("looking who has written"))?.item;
        Ok(item.and_then(|item| string(&item, WRITTEN_BY)).is_some_and(|by| by == job.as_str()))
    }
}

/// Waits longer each time, from some milliseconds to two seconds, until there is no time left.
pub struct Backoff {
    wait: Duration,
    until: Instant,
}

impl Backoff {
    /// Until then.
    pub fn new(until: Instant) -> Self {
        Self { wait: FIRST_WAIT, until }
    }

    pub(super) fn check(&self, operation: &'static str) -> Result<(), StorageError> {
        if Instant::now() < self.until { Ok(()) } else { Err(StorageError::transient(operation, "the time is up")) }
    }

    /// Waits.
    ///
    /// # Errors
    /// `error`, when waiting would take too long.
    pub async fn wait(&mut self, error: StorageError) -> Result<(), StorageError> {
        // Spread over the second half, so that requests that failed together don't come back together.
        let wait = self.wait.mul_f64(0.5 + spread() / 2.0);
        if Instant::now() + wait > self.until {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(())
    }
}

/// Something between 0 and 1 that differs from caller to caller: no more is needed here than the clock gives.
fn spread() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    f64::from(now.subsec_nanos() % 1_000) / 1_000.0
}

fn read_found(item: &Item) -> Result<Found, StorageError> {
    let email = string(item, "email").map(|email| fold(&email).into_owned());
    Ok(Found { policy: policy(item)?, email, caller_ids: caller_ids(item)? })
}
