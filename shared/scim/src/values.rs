//! Values as they are sent and as they are kept.

use serde_json::Value;

use crate::{
    error::{ScimError, ScimType},
    filter::entry,
    names,
};

pub(crate) fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

pub(crate) fn single(value: Value) -> Value {
    match value {
        Value::Array(mut values) if values.len() == 1 => values.remove(0),
        value => value,
    }
}

/// A flag of a value. One that can't be read is kept as it is: it means nothing here.
pub(crate) fn flag(value: Value) -> Value {
    boolean(&value).map_or(value, Value::Bool)
}

/// A boolean, also as the text that Entra ID sends.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::Array(values) if values.len() == 1 => boolean(&values[0]),
        Value::Object(parts) => entry(parts, "value").and_then(boolean),
        _ => None,
    }
}

/// Whether a user may be here. **A text counts as what it says**: a server that refuses it leaves leavers in.
pub(crate) fn active(value: &Value) -> Result<Value, ScimError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let read = boolean(value).map(Value::Bool);
    read.ok_or_else(|| ScimError::bad(ScimType::InvalidValue, "active must be true or false."))
}

/// A value without nulls, with the RFC's spelling of names, and with flags as booleans.
pub(crate) fn normalized(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(name, value)| match names::spelled(&name) {
                name if name == "primary" => (name, flag(value)),
                name => (name, normalized(value)),
            });
            Value::Object(fields.collect())
        }
        Value::Array(values) => values.into_iter().filter(|value| !value.is_null()).map(normalized).collect(),
        plain => plain,
    }
}
