//! Wires the function to the Lambda runtime.

use std::env::var;

use lambda_runtime::{
    Error, LambdaEvent, run, service_fn,
    tracing::subscriber::{filter::LevelFilter, fmt},
};
use web_console::{Config, Request};

// One invocation at a time on a share of a processor: threads would only hand work around.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // The runtime's own subscriber reads its filter with regular expressions: a third of a function as small as this.
    let level = var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    fmt().json().flatten_event(true).with_span_list(false).with_ansi(false).with_max_level(level).init();
    let config = Config::from_env()?;
    run(service_fn(|event: LambdaEvent<Request>| {
        let answer = config.answer(&event.payload);
        async { Ok::<_, Error>(answer) }
    }))
    .await
}
