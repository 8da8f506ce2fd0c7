//! Changes (RFC 7644, section 3.5.2), in all forms that are sent: operations of any case, with or without a path, booleans as texts, keys
//! with dots or behind a schema.

use serde_json::{Map, Value};

use crate::{
    document::Document,
    error::{ScimError, ScimType},
    filter::entry,
    names::{self, PATCH_OP},
    path::Path,
};

/// Operations in one request.
pub const MAX_OPERATIONS: usize = 1_000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Adds to what is there.
    Add,
    /// Takes the place of what is there.
    Replace,
    /// Takes away.
    Remove,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What it does.
    pub verb: Verb,
    /// Where; `None` where the value names the attributes itself.
    pub path: Option<Path>,
    /// With what; `None` where none was sent.
    pub value: Option<Value>,
}

/// The operations of a request.
///
/// # Errors
/// [`ScimType::InvalidSyntax`] for what is no change, [`ScimType::TooMany`], [`ScimType::InvalidPath`], [`ScimType::NoTarget`],
/// [`ScimType::InvalidValue`], and [`ScimType::Mutability`] for what the server alone says.
pub fn operations(body: &Value) -> Result<Vec<Operation>, ScimError> {
    let syntax = |detail: &str| ScimError::bad(ScimType::InvalidSyntax, detail);
    let body = body.as_object().ok_or_else(|| syntax("The body must be an object."))?;
    if let Some(Value::Array(schemas)) = entry(body, "schemas")
        && !schemas.is_empty()
        && !schemas.iter().any(|schema| schema.as_str().is_some_and(|schema| schema.eq_ignore_ascii_case(PATCH_OP)))
    {
        return Err(syntax("The schema of a change is urn:ietf:params:scim:api:messages:2.0:PatchOp."));
    }
    let operations = entry(body, "Operations").and_then(Value::as_array);
    let operations = operations.filter(|operations| !operations.is_empty());
    let operations = operations.ok_or_else(|| syntax("Operations must be a list, and not empty."))?;
    if operations.len() > MAX_OPERATIONS {
        let detail = format!("A request has {MAX_OPERATIONS} operations at most.");
        return Err(ScimError::bad(ScimType::TooMany, detail));
    }
    operations
        .iter()
        .map(|one| operation(one.as_object().ok_or_else(|| syntax("An operation must be an object."))?))
        .collect()
}

fn operation(fields: &Map<String, Value>) -> Result<Operation, ScimError> {
    let verb = entry(fields, "op").and_then(Value::as_str).unwrap_or_default();
    let verb = match verb.to_ascii_lowercase().as_str() {
        "add" => Verb::Add,
        "replace" => Verb::Replace,
        "remove" => Verb::Remove,
        _ => return Err(ScimError::bad(ScimType::InvalidSyntax, "op must be add, replace or remove.")),
    };
    let path = match entry(fields, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => Some(Path::parse(text)?),
        Some(_) => return Err(ScimError::bad(ScimType::InvalidPath, "path must be a text.")),
    };
    if let Some(path) = &path
        && path.schema.is_none()
        && path.attribute.as_deref().is_some_and(|name| names::is_read_only(name) && name != "schemas")
    {
        let detail = format!("{} can't be changed.", path.attribute.as_deref().unwrap_or_default());
        return Err(ScimError::bad(ScimType::Mutability, detail));
    }
    let value = entry(fields, "value").cloned();
    match (verb, &path, &value) {
        (Verb::Remove, None, _) => Err(ScimError::bad(ScimType::NoTarget, "remove needs a path.")),
        (Verb::Add | Verb::Replace, _, None) => {
            Err(ScimError::bad(ScimType::InvalidValue, "add and replace need a value."))
        }
        (Verb::Add | Verb::Replace, None, Some(value)) if !value.is_object() => {
            Err(ScimError::bad(ScimType::InvalidValue, "Without a path, the value must be an object."))
        }
        _ => Ok(Operation { verb, path, value }),
    }
}

impl Document {
    /// The document with the changes, one after the other: all of them, or none.
    ///
    /// # Errors
    /// [`ScimType::InvalidValue`] for a value that means something and can't be.
    pub fn changed(&self, operations: &[Operation]) -> Result<Self, ScimError> {
        let mut after = self.clone();
        for Operation { verb, path, value } in operations {
            match (verb, path) {
                (Verb::Remove, Some(path)) => after.remove(path, value.clone().filter(|value| !value.is_null())),
                (Verb::Remove, None) => {}
                (Verb::Add | Verb::Replace, Some(path)) if path.is("schemas") => {}
                (Verb::Add | Verb::Replace, Some(path)) => {
                    after.set(path, value.clone().unwrap_or_default(), *verb == Verb::Add)?;
                }
                (Verb::Add | Verb::Replace, None) => {
                    if let Some(Value::Object(fields)) = value {
                        after.assign_all(fields.clone(), *verb == Verb::Add)?;
                    }
                }
            }
        }
        Ok(after)
    }
}

#[cfg(test)]
mod tests;
