//! `template.yaml` as the stack sees it: every resource that it runs, with all references resolved.
//!
//! The template stays the one list of resources. What the stack can't run is an error, never passed over in silence,
//! save for the few types in [`NOT_RUN_HERE`].

mod api;
mod cors;
mod evaluate;
mod parameters;
mod queue_policy;
mod resources;
mod role;
mod schedule;
mod stream;
mod yaml;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

pub use self::api::{Access, Api, Authorizer, RequestAuthorizer, Route};
pub use self::resources::{Bucket, CorsRule, Function, Queue, QueueSource, Redrive, Resources, Rule, Table};
pub use self::role::Statement;
pub use self::schedule::{Asynchronous, Schedule};
pub use self::stream::StreamSource;

use self::evaluate::{Evaluator, intrinsic};
use super::error::{Context, Result, StackError};
use super::events::Pattern;

/// The region that everything on this machine is in.
pub const REGION: &str = "us-east-1";

/// The account that owns everything on this machine.
pub const ACCOUNT_ID: &str = "000000000000";

/// The partition of AWS that ARNs name.
pub const PARTITION: &str = "aws";

/// The end of the hosts of AWS's services.
pub const URL_SUFFIX: &str = "amazonaws.com";

/// The name of the stack, which starts the name of each of its resources.
pub const STACK_NAME: &str = "rollcall";

/// The product's template, which the tests read.
#[cfg(test)]
const BUNDLED: &str = include_str!("../../../template.yaml");

/// Resource types that mean nothing on this machine, and why.
const NOT_RUN_HERE: [(&str, &str); 11] = [
    ("AWS::S3::BucketPolicy", "nothing leaves the machine, so nothing is encrypted on its way"),
    ("AWS::IAM::Role", "read with the function that has it"),
    ("AWS::Lambda::Permission", "read with the API that asks the function"),
    ("AWS::CloudWatch::Alarm", "there are no metrics"),
    ("AWS::CloudWatch::Dashboard", "there are no metrics"),
    ("AWS::Logs::LogGroup", "logs go to files"),
    ("AWS::SES::ConfigurationSet", "mails are kept, and nothing becomes of them"),
    ("AWS::SES::ConfigurationSetEventDestination", "mails are kept, and nothing becomes of them"),
    ("AWS::SNS::Topic", "only alarms would write to it"),
    ("AWS::SNS::TopicPolicy", "only alarms would write to it"),
    ("AWS::SNS::Subscription", "only alarms would write to it"),
];

/// Reads a template and resolves it with the given parameters. `api_url` is where an HTTP API is served.
///
/// # Errors
/// If the text isn't a template, a parameter is unknown or out of its bounds, or something in it can't be run here.
pub fn resolve(text: &str, parameters: &[(String, String)], api_url: &str) -> Result<Resources> {
    let template = yaml::parse(text)?;
    let parameters = parameters::resolve(&template, parameters)?;
    let reader = Reader { evaluator: Evaluator::new(&template, parameters, api_url), template: &template };
    reader.resources()
}

/// A scalar as text. CloudFormation doesn't tell `5` from `"5"`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// SQS keeps a message this long, and hides a received one this long, when the template says nothing.
const DEFAULT_RETENTION: u64 = 4 * 24 * 3600;
const DEFAULT_VISIBILITY: u64 = 30;

/// Lambda's own defaults.
const DEFAULT_TIMEOUT: u64 = 3;
const DEFAULT_MEMORY: u64 = 128;
const DEFAULT_BATCH: u64 = 10;

/// Lambda would go to a thousand; one machine is busy long before.
const DEFAULT_CONCURRENCY: u64 = 10;

struct Reader<'a> {
    evaluator: Evaluator<'a>,
    template: &'a Value,
}

