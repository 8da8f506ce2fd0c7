//! The policies of a template's queues: whether EventBridge may send there, and whether SQS would take them.
//!
//! Nothing here is needed for the local stack to route events. It is held all the same, since on AWS an event that a queue refuses
//! is lost without an error anywhere.

use serde_json::Value;

use super::role::one_or_many;
use super::{Properties, Reader, text};
use crate::error::{Context, Result, StackError};

/// The service that sends the events of a rule.
const SERVICE: &str = "events.amazonaws.com";

/// Holds a queue's policy against what SQS takes.
///
/// # Errors
/// If a statement names another queue than the one that has the policy. SQS: "Each policy must cover only a single queue".
/// `"*"` stands for the policy's own queue.
pub(super) fn check_queue_policy(policy: &Properties) -> Result<()> {
    let queues = policy.get("Queues")?;
    let queues = queues.as_array().map(Vec::as_slice).unwrap_or_default();
    for statement in statements(&policy.get("PolicyDocument")?) {
        for resource in one_or_many(&statement["Resource"]) {
            if resource != "*" && queues.iter().any(|url| !is_of(&resource, url)) {
                return Err(StackError::new(format!(
                    "the statement {} names {resource}, and the policy belongs to {} queues: SQS takes a policy of one queue",
                    statement["Sid"],
                    queues.len()
                )));
            }
        }
    }
    Ok(())
}

impl Reader<'_> {
    /// Holds that a rule may send to a queue.
    ///
    /// # Errors
    /// If no policy of the queue lets EventBridge send there for this rule.
    pub(super) fn rule_may_send(&self, rule_arn: &str, queue_arn: &str) -> Result<()> {
        for resource in self.template["Resources"].as_object().into_iter().flatten().map(|(_, resource)| resource) {
            if resource["Type"] != "AWS::SQS::QueuePolicy" {
                continue;
            }
            let policy = Properties { evaluator: &self.evaluator, raw: &resource["Properties"] };
            let queues = policy.get("Queues").context("a policy of queues")?;
            let is_its = queues.as_array().is_some_and(|urls| urls.iter().any(|url| is_of(queue_arn, url)));
            let lets = |statement: &Value| {
                statement["Effect"] == "Allow"
                    && one_or_many(&statement["Principal"]["Service"]).iter().any(|one| one == SERVICE)
                    && one_or_many(&statement["Action"]).iter().any(|one| one == "sqs:SendMessage")
                    && one_or_many(&statement["Resource"]).iter().any(|one| one == queue_arn || one == "*")
                    && one_or_many(&statement["Condition"]["ArnEquals"]["aws:SourceArn"])
                        .iter()
                        .any(|one| one == rule_arn)
            };
            if is_its && statements(&policy.get("PolicyDocument")?).iter().any(lets) {
                return Ok(());
            }
        }
        Err(StackError::new(format!("no policy of {queue_arn} lets {SERVICE} send there for {rule_arn}")))
    }
}

fn statements(document: &Value) -> Vec<Value> {
    document["Statement"].as_array().cloned().unwrap_or_default()
}

/// Whether an ARN and a URL are of the same queue: both end with its name.
fn is_of(arn: &str, url: &Value) -> bool {
    let name = arn.rsplit(':').next().unwrap_or_default();
    text(url).is_some_and(|url| url.rsplit('/').next() == Some(name))
}
