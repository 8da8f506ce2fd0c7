//! Retires numbers and replaces them on every list that has them; by schedule, ends the rests whose day has come.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_engine::{
    Round,
    kinds::{Rotate, scheduled_rests},
};
use rollcall_storage::{connect::Aws, log, worker_from_env};
use serde_json::Value;

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let worker = &worker_from_env(&Aws::from_env().await, Rotate)?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let round = Round::of(&event.context);
        // Boxed: nested in this future, it is deeper than the compiler follows.
        let scheduled = Box::pin(scheduled_rests(worker.world(), &round));
        worker.handle_or_run_scheduled(event, scheduled).await
    }))
    .await
}
