//! The log: one JSON object a line, as Lambda's log viewer and `CloudWatch`'s queries read it.
//!
//! Numbers, e-mail addresses, names and login IDs are personal data and never stand in it.

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log of a function. `AWS_LAMBDA_LOG_LEVEL` sets the level; the SDKs speak up from warnings on.
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(tracing::Level::INFO);
    let ours = [
        "bulk_append",
        "bulk_users",
        "directory_import",
        "mapping_resync",
        "number_rotation",
        "rollcall_engine",
        "rollcall_platform",
        "users_api",
    ];
    let filter = Targets::new().with_default(tracing::Level::WARN).with_targets(ours.map(|target| (target, level)));
    let format = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_ansi(false);
    // A second start, in a test, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(format).try_init();
}
