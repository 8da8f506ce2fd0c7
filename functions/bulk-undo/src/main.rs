//! Takes back what another job did: wires the kind of job to the Lambda runtime.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_engine::kinds::Undo;
use rollcall_storage::{connect::Aws, log, worker_from_env};

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let worker = worker_from_env(&Aws::from_env().await, Undo)?;
    run(service_fn(|event: LambdaEvent<_>| async { Ok::<_, Error>(worker.handle(event).await) })).await
}
