//! What the stack runs, as the template declares it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::api::Api;
use super::role::Statement;
use super::schedule::{Asynchronous, Schedule};
use super::stream::StreamSource;
use crate::events::Pattern;

/// All that the stack runs.
#[derive(Debug)]
pub struct Resources {
    pub tables: Vec<Table>,
    pub buckets: Vec<Bucket>,
    pub queues: Vec<Queue>,
    pub rules: Vec<Rule>,
    pub functions: Vec<Function>,
    pub schedules: Vec<Schedule>,
    pub api: Option<Api>,
    /// The template's outputs by name.
    pub outputs: BTreeMap<String, String>,
}

/// A DynamoDB table.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    /// The request that creates it, in `CreateTable`'s words.
    pub create: Value,
    /// The attribute that holds an item's expiry, if items expire.
    pub ttl_attribute: Option<String>,
}

/// An S3 bucket.
#[derive(Debug)]
pub struct Bucket {
    pub name: String,
    pub versioned: bool,
    /// Whether new objects are told to EventBridge.
    pub emits_events: bool,
    /// Pages of which origins may ask what.
    pub cors: Vec<CorsRule>,
}

/// A rule of a bucket for requests of pages that another origin has served. The first one that a request keeps counts.
#[derive(Debug, Clone, Default)]
pub struct CorsRule {
    /// Origins, each with one `*` at most.
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    /// Names of headers in lower case, each with one `*` at most.
    pub headers: Vec<String>,
    /// Headers of the answer that the page may read.
    pub exposed: Vec<String>,
    /// For how many seconds a browser may keep what it was told.
    pub max_age: Option<u64>,
}

/// An SQS queue.
#[derive(Debug, Clone)]
pub struct Queue {
    pub name: String,
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// How long a message is kept before it is dropped.
    pub retention: Duration,
    pub redrive: Option<Redrive>,
}

/// Where a queue's messages go that are received too often.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub dead_letters: String,
    /// Receives before a message goes there.
    pub max_receives: u32,
}

/// An EventBridge rule.
#[derive(Debug)]
pub struct Rule {
    pub pattern: Pattern,
    /// The names of the queues that get a matching event.
    pub queues: Vec<String>,
}

/// A Lambda function.
#[derive(Debug, Clone, Default)]
pub struct Function {
    pub name: String,
    pub arn: String,
    /// The cargo binary that is its bootstrap.
    pub binary: String,
    pub memory_mb: u32,
    pub timeout: Duration,
    pub environment: BTreeMap<String, String>,
    pub sources: Vec<QueueSource>,
    pub streams: Vec<StreamSource>,
    pub asynchronous: Asynchronous,
    /// What its role allows.
    pub statements: Vec<Statement>,
}

/// An SQS event source of a function.
#[derive(Debug, Clone)]
pub struct QueueSource {
    /// The name of the queue.
    pub queue: String,
    pub queue_arn: String,
    pub batch_size: u32,
    /// Whether the function answers with the messages that failed, rather than fail the whole batch.
    pub reports_item_failures: bool,
    /// Batches at work at once.
    pub max_concurrency: usize,
}
