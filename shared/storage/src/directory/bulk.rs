//! What a bulk job reads of users, and how it appends to their lists.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementRequest, KeysAndAttributes};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, FuturesUnordered},
};
use rollcall_engine::{
    Backoff,
    world::{Found, ListNumbers, NotWritten, TableUsage},
};
use rollcall_model::{account::AccountId, audit::Actor, jobs::JobId, user::fold};
use tokio::time::Instant;

use super::{
    Directory, Item,
    statements::ListCondition,
    string,
    users::{CALLER_IDS, caller_ids, created, department, number_set, policy},
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

const READING: &str = "reading the table";

impl Directory {
    /// Adds numbers to a user's list, or takes them off it, by this function (`set_add`, `set_delete`). Refused where there is no such user.
    pub(super) fn set_statement(
        &self,
        function: &str,
        account: &AccountId,
        ListNumbers { login, created, numbers }: ListNumbers<'_>,
        by: &Actor,
        condition: ListCondition<'_>,
    ) -> BatchStatementRequest {
        let change = format!("SET {CALLER_IDS} = {function}({CALLER_IDS}, ?)");
        self.list_statement(account, (login, created), &change, vec![number_set(numbers)], by, condition)
    }

    /// What `read` makes of the items of these keys, in no order. Keys without an item are left out. **Each answer is read as it comes**: of
    /// items as the table tells them, there is never more than one answer.
    pub(super) async fn get_many<T: Send>(
        &self,
        mut keys: impl Iterator<Item = Key> + Send,
        what: Reads<'_>,
        until: Instant,
        usage: &mut TableUsage,
        read: impl Fn(&Item) -> Result<T, StorageError> + Sync,
    ) -> Result<Vec<T>, StorageError> {
        let mut found = Vec::new();
        let mut in_flight = FuturesUnordered::new();
        loop {
            while in_flight.len() < self.answers.in_flight() {
                let batch: Vec<Item> = keys.by_ref().take(READ_BATCH).map(|key| key.attributes().into()).collect();
                if batch.is_empty() {
                    break;
                }
                in_flight.push(self.get_batch(batch, what, until, &read));
            }
            let Some(answer) = in_flight.try_next().await? else { return Ok(found) };
            found.extend(answer.0);
            usage.add(answer.1);
        }
    }

    async fn get_batch<T>(
        &self,
        mut keys: Vec<Item>,
        what: Reads<'_>,
        until: Instant,
        read: impl Fn(&Item) -> Result<T, StorageError>,
    ) -> Result<(Vec<T>, TableUsage), StorageError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut work = TableUsage::default();
        let mut patience = Backoff::new(until);
        while !keys.is_empty() {
            patience.check(READING)?;
            let asked = keys.len();
            self.reads.turn(asked).await;
            work.calls += 1;
            let request = what.of(keys.clone());
            let answer = self.once.batch_get_item().request_items(&self.table, request).send().await;
            match answer.map_err(failed(READING)) {
                Ok(mut answer) => {
                    let items = answer.responses.as_mut().and_then(|found| found.remove(&self.table));
                    let items = items.unwrap_or_default();
                    self.answers.learn(items.iter().map(bytes_of).sum());
                    for item in &items {
                        found.push(read(item)?);
                    }
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
        Ok((found, work))
    }
}

/// What is read of items.
#[derive(Clone, Copy)]
pub(super) struct Reads<'a> {
    /// Their attributes, beside the partition key; all where none is named.
    pub attributes: &'a [&'a str],
    /// Whether the answer is as of now. One that may be some moments old costs half.
    pub consistent: bool,
}

impl<'a> Reads<'a> {
    /// These attributes as they are now: a list that a job has just been told of must not look shorter to the next one.
    pub fn now(attributes: &'a [&'a str]) -> Self {
        Self { attributes, consistent: true }
    }

    fn of(self, keys: Vec<Item>) -> KeysAndAttributes {
        let request = KeysAndAttributes::builder().consistent_read(self.consistent).set_keys(Some(keys));
        let request = if self.attributes.is_empty() {
            request
        } else {
            let names = self.attributes.iter().enumerate().map(|(at, name)| (format!("#{at}"), (*name).to_owned()));
            let names: HashMap<_, _> = names.chain([("#pk".to_owned(), PK.to_owned())]).collect();
            let projection = names.keys().cloned().collect::<Vec<_>>().join(", ");
            request.projection_expression(projection).set_expression_attribute_names(Some(names))
        };
        request.build().expect("keys have been given")
    }
}

/// How large answers are, so that many small ones are in flight, or few large ones: a hundred users with 5,000 numbers each are 8 MB.
pub(super) struct AnswerSizes {
    /// Bytes of an answer: the largest of the last ones.
    bytes: AtomicUsize,
}

/// Bytes of answers in flight, as far as their sizes can be foreseen.
const IN_FLIGHT_BYTES: usize = 32 * 1024 * 1024;

impl AnswerSizes {
    /// Nothing is known yet: a few go ahead.
    pub(super) fn new() -> Self {
        Self { bytes: AtomicUsize::new(IN_FLIGHT_BYTES / 4) }
    }

    fn in_flight(&self) -> usize {
        (IN_FLIGHT_BYTES / self.bytes.load(Relaxed).max(1)).clamp(1, IN_FLIGHT)
    }

    fn learn(&self, bytes: usize) {
        // A large one is remembered through some small ones, since users with long lists may be few among others.
        let _ = self.bytes.fetch_update(Relaxed, Relaxed, |before| Some(bytes.max(before - before / 4)));
    }
}

/// Bytes of an item on the wire, nearly.
fn bytes_of(item: &Item) -> usize {
    /// Quotation marks, commas, and the name of the type.
    const AROUND: usize = 8;
    fn bytes_of_value(value: &AttributeValue) -> usize {
        AROUND
            + match value {
                AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
                AttributeValue::Ss(texts) => texts.iter().map(|text| text.len() + 3).sum(),
                AttributeValue::L(values) => values.iter().map(bytes_of_value).sum(),
                AttributeValue::M(item) => bytes_of(item),
                _ => 0,
            }
    }
    item.iter().map(|(name, held)| name.len() + AROUND + bytes_of_value(held)).sum()
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
    let (created, department) = (created(item)?, department(item)?);
    Ok(Found { policy: policy(item)?, created, department, email, caller_ids: caller_ids(item)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_large_answers_are_in_flight_and_many_small_ones() {
        let answers = AnswerSizes::new();
        assert!((2..IN_FLIGHT).contains(&answers.in_flight()), "a few go ahead");
        (0..IN_FLIGHT).for_each(|_| answers.learn(1_000));
        assert_eq!(answers.in_flight(), IN_FLIGHT);
        answers.learn(IN_FLIGHT_BYTES / 2);
        assert_eq!(answers.in_flight(), 2);
        answers.learn(1_000);
        assert_eq!(answers.in_flight(), 2, "users with long lists may be few among others");
        answers.learn(2 * IN_FLIGHT_BYTES);
        assert_eq!(answers.in_flight(), 1);
    }

    #[test]
    fn a_list_counts_by_its_numbers() {
        let list = AttributeValue::Ss(vec!["+919876543210".to_owned(); 5_000]);
        let json = 5_000 * "\"+919876543210\",".len();
        let bytes = bytes_of(&HashMap::from([("caller_ids".to_owned(), list)]));
        assert!((json..json + 100).contains(&bytes), "{bytes}");
    }
}
