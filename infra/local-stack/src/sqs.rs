//! SQS: queues whose messages come back unless deleted, and go to a dead-letter queue when they come back too often.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};
use serde::Serialize;
use tokio::sync::Notify;
use uuid::Uuid;

use super::error::{Context, Result};
use super::index::{Index, now_ms};
use super::template::Queue;

mod hidden;

/// The queues of a stack. A message is in them until it is deleted or its queue's retention is over.
#[derive(Clone)]
pub struct Queues {
    index: Index,
    /// Wakes who waits for a message of a queue. Only within this process.
    arrivals: Arc<Mutex<HashMap<String, Arc<Notify>>>>,
}

/// A message as a receiver sees it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// What SQS calls it.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// When it was sent.
    pub sent: i64,
    /// How often it was received, this time included.
    pub receives: u32,
    /// When it was received first.
    pub first_received: Option<i64>,
    /// What deletes it. Empty for a message that was only looked at.
    #[serde(skip)]
    pub receipt: String,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// To be received.
    pub waiting: u64,
    /// Received, and hidden until deleted or their visibility timeout is over.
    pub in_flight: u64,
}

impl Queues {
    /// The queues of the stack that keeps its data in `dir`, whether it runs or not.
    ///
    /// # Errors
    /// If the directory holds no stack's data.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self::new(Index::open(&dir.join(super::INDEX_FILE))?))
    }

    pub(super) fn new(index: Index) -> Self {
        Self { index, arrivals: Arc::default() }
    }

    /// Creates a queue, or gives the one of that name new attributes.
    pub(super) fn declare(&self, queue: &Queue) -> Result<()> {
        let redrive = queue.redrive.as_ref();
        self.index
            .transaction(|tx| {
                tx.execute(
                    "INSERT OR REPLACE INTO queues VALUES (?, ?, ?, ?, ?)",
                    params![
                        queue.name,
                        millis(queue.visibility_timeout),
                        millis(queue.retention),
                        redrive.map(|redrive| &redrive.dead_letters),
                        redrive.map(|redrive| redrive.max_receives),
                    ],
                )
            })
            .context(format!("could not declare queue {}", queue.name))
            .map(drop)
    }

    /// Every queue with the number of its messages.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn depths(&self) -> Result<Vec<(String, Depth)>> {
        self.index
            .transaction(|tx| {
                tx.prepare_cached(
                    "SELECT name, COUNT(m.id) FILTER (WHERE visible <= ?1), COUNT(m.id) FILTER (WHERE visible > ?1)
                     FROM queues LEFT JOIN messages m ON m.queue = name AND m.sent > ?1 - retention
                     GROUP BY name ORDER BY name",
                )?
                .query_map([now_ms()], |row| Ok((row.get(0)?, Depth { waiting: row.get(1)?, in_flight: row.get(2)? })))?
                .collect::<rusqlite::Result<_>>()
            })
            .context("could not count the messages of the queues")
    }

    /// When the next message that is hidden comes back at the latest; `None` where none is.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn comes_back(&self) -> Result<Option<Timestamp>> {
        let next = self.index.transaction(|tx| {
            tx.query_row("SELECT MIN(visible) FROM messages WHERE visible > ?1", [now_ms()], |row| {
                row.get::<_, Option<i64>>(0)
            })
        });
        let next = next.context("could not look into the queues")?;
        Ok(next.and_then(|next| Timestamp::from_millisecond(next).ok()))
    }

    /// Adds a message and returns its ID.
    ///
    /// # Errors
    /// If the index can't be written.
    pub fn send(&self, queue: &str, body: &str) -> Result<String> {
        let id = self
            .index
            .transaction(|tx| send_in(tx, queue, body))
            .context(format!("could not send to queue {queue}"))?;
        self.wake(queue);
        Ok(id)
    }

    /// Takes up to `max` messages and hides them for the queue's visibility timeout. A message that was received as
    /// often as the queue allows goes to the dead-letter queue instead.
    ///
    /// # Errors
    /// If the index can't be written.
    pub fn receive(&self, queue: &str, max: u32) -> Result<Vec<Message>> {
        let (messages, buried) = self
            .index
            .transaction(|tx| receive_in(tx, queue, max))
            .context(format!("could not receive from queue {queue}"))?;
        if let Some(dead_letters) = buried {
            tracing::warn!(queue.name = queue, queue.dead_letters = dead_letters, "a message was received too often");
            self.wake(&dead_letters);
        }
        Ok(messages)
    }

    /// Deletes a received message. Says whether the receipt was still good.
    ///
    /// # Errors
    /// If the index can't be written.
    pub fn delete(&self, queue: &str, receipt: &str) -> Result<bool> {
        self.index
            .transaction(|tx| tx.execute("DELETE FROM messages WHERE queue = ? AND receipt = ?", [queue, receipt]))
            .context(format!("could not delete from queue {queue}"))
            .map(|deleted| deleted > 0)
    }

    /// The messages of a queue, oldest first, without receiving them.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn peek(&self, queue: &str) -> Result<Vec<Message>> {
        self.index
            .transaction(|tx| {
                tx.prepare_cached(
                    "SELECT message_id, body, sent, receives, first_received, '' FROM messages WHERE queue = ? ORDER BY id",
                )?
                .query_map([queue], Message::from_row)?
                .collect::<rusqlite::Result<_>>()
            })
            .context(format!("could not read queue {queue}"))
    }

    /// Sends every dead letter back to the queue that it came from, as a new message. Returns how many.
    ///
    /// # Errors
    /// If the index can't be written.
    pub fn redrive(&self, dead_letters: &str) -> Result<usize> {
        let sources = self
            .index
            .transaction(|tx| -> rusqlite::Result<Vec<String>> {
                let letters: Vec<(i64, String, String)> = tx
                    .prepare_cached(
                        "SELECT id, source, body FROM messages WHERE queue = ? AND source IS NOT NULL ORDER BY id",
                    )?
                    .query_map([dead_letters], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect::<rusqlite::Result<_>>()?;
                for (id, source, body) in &letters {
                    send_in(tx, source, body)?;
                    tx.execute("DELETE FROM messages WHERE id = ?", [id])?;
                }
                Ok(letters.into_iter().map(|(_, source, _)| source).collect())
            })
            .context(format!("could not redrive queue {dead_letters}"))?;
        for source in &sources {
            self.wake(source);
        }
        Ok(sources.len())
    }

    /// How long until a message of the queue can be received; `None` if it is empty.
    pub(super) fn next_visible(&self, queue: &str) -> Result<Option<Duration>> {
        let visible: Option<i64> = self
            .index
            .transaction(|tx| {
                tx.query_row("SELECT MIN(visible) FROM messages WHERE queue = ?", [queue], |row| row.get(0))
            })
            .context(format!("could not read queue {queue}"))?;
        Ok(visible.map(|at| Duration::from_millis(u64::try_from(at - now_ms()).unwrap_or(0))))
    }

    /// What tells that a message arrived in the queue.
    pub(super) fn arrival(&self, queue: &str) -> Arc<Notify> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(arrivals.entry(queue.to_owned()).or_default())
    }

    /// Wakes the queue's poller, once what it is to find is committed.
    pub(super) fn wake(&self, queue: &str) {
        self.arrival(queue).notify_one();
    }
}

