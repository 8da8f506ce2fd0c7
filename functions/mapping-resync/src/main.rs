//! Brings mappings in step with the phone systems, by jobs and by schedule.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_engine::{
    Round,
    kinds::{Resync, scheduled_resyncs},
};
use rollcall_phone_systems::{HttpPhoneSystems, Share};
use rollcall_storage::{connect::Aws, log, worker_from_env};
use serde_json::Value;

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let aws = Aws::from_env().await;
    let systems = Arc::new(HttpPhoneSystems::from_env(&aws, Share::All)?);
    let worker = &worker_from_env(&aws, Resync { systems })?;
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let round = Round::of(&event.context);
        worker.handle_or_run_scheduled(event, scheduled_resyncs(worker.world(), &round)).await
    }))
    .await
}
