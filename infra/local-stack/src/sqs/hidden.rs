//! Messages that somebody has received: they come back when their visibility timeout is over, or when they are given back.

use rusqlite::params;

use super::{Message, Queues};
use crate::error::{Context, Result};
use crate::index::now_ms;

impl Queues {
    /// Messages that were received and are hidden still, each with its queue.
    ///
    /// # Errors
    /// If the index can't be read.
    pub fn hidden(&self) -> Result<Vec<(String, Message)>> {
        let hidden = self.index.transaction(|tx| {
            tx.prepare_cached(
                "SELECT message_id, body, sent, receives, first_received, receipt, queue FROM messages
                 WHERE receipt IS NOT NULL AND visible > ? ORDER BY id",
            )?
            .query_map([now_ms()], |row| Ok((row.get(6)?, Message::from_row(row)?)))?
            .collect::<rusqlite::Result<_>>()
        });
        hidden.context("could not look into the queues")
    }

    /// Has a hidden message received again at once. One that is `uncounted` is so as if it had not been received this time: what ended its work was
    /// none of its own doing. Whether it was still hidden.
    ///
    /// # Errors
    /// If the index can't be written.
    pub fn give_back(&self, queue: &str, message: &Message, uncounted: bool) -> Result<bool> {
        let given_back = self.index.transaction(|tx| {
            tx.execute(
                "UPDATE messages SET visible = ?1, receives = receives - ?2, receipt = NULL WHERE queue = ?3 AND receipt = ?4",
                params![now_ms(), u32::from(uncounted), queue, message.receipt],
            )
        });
        let given_back = given_back.context(format!("could not give a message back to queue {queue}"))? > 0;
        self.wake(queue);
        Ok(given_back)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{sqs::Queues, template::Queue};

    #[test]
    fn a_message_that_is_given_back_comes_again_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let queues = Queues::open(dir.path()).expect("queues");
        let (hour, name) = (Duration::from_hours(1), "jobs");
        let queue = Queue { name: name.to_owned(), visibility_timeout: hour, retention: hour, redrive: None };
        queues.declare(&queue).expect("a queue");
        for body in ["one", "two"] {
            queues.send(name, body).expect("sent");
        }
        let receive = || queues.receive(name, 1).expect("received");
        receive();
        // As another process finds it.
        let queues = Queues::open(dir.path()).expect("queues");
        for (uncounted, receives) in [(true, 1), (false, 2)] {
            let hidden = queues.hidden().expect("the hidden ones");
            let [(of, one)] = hidden.as_slice() else { panic!("{hidden:?}") };
            assert_eq!((of.as_str(), one.body.as_str()), (name, "one"));
            assert!(queues.give_back(name, one, uncounted).expect("given back"));
            assert!(!queues.give_back(name, one, uncounted).expect("given back once"));
            let again = &queues.receive(name, 1).expect("received")[0];
            assert_eq!((again.body.as_str(), again.receives), ("one", receives));
        }
        assert!(queues.hidden().expect("the hidden one").iter().all(|(_, message)| !message.receipt.is_empty()));
    }
}
