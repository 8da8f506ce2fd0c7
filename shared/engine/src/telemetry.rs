//! Measurements, as lines of the log of which `CloudWatch` makes metrics.

use std::{
    io::{self, Write},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

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
/// each becomes a metric of the function, without a request to `CloudWatch`. The facts are for who reads the line. A count of nothing stands in
/// the line, and is no metric: each is charged for every hour in which it is sent, and nothing adds nothing to a sum
/// (<https://aws.amazon.com/cloudwatch/pricing/>).
pub fn measure(facts: &[(&str, &str)], measures: &[(&str, Measure)]) {
    // Outside of Lambda, nobody makes metrics of it.
    let Ok(function) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") else { return };
    let line = measurement(&function, Timestamp::now(), facts, measures);
    // A log that can't be written has nobody to be told.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn measurement(function: &str, at: Timestamp, facts: &[(&str, &str)], measures: &[(&str, Measure)]) -> Value {
    let mut line = Map::new();
    let metrics: Vec<Value> = measures
        .iter()
        .filter_map(|(name, measure)| {
            let unit = match measure {
                Measure::Count(0) => return None,
                Measure::Count(_) => "Count",
                Measure::Time(_) => "Milliseconds",
                Measure::Age(_) => "Seconds",
            };
            Some(json!({ "Name": name, "Unit": unit }))
        })
        .collect();
    if !metrics.is_empty() {
        let metrics = json!({ "Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics });
        line.insert("_aws".into(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [metrics] }));
    }
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
    use super::*;

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
    fn a_count_of_nothing_is_told_and_is_no_metric() {
        let line = |counts: &[u64]| {
            let counts: Vec<_> = counts.iter().map(|count| ("RowsFailed", Measure::Count(*count))).collect();
            measurement("stack-Fn-1", Timestamp::UNIX_EPOCH, &[], &counts)
        };
        assert_eq!(line(&[0]), json!({ "FunctionName": "stack-Fn-1", "RowsFailed": 0 }));
        assert_eq!(line(&[1])["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().map(Vec::len), Some(1));
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
