//! What of DynamoDB's JSON the stub reads and writes. Whatever is put otherwise than here is none of its business.

use std::collections::{BTreeSet, HashMap};

use axum::http::StatusCode;
use rollcall_model::caller_id::CallerId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lists::Write;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGet {
    request_items: HashMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "PK")]
    pk: Text,
    #[serde(rename = "SK")]
    sk: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    s: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    statement: String,
    parameters: Vec<Attribute>,
}

#[derive(Deserialize)]
enum Attribute {
    S(String),
    N(String),
    #[serde(rename = "SS")]
    Set(Vec<CallerId>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    key: Key,
    #[serde(rename = "UpdateExpression")]
    expression: String,
    expression_attribute_values: HashMap<String, Attribute>,
}

/// A key's partition, with the number of its user, if it is one of the stub's.
pub(super) type Asked = (String, Option<usize>);

/// The table, and who of it is asked for.
pub(super) fn batch_get(body: &[u8]) -> Option<(String, Vec<Asked>)> {
    let request: BatchGet = serde_json::from_slice(body).ok()?;
    let (table, Keys { keys }) = request.request_items.into_iter().next()?;
    if keys.iter().any(|key| key.sk.s != USER) {
        return None;
    }
    let keys = keys.into_iter().map(|key| {
        let user = user_of(&key.pk.s);
        (key.pk.s, user)
    });
    Some((table, keys.collect()))
}

/// A user's item, as far as a job reads it.
pub(super) fn item(pk: &str, list: &BTreeSet<CallerId>) -> Value {
    let mut item = json!({ "PK": { "S": pk }, "policy": { "S": "custom" } });
    if !list.is_empty() {
        item["caller_ids"] = json!({ "SS": list.iter().map(ToString::to_string).collect::<Vec<_>>() });
    }
    item
}

pub(super) fn items(table: &str, items: &[Value]) -> String {
    json!({ "Responses": { table: items }, "UnprocessedKeys": {} }).to_string()
}

/// Numbers that come onto a user's list, if that has so many at most before: `None` where nothing was said of it.
pub(super) type Append = (Option<usize>, Vec<CallerId>, Option<usize>);

/// The appends of a batch of statements.
pub(super) fn appends(body: &[u8]) -> Option<Vec<Append>> {
    let batch: Batch = serde_json::from_slice(body).ok()?;
    let append = |statement: Statement| {
        let appends = statement.statement.contains("SET caller_ids = set_add(caller_ids, ?)");
        let mut parameters = statement.parameters.into_iter();
        let Some(Attribute::Set(numbers)) = parameters.next() else { return None };
        let mut texts = Vec::new();
        let room = loop {
            match parameters.next() {
                // Who did it, which not everybody says; and the key.
                Some(Attribute::S(text)) => texts.push(text),
                Some(Attribute::N(room)) => break Some(room.parse().ok()?),
                Some(Attribute::Set(_)) => return None,
                None => break None,
            }
        };
        let ([pk, sk] | [_, pk, sk]) = &texts[..] else { return None };
        (appends && sk == USER && parameters.next().is_none()).then(|| (user_of(pk), numbers, room))
    };
    batch.statements.into_iter().map(append).collect()
}

pub(super) fn statement_answer(write: &Write) -> Value {
    let error = |code: &str, message: &str| json!({ "Error": { "Code": code, "Message": message } });
    match write {
        Write::Done => json!({}),
        Write::Refused => error("ConditionalCheckFailed", UNMET),
        Write::PutOff => error("ThrottlingError", EXCEEDED),
    }
}

pub(super) fn statement_answers(answers: &[Value]) -> String {
    json!({ "Responses": answers }).to_string()
}

/// The user and the numbers of an update that adds to a list.
pub(super) fn update(body: &[u8]) -> Option<(Option<usize>, Vec<CallerId>)> {
    let update: Update = serde_json::from_slice(body).ok()?;
    let numbers = update.expression_attribute_values.into_values().next();
    match numbers {
        Some(Attribute::Set(numbers))
            if update.key.sk.s == USER && update.expression.starts_with("ADD caller_ids ") =>
        {
            Some((user_of(&update.key.pk.s), numbers))
        }
        _ => None,
    }
}

pub(super) fn update_answer(write: &Write) -> (StatusCode, String) {
    let error = |kind: &str, message: &str| {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
        (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": message }).to_string())
    };
    match write {
        Write::Done => (StatusCode::OK, "{}".to_owned()),
        Write::Refused => error("ConditionalCheckFailedException", UNMET),
        Write::PutOff => error("ThrottlingException", EXCEEDED),
    }
}

const USER: &str = "USER";
const UNMET: &str = "The conditional request failed";
const EXCEEDED: &str = "Throughput exceeds the current capacity of your table or index.";

/// The number of the user whose partition this is.
fn user_of(pk: &str) -> Option<usize> {
    pk.rsplit_once("#USER#user")?.1.parse().ok()
}
