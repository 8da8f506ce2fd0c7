//! A dropped file's event, from the queue to the job and back.
//!
//! Deliveries come from the queue that the bucket's events go to. One that must come again is reported as a failed item,
//! so that the queue delivers it after its visibility timeout; everything else is done with.
//!
//! A job that stops at its deadline is done with too, since an object has been put that makes an event of its own: it goes on at once, and as
//! often as it comes further. Whoever dies between putting that and saying so is delivered once more beside it; the second finds the job
//! taken or ended.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use bytes::Bytes;
use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use rollcall_bulk::{job::Delivery, misplaced::Misplaced, upload::InboxEvent};
use rollcall_model::{
    account::AccountId,
    jobs::{JobId, JobKind},
};
use serde_json::Value;
use tracing::Instrument;

use crate::{
    DeliveryOutcome, Engine, Operation, StorageError,
    event::{self, Event},
    metrics,
    telemetry::trace_id,
    world::World,
};

/// A function that works on the kinds of job of one operation, as it stands between two deliveries.
pub struct Worker<O> {
    engine: Engine,
    operation: O,
    max_deliveries: u32,
}

impl<O: Operation> Worker<O> {
    /// A function that works on these jobs, whose events come so often before they go to the dead-letter queue.
    pub fn new(engine: Engine, operation: O, max_deliveries: u32) -> Self {
        Self { engine, operation, max_deliveries }
    }

    /// The world that it works on.
    pub fn world(&self) -> &World {
        &self.engine.world
    }

    /// Whether an event tells of a job of the operation's own kinds: a function that works on those of several operations gives it to one.
    pub fn takes(&self, event: &SqsEvent) -> bool {
        let is_own = |message: &SqsMessage| {
            let body = message.body.as_deref().unwrap_or_default();
            matches!(event::read(body, O::KINDS, false), Event::Notice(..))
        };
        event.records.iter().any(is_own)
    }