/// Adds a message as part of a larger transaction. The queue is to be woken after its commit.
pub(super) fn send_in(tx: &Transaction, queue: &str, body: &str) -> rusqlite::Result<String> {
    let id = Uuid::new_v4().to_string();
    let now = now_ms();
    tx.prepare_cached(
        "INSERT INTO messages (queue, message_id, body, sent, visible, receives) VALUES (?, ?, ?, ?, ?, 0)",
    )?
    .execute(params![queue, id, body, now, now])?;
    Ok(id)
}

/// The messages, and the dead-letter queue if any went there.
fn receive_in(tx: &Transaction, queue: &str, max: u32) -> rusqlite::Result<(Vec<Message>, Option<String>)> {
    let Some((visibility, retention, dead_letters, max_receives)) = tx
        .query_row(
            "SELECT visibility_timeout, retention, dead_letters, max_receives FROM queues WHERE name = ?",
            [queue],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Option<String>>(2)?,
                    row.get::<_, Option<u32>>(3)?,
                ))
            },
        )
        .optional()?
    else {
        return Ok((Vec::new(), None));
    };
    let now = now_ms();
    tx.execute("DELETE FROM messages WHERE queue = ? AND sent <= ?", params![queue, now - retention])?;

    let mut buried = None;
    if let (Some(dead_letters), Some(max_receives)) = (dead_letters, max_receives) {
        let moved = tx.execute(
            "UPDATE messages SET queue = :dead_letters, source = :queue, receipt = NULL
             WHERE queue = :queue AND visible <= :now AND receives >= :max_receives",
            named_params! {
                ":dead_letters": dead_letters, ":queue": queue, ":now": now, ":max_receives": max_receives,
            },
        )?;
        buried = (moved > 0).then_some(dead_letters);
    }

    let ids: Vec<i64> = tx
        .prepare_cached("SELECT id FROM messages WHERE queue = ? AND visible <= ? ORDER BY id LIMIT ?")?
        .query_map(params![queue, now, max], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut take = tx.prepare_cached(
        "UPDATE messages SET visible = ?, receives = receives + 1, receipt = ?,
                first_received = COALESCE(first_received, ?)
         WHERE id = ?
         RETURNING message_id, body, sent, receives, first_received, receipt",
    )?;
    let messages = ids
        .into_iter()
        .map(|id| {
            let receipt = Uuid::new_v4().to_string();
            take.query_row(params![now + visibility, receipt, now, id], Message::from_row)
        })
        .collect::<rusqlite::Result<_>>()?;
    Ok((messages, buried))
}

