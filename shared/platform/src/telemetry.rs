//! The log: one JSON object a line, as Lambda's log viewer and `CloudWatch`'s queries read it.
//!
//! Numbers, e-mail addresses, names and login IDs are personal data and never stand in it.

use tracing_subscriber::EnvFilter;

/// Starts the log of a function. `AWS_LAMBDA_LOG_LEVEL` sets the level; the SDKs speak up from warnings on.
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".into()).to_lowercase();
    let filter = EnvFilter::try_new(format!("warn,rollcall={level},bulk_append={level},rollcall_engine={level}"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start, in a test, keeps the first.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(filter)
        .with_ansi(false)
        .try_init();
}
