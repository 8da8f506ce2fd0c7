//! What the console knows of the contract: types, made of it, that an editor and `tsc` check its files against.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use axum::http::StatusCode;
use e2e::{Contract, Operation, contract};
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/console/web/api.d.ts");
/// Has the file written anew.
const WRITE: &str = "ROLLCALL_TYPES";
const ABOUT: &str = "// Made of infra/openapi.yaml by `cargo types`: change that, and run it.\n";

#[test]
fn types_of_the_console_are_those_of_the_contract() {
    let made = types(contract());
    if std::env::var_os(WRITE).is_some() {
        fs::write(FILE, &made).expect("the file is written");
    }
    let there = fs::read_to_string(FILE).expect("the types");
    let differs = made.lines().zip(there.lines()).position(|(made, there)| made != there);
    assert!(made == there, "they are made anew by `cargo types`; the first other line is {differs:?}");
}

fn types(contract: &Contract) -> String {
    let mut text = ABOUT.to_owned();
    let schemas = contract.document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        let _ = write!(text, "\nexport type {name} = {};\n", type_of(schema, 0));
    }
    text.push_str("\n/** What each route answers when all is well. */\nexport interface Answers {\n");
    for operation in &contract.operations {
        let path = operation.path.trim_start_matches("/v1/");
        let _ = writeln!(text, "  '{} {path}': {};", operation.method, answer(contract, operation));
    }
    text.push_str("}\n");
    text
}

/// The JSON that a route answers with; a file is a text.
fn answer(contract: &Contract, operation: &Operation) -> String {
    let successes = [StatusCode::OK, StatusCode::CREATED, StatusCode::ACCEPTED, StatusCode::NO_CONTENT];
    let types: BTreeSet<String> = successes
        .into_iter()
        .filter_map(|status| contract.response(operation, status))
        .map(|response| {
            let content = &response["content"];
            let schema = &content["application/json"]["schema"];
            match (schema.is_null(), content.is_null()) {
                (false, _) => type_of(schema, 1),
                (true, false) => "string".to_owned(),
                (true, true) => "null".to_owned(),
            }
        })
        .collect();
    types.into_iter().collect::<Vec<_>>().join(" | ")
}

/// A schema as TypeScript says it. What TypeScript can't say, such as patterns and bounds, is left out.
fn type_of(schema: &Value, depth: usize) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if schema["properties"].is_object() || schema["additionalProperties"].is_object() {
        let nullable = schema["type"].as_array().is_some_and(|types| types.contains(&"null".into()));
        return object(schema, depth) + if nullable { " | null" } else { "" };
    }
    for (word, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema[word].as_array() {
            return parts.iter().map(|part| type_of(part, depth)).collect::<Vec<_>>().join(between);
        }
    }
    match &schema["type"] {
        Value::Array(types) => {
            let types: Vec<String> = types.iter().filter_map(|one| simple(one, schema, depth)).collect();
            types.join(" | ")
        }
        one => simple(one, schema, depth).unwrap_or_else(|| "unknown".to_owned()),
    }
}

fn simple(name: &Value, schema: &Value, depth: usize) -> Option<String> {
    match name.as_str()? {
        "integer" | "number" => Some("number".to_owned()),
        "array" => Some(format!("Array<{}>", type_of(&schema["items"], depth))),
        "object" => Some("Record<string, unknown>".to_owned()),
        name => Some(name.to_owned()),
    }
}

fn object(schema: &Value, depth: usize) -> String {
    let Some(properties) = schema["properties"].as_object() else {
        return format!("Record<string, {}>", type_of(&schema["additionalProperties"], depth));
    };
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    let fields = properties.iter().map(|(name, field)| {
        let optional = if required.contains(&name.as_str().into()) { "" } else { "?" };
        let plain = name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
        let name = if plain { name.clone() } else { format!("{name:?}") };
        format!("{inner}{name}{optional}: {};\n", type_of(field, depth + 1))
    });
    format!("{{\n{}{outer}}}", fields.collect::<String>())
}
