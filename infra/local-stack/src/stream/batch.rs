//! What becomes of records whose function failed:
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use serde_json::Value;

use super::sequence_number;
use crate::template::StreamSource;

/// Records for one invocation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    pub(super) records: Vec<Value>,
    /// Invocations that failed on just these.
    pub(super) failures: u32,
}

/// What an invocation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// It failed on all.
    Failed,
    /// All records before this one are done.
    FailedFrom(usize),
}

impl Batch {
    pub(super) fn new(records: Vec<Value>) -> Self {
        Self { records, failures: 0 }
    }

    /// What an answer means. One that can't be understood fails all.
    pub(super) fn outcome(&self, answer: &[u8], reports_item_failures: bool) -> Outcome {
        if answer.is_empty() || !reports_item_failures {
            return Outcome::Done;
        }
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return Outcome::Failed };
        let failures = match &answer["batchItemFailures"] {
            Value::Null => return Outcome::Done,
            Value::Array(failures) => failures,
            _ => return Outcome::Failed,
        };
        let position = |failure: &Value| {
            let failed = failure["itemIdentifier"].as_str()?;
            self.records.iter().position(|record| sequence_number(record) == failed)
        };
        match failures.iter().map(position).collect::<Option<Vec<_>>>().map(|positions| positions.into_iter().min()) {
            Some(None) => Outcome::Done,
            Some(Some(first)) => Outcome::FailedFrom(first),
            None => Outcome::Failed,
        }
    }

    /// The batches that are to be tried in its place at this time, in seconds since 1970, in order; the batch itself where it is
    /// given up.
    pub(super) fn again(mut self, outcome: Outcome, source: &StreamSource, now: i64) -> Result<Vec<Self>, Self> {
        match outcome {
            Outcome::Done => Ok(Vec::new()),
            Outcome::FailedFrom(first @ 1..) => Ok(vec![Self::new(self.records.split_off(first))]),
            Outcome::Failed if source.bisects && self.records.len() > 1 => {
                let second = self.records.split_off(self.records.len() / 2);
                Ok(vec![self, Self::new(second)])
            }
            Outcome::Failed | Outcome::FailedFrom(_) => {
                let is_old = source.max_age.is_some_and(|most| self.age(now) > most);
                if is_old || source.max_retries.is_some_and(|most| self.failures >= most) {
                    return Err(self);
                }
                self.failures += 1;
                Ok(vec![self])
            }
        }
    }
}

impl Batch {
    /// How long ago its first record was written, in seconds.
    fn age(&self, now: i64) -> u64 {
        let written =
            self.records.first().and_then(|record| record["dynamodb"]["ApproximateCreationDateTime"].as_f64());
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let written = written.map_or(now, |written| written as i64);
        u64::try_from(now.saturating_sub(written)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn batch(numbers: &[&str], failures: u32) -> Batch {
        let record = |number: &&str| json!({ "dynamodb": { "SequenceNumber": number } });
        Batch { records: numbers.iter().map(record).collect(), failures }
    }

    fn source(bisects: bool, max_retries: Option<u32>) -> StreamSource {
        StreamSource {
            table: "t".to_owned(),
            arn: "arn".to_owned(),
            batch_size: 10,
            window: std::time::Duration::ZERO,
            filters: None,
            reports_item_failures: true,
            bisects,
            max_retries,
            max_age: None,
            dead_letters: None,
        }
    }

    #[test]
    fn an_answer_says_from_where_on_it_failed() {
        let batch = batch(&["1", "2", "3"], 0);
        for (answer, outcome) in [
            ("", Outcome::Done),
            ("null", Outcome::Done),
            (r#"{"batchItemFailures":[]}"#, Outcome::Done),
            (r#"{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"2"}]}"#, Outcome::FailedFrom(1)),
            (r#"{"batchItemFailures":[{"itemIdentifier":"4"}]}"#, Outcome::Failed),
            (r#"{"batchItemFailures":1}"#, Outcome::Failed),
            ("not JSON", Outcome::Failed),
        ] {
            assert_eq!(batch.outcome(answer.as_bytes(), true), outcome, "{answer}");
        }
        assert_eq!(batch.outcome(b"not JSON", false), Outcome::Done);
    }

    #[test]
    fn what_is_done_is_left_out_and_what_failed_is_split_until_it_is_given_up() {
        let three = || batch(&["1", "2", "3"], 1);
        let source_of = source(true, Some(1));
        assert_eq!(three().again(Outcome::Done, &source_of, NOW), Ok(vec![]));
        assert_eq!(three().again(Outcome::FailedFrom(1), &source_of, NOW), Ok(vec![batch(&["2", "3"], 0)]));
        assert_eq!(three().again(Outcome::Failed, &source_of, NOW), Ok(vec![batch(&["1"], 1), batch(&["2", "3"], 0)]));
        assert_eq!(batch(&["1"], 0).again(Outcome::Failed, &source_of, NOW), Ok(vec![batch(&["1"], 1)]));
        assert_eq!(batch(&["1"], 1).again(Outcome::Failed, &source_of, NOW), Err(batch(&["1"], 1)));
        assert_eq!(three().again(Outcome::FailedFrom(0), &source_of, NOW), Err(three()));
        assert_eq!(three().again(Outcome::Failed, &source(false, None), NOW), Ok(vec![batch(&["1", "2", "3"], 2)]));
    }

    #[test]
    fn records_past_their_age_are_given_up_however_often_they_were_tried() {
        let source = StreamSource { max_age: Some(60), ..source(false, None) };
        let written = |seconds_ago: i64| {
            let record =
                json!({ "dynamodb": { "SequenceNumber": "1", "ApproximateCreationDateTime": NOW - seconds_ago } });
            Batch { records: vec![record], failures: 500 }
        };
        assert!(written(60).again(Outcome::Failed, &source, NOW).is_ok());
        assert_eq!(written(61).again(Outcome::Failed, &source, NOW), Err(written(61)));
        assert_eq!(written(61).again(Outcome::Done, &source, NOW), Ok(vec![]));
    }
}
