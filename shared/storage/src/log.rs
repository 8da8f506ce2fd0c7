//! The log: one JSON object a line, as Lambda's log viewer and `CloudWatch`'s queries read it.
//!
//! Numbers, e-mail addresses, names and login IDs are personal data and never stand in it. A line says of which request, trace,
//! account and job it is by the span that it is written in.

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Crates of others that log each request, by what their names begin with. They are heard from warnings on.
const CHATTY: [&str; 7] = ["aws", "axum", "h2", "hyper", "lambda", "rustls", "tower"];

/// Starts the log of a function. `AWS_LAMBDA_LOG_LEVEL` sets the level; the SDKs speak up from warnings on.
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(tracing::Level::INFO);
    let format = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false).with_ansi(false);
    // A second start, in a test, keeps the first.
    let _ = tracing_subscriber::registry().with(filter(level)).with(format).try_init();
}

fn filter(level: tracing::Level) -> Targets {
    let quiet = level.min(tracing::Level::WARN);
    Targets::new().with_default(level).with_targets(CHATTY.map(|crates| (crates, quiet)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn every_crate_of_ours_is_heard_and_those_of_others_from_warnings_on() {
        let filter = filter(Level::INFO);
        assert!(filter.would_enable("a_function_to_come", &Level::INFO));
        for others in ["aws_smithy_runtime::client", "hyper_util::client", "lambda_runtime", "rustls::conn"] {
            assert!(
                !filter.would_enable(others, &Level::INFO) && filter.would_enable(others, &Level::WARN),
                "{others}"
            );
        }
        assert!(!super::filter(Level::ERROR).would_enable("hyper", &Level::WARN));
    }
}
