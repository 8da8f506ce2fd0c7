//! What runs schedules: a clock, and an invocation for each event.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Schedules;
use super::invocations::{self, Invocation};
use crate::error::Result;
use crate::index::now_ms;
use crate::lambda::{Functions, InvokeError};
use crate::sqs::Queues;
use crate::template::Schedule;

/// The longest wait before the clock is looked at again: another process may have asked for a run, and the machine may have
/// slept.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The schedules of a running stack, with what they need.
pub(crate) struct Scheduler {
    pub(crate) declared: Vec<Schedule>,
    pub(crate) schedules: Schedules,
    pub(crate) functions: Functions,
    pub(crate) queues: Queues,
}

impl Scheduler {
    /// Runs schedules until it is stopped. What is at work then is dropped, and begins anew in the next stack.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let scheduler = Arc::new(self);
        let mut at_work = HashSet::new();
        let mut tasks = JoinSet::new();
        let work = async {
            loop {
                let wait = match scheduler.due(&at_work) {
                    Ok((due, wait)) => {
                        for invocation in due {
                            at_work.insert(invocation.id);
                            let scheduler = Arc::clone(&scheduler);
                            tasks.spawn(async move {
                                scheduler.attempt(&invocation).await;
                                invocation.id
                            });
                        }
                        wait
                    }
                    Err(error) => {
                        tracing::error!(error = error.chain(), "could not run schedules");
                        LOOK_AGAIN
                    }
                };
                tokio::select! {
                    Some(done) = tasks.join_next() => {
                        // One that panicked stays at work until the next stack.
                        if let Ok(id) = done {
                            at_work.remove(&id);
                        }
                    }
                    () = tokio::time::sleep(wait) => {}
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
        tasks.shutdown().await;
    }

    /// The events that are due now, and how long until there may be more.
    fn due(&self, at_work: &HashSet<i64>) -> Result<(Vec<Invocation>, Duration)> {
        let now = Timestamp::now();
        self.schedules.fire(&self.declared, now)?;
        let due = invocations::take(&self.schedules.index, at_work, now.as_millisecond())?;
        let next = self.schedules.next_due(now)?;
        let wait = next.map_or(LOOK_AGAIN, |next| next.duration_since(now).unsigned_abs());
        Ok((due, wait.min(LOOK_AGAIN)))
    }

    async fn attempt(&self, invocation: &Invocation) {
        let name = &invocation.function;
        let Some(rules) = self.functions.asynchronous(name) else {
            return tracing::error!(function.name = name, "a schedule's function isn't there");
        };
        let outcome = if invocation.is_too_old(rules, now_ms()) {
            Err(InvokeError {
                kind: "EventAgeExceeded".to_owned(),
                message: format!("the event has waited for more than {} seconds", rules.max_age.as_secs()),
            })
        } else {
            self.functions.invoke(name, invocation.payload.clone().into()).await
        };
        if let Err(error) = &outcome {
            tracing::warn!(function.name = name, error = %error, "a scheduled function failed");
        }
        match invocations::end(&self.schedules.index, invocation, &outcome, rules, now_ms()) {
            Ok(Some(queue)) => self.queues.wake(&queue),
            Ok(None) => {}
            Err(error) => tracing::error!(error = error.chain(), "an event that was worked on will come again"),
        }
    }
}
