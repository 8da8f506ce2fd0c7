//! What a bulk job reads of users, and how it appends to their lists.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{BatchStatementRequest, KeysAndAttributes};
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_engine::{
    Backoff,
    world::{Found, NotWritten, TableUsage},
};
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, jobs::JobId, user::fold};
use tokio::time::Instant;

use super::{
    Directory, Item, string,
    users::{CALLER_IDS, caller_ids, number_set, policy},
};
use crate::{
    ErrorKind, StorageError,
    error::failed,
    keys::{Key, PK},
};

/// Keys that one read takes (`BatchGetItem`).
const READ_BATCH: usize = 100;
/// Requests in flight. Above the table's own limits more only wait; below them, 16 of 5 ms each carry 80,000 statements
/// a second.
pub(super) const IN_FLIGHT: usize = 16;

const READING: &str = "reading users";

impl Directory {
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

pub(super) fn read_found(item: &Item) -> Result<Found, StorageError> {
    let email = string(item, "email").map(|email| fold(&email).into_owned());
    Ok(Found { policy: policy(item)?, email, caller_ids: caller_ids(item)? })
}
