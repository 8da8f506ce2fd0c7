//! From a new object to the queues that wait for it: the event that EventBridge would send, and the rules that take it.

use rusqlite::Transaction;
use serde_json::{Value, json};
use uuid::Uuid;

use super::sqs::{Queues, send_in};
use super::template::{ACCOUNT_ID, PARTITION, REGION, Rule};

/// The stack's rules, and the queues they write to.
pub struct Router {
    rules: Vec<Rule>,
    queues: Queues,
}

/// A new object, or a new version of one.
pub struct Created<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub size: i64,
    pub etag: &'a str,
    /// `None` in a bucket without versions.
    pub version: Option<&'a str>,
    /// Grows with every write, so that the later of two events for one key is known.
    pub sequence: i64,
    /// The operation, in EventBridge's words.
    pub reason: &'static str,
}

impl Router {
    pub fn new(rules: Vec<Rule>, queues: Queues) -> Self {
        Self { rules, queues }
    }

    /// Queues the event for every rule that takes it, as part of the transaction that adds the object: neither is ever
    /// without the other. Returns the queues to wake once that is committed.
    pub fn object_created(&self, tx: &Transaction, created: &Created) -> rusqlite::Result<Vec<String>> {
        let event = event(created);
        let mut woken = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.pattern.matches(&event)) {
            for queue in &rule.queues {
                send_in(tx, queue, &event.to_string())?;
                woken.push(queue.clone());
            }
        }
        Ok(woken)
    }

    /// Wakes the pollers of the queues.
    pub fn wake(&self, queues: &[String]) {
        for queue in queues {
            self.queues.wake(queue);
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>. The key isn't URL-encoded, unlike in S3's own
/// notifications.
fn event(created: &Created) -> Value {
    let mut event = json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT_ID,
        "time": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:{PARTITION}:s3:::{}", created.bucket)],
        "detail": {
            "version": "0",
            "bucket": { "name": created.bucket },
            "object": {
                "key": created.key,
                "size": created.size,
                "etag": created.etag,
                "sequencer": format!("{:016X}", created.sequence),
            },
            "request-id": Uuid::new_v4().simple().to_string(),
            "requester": ACCOUNT_ID,
            "source-ip-address": "127.0.0.1",
            "reason": created.reason,
        },
    });
    if let Some(version) = created.version {
        event["detail"]["object"]["version-id"] = version.into();
    }
    event
}
