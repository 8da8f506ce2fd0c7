//! Streams of tables that feed functions.

use std::time::Duration;

use serde_json::Value;

use super::{Properties, Reader, number, reports_item_failures, text};
use crate::error::{Context, Result, StackError};
use crate::events::Pattern;

/// A table's stream that is an event source of a function.
#[derive(Debug, Clone)]
pub struct StreamSource {
    /// The name of the table.
    pub table: String,
    /// The stream's ARN.
    pub arn: String,
    pub batch_size: usize,
    /// How long a batch that isn't full is waited for.
    pub window: Duration,
    /// Which records the function gets: those that one of these matches. Without any, all.
    pub filters: Option<Vec<Pattern>>,
    /// Whether the function answers with where it failed, rather than fail the whole batch.
    pub reports_item_failures: bool,
    /// Whether a batch that failed is tried as two.
    pub bisects: bool,
    /// How often records that failed are tried again; without a number, for ever.
    pub max_retries: Option<u32>,
    /// Records that are older, in seconds, are given up. Without it, none is.
    pub max_age: Option<u64>,
    /// The name of the queue that is told of records that were given up.
    pub dead_letters: Option<String>,
}

impl StreamSource {
    /// Whether the function gets this record.
    pub fn takes(&self, record: &Value) -> bool {
        self.filters.as_ref().is_none_or(|filters| filters.iter().any(|filter| filter.matches(record)))
    }
}

/// What Lambda takes of a stream at once when the template says nothing, and at most.
const DEFAULT_BATCH: u64 = 100;
const MAX_BATCH: u64 = 10_000;

/// Properties that would be passed over.
const NOT_RUN: [&str; 3] = ["ParallelizationFactor", "TumblingWindowInSeconds", "StartingPositionTimestamp"];

impl Reader<'_> {
    pub(super) fn stream_source(&self, properties: &Properties) -> Result<Option<StreamSource>> {
        if properties.get("Enabled")?.as_bool() == Some(false) {
            return Ok(None);
        }
        if let Some(property) = NOT_RUN.iter().find(|property| !properties.raw[**property].is_null()) {
            return Err(StackError::new(format!("{property} can't be run on this machine")));
        }
        if properties.get("StartingPosition")? != "TRIM_HORIZON" {
            return Err(StackError::new("a StartingPosition other than TRIM_HORIZON can't be run on this machine"));
        }
        let arn = text(&properties.get("Stream")?).unwrap_or_default();
        let batch_size = properties.number("BatchSize", DEFAULT_BATCH)?;
        if !(1..=MAX_BATCH).contains(&batch_size) {
            return Err(StackError::new(format!("a BatchSize is from 1 to {MAX_BATCH}")));
        }
        let window = Duration::from_secs(properties.number("MaximumBatchingWindowInSeconds", 0)?);
        let filters = match &properties.get("FilterCriteria")?["Filters"] {
            Value::Null => None,
            filters => Some(filters.as_array().into_iter().flatten().map(filter).collect::<Result<_>>()?),
        };
        let on_failure = &properties.get("DestinationConfig")?["OnFailure"];
        let dead_letters = match text(&on_failure["Destination"]) {
            None => None,
            Some(arn) => Some(self.queue_of(&arn).context("its OnFailure")?),
        };
        Ok(Some(StreamSource {
            table: self.table_of(&arn)?,
            arn,
            batch_size: usize::try_from(batch_size).unwrap_or(usize::MAX),
            window,
            filters,
            reports_item_failures: reports_item_failures(properties)?,
            bisects: properties.flag("BisectBatchOnFunctionError")?,
            // -1 is for ever, and so is saying nothing.
            max_retries: number(&properties.get("MaximumRetryAttempts")?).and_then(|most| u32::try_from(most).ok()),
            max_age: number(&properties.get("MaximumRecordAgeInSeconds")?),
            dead_letters,
        }))
    }

    /// The name of the template's table that has this stream.
    fn table_of(&self, arn: &str) -> Result<String> {
        let none = || StackError::new(format!("{arn:?} isn't the stream of a table of the template"));
        let (table, _) = arn.split_once("/stream/").ok_or_else(none)?;
        for (id, resource) in self.template["Resources"].as_object().into_iter().flatten() {
            if resource["Type"] == "AWS::DynamoDB::Table" && self.evaluator.arn(id)? == table {
                if resource["Properties"]["StreamSpecification"].is_null() {
                    return Err(StackError::new(format!("{id} has no StreamSpecification")));
                }
                return self.evaluator.physical_name(id);
            }
        }
        Err(none())
    }
}

fn filter(filter: &Value) -> Result<Pattern> {
    let pattern = filter["Pattern"].as_str().unwrap_or_default();
    Pattern::parse(&serde_json::from_str(pattern).context("a filter's Pattern")?).context("a filter's Pattern")
}
