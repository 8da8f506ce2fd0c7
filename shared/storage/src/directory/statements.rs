//! Statements, each on an item of its own, many in one request.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse,
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use rollcall_engine::{Backoff, world::TableUsage};
use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, user::Policy};
use tokio::{
    sync::{AcquireError, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{
    Directory,
    bulk::IN_FLIGHT,
    stream::CHANGED_BY,
    users::{CALLER_IDS, CREATED, POLICY, number_set},
};
use crate::{
    ErrorKind, StorageError,
    error::failed,
    keys::{Key, PK, SK},
};

/// Statements that one request takes (`BatchExecuteStatement`).
const BATCH: usize = 25;

/// Numbers in one request, but for a single statement of more; and in all that are in flight. A number takes some 100 bytes on its way: as
/// the text of a value, and as JSON.
const REQUEST_NUMBERS: usize = 25_000;
const IN_FLIGHT_NUMBERS: usize = 200_000;

/// Statements to be carried out. Each is built when it is sent, and gone when it is answered.
pub(super) struct Statements<'a> {
    /// How many there are.
    pub(super) count: usize,
    /// How many numbers one has among its values, by its position.
    pub(super) weight: &'a (dyn Fn(usize) -> usize + Sync),
    /// One of them.
    pub(super) build: &'a (dyn Fn(usize) -> BatchStatementRequest + Sync),
}

/// On what condition a list is changed, beside that its user is there.
#[derive(Clone, Copy)]
pub(super) enum ListCondition<'a> {
    /// On none.
    Any,
    /// It is this one, and the user dials by this policy, if that isn't the list itself.
    Is(&'a [CallerId], Policy),
    /// So many more numbers can come onto it without making it longer than `limit`.
    HasRoom { more: usize, limit: usize },
}

/// Why a statement was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its condition doesn't hold, or its item isn't there.
    Condition,
    /// Its item would become larger than the table takes.
    TooLarge,
    /// The table can't take it as it is, now or later.
    NotStorable,
}

impl Directory {
    /// Carries out statements, many in flight, and repeats what the table puts off, until `until`. Each is carried out or not by itself;
    /// gives those that were refused, by position, in order. **A statement that the table can't take costs itself alone**, also where
    /// the table refuses the whole request for it. A statement whose answer was lost is sent again, so it must be one that changes
    /// nothing the second time.
    ///
    /// # Errors
    /// [`ErrorKind::Transient`] when the table doesn't answer until then; otherwise when it refuses for another reason. What was carried out
    /// stays so.
    pub(super) async fn execute_each(
        &self,
        operation: &'static str,
        statements: Statements<'_>,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<Vec<(usize, Refusal)>, StorageError> {
        let sending = Sending {
            queue: Mutex::new((0..statements.count).collect()),
            room: Semaphore::new(IN_FLIGHT_NUMBERS),
            statements,
        };
        let senders = sending.statements.count.div_ceil(BATCH).min(IN_FLIGHT);
        let senders = (0..senders).map(|_| self.execute_queue(operation, &sending, until));
        let mut all = Vec::new();
        for (refused, done) in try_join_all(senders).await? {
            all.extend(refused);
            usage.add(done);
        }
        all.sort_unstable_by_key(|&(at, _)| at);
        Ok(all)
    }

