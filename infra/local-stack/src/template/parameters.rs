//! The template's parameters: defaults, overrides, and the limits that the template puts on both.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use super::text;
use crate::error::{Context, Result, StackError};

/// The value of every parameter. An override must name a parameter that the template declares.
pub(super) fn resolve(template: &Value, overrides: &[(String, String)]) -> Result<BTreeMap<String, String>> {
    let no_parameters = serde_json::Map::new();
    let declared = template["Parameters"].as_object().unwrap_or(&no_parameters);
    if let Some((name, _)) = overrides.iter().find(|(name, _)| !declared.contains_key(name)) {
        let known: Vec<_> = declared.keys().map(String::as_str).collect();
        return Err(StackError::new(format!("the template has no parameter {name}; it has {}", known.join(", "))));
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let given = overrides.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let value = given
            .or_else(|| text(&declaration["Default"]))
            .ok_or_else(|| StackError::new(format!("parameter {name} has no default: give it a value")))?;
        check(name, &value, declaration)?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn check(name: &str, value: &str, declaration: &Value) -> Result<()> {
    let refuse = |why: String| Err(StackError::new(format!("parameter {name} can't be {value:?}: {why}")));

    if let Some(allowed) = declaration["AllowedValues"].as_array() {
        let allowed: Vec<_> = allowed.iter().filter_map(text).collect();
        if !allowed.iter().any(|one| one == value) {
            let meaning = text(&declaration["ConstraintDescription"]);
            return refuse(meaning.map_or_else(
                || format!("it must be one of {}", allowed.join(", ")),
                |meaning| format!("it must be {meaning}"),
            ));
        }
    }
    if let Some(pattern) = text(&declaration["AllowedPattern"]) {
        // CloudFormation's pattern covers the whole value.
        let whole = Regex::new(&format!("^(?:{pattern})$"))
            .context(format!("the AllowedPattern of parameter {name} can't be read"))?;
        if !whole.is_match(value) {
            let meaning = text(&declaration["ConstraintDescription"]);
            return refuse(
                meaning.map_or(format!("it must match {pattern}"), |meaning| format!("it must be {meaning}")),
            );
        }
    }
    let length = value.chars().count() as u64;
    if let Some(least) = declaration["MinLength"].as_u64().filter(|least| length < *least) {
        return refuse(format!("it must have at least {least} characters"));
    }
    if let Some(most) = declaration["MaxLength"].as_u64().filter(|most| length > *most) {
        return refuse(format!("it must have at most {most} characters"));
    }
    if declaration["Type"] == "Number" {
        let Ok(number) = value.parse::<f64>() else {
            return refuse("it must be a number".to_owned());
        };
        if let Some(least) = declaration["MinValue"].as_f64().filter(|least| number < *least) {
            return refuse(format!("it must be at least {least}"));
        }
        if let Some(most) = declaration["MaxValue"].as_f64().filter(|most| number > *most) {
            return refuse(format!("it must be at most {most}"));
        }
    }
    Ok(())
}
