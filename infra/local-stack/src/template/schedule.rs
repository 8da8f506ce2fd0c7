//! The schedules of a template: events of functions, in SAM's words
//! (<https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-schedulev2.html>).

use std::time::Duration;

use serde_json::{Map, Value};

use super::{ACCOUNT_ID, PARTITION, Properties, REGION, Reader, number, text};
use crate::error::{Context, Result, StackError};
use crate::scheduler::{Expression, check_input};

/// A schedule of EventBridge Scheduler that invokes a function.
#[derive(Debug)]
pub struct Schedule {
    pub name: String,
    pub arn: String,
    /// The name of the function.
    pub function: String,
    pub expression: Expression,
    /// The expression as the template has it.
    pub text: String,
    /// The event's text, with Scheduler's keywords in it.
    pub input: Option<String>,
    pub enabled: bool,
}

/// What becomes of events that a function gets asynchronously.
#[derive(Debug, Clone, Default)]
pub struct Asynchronous {
    /// How often an event comes again that the function has failed on.
    pub retries: u32,
    /// Older events are dropped.
    pub max_age: Duration,
    /// The queue of those that are dropped.
    pub dead_letters: Option<String>,
}

/// Lambda's defaults, which are also its maxima.
const DEFAULT_RETRIES: u64 = 2;
const DEFAULT_MAX_AGE: u64 = 6 * 3600;

/// Properties that would change when a schedule runs. `DeadLetterConfig` and `RetryPolicy` are for events that Lambda doesn't
/// take, which can't happen here; a function's own `DeadLetterQueue` gets those that it fails on. The start of a
/// `FlexibleTimeWindow` is a time like any other in it.
const NOT_RUN: [&str; 2] = ["StartDate", "EndDate"];

impl Reader<'_> {
    /// The schedules of a function.
    pub(super) fn schedules(&self, id: &str, function: &Properties) -> Result<Vec<Schedule>> {
        let mut schedules = Vec::new();
        for (event_id, event) in function.raw["Events"].as_object().unwrap_or(&Map::new()) {
            if event["Type"] == "ScheduleV2" {
                let properties = Properties { evaluator: &self.evaluator, raw: &event["Properties"] };
                let schedule = self.schedule(id, event_id, &properties);
                schedules.push(schedule.context(format!("its event {event_id}"))?);
            }
        }
        Ok(schedules)
    }

    fn schedule(&self, function_id: &str, event_id: &str, properties: &Properties) -> Result<Schedule> {
        if let Some(property) = NOT_RUN.iter().find(|property| !properties.raw[**property].is_null()) {
            return Err(StackError::new(format!("{property} can't be run on this machine")));
        }
        if text(&properties.get("ScheduleExpressionTimezone")?).is_some_and(|zone| zone != "UTC") {
            return Err(StackError::new("a time zone other than UTC can't be run on this machine"));
        }
        let expression = text(&properties.get("ScheduleExpression")?);
        let expression = expression.ok_or_else(|| StackError::new("a schedule needs a ScheduleExpression"))?;
        let enabled = match text(&properties.get("State")?).as_deref() {
            None | Some("ENABLED") => true,
            Some("DISABLED") => false,
            Some(state) => return Err(StackError::new(format!("a State is ENABLED or DISABLED, not {state}"))),
        };
        let input = match properties.get("Input")? {
            Value::Null => None,
            Value::String(input) => Some(input),
            other => return Err(StackError::new(format!("Input must be a text that holds JSON, not {other}"))),
        };
        if let Some(input) = &input {
            check_input(input)?;
        }
        // SAM's own name for it.
        let name = text(&properties.get("Name")?).unwrap_or_else(|| format!("{function_id}{event_id}"));
        let group = text(&properties.get("GroupName")?).unwrap_or_else(|| "default".to_owned());
        Ok(Schedule {
            arn: format!("arn:{PARTITION}:scheduler:{REGION}:{ACCOUNT_ID}:schedule/{group}/{name}"),
            name,
            function: self.evaluator.physical_name(function_id)?,
            expression: Expression::parse(&expression)?,
            text: expression,
            input,
            enabled,
        })
    }

    /// What becomes of a function's asynchronous events.
    pub(super) fn asynchronous(&self, function: &Properties) -> Result<Asynchronous> {
        let config = function.get("EventInvokeConfig")?;
        if !config["DestinationConfig"].is_null() {
            return Err(StackError::new("the DestinationConfig of an EventInvokeConfig can't be run on this machine"));
        }
        let at_most = |name: &str, most: u64| match &config[name] {
            Value::Null => Ok(most),
            given => number(given)
                .filter(|given| *given <= most)
                .ok_or_else(|| StackError::new(format!("{name} must be a whole number up to {most}, not {given}"))),
        };
        let queue = function.get("DeadLetterQueue")?;
        let dead_letters = match text(&queue["TargetArn"]) {
            None => None,
            Some(arn) => Some(self.queue_of(&arn).context("its DeadLetterQueue")?),
        };
        Ok(Asynchronous {
            retries: u32::try_from(at_most("MaximumRetryAttempts", DEFAULT_RETRIES)?).unwrap_or(u32::MAX),
            max_age: Duration::from_secs(at_most("MaximumEventAgeInSeconds", DEFAULT_MAX_AGE)?),
            dead_letters,
        })
    }
}