    /// Changes a user's list, and says by whom. `values` are those of the change, in its order. Refused where there is no such user, or none that
    /// was created then.
    ///
    /// In a condition, `size` is the number of a set's members, and no number at all where there is no set
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.size.html>).
    pub(super) fn list_statement(
        &self,
        account: &AccountId,
        (folded_login, created): (&str, Option<Timestamp>),
        change: &str,
        mut values: Vec<AttributeValue>,
        by: &Actor,
        condition: ListCondition<'_>,
    ) -> BatchStatementRequest {
        let Key { pk, sk } = Key::user(account, folded_login);
        let mut statement =
            format!("UPDATE \"{}\" {change} SET {CHANGED_BY} = ? WHERE {PK} = ? AND {SK} = ?", self.table);
        values.extend([by.to_string(), pk, sk].map(AttributeValue::S));
        if let Some(created) = created {
            values.push(AttributeValue::S(created.to_string()));
            let _ = write!(statement, " AND {CREATED} = ?");
        }
        let _ = match condition {
            ListCondition::Any => Ok(()),
            // A set can't be empty, also not to compare with: a user without numbers has no list.
            ListCondition::Is([], _) => write!(statement, " AND {CALLER_IDS} IS MISSING"),
            ListCondition::Is(before, _) => {
                values.push(number_set(before));
                write!(statement, " AND {CALLER_IDS} = ?")
            }
            ListCondition::HasRoom { more, limit } => {
                values.push(AttributeValue::N(limit.saturating_sub(more).to_string()));
                if more <= limit {
                    write!(statement, " AND ({CALLER_IDS} IS MISSING OR size({CALLER_IDS}) <= ?)")
                } else {
                    // Not even an empty list has room, so this never holds.
                    write!(statement, " AND size({CALLER_IDS}) < ?")
                }
            }
        };
        if let ListCondition::Is(_, policy @ (Policy::All | Policy::Department)) = condition {
            values.push(AttributeValue::S(policy.as_str().to_owned()));
            let _ = write!(statement, " AND {POLICY} = ?");
        }
        let request = BatchStatementRequest::builder().statement(statement).set_parameters(Some(values));
        request.build().expect("a statement has been given")
    }

    /// Sends statements whose positions are in the queue, until it is empty. What the table puts off goes back into it, so that requests
    /// are full also where much is put off.
    async fn execute_queue(
        &self,
        operation: &'static str,
        sending: &Sending<'_>,
        until: Instant,
    ) -> Result<(Vec<(usize, Refusal)>, TableUsage), StorageError> {
        // Halves of requests that the table has refused whole, each to be sent by itself.
        let mut parts: Vec<Vec<usize>> = Vec::new();
        let next = |parts: &mut Vec<Vec<usize>>| parts.pop().unwrap_or_else(|| sending.next_request());
        let mut refused = Vec::new();
        let mut work = TableUsage::default();
        let mut patience = Backoff::new(until);
        let mut open = next(&mut parts);
        while !open.is_empty() {
            patience.check(operation)?;
            self.writes.turn(open.len()).await;
            work.calls += 1;
            work.statements += open.len() as u64;
            let room = sending.room_for(&open).await;
            let (sent, batch) = (Instant::now(), open.iter().map(|&at| (sending.statements.build)(at)).collect());
            let answer = self.once.batch_execute_statement().set_statements(Some(batch)).send().await;
            drop(room);
            let responses = match answer.map_err(failed(operation)) {
                Ok(answer) => answer.responses.unwrap_or_default(),
                Err(error) if error.kind == ErrorKind::Transient => {
                    self.writes.learn(0, open.len());
                    work.throttled += open.len() as u64;
                    patience.wait(error).await?;
                    continue;
                }
                Err(error) if error.kind == ErrorKind::NotStorable => {
                    // For the sake of one statement the others would not be carried out: each half is sent by itself, down to one.
                    if let [at] = open[..] {
                        tracing::warn!(operation, error = error.chain(), "the table refuses a statement");
                        refused.push((at, Refusal::NotStorable));
                        open = next(&mut parts);
                    } else {
                        parts.push(open.split_off(open.len() / 2));
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            if responses.len() != open.len() {
                return Err(StorageError::unreadable(operation, "the table answered another number of statements"));
            }
            let mut again = Vec::new();
            for (&at, response) in open.iter().zip(&responses) {
                match outcome(operation, response)? {
                    Outcome::Done => {}
                    Outcome::Refused(refusal) => refused.push((at, refusal)),
                    Outcome::PutOff => again.push(at),
                }
            }
            self.writes.learn(open.len() - again.len(), again.len());
            work.throttled += again.len() as u64;
            // Where the table does something, for this request or another, the pace alone says when to go on.
            if again.len() == open.len() && !self.writes.has_accepted_since(sent) {
                patience.wait(StorageError::transient(operation, "the table asks for patience")).await?;
            } else {
                patience = Backoff::new(until);
            }
            sending.queue().extend(again);
            open = next(&mut parts);
        }
        Ok((refused, work))
    }
}

/// Statements that are being sent, by several senders at once.
struct Sending<'a> {
    statements: Statements<'a>,
    /// The positions of those that are to be sent.
    queue: Mutex<VecDeque<usize>>,
    /// One permit for each number that may be in flight.
    room: Semaphore,
}

impl Sending<'_> {
    fn queue(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The positions of the statements that the next request is made of; none at the end.
    fn next_request(&self) -> Vec<usize> {
        let mut queue = self.queue();
        let (mut request, mut numbers) = (Vec::new(), 0);
        while let Some(&at) = queue.front().filter(|_| request.len() < BATCH) {
            numbers += (self.statements.weight)(at);
            if numbers > REQUEST_NUMBERS && !request.is_empty() {
                break;
            }
            request.extend(queue.pop_front());
        }
        request
    }

    /// Waits until there is room for a request. One that is larger than all the room waits until it is alone.
    async fn room_for(&self, request: &[usize]) -> Result<SemaphorePermit<'_>, AcquireError> {
        let numbers: usize = request.iter().map(|&at| (self.statements.weight)(at)).sum();
        self.room.acquire_many(u32::try_from(numbers.min(IN_FLIGHT_NUMBERS)).unwrap_or(u32::MAX)).await
    }
}

