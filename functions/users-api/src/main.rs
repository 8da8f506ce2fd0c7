//! Wires the function to the Lambda runtime.

use lambda_http::{Error, run};
use rollcall_platform::telemetry;

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    run(users_api::router()).await
}
