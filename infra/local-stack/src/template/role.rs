//! What the functions of a template may do: the statements of their roles, in IAM's words
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>).

use serde_json::Value;

use super::{Properties, Reader, text};
use crate::error::{Context, Result, StackError};

/// A statement of a policy, which allows something.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Actions such as `dynamodb:GetItem`.
    pub actions: Vec<String>,
    /// Patterns of ARNs.
    pub resources: Vec<String>,
    /// Keys of the request, each with the values that it may have.
    pub conditions: Vec<(String, Vec<String>)>,
}

/// Elements that would change what a statement means.
const NOT_READ: [&str; 4] = ["NotAction", "NotResource", "Principal", "NotPrincipal"];

impl Reader<'_> {
    /// The statements of a function's role: those of the role that it names, or of its own `Policies`, of which SAM makes one.
    pub(super) fn statements(&self, function: &Properties) -> Result<Vec<Statement>> {
        let own = function.get("Policies")?;
        let mut documents: Vec<Value> = own.as_array().cloned().unwrap_or_default();
        if let Some(id) = function.raw["Role"]["Fn::GetAtt"][0].as_str() {
            documents.extend(self.documents(id).context(format!("its role {id}"))?);
        }
        let mut statements = Vec::new();
        for document in &documents {
            let listed = document["Statement"].as_array().ok_or_else(|| {
                StackError::new(format!("a policy must list its statements on this machine, unlike {document}"))
            })?;
            for one in listed {
                statements.push(statement(one).context(format!("the statement {}", one["Sid"]))?);
            }
        }
        Ok(statements)
    }

    fn documents(&self, role_id: &str) -> Result<Vec<Value>> {
        let role = &self.template["Resources"][role_id];
        if role["Type"] != "AWS::IAM::Role" {
            return Err(StackError::new("the template has no such role"));
        }
        let properties = Properties { evaluator: &self.evaluator, raw: &role["Properties"] };
        if !properties.get("ManagedPolicyArns")?.is_null() {
            return Err(StackError::new("ManagedPolicyArns aren't known on this machine"));
        }
        let policies = properties.get("Policies")?;
        Ok(policies.as_array().into_iter().flatten().map(|policy| policy["PolicyDocument"].clone()).collect())
    }
}

fn statement(statement: &Value) -> Result<Statement> {
    if let Some(element) = NOT_READ.iter().find(|element| !statement[**element].is_null()) {
        return Err(StackError::new(format!("{element} can't be judged on this machine")));
    }
    if statement["Effect"] != "Allow" {
        return Err(StackError::new("only what is allowed can be judged on this machine"));
    }
    let mut conditions = Vec::new();
    for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
        if operator != "StringEquals" {
            return Err(StackError::new(format!("the condition {operator} can't be judged on this machine")));
        }
        for (key, values) in keys.as_object().into_iter().flatten() {
            conditions.push((key.clone(), one_or_many(values)));
        }
    }
    let statement = Statement {
        actions: one_or_many(&statement["Action"]),
        resources: one_or_many(&statement["Resource"]),
        conditions,
    };
    if statement.actions.is_empty() || statement.resources.is_empty() {
        return Err(StackError::new("a statement needs an Action and a Resource"));
    }
    Ok(statement)
}

pub(super) fn one_or_many(value: &Value) -> Vec<String> {
    match value {
        Value::Array(many) => many.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}
