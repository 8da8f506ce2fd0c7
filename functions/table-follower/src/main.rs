//! Wires the function to the Lambda runtime.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rollcall_storage::{connect::Aws, log};
use table_follower::TableFollower;

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::start();
    let function = TableFollower::from_env(&Aws::from_env().await)?;
    run(service_fn(|event: LambdaEvent<_>| async { function.handle(event.payload).await.map_err(Error::from) })).await
}