    /// Takes a batch of deliveries. Names those that must come again.
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.payload.records {
            if self.deliver(&message, &event.context).await == Verdict::Again {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message.message_id.unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    /// Takes the queue's deliveries, or a schedule's call, for which `visit` is there.
    ///
    /// # Errors
    /// When the visit fails; the schedule calls again. What becomes of deliveries is in the answer.
    pub async fn handle_or_run_scheduled(
        &self,
        event: LambdaEvent<Value>,
        scheduled: impl Future<Output = Result<(), StorageError>>,
    ) -> Result<Value, lambda_runtime::Error> {
        let LambdaEvent { payload, context } = event;
        if payload.get("Records").is_none() {
            let trace = trace_id(context.xray_trace_id.as_deref());
            scheduled
                .instrument(tracing::info_span!("visit", request.id = context.request_id, trace.id = trace))
                .await?;
            return Ok(Value::Null);
        }
        let deliveries = LambdaEvent { payload: serde_json::from_value(payload)?, context };
        Ok(serde_json::to_value(self.handle(deliveries).await)?)
    }

    async fn deliver(&self, message: &SqsMessage, context: &Context) -> Verdict {
        let attribute = |name: &str| message.attributes.get(name);
        let received = attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let sent = attribute("SentTimestamp").and_then(|millis| Timestamp::from_millisecond(millis.parse().ok()?).ok());
        let body = message.body.as_deref().unwrap_or_default();
        let (told, source) = match event::read(body, O::KINDS, O::LOOKS_AFTER_INBOX) {
            Event::Notice(notice, source) => (Told::Notice(notice), source),
            Event::Misplaced(misplaced, source) => (Told::Misplaced(misplaced), source),
            Event::Folder => return Verdict::Done,
            Event::OfAnotherKind(key) => {
                let (id, folder) = (&context.request_id, folder(&key));
                tracing::info!(request.id = id, folder, "an event of another kind of job is passed over");
                return Verdict::Done;
            }
            Event::Stray(key) => {
                let (id, folder) = (&context.request_id, folder(&key));
                tracing::error!(
                    request.id = id,
                    folder,
                    "a file lies where no job takes it, and no account can be told"
                );
                metrics::strayed();
                return Verdict::Done;
            }
            Event::Unreadable(problem) => {
                metrics::delivery_begun(&[], sent, self.engine.world.now());
                tracing::error!(problem, "an event can't be read");
                return Verdict::Again;
            }
        };
        let (account, job, continues) = match &told {
            Told::Notice(notice) => (notice.account(), notice.job(&source), notice.continues()),
            Told::Misplaced(misplaced) => (&misplaced.upload.account, JobId::of(&source), 0),
        };
        let delivery = Delivery {
            invocation: context.request_id.clone(),
            at: self.engine.world.now(),
            deadline: deadline(context),
            continues,
            number: received.unwrap_or(1),
            of: self.max_deliveries,
        };
        let facts = [("account", account.as_str()), ("job", job.as_str())];
        metrics::delivery_begun(&facts, sent, delivery.at);
        let span = tracing::info_span!(
            "delivery",
            request.id = context.request_id,
            trace.id = trace_id(context.xray_trace_id.as_deref()),
            %account,
            job.id = %job,
        );
        let attempt = async {
            let ended = match &told {
                // In boxes: what lies deeper is more than the compiler looks through at once.
                Told::Notice(InboxEvent::Dropped(upload)) => {
                    Box::pin(self.engine.run(&self.operation, upload, &source, &delivery)).await
                }
                Told::Notice(InboxEvent::Execute { account, kind, job }) => {
                    Box::pin(self.engine.execute(&self.operation, account, (*kind, job), &delivery)).await
                }
                Told::Notice(InboxEvent::Continue { account, kind, job, .. }) => {
                    Box::pin(self.engine.go_on(&self.operation, account, (*kind, job), &delivery)).await
                }
                Told::Misplaced(misplaced) => Box::pin(self.engine.refuse(misplaced, &source, &delivery)).await,
            };
            match ended {
                Ok(DeliveryOutcome::Ended) => Verdict::Done,
                Ok(DeliveryOutcome::Paused(key)) => self.goes_on(&key).await,
                Ok(DeliveryOutcome::Busy | DeliveryOutcome::Stuck | DeliveryOutcome::GaveUp) => Verdict::Again,
                Err(error) => {
                    tracing::error!(delivery = delivery.number, error = error.chain(), "the delivery failed");
                    Verdict::Again
                }
            }
        };
        attempt.instrument(span).await
    }

    /// Has a job that was paused delivered by a fresh event. Where that can't be made, this one comes again, though later.
    async fn goes_on(&self, key: &str) -> Verdict {
        match self.engine.world.bucket.put(key, "text/plain", Bytes::new()).await {
            Ok(()) => Verdict::Done,
            Err(error) => {
                tracing::warn!(error = error.chain(), "the job can't go on at once");
                Verdict::Again
            }
        }
    }
}

/// The job that the body of a message is about, and whose it is, whatever its kind. `None` where it is about none.
pub fn job_of(body: &str) -> Option<(AccountId, JobId)> {
    match event::read(body, &JobKind::ALL, true) {
        Event::Notice(notice, source) => Some((notice.account().clone(), notice.job(&source))),
        Event::Misplaced(misplaced, source) => Some((misplaced.upload.account, JobId::of(&source))),
        Event::Folder | Event::OfAnotherKind(_) | Event::Stray(_) | Event::Unreadable(_) => None,
    }
}

/// What a delivery has to be worked on for.
enum Told {
    Notice(InboxEvent),
    Misplaced(Misplaced),
}

/// The account and the folder of a key. Names of files may be personal data; these are not.
fn folder(key: &str) -> String {
    key.rsplit_once('/').map_or("", |(folders, _)| folders).splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

/// What becomes of a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Done,
    Again,
}

pub(crate) fn deadline(context: &Context) -> Timestamp {
    let millis = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
