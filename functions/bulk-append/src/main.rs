//! Wires the function to the Lambda runtime.

use bulk_append::BulkAppend;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_engine::Append;
use rollcall_storage::{connect::Aws, telemetry};

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let function = BulkAppend::from_env(&Aws::from_env().await, Append)?;
    run(service_fn(|event: LambdaEvent<_>| async { Ok::<_, Error>(function.handle(event).await) })).await
}
