//! The log: one JSON object a line, as Lambda's log viewer and `CloudWatch`'s queries read it. Some lines are measurements, of
//! which `CloudWatch` makes metrics.
//!
//! Numbers, e-mail addresses, names and login IDs are personal data and never stand in it. A line says of which request, trace,
//! account and job it is by the span that it is written in.

use std::{
    io::{self, Write},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
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

/// The ID of a trace, of the header in which X-Ray hands it on: `Root=1-67891233-abcdef012345678912345678;…`.
pub fn trace_id(header: Option<&str>) -> &str {
    header
        .into_iter()
        .flat_map(|header| header.split(';'))
        .find_map(|part| part.strip_prefix("Root="))
        .unwrap_or_default()
}

/// A time as it stands in the log.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The namespace of our metrics.
const NAMESPACE: &str = "Rollcall";
/// The one dimension of our metrics. Each further one would multiply them, and what they cost.
const DIMENSION: &str = "FunctionName";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// How many.
    Count(u64),
    /// How long, in milliseconds.
    Time(Duration),
    /// How old, in seconds: what a threshold of the template, which is in seconds, is held against.
    Age(Duration),
}

/// Logs measurements together with what they are of, in `CloudWatch`'s embedded metric format
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>):
/// each becomes a metric of the function, without a request to `CloudWatch`. The facts are for who reads the line.
pub fn measure(facts: &[(&str, &str)], measures: &[(&str, Measure)]) {
    // Outside of Lambda, nobody makes metrics of it.
    let Ok(function) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") else { return };
    let line = measurement(&function, Timestamp::now(), facts, measures);
    // A log that can't be written has nobody to be told.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn measurement(function: &str, at: Timestamp, facts: &[(&str, &str)], measures: &[(&str, Measure)]) -> Value {
    let mut line = Map::new();
    let units = measures.iter().map(|(name, measure)| match measure {
        Measure::Count(_) => json!({ "Name": name, "Unit": "Count" }),
        Measure::Time(_) => json!({ "Name": name, "Unit": "Milliseconds" }),
        Measure::Age(_) => json!({ "Name": name, "Unit": "Seconds" }),
    });
    let metrics = json!({ "Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": units.collect::<Vec<_>>() });
    line.insert("_aws".into(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [metrics] }));
    line.insert(DIMENSION.into(), function.into());
    line.extend(facts.iter().map(|(name, fact)| ((*name).to_owned(), (*fact).into())));
    line.extend(measures.iter().map(|(name, measure)| match measure {
        Measure::Count(count) => ((*name).to_owned(), (*count).into()),
        Measure::Time(time) => ((*name).to_owned(), millis(*time).into()),
        Measure::Age(age) => ((*name).to_owned(), age.as_secs().into()),
    }));
    Value::Object(line)
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

    #[test]
    fn a_measurement_has_a_value_for_every_metric_and_dimension_that_it_declares() {
        let measures = [
            ("RowsFailed", Measure::Count(3)),
            ("Duration", Measure::Time(Duration::from_millis(1500))),
            ("DeliveryAge", Measure::Age(Duration::from_millis(1500))),
        ];
        let line = measurement("stack-Fn-1", Timestamp::UNIX_EPOCH, &[("job", "j1")], &measures);
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 0,
                    "CloudWatchMetrics": [{
                        "Namespace": "Rollcall",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": [
                            { "Name": "RowsFailed", "Unit": "Count" },
                            { "Name": "Duration", "Unit": "Milliseconds" },
                            { "Name": "DeliveryAge", "Unit": "Seconds" },
                        ],
                    }],
                },
                "FunctionName": "stack-Fn-1",
                "job": "j1",
                "RowsFailed": 3,
                "Duration": 1500,
                "DeliveryAge": 1,
            })
        );
    }

    #[test]
    fn a_trace_is_named_by_its_root() {
        assert_eq!(
            trace_id(Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53;Sampled=1")),
            "1-5759e988-bd862e3fe1be46a994272793"
        );
        assert_eq!(trace_id(Some("Parent=53")), "");
        assert_eq!(trace_id(None), "");
    }
}
