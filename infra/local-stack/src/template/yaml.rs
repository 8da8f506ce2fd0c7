//! CloudFormation's YAML as JSON: every short tag (`!Ref x`) becomes its long form (`{"Ref": "x"}`).

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::error::{Context, Result, StackError};

/// Reads the one document of a template.
///
/// # Errors
/// If the text isn't YAML, isn't one document, or holds a key that isn't text.
pub(super) fn parse(text: &str) -> Result<Value> {
    let mut documents = Yaml::load_from_str(text).context("the template isn't YAML")?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => to_json(&document),
        _ => Err(StackError::new("the template must hold one YAML document")),
    }
}

fn to_json(node: &Yaml) -> Result<Value> {
    match node {
        Yaml::Value(scalar) => Ok(scalar_to_json(scalar)),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_text(key)?, to_json(value)?);
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(tag, inner) => Ok(long_form(&tag.suffix, &to_json(inner)?)),
        Yaml::Representation(text, ..) => Ok(Value::from(text.as_ref())),
        Yaml::Alias(_) | Yaml::BadValue => Err(StackError::new("the template holds a YAML value that can't be read")),
    }
}

fn key_text(key: &Yaml) -> Result<String> {
    match to_json(key)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(StackError::new(format!("the template has a key that isn't text: {other}"))),
    }
}

fn scalar_to_json(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::from(*flag),
        Scalar::Integer(number) => Value::from(*number),
        Scalar::FloatingPoint(number) => Value::from(number.into_inner()),
        Scalar::String(text) => Value::from(text.as_ref()),
    }
}

/// `!GetAtt A.B` is the only short form whose argument changes shape too.
fn long_form(tag: &str, argument: &Value) -> Value {
    match (tag, argument) {
        ("Ref" | "Condition", _) => json!({ tag: argument }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((path, ""));
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        _ => json!({ format!("Fn::{tag}"): argument }),
    }
}
