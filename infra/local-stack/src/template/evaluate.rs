//! Intrinsic functions, evaluated against the names that resources have on this machine.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ACCOUNT_ID, PARTITION, REGION, STACK_NAME, URL_SUFFIX, text};
use crate::error::{Result, StackError};

/// How deep values may refer to each other before it must be a circle.
const MAX_DEPTH: usize = 64;

/// Evaluates values of one template.
pub(super) struct Evaluator<'a> {
    template: &'a Value,
    parameters: BTreeMap<String, String>,
    /// Where an HTTP API is served.
    api_url: &'a str,
    depth: Cell<usize>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(template: &'a Value, parameters: BTreeMap<String, String>, api_url: &'a str) -> Self {
        Self { template, parameters, api_url, depth: Cell::new(0) }
    }

    /// Where an HTTP API is served.
    pub(super) fn api_url(&self) -> &'a str {
        self.api_url
    }

    /// The value with every intrinsic function replaced by its result. `AWS::NoValue` becomes nothing at all.
    pub(super) fn value(&self, value: &Value) -> Result<Value> {
        Ok(self.optional(value)?.unwrap_or(Value::Null))
    }

    /// Whether the named condition holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool> {
        match self.template["Conditions"].get(name) {
            Some(condition) => self.truth(condition),
            None => Err(StackError::new(format!("the template has no condition {name}"))),
        }
    }

    /// The name of a resource on this machine: its own if the template gives one, else made of its logical ID.
    pub(super) fn physical_name(&self, logical_id: &str) -> Result<String> {
        let resource = self.resource(logical_id)?;
        let kind = resource["Type"].as_str().unwrap_or_default();
        let name_property = match kind {
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::Serverless::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            _ => "Name",
        };
        match text(&self.value(&resource["Properties"][name_property])?) {
            Some(name) => Ok(name),
            // Bucket names are lower case, by S3's rules.
            None if kind == "AWS::S3::Bucket" => Ok(format!("{STACK_NAME}-{}", logical_id.to_lowercase())),
            None => Ok(format!("{STACK_NAME}-{logical_id}")),
        }
    }

    /// The ARN of a resource on this machine.
    pub(super) fn arn(&self, logical_id: &str) -> Result<String> {
        let name = self.physical_name(logical_id)?;
        let local =
            |service: &str, resource: String| format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT_ID}:{resource}");
        match self.resource(logical_id)?["Type"].as_str().unwrap_or_default() {
            "AWS::DynamoDB::Table" => Ok(local("dynamodb", format!("table/{name}"))),
            "AWS::S3::Bucket" => Ok(format!("arn:{PARTITION}:s3:::{name}")),
            "AWS::SQS::Queue" => Ok(local("sqs", name)),
            "AWS::Events::Rule" => Ok(local("events", format!("rule/{name}"))),
            "AWS::Serverless::Function" => Ok(local("lambda", format!("function:{name}"))),
            "AWS::Logs::LogGroup" => Ok(local("logs", format!("log-group:{name}:*"))),
            "AWS::SNS::Topic" => Ok(local("sns", name)),
            kind => Err(StackError::new(format!("{logical_id} ({kind}) has no ARN on this machine"))),
        }
    }

    fn resource(&self, logical_id: &str) -> Result<&'a Value> {
        self.template["Resources"]
            .get(logical_id)
            .ok_or_else(|| StackError::new(format!("the template refers to {logical_id}, which it doesn't declare")))
    }

    fn optional(&self, value: &Value) -> Result<Option<Value>> {
        self.depth.set(self.depth.get() + 1);
        let result = if self.depth.get() > MAX_DEPTH {
            Err(StackError::new("the template's values refer to each other in a circle"))
        } else {
            self.optional_within_depth(value)
        };
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn optional_within_depth(&self, value: &Value) -> Result<Option<Value>> {
        match value {
            Value::Array(items) => {
                let mut kept = Vec::with_capacity(items.len());
                for item in items {
                    kept.extend(self.optional(item)?);
                }
                Ok(Some(Value::Array(kept)))
            }
            Value::Object(map) => {
                if let Some((name, argument)) = intrinsic(map) {
                    return self.intrinsic(name, argument);
                }
                let mut kept = Map::new();
                for (key, item) in map {
                    if let Some(item) = self.optional(item)? {
                        kept.insert(key.clone(), item);
                    }
                }
                Ok(Some(Value::Object(kept)))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn intrinsic(&self, name: &str, argument: &Value) -> Result<Option<Value>> {
        let malformed = || StackError::new(format!("{name} can't take {argument}"));
        match name {
            "Ref" => match argument.as_str().ok_or_else(malformed)? {
                "AWS::NoValue" => Ok(None),
                target => self.reference(target).map(|found| Some(found.into())),
            },
            "Fn::GetAtt" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(resource), Value::String(attribute)]) => {
                    self.attribute(resource, attribute).map(|found| Some(found.into()))
                }
                _ => Err(malformed()),
            },
            "Fn::Sub" => match argument {
                Value::String(pattern) => self.substitute(pattern, &Map::new()),
                Value::Array(parts) => match parts.as_slice() {
                    [Value::String(pattern), Value::Object(names)] => self.substitute(pattern, names),
                    _ => Err(malformed()),
                },
                _ => Err(malformed()),
            }
            .map(|text| Some(text.into())),
            "Fn::Join" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(separator), list]) => {
                    let list = self.value(list)?;
                    let parts: Option<Vec<_>> = list.as_array().ok_or_else(malformed)?.iter().map(text).collect();
                    Ok(Some(parts.ok_or_else(malformed)?.join(separator).into()))
                }
                _ => Err(malformed()),
            },
            "Fn::If" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(condition), then, otherwise]) => {
                    self.optional(if self.condition(condition)? { then } else { otherwise })
                }
                _ => Err(malformed()),
            },
            _ => Err(StackError::new(format!("{name} isn't evaluated on this machine"))),
        }
    }

    fn truth(&self, condition: &Value) -> Result<bool> {
        let malformed = || StackError::new(format!("{condition} isn't a condition"));
        let (name, argument) = condition.as_object().and_then(|map| map.iter().next()).ok_or_else(malformed)?;
        let list = || argument.as_array().map(Vec::as_slice).ok_or_else(malformed);
        match (name.as_str(), argument) {
            ("Condition", Value::String(other)) => self.condition(other),
            ("Fn::Equals", _) => match list()? {
                [left, right] => Ok(text(&self.value(left)?) == text(&self.value(right)?)),
                _ => Err(malformed()),
            },
            ("Fn::Not", _) => match list()? {
                [inner] => Ok(!self.truth(inner)?),
                _ => Err(malformed()),
            },
            ("Fn::And", _) => list()?.iter().try_fold(true, |all, one| Ok(all && self.truth(one)?)),
            ("Fn::Or", _) => list()?.iter().try_fold(false, |any, one| Ok(any || self.truth(one)?)),
            _ => Err(malformed()),
        }
    }

    fn reference(&self, target: &str) -> Result<String> {
        if let Some(value) = self.parameters.get(target) {
            return Ok(value.clone());
        }
        match target {
            "AWS::Region" => Ok(REGION.to_owned()),
            "AWS::AccountId" => Ok(ACCOUNT_ID.to_owned()),
            "AWS::Partition" => Ok(PARTITION.to_owned()),
            "AWS::URLSuffix" => Ok(URL_SUFFIX.to_owned()),
            "AWS::StackName" => Ok(STACK_NAME.to_owned()),
            _ => match self.resource(target)?["Type"].as_str() {
                Some("AWS::SQS::Queue") => self.queue_url(target),
                Some("AWS::SNS::Topic") => self.arn(target),
                _ => self.physical_name(target),
            },
        }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<String> {
        let kind = self.resource(logical_id)?["Type"].as_str().unwrap_or_default();
        match (kind, attribute) {
            (_, "Arn") => self.arn(logical_id),
            ("AWS::SQS::Queue", "QueueName") => self.physical_name(logical_id),
            ("AWS::Serverless::HttpApi", "ApiEndpoint") => Ok(self.api_url.to_owned()),
            // A real one ends with when the stream was enabled.
            ("AWS::DynamoDB::Table", "StreamArn") => Ok(format!("{}/stream/1", self.arn(logical_id)?)),
            ("AWS::SQS::Queue", "QueueUrl") => self.queue_url(logical_id),
            _ => Err(StackError::new(format!("{logical_id} ({kind}) has no attribute {attribute} on this machine"))),
        }
    }

    /// Under `.localhost`, which never leaves the machine (RFC 6761): the stack's queues have no HTTP door.
    fn queue_url(&self, logical_id: &str) -> Result<String> {
        let name = self.physical_name(logical_id)?;
        Ok(format!("http://sqs.{REGION}.localhost/{ACCOUNT_ID}/{name}"))
    }

    fn substitute(&self, pattern: &str, names: &Map<String, Value>) -> Result<String> {
        let mut result = String::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some(start) = rest.find("${") {
            result.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let end = after.find('}').ok_or_else(|| StackError::new(format!("a ${{ isn't closed in {pattern:?}")))?;
            let name = &after[..end];
            if let Some(literal) = name.strip_prefix('!') {
                result.extend(["${", literal, "}"]);
            } else {
                result.push_str(&self.named(name, names)?);
            }
            rest = &after[end + 1..];
        }
        result.push_str(rest);
        Ok(result)
    }

    fn named(&self, name: &str, names: &Map<String, Value>) -> Result<String> {
        match (names.get(name), name.split_once('.')) {
            (Some(value), _) => {
                text(&self.value(value)?).ok_or_else(|| StackError::new(format!("{name} in Fn::Sub isn't a text")))
            }
            (None, Some((resource, attribute))) => self.attribute(resource, attribute),
            (None, None) => self.reference(name),
        }
    }
}

/// The function and its argument, if the map is a call of one.
pub(super) fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}