impl Message {
    fn from_row(row: &Row) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            body: row.get(1)?,
            sent: row.get(2)?,
            receives: row.get(3)?,
            first_received: row.get(4)?,
            receipt: row.get(5)?,
        })
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Redrive;

    /// Long enough for a message to stay hidden during a test, and short enough to wait for.
    const HIDDEN: Duration = Duration::from_millis(60);

    fn queues(visibility_timeout: Duration) -> (tempfile::TempDir, Queues) {
        let dir = tempfile::tempdir().expect("a directory");
        let queues = Queues::open(dir.path()).expect("queues");
        for (name, redrive) in
            [("jobs", Some(Redrive { dead_letters: "dead".to_owned(), max_receives: 2 })), ("dead", None)]
        {
            let retention = Duration::from_mins(1);
            let queue = Queue { name: name.to_owned(), visibility_timeout, retention, redrive };
            queues.declare(&queue).expect("a queue");
        }
        (dir, queues)
    }

    fn depth(queues: &Queues, name: &str) -> (u64, u64) {
        let depths = queues.depths().expect("depths");
        let (_, depth) = depths.into_iter().find(|(queue, _)| queue == name).expect("the queue");
        (depth.waiting, depth.in_flight)
    }

    #[test]
    fn a_received_message_is_hidden_until_it_is_deleted() {
        let (_dir, queues) = queues(Duration::from_mins(1));
        let sent = queues.send("jobs", "one").expect("sent");
        queues.send("jobs", "two").expect("sent");
        assert_eq!(depth(&queues, "jobs"), (2, 0));

        let received = queues.receive("jobs", 1).expect("received");
        assert_eq!(
            (received[0].id.as_str(), received[0].body.as_str(), received[0].receives),
            (sent.as_str(), "one", 1)
        );
        assert_eq!(depth(&queues, "jobs"), (1, 1));
        assert!(queues.delete("jobs", &received[0].receipt).expect("deleted"));
        assert!(!queues.delete("jobs", &received[0].receipt).expect("deleted once"));
        assert_eq!(queues.receive("jobs", 10).expect("received")[0].body, "two");
        assert!(queues.receive("jobs", 10).expect("received").is_empty());
    }

    #[test]
    fn a_message_received_too_often_is_buried_and_can_be_redriven() {
        let (_dir, queues) = queues(HIDDEN);
        let id = queues.send("jobs", "bad").expect("sent");
        for time in 1..=2 {
            let received = queues.receive("jobs", 10).expect("received");
            assert_eq!(received[0].receives, time);
            assert!(queues.next_visible("jobs").expect("a time").expect("a message") <= HIDDEN);
            std::thread::sleep(HIDDEN + Duration::from_millis(5));
        }
        assert!(queues.receive("jobs", 10).expect("received").is_empty());
        assert_eq!(depth(&queues, "jobs"), (0, 0));
        let letters = queues.peek("dead").expect("letters");
        assert_eq!((letters.len(), letters[0].id.as_str(), letters[0].receives), (1, id.as_str(), 2));

        assert_eq!(queues.redrive("dead").expect("redriven"), 1);
        assert!(queues.peek("dead").expect("letters").is_empty());
        let received = queues.receive("jobs", 10).expect("received");
        assert_eq!((received[0].body.as_str(), received[0].receives), ("bad", 1));
    }

    #[test]
    fn messages_outlive_a_restart() {
        let (dir, queues) = queues(HIDDEN);
        queues.send("jobs", "kept").expect("sent");
        drop(queues);
        let queues = Queues::open(dir.path()).expect("queues");
        assert_eq!(queues.receive("jobs", 1).expect("received")[0].body, "kept");
    }
}
