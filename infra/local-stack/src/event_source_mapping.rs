//! Lambda's event source mapping: takes messages from a queue and has a function work on them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use s3s::crypto::{Checksum as _, Md5};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::error::Result;
use super::lambda::Functions;
use super::sqs::{Message, Queues};
use super::template::{ACCOUNT_ID, QueueSource, REGION};

/// The longest wait before the queue is looked at again. Another process may have sent to it, which wakes nobody here.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// One function fed by one queue.
pub(super) struct Poller {
    pub(super) function: String,
    pub(super) source: QueueSource,
    pub(super) queues: Queues,
    pub(super) functions: Functions,
}

impl Poller {
    /// Polls until it is stopped. What is at work then is dropped: its messages come back after their visibility timeout.
    pub(super) async fn run(self, stop: CancellationToken) {
        let poller = Arc::new(self);
        let slots = Arc::new(Semaphore::new(poller.source.max_concurrency));
        let arrival = poller.queues.arrival(&poller.source.queue);
        let mut at_work = JoinSet::new();
        let poll = async {
            while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
                while at_work.try_join_next().is_some() {}
                let messages = poller.queues.receive(&poller.source.queue, poller.source.batch_size);
                let messages = messages.unwrap_or_else(|error| {
                    tracing::error!(error = error.chain(), "could not poll");
                    Vec::new()
                });
                if messages.is_empty() {
                    let due = poller.queues.next_visible(&poller.source.queue).ok().flatten();
                    let wait = due.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN);
                    // An arrival cuts the wait short.
                    let _ = tokio::time::timeout(wait, arrival.notified()).await;
                    continue;
                }
                let poller = Arc::clone(&poller);
                at_work.spawn(async move {
                    poller.deliver(&messages).await;
                    drop(slot);
                });
            }
        };
        tokio::select! {
            () = poll => {}
            () = stop.cancelled() => {}
        }
        at_work.shutdown().await;
    }

    async fn deliver(&self, messages: &[Message]) {
        let records: Vec<_> = messages.iter().map(|message| self.record(message)).collect();
        let event = json!({ "Records": records }).to_string();
        let answer = match self.functions.invoke(&self.function, event.into()).await {
            Ok(answer) => answer,
            Err(error) => {
                return tracing::warn!(function.name = self.function, error = %error, "a function failed");
            }
        };
        let failed = if self.source.reports_item_failures { failed_items(&answer, messages) } else { HashSet::new() };
        for message in messages.iter().filter(|message| !failed.contains(message.id.as_str())) {
            if let Err(error) = self.done(message) {
                tracing::error!(error = error.chain(), "a message that was worked on will come again");
            }
        }
    }

    fn done(&self, message: &Message) -> Result<()> {
        if !self.queues.delete(&self.source.queue, &message.receipt)? {
            tracing::warn!(queue.name = self.source.queue, "a message was worked on past its visibility timeout");
        }
        Ok(())
    }

    fn record(&self, message: &Message) -> Value {
        json!({
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": message.receives.to_string(),
                "SentTimestamp": message.sent.to_string(),
                "SenderId": ACCOUNT_ID,
                "ApproximateFirstReceiveTimestamp": message.first_received.unwrap_or(message.sent).to_string(),
            },
            "messageAttributes": {},
            "md5OfBody": hex::encode(Md5::checksum(message.body.as_bytes())),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.source.queue_arn,
            "awsRegion": REGION,
        })
    }
}

/// The messages that a function's answer says it failed on. An answer that can't be understood fails them all, as on AWS:
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
fn failed_items<'a>(answer: &[u8], messages: &'a [Message]) -> HashSet<&'a str> {
    let all = || messages.iter().map(|message| message.id.as_str());
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return if answer.is_empty() { HashSet::new() } else { all().collect() };
    };
    let failures = match &answer["batchItemFailures"] {
        Value::Null => return HashSet::new(),
        Value::Array(failures) => failures,
        _ => return all().collect(),
    };
    let failed: Option<HashSet<&str>> =
        failures.iter().map(|failure| all().find(|id| failure["itemIdentifier"].as_str() == Some(id))).collect();
    failed.unwrap_or_else(|| all().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Message {
        Message {
            id: id.to_owned(),
            body: String::new(),
            sent: 0,
            receives: 1,
            first_received: None,
            receipt: String::new(),
        }
    }

    #[test]
    fn an_answer_that_cannot_be_understood_fails_the_whole_batch() {
        let messages = [message("a"), message("b")];
        for (answer, expected) in [
            ("", &[][..]),
            ("null", &[]),
            ("{}", &[]),
            (r#"{"batchItemFailures":null}"#, &[]),
            (r#"{"batchItemFailures":[]}"#, &[]),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, &["b"]),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, &["a", "b"]),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, &["a", "b"]),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#, &["a", "b"]),
            (r#"{"batchItemFailures":[{"id":"a"}]}"#, &["a", "b"]),
            (r#"{"batchItemFailures":"a"}"#, &["a", "b"]),
            ("not JSON", &["a", "b"]),
        ] {
            assert_eq!(
                failed_items(answer.as_bytes(), &messages),
                expected.iter().copied().collect::<HashSet<_>>(),
                "{answer}"
            );
        }
    }
}