impl Reader<'_> {
    fn resources(&self) -> Result<Resources> {
        let mut resources = Resources {
            tables: Vec::new(),
            buckets: Vec::new(),
            queues: Vec::new(),
            rules: Vec::new(),
            functions: Vec::new(),
            schedules: Vec::new(),
            api: None,
            outputs: BTreeMap::new(),
        };
        let declared =
            self.template["Resources"].as_object().ok_or_else(|| StackError::new("the template has no Resources"))?;
        for (id, resource) in declared {
            if let Some(condition) = resource["Condition"].as_str()
                && !self.evaluator.condition(condition)?
            {
                continue;
            }
            self.add(id, resource, &mut resources).context(format!("the template's resource {id}"))?;
        }
        for (name, output) in self.template["Outputs"].as_object().unwrap_or(&Map::new()) {
            let value = self.evaluator.value(&output["Value"]).context(format!("the template's output {name}"))?;
            resources.outputs.insert(name.clone(), text(&value).unwrap_or_else(|| value.to_string()));
        }
        Ok(resources)
    }

    fn add(&self, id: &str, resource: &Value, resources: &mut Resources) -> Result<()> {
        let properties = Properties { evaluator: &self.evaluator, raw: &resource["Properties"] };
        match resource["Type"].as_str().unwrap_or_default() {
            "AWS::DynamoDB::Table" => resources.tables.push(self.table(id, &properties)?),
            "AWS::S3::Bucket" => resources.buckets.push(self.bucket(id, &properties)?),
            "AWS::SQS::Queue" => resources.queues.push(self.queue(id, &properties)?),
            "AWS::Events::Rule" => resources.rules.extend(self.rule(id, &properties)?),
            "AWS::SQS::QueuePolicy" => queue_policy::check_queue_policy(&properties)?,
            "AWS::Serverless::Function" => {
                let raw = merged(&self.template["Globals"]["Function"], &resource["Properties"]);
                let properties = Properties { evaluator: &self.evaluator, raw: &raw };
                resources.functions.push(self.function(id, &properties, &resource["Metadata"])?);
                for schedule in self.schedules(id, &properties)? {
                    if resources.schedules.iter().any(|other| other.name == schedule.name) {
                        return Err(StackError::new(format!("a second schedule has the name {}", schedule.name)));
                    }
                    resources.schedules.push(schedule);
                }
            }
            "AWS::Serverless::HttpApi" => {
                if resources.api.replace(self.api(id, &properties)?).is_some() {
                    return Err(StackError::new("a second HTTP API can't be run on this machine"));
                }
            }
            kind if NOT_RUN_HERE.iter().any(|(skipped, _)| *skipped == kind) => {}
            kind => {
                return Err(StackError::new(format!("the type {kind:?} can't be run on this machine")));
            }
        }
        Ok(())
    }

    fn table(&self, id: &str, properties: &Properties) -> Result<Table> {
        let name = self.evaluator.physical_name(id)?;
        let mut create = json!({ "TableName": name });
        // The rest (recovery, encryption, tags) has no meaning on this machine.
        for property in [
            "AttributeDefinitions",
            "KeySchema",
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
            "BillingMode",
            "ProvisionedThroughput",
        ] {
            let value = properties.get(property)?;
            if !value.is_null() {
                create[property] = value;
            }
        }
        let view = properties.get("StreamSpecification")?;
        if !view.is_null() {
            create["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view["StreamViewType"] });
        }
        let ttl = properties.get("TimeToLiveSpecification")?;
        let enabled = text(&ttl["Enabled"]).as_deref() == Some("true");
        Ok(Table { name, create, ttl_attribute: text(&ttl["AttributeName"]).filter(|_| enabled) })
    }

    fn bucket(&self, id: &str, properties: &Properties) -> Result<Bucket> {
        let notifications = properties.get("NotificationConfiguration")?;
        if let Some(kind) =
            notifications.as_object().and_then(|kinds| kinds.keys().find(|kind| *kind != "EventBridgeConfiguration"))
        {
            return Err(StackError::new(format!("{kind} isn't run on this machine: let EventBridge route the events")));
        }
        let bridge = &notifications["EventBridgeConfiguration"];
        Ok(Bucket {
            name: self.evaluator.physical_name(id)?,
            versioned: properties.get("VersioningConfiguration")?["Status"] == "Enabled",
            // CloudFormation's default for a configuration that is present.
            emits_events: bridge.is_object()
                && text(&bridge["EventBridgeEnabled"]).is_none_or(|enabled| enabled == "true"),
            cors: self.cors(&properties.get("CorsConfiguration")?)?,
        })
    }

    fn queue(&self, id: &str, properties: &Properties) -> Result<Queue> {
        if properties.flag("FifoQueue")? {
            return Err(StackError::new("a FIFO queue can't be run on this machine"));
        }
        let redrive = properties.get("RedrivePolicy")?;
        let redrive = match text(&redrive["deadLetterTargetArn"]) {
            None => None,
            Some(arn) => Some(Redrive {
                dead_letters: self.queue_of(&arn)?,
                max_receives: number(&redrive["maxReceiveCount"])
                    .and_then(|count| u32::try_from(count).ok())
                    .filter(|count| *count > 0)
                    .ok_or_else(|| StackError::new("RedrivePolicy needs a maxReceiveCount of at least 1"))?,
            }),
        };
        Ok(Queue {
            name: self.evaluator.physical_name(id)?,
            visibility_timeout: properties.seconds("VisibilityTimeout", DEFAULT_VISIBILITY)?,
            retention: properties.seconds("MessageRetentionPeriod", DEFAULT_RETENTION)?,
            redrive,
        })
    }

    fn rule(&self, id: &str, properties: &Properties) -> Result<Option<Rule>> {
        if properties.get("State")? == "DISABLED" {
            return Ok(None);
        }
        let pattern = properties.get("EventPattern")?;
        if pattern.is_null() {
            return Err(StackError::new("a rule without an EventPattern can't be run on this machine"));
        }
        let mut queues = Vec::new();
        for target in properties.get("Targets")?.as_array().unwrap_or(&Vec::new()) {
            for property in ["Input", "InputPath", "InputTransformer"] {
                if !target[property].is_null() {
                    return Err(StackError::new(format!("a target's {property} can't be run on this machine")));
                }
            }
            let arn = text(&target["Arn"]).unwrap_or_default();
            queues.push(self.queue_of(&arn)?);
            for arn in [Some(arn), text(&target["DeadLetterConfig"]["Arn"])].iter().flatten() {
                self.rule_may_send(&self.evaluator.arn(id)?, arn)?;
            }
        }
        let pattern = Pattern::parse(&pattern).context("its EventPattern")?;
        Ok(Some(Rule { pattern, queues }))
    }

    fn function(&self, id: &str, properties: &Properties, metadata: &Value) -> Result<Function> {
        let binary = text(&metadata["BuildProperties"]["Binary"]).ok_or_else(|| {
            StackError::new("a function needs Metadata.BuildProperties.Binary, the name of its binary")
        })?;
        let environment = properties.get("Environment")?;
        let environment = environment["Variables"].as_object().map_or_else(BTreeMap::new, |variables| {
            variables.iter().map(|(name, value)| (name.clone(), text(value).unwrap_or_default())).collect()
        });
        let (mut sources, mut streams) = (Vec::new(), Vec::new());
        for (name, event) in properties.raw["Events"].as_object().unwrap_or(&Map::new()) {
            let context = || format!("its event {name}");
            if event["Type"] == "DynamoDB" {
                let properties = Properties { evaluator: &self.evaluator, raw: &event["Properties"] };
                streams.extend(self.stream_source(&properties).context(context())?);
            } else {
                sources.extend(self.source(event).context(context())?);
            }
        }
        Ok(Function {
            name: self.evaluator.physical_name(id)?,
            arn: self.evaluator.arn(id)?,
            binary,
            memory_mb: u32::try_from(properties.number("MemorySize", DEFAULT_MEMORY)?).unwrap_or(u32::MAX),
            timeout: properties.seconds("Timeout", DEFAULT_TIMEOUT)?,
            environment,
            sources,
            streams,
            asynchronous: self.asynchronous(properties)?,
            statements: self.statements(properties)?,
        })
    }

    fn source(&self, event: &Value) -> Result<Option<QueueSource>> {
        let kind = event["Type"].as_str().unwrap_or_default();
        let properties = Properties { evaluator: &self.evaluator, raw: &event["Properties"] };
        match kind {
            "SQS" => {}
            // Read as a schedule.
            "ScheduleV2" => return Ok(None),
            "HttpApi" => {
                return Err(StackError::new(
                    "a route stands in its API's DefinitionBody: each event costs a permission of its own",
                ));
            }
            _ => return Err(StackError::new(format!("an event of type {kind:?} can't be run on this machine"))),
        }
        if !properties.get("FilterCriteria")?.is_null() {
            return Err(StackError::new("FilterCriteria can't be run on this machine"));
        }
        if properties.get("Enabled")?.as_bool() == Some(false) {
            return Ok(None);
        }
        let queue_arn = text(&properties.get("Queue")?).unwrap_or_default();
        let scaling = properties.get("ScalingConfig")?;
        let concurrency = number(&scaling["MaximumConcurrency"]).unwrap_or(DEFAULT_CONCURRENCY);
        Ok(Some(QueueSource {
            queue: self.queue_of(&queue_arn)?,
            queue_arn,
            batch_size: u32::try_from(properties.number("BatchSize", DEFAULT_BATCH)?).unwrap_or(u32::MAX),
            reports_item_failures: reports_item_failures(&properties)?,
            max_concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX).max(1),
        }))
    }

    /// The name of the template's queue that has this ARN.
    fn queue_of(&self, arn: &str) -> Result<String> {
        for (id, resource) in self.template["Resources"].as_object().unwrap_or(&Map::new()) {
            if resource["Type"] == "AWS::SQS::Queue" && self.evaluator.arn(id)? == arn {
                return self.evaluator.physical_name(id);
            }
        }
        Err(StackError::new(format!("{arn:?} isn't a queue of the template")))
    }
}

