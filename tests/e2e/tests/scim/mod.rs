//! SCIM 2.0: a company's directory pushes its users in, by what Entra ID and Okta really send.

mod groups;
mod keys;
mod leavers;
mod payloads;
mod repeats;
mod settings;
mod traps;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use e2e::Stack;
use serde_json::Value;

/// The ID of a user.
fn id_of(login: &str) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(login)
}

/// Everything that the table holds, by key; but for what was refused, which is noted for people to see.
async fn table(stack: &Stack) -> BTreeMap<(String, String), String> {
    let scan = stack.table().scan().table_name(stack.output("TableName")).consistent_read(true);
    let mut items = scan.into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(item) = items.next().await {
        let item = item.expect("the table is read");
        let text = |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
        let key = (text("PK").unwrap_or_default(), text("SK").unwrap_or_default());
        if key.0.ends_with("#SCIMERRORS") {
            continue;
        }
        let sorted: BTreeMap<_, _> = item.iter().collect();
        found.insert(key, format!("{sorted:?}"));
    }
    found
}

/// The user as the API shows it.
async fn user(stack: &Stack, login: &str) -> Value {
    let reply = stack.caller(&["--account", "acme"]).get(&format!("/v1/users/{login}")).await;
    assert!(reply.status.is_success(), "{login}: {}", reply.text());
    reply.json()
}
