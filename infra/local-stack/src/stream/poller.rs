//! Lambda's event source mapping of a stream: records in order to a function, one batch at a time. A batch goes out when it is full
//! or its window is over.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, Outcome};
use super::{Stream, sequence_number};
use crate::error::{Context, Result};
use crate::lambda::{Functions, InvokeError};
use crate::sqs::Queues;
use crate::template::StreamSource;

/// How often a stream at its end is looked at. AWS does it four times a second, too.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// First wait before records that failed are tried again, doubled each time up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a function gets.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    records: &'a [Value],
}

/// One function fed by one stream.
pub(crate) struct StreamPoller {
    pub(crate) function: String,
    pub(crate) source: StreamSource,
    pub(crate) stream: Stream,
    pub(crate) queues: Queues,
    pub(crate) functions: Functions,
}

impl StreamPoller {
    /// Polls until it is stopped. What is at work then comes again in the next stack.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let poll = async {
            loop {
                match self.step().await {
                    Ok(true) => {}
                    Ok(false) => tokio::time::sleep(LOOK_AGAIN).await,
                    Err(error) => {
                        tracing::error!(error = error.chain(), "could not poll a stream");
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                }
            }
        };
        tokio::select! {
            () = poll => {}
            () = stop.cancelled() => {}
        }
    }

    /// Works on the first records. Whether there were any.
    async fn step(&self) -> Result<bool> {
        if !self.wait_for_a_batch().await? {
            return Ok(false);
        }
        let (stream, most) = (self.stream.clone(), self.source.batch_size);
        let mut records = blocking(move || stream.read(most)).await?;
        let Some(last) = records.last().cloned() else { return Ok(false) };
        records.retain(|record| self.source.takes(record));
        for record in &mut records {
            record["eventSourceARN"] = self.source.arn.clone().into();
        }
        if !records.is_empty() {
            self.deliver(Batch::new(records)).await?;
        }
        let stream = self.stream.clone();
        blocking(move || stream.done(&last)).await?;
        Ok(true)
    }

    /// Waits until there are enough records for a batch, or the first has waited for as long as the window is. Whether there are any.
    async fn wait_for_a_batch(&self) -> Result<bool> {
        let until = Instant::now() + self.source.window;
        loop {
            let (stream, most) = (self.stream.clone(), self.source.batch_size);
            let waiting = blocking(move || stream.waiting(most)).await?;
            let now = Instant::now();
            if waiting == 0 || waiting >= most || now >= until {
                return Ok(waiting > 0);
            }
            tokio::time::sleep_until(until.min(now + LOOK_AGAIN)).await;
        }
    }

    /// Has the function work on records, until they are done or given up.
    async fn deliver(&self, batch: Batch) -> Result<()> {
        let mut open = VecDeque::from([batch]);
        while let Some(batch) = open.pop_front() {
            let event = serde_json::to_string(&Event { records: &batch.records }).context("an event")?;
            let outcome = match self.functions.invoke(&self.function, event.into()).await {
                Ok(answer) => batch.outcome(&answer, self.source.reports_item_failures),
                // Lambda takes only as many as fit.
                Err(error) if error.kind == InvokeError::REQUEST_TOO_LARGE && batch.records.len() > 1 => {
                    let (first, second) = batch.records.split_at(batch.records.len() / 2);
                    open.push_front(Batch::new(second.to_vec()));
                    open.push_front(Batch::new(first.to_vec()));
                    continue;
                }
                Err(error) => {
                    tracing::warn!(function.name = self.function, error = %error, "a function failed");
                    Outcome::Failed
                }
            };
            if outcome == Outcome::Failed || outcome == Outcome::FailedFrom(0) {
                tokio::time::sleep(FIRST_WAIT.saturating_mul(1 << batch.failures.min(8)).min(LONGEST_WAIT)).await;
            }
            match batch.again(outcome, &self.source, Timestamp::now().as_second()) {
                Ok(batches) => batches.into_iter().rev().for_each(|batch| open.push_front(batch)),
                Err(batch) => self.bury(&batch)?,
            }
        }
        Ok(())
    }

    /// Tells the queue for failures which records were given up.
    fn bury(&self, batch: &Batch) -> Result<()> {
        tracing::error!(function.name = self.function, records = batch.records.len(), "records were given up");
        let Some(queue) = &self.source.dead_letters else { return Ok(()) };
        let place = |record: Option<&Value>| record.map(sequence_number).unwrap_or_default().to_owned();
        let letter = json!({
            "requestContext": {
                "functionArn": self.function,
                "condition": if self.source.max_retries.is_some() { "RetryAttemptsExhausted" } else { "RecordAgeExceeded" },
                "approximateInvokeCount": batch.failures + 1,
            },
            "version": "1.0",
            "timestamp": Timestamp::now().to_string(),
            "DDBStreamBatchInfo": {
                "shardId": self.stream.shard(),
                "startSequenceNumber": place(batch.records.first()),
                "endSequenceNumber": place(batch.records.last()),
                "batchSize": batch.records.len(),
                "streamArn": self.source.arn,
            },
        });
        self.queues.send(queue, &letter.to_string()).map(drop)
    }
}

/// The engine answers on the thread that asks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("could not look at a stream")?
}