/// A resource's properties, evaluated as they are asked for: what isn't asked for may hold what can't be evaluated here.
struct Properties<'a> {
    evaluator: &'a Evaluator<'a>,
    raw: &'a Value,
}

impl Properties<'_> {
    fn get(&self, name: &str) -> Result<Value> {
        self.evaluator.value(&self.raw[name]).context(name)
    }

    fn flag(&self, name: &str) -> Result<bool> {
        Ok(text(&self.get(name)?).as_deref() == Some("true"))
    }

    fn number(&self, name: &str, default: u64) -> Result<u64> {
        match self.get(name)? {
            Value::Null => Ok(default),
            value => {
                number(&value).ok_or_else(|| StackError::new(format!("{name} must be a whole number, not {value}")))
            }
        }
    }

    fn seconds(&self, name: &str, default: u64) -> Result<Duration> {
        self.number(name, default).map(Duration::from_secs)
    }
}

/// Whether an event source's function answers with the items that it failed on.
fn reports_item_failures(source: &Properties) -> Result<bool> {
    let responses = source.get("FunctionResponseTypes")?;
    Ok(responses.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "ReportBatchItemFailures")))
}

fn number(value: &Value) -> Option<u64> {
    text(value)?.parse().ok()
}

/// SAM's rule for `Globals`: maps are merged, lists are joined, anything else of the resource's own wins.
fn merged(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(left), Value::Object(right)) if intrinsic(left).is_none() && intrinsic(right).is_none() => {
            let mut map = left.clone();
            for (key, value) in right {
                let value = merged(&left.get(key).cloned().unwrap_or_default(), value);
                map.insert(key.clone(), value);
            }
            Value::Object(map)
        }
        (Value::Array(left), Value::Array(right)) => left.iter().chain(right).cloned().collect(),
        (global, Value::Null) => global.clone(),
        (_, own) => own.clone(),
    }
}

#[cfg(test)]
mod bundled;

#[cfg(test)]
mod refused;

#[cfg(test)]
mod tests;
