//! Wires the function to the Lambda runtime.

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use web_console::{Config, Request};

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = Config::from_env()?;
    run(service_fn(|event: LambdaEvent<Request>| {
        let answer = config.answer(&event.payload);
        async { Ok::<_, Error>(answer) }
    }))
    .await
}
