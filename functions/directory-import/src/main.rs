//! Wires the function to the Lambda runtime.

use directory_import::DirectoryImport;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_storage::{connect::Aws, telemetry};

// One invocation at a time on one processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let function = DirectoryImport::from_env(&Aws::from_env().await)?;
    run(service_fn(|event: LambdaEvent<_>| function.handle(event))).await
}
