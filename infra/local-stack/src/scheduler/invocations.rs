//! Lambda's queue of asynchronous events: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
//! An event that a function fails on comes again a minute later, and two minutes after that; then it is dropped, or goes to the
//! function's dead-letter queue.
//!
//! Not played: throttling (an event waits until one of the function's processes is free), destinations, and the attributes
//! that tell of a dead letter's error.

use std::collections::HashSet;
use std::time::Duration;

use axum::body::Bytes;
use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};

use crate::error::{Context, Result};
use crate::index::Index;
use crate::lambda::InvokeError;
use crate::sqs::send_in;
use crate::template::Asynchronous;

/// The waits before an event that failed comes again.
const WAITS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// How long what came of an event is kept once there is a later one, so that whoever waits for it can read it.
const KEPT_FOR: i64 = 3600 * 1000;

/// An event that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) id: i64,
    pub(super) function: String,
    pub(super) payload: String,
    awaited: bool,
    accepted: i64,
    failures: u32,
}

/// What was to be done with a failed event. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    ComesAgain(i64),
    Dropped,
}

/// Takes an event as part of a larger transaction, and returns its ID. It is due at once.
pub(super) fn accept_in(
    tx: &Transaction,
    schedule: &str,
    payload: &str,
    awaited: bool,
    now: i64,
) -> rusqlite::Result<i64> {
    tx.execute(
        "DELETE FROM invocations WHERE schedule = ?1 AND ended < ?2
         AND id < (SELECT MAX(id) FROM invocations WHERE schedule = ?1 AND ended IS NOT NULL)",
        params![schedule, now - KEPT_FOR],
    )?;
    tx.execute(
        "INSERT INTO invocations (schedule, payload, awaited, accepted, due, failures) VALUES (?1, ?2, ?3, ?4, ?4, 0)",
        params![schedule, payload, awaited, now],
    )?;
    Ok(tx.last_insert_rowid())
}

/// Forgets, as part of a larger transaction, events whose schedule is gone, and those whose asker has been told that the
/// stack is gone.
pub(super) fn forget_in(tx: &Transaction) -> rusqlite::Result<()> {
    tx.execute(
        "DELETE FROM invocations
         WHERE schedule NOT IN (SELECT name FROM schedules) OR (awaited AND ended IS NULL)",
        [],
    )?;
    Ok(())
}

/// The events that are due and not at work, which begin now.
pub(super) fn take(index: &Index, at_work: &HashSet<i64>, now: i64) -> Result<Vec<Invocation>> {
    index
        .transaction(|tx| {
            let due: Vec<Invocation> = tx
                .prepare_cached(
                    "SELECT id, function, payload, awaited, accepted, failures
                     FROM invocations JOIN schedules ON name = schedule
                     WHERE ended IS NULL AND due <= ? ORDER BY due, id",
                )?
                .query_map([now], Invocation::from_row)?
                .filter(|found| found.as_ref().map_or(true, |one| !at_work.contains(&one.id)))
                .collect::<rusqlite::Result<_>>()?;
            for invocation in &due {
                tx.execute("UPDATE invocations SET begun = ? WHERE id = ?", params![now, invocation.id])?;
            }
            Ok::<_, rusqlite::Error>(due)
        })
        .context("could not look for events that are due")
}

/// Records what came of an attempt. Returns the queue to wake, if the event went to it as a dead letter.
pub(super) fn end(
    index: &Index,
    invocation: &Invocation,
    outcome: &std::result::Result<Bytes, InvokeError>,
    rules: &Asynchronous,
    now: i64,
) -> Result<Option<String>> {
    let (failures, error, verdict) = match outcome {
        // The stack stops. The next one begins it anew.
        Err(error) if error.kind == InvokeError::UNAVAILABLE => return Ok(None),
        Ok(_) => (invocation.failures, None, Verdict::Dropped),
        Err(error) => {
            (invocation.failures + 1, Some(error.to_string().trim_end().to_owned()), invocation.verdict(rules, now))
        }
    };
    let answer = outcome.as_ref().ok().filter(|_| invocation.awaited).map(|answer| String::from_utf8_lossy(answer));
    let dead_letters = rules.dead_letters.as_ref().filter(|_| error.is_some() && !invocation.awaited);
    let (due, ended) = match verdict {
        Verdict::ComesAgain(due) => (Some(due), None),
        Verdict::Dropped => (None, Some(now)),
    };
    index
        .transaction(|tx| {
            tx.execute(
                "UPDATE invocations SET failures = :failures, due = COALESCE(:due, due), ended = :ended,
                        answer = :answer, error = :error
                 WHERE id = :id",
                named_params! {
                    ":failures": failures, ":due": due, ":ended": ended, ":answer": answer, ":error": error,
                    ":id": invocation.id,
                },
            )?;
            let buried = dead_letters.filter(|_| ended.is_some());
            if let Some(queue) = buried {
                send_in(tx, queue, &invocation.payload)?;
            }
            Ok::<_, rusqlite::Error>(buried.cloned())
        })
        .context(format!("could not record what came of an event of {}", invocation.function))
}

/// How an event ended that somebody waits for: the function's answer, or its error. `None` while it is at work.
pub(super) fn outcome(index: &Index, id: i64) -> Result<Option<std::result::Result<String, String>>> {
    let found: Option<(Option<i64>, Option<String>, Option<String>)> = index
        .transaction(|tx| {
            tx.query_row("SELECT ended, answer, error FROM invocations WHERE id = ?", [id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()
        })
        .context("could not look at the invocation")?;
    match found.ok_or("the stack was started anew meanwhile").context("lost sight of the invocation")? {
        (None, ..) => Ok(None),
        (Some(_), _, Some(error)) => Ok(Some(Err(error))),
        (Some(_), answer, None) => Ok(Some(Ok(answer.unwrap_or_default()))),
    }
}

impl Invocation {
    fn from_row(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            function: row.get(1)?,
            payload: row.get(2)?,
            awaited: row.get(3)?,
            accepted: row.get(4)?,
            failures: row.get(5)?,
        })
    }

    /// Whether it has waited for longer than its function wants: then it is not tried any more.
    pub(super) fn is_too_old(&self, rules: &Asynchronous, now: i64) -> bool {
        !self.awaited && Duration::from_millis(u64::try_from(now - self.accepted).unwrap_or(0)) > rules.max_age
    }

    /// What is to be done with it once it has failed.
    fn verdict(&self, rules: &Asynchronous, now: i64) -> Verdict {
        let retries = if self.awaited { 0 } else { rules.retries };
        let wait = usize::try_from(self.failures).ok().and_then(|failures| WAITS.get(failures));
        match wait.filter(|_| self.failures < retries) {
            Some(wait) => {
                let due = now + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                if self.is_too_old(rules, due) { Verdict::Dropped } else { Verdict::ComesAgain(due) }
            }
            None => Verdict::Dropped,
        }
    }
}
