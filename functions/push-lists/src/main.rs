//! Tells phone systems which numbers users may dial from, by jobs and by schedule.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_engine::{
    Round,
    kinds::{Push, scheduled_pushes},
};
use rollcall_phone_systems::{HttpPhoneSystems, Share};
use rollcall_storage::{connect::Aws, log, worker_from_env};
use serde_json::Value;

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let aws = Aws::from_env().await;
    let systems = Arc::new(HttpPhoneSystems::from_env(&aws, Share::TwoOfThree)?);
    let worker = &worker_from_env(&aws, Push { systems })?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let round = Round::of(&event.context);
        worker.handle_or_run_scheduled(event, scheduled_pushes(worker.world(), &round)).await
    }))
    .await
}