enum Outcome {
    Done,
    Refused(Refusal),
    PutOff,
}

fn outcome(operation: &'static str, response: &BatchStatementResponse) -> Result<Outcome, StorageError> {
    let Some(error) = response.error() else { return Ok(Outcome::Done) };
    let message = error.message().unwrap_or_default();
    match error.code() {
        Some(BatchStatementErrorCodeEnum::ConditionalCheckFailed) => Ok(Outcome::Refused(Refusal::Condition)),
        Some(
            BatchStatementErrorCodeEnum::ThrottlingError
            | BatchStatementErrorCodeEnum::ProvisionedThroughputExceeded
            | BatchStatementErrorCodeEnum::RequestLimitExceeded
            | BatchStatementErrorCodeEnum::InternalServerError
            | BatchStatementErrorCodeEnum::TransactionConflict,
        ) => Ok(Outcome::PutOff),
        Some(BatchStatementErrorCodeEnum::ValidationError) if message.contains("size") => {
            Ok(Outcome::Refused(Refusal::TooLarge))
        }
        Some(
            BatchStatementErrorCodeEnum::ValidationError | BatchStatementErrorCodeEnum::ItemCollectionSizeLimitExceeded,
        ) => {
            tracing::warn!(operation, message, "the table refuses a statement");
            Ok(Outcome::Refused(Refusal::NotStorable))
        }
        code => {
            let code = code.map_or("no code", BatchStatementErrorCodeEnum::as_str);
            Err(StorageError::unreadable(operation, format!("{code}: {message}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_as_many_statements_as_it_takes_or_as_few_as_are_large() {
        let weights = [[1; BATCH + 1].as_slice(), &[REQUEST_NUMBERS + 1, REQUEST_NUMBERS, 0, 1]].concat();
        let statements = Statements {
            count: weights.len(),
            weight: &|at: usize| weights[at],
            build: &|at: usize| unreachable!("statement {at} is not sent"),
        };
        let queue = Mutex::new((0..weights.len()).collect());
        let sending = Sending { statements, queue, room: Semaphore::new(IN_FLIGHT_NUMBERS) };
        let requests: Vec<usize> =
            std::iter::from_fn(|| Some(sending.next_request().len()).filter(|&len| len > 0)).collect();
        assert_eq!(requests, [BATCH, 1, 1, 2, 1]);
    }

    #[tokio::test]
    async fn a_request_larger_than_all_the_room_waits_until_it_is_alone() {
        let weight = |at: usize| [1, 2 * IN_FLIGHT_NUMBERS][at];
        let statements =
            Statements { count: 2, weight: &weight, build: &|at: usize| unreachable!("statement {at} is not sent") };
        let sending = Sending { statements, queue: Mutex::default(), room: Semaphore::new(IN_FLIGHT_NUMBERS) };
        let small = sending.room_for(&[0]).await;
        let mut large = Box::pin(sending.room_for(&[1]));
        assert!(futures_util::poll!(&mut large).is_pending());
        drop(small);
        assert!(large.await.is_ok());
    }
}
