//! EventBridge Scheduler: functions that are invoked at their times, and what came of it.
//!
//! When a schedule is due, its event is queued and its next time is noted in one transaction, so that a crash neither
//! skips a time nor runs one twice. Times that passed while no stack ran are made up for by one run.

mod clock;
mod expression;
mod invocations;
mod payload;
#[cfg(test)]
mod tests;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::Serialize;

pub(super) use self::clock::Scheduler;
pub use self::expression::Expression;
pub(super) use self::payload::check as check_input;

use super::error::{Context, Result};
use super::index::Index;
use super::template::Schedule;

/// The schedules of a stack.
#[derive(Clone)]
pub struct Schedules {
    index: Index,
}

/// A schedule, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// The function that gets its event.
    pub function: String,
    /// When it runs, in EventBridge Scheduler's words.
    pub expression: String,
    /// Whether it runs by itself.
    pub enabled: bool,
    /// When it is due; `None` if it never is.
    pub next_run: Option<Timestamp>,
    /// What became of the latest event.
    pub last_run: Option<LastRun>,
}

/// The latest attempt at a schedule's event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// When it began.
    pub began: Timestamp,
    /// How it stands.
    pub state: RunState,
    /// What the function failed with.
    pub error: Option<String>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// The function is at it.
    Running,
    /// It failed and is tried again.
    Retrying,
    /// The function has succeeded.
    Succeeded,
    /// It has failed, and is not tried again.
    Failed,
}

impl Schedules {
    /// The schedules of the stack that keeps its data in `dir`, whether it runs or not.
    ///
    /// # Errors
    /// If the directory holds no stack's data.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self::new(Index::open(&dir.join(super::INDEX_FILE))?))
    }

    pub(super) fn new(index: Index) -> Self {
        Self { index }
    }

    /// Takes the template's schedules in place of those that there were. One whose expression is as before keeps its times;
    /// any other begins now.
    pub(super) fn declare(&self, schedules: &[Schedule], now: Timestamp) -> Result<()> {
        let declare = self.index.transaction(|tx| {
            let before = tx
                .prepare("SELECT name, expression, enabled, next FROM schedules")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                .collect::<rusqlite::Result<Vec<(String, String, bool, Option<i64>)>>>()?;
            tx.execute("DELETE FROM schedules", [])?;
            for schedule in schedules {
                let kept = before.iter().find(|(name, expression, enabled, _)| {
                    *name == schedule.name && *expression == schedule.text && *enabled && schedule.enabled
                });
                let next = match kept {
                    Some((.., next)) => *next,
                    None if schedule.enabled => schedule.expression.first(now).map(Timestamp::as_millisecond),
                    None => None,
                };
                tx.execute(
                    "INSERT INTO schedules VALUES (?, ?, ?, ?, ?, ?, ?)",
                    params![
                        schedule.name,
                        schedule.arn,
                        schedule.function,
                        schedule.text,
                        schedule.input,
                        schedule.enabled,
                        next,
                    ],
                )?;
            }
            invocations::forget_in(tx)
        });
        declare.context("could not declare the schedules")
    }

    /// Queues the event of every schedule that is due, once however long it has been.
    pub(super) fn fire(&self, schedules: &[Schedule], now: Timestamp) -> Result<()> {
        let fire = self.index.transaction(|tx| {
            let due = tx
                .prepare_cached("SELECT name, next FROM schedules WHERE next <= ?")?
                .query_map([now.as_millisecond()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<Vec<(String, i64)>>>()?;
            for (name, due) in due {
                let Some(schedule) = schedules.iter().find(|schedule| schedule.name == name) else { continue };
                let due = Timestamp::from_millisecond(due).unwrap_or(now);
                let payload = payload::payload(schedule.input.as_deref(), &schedule.arn, due);
                invocations::accept_in(tx, &name, &payload, false, now.as_millisecond())?;
                let next = schedule.expression.after(due, now).map(Timestamp::as_millisecond);
                tx.execute("UPDATE schedules SET next = ? WHERE name = ?", params![next, name])?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        fire.context("could not queue the schedules that are due")
    }

    /// When the next event or schedule is due, among those that are not due yet.
    pub(super) fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let next: Option<i64> = self
            .index
            .transaction(|tx| {
                tx.prepare_cached(
                    "SELECT MIN(at) FROM (
                         SELECT next AS at FROM schedules UNION ALL SELECT due FROM invocations WHERE ended IS NULL
                     ) WHERE at > ?",
                )?
                .query_row([now.as_millisecond()], |row| row.get(0))
            })
            .context("could not look for the next schedule")?;
        Ok(next.and_then(|next| Timestamp::from_millisecond(next).ok()))
    }

    /// Every schedule, by name.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn list(&self) -> Result<Vec<Planned>> {
        self.index
            .transaction(|tx| {
                tx.prepare(
                    "SELECT name, function, expression, enabled, next, begun, ended, error
                     FROM schedules LEFT JOIN invocations ON id = (
                         SELECT id FROM invocations WHERE schedule = name AND begun IS NOT NULL
                         ORDER BY begun DESC, id DESC LIMIT 1)
                     ORDER BY name",
                )?
                .query_map([], Planned::from_row)?
                .collect::<rusqlite::Result<_>>()
            })
            .context("could not list the schedules")
    }

    /// Asks the running stack to run a schedule once, apart from its times. Returns what tells of its outcome.
    ///
    /// # Errors
    /// If there is no such schedule, or the index can't be written.
    pub fn ask(&self, name: &str, now: Timestamp) -> Result<i64> {
        let ask = self.index.transaction(|tx| -> rusqlite::Result<_> {
            let (arn, input): (String, Option<String>) =
                tx.query_row("SELECT arn, input FROM schedules WHERE name = ?", [name], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let payload = payload::payload(input.as_deref(), &arn, now);
            invocations::accept_in(tx, name, &payload, true, now.as_millisecond())
        });
        ask.context(format!("could not ask for a run of {name}"))
    }

    /// What came of a run that was asked for: the function's answer, or its error. `None` while it is at work.
    ///
    /// # Errors
    /// If the index can't be read, or the stack has started anew since.
    pub fn outcome(&self, id: i64) -> Result<Option<std::result::Result<String, String>>> {
        invocations::outcome(&self.index, id)
    }
}

impl Planned {
    fn from_row(row: &Row) -> rusqlite::Result<Self> {
        let time = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
            Ok(row.get::<_, Option<i64>>(column)?.and_then(|at| Timestamp::from_millisecond(at).ok()))
        };
        let error: Option<String> = row.get(7)?;
        let state = match (time(6)?, &error) {
            (None, None) => RunState::Running,
            (None, Some(_)) => RunState::Retrying,
            (Some(_), None) => RunState::Succeeded,
            (Some(_), Some(_)) => RunState::Failed,
        };
        Ok(Self {
            name: row.get(0)?,
            function: row.get(1)?,
            expression: row.get(2)?,
            enabled: row.get(3)?,
            next_run: time(4)?,
            last_run: time(5)?.map(|began| LastRun { began, state, error }),
        })
    }
}
