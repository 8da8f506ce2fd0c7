//! The directory's API through its door, route by route, with real tokens.

mod caller_ids;
mod idempotency;
mod inventory;
mod jobs;
mod locations;
mod many;
mod users;

use axum::http::{Method, StatusCode};
use e2e::{Caller, Reply, Stack};
use serde_json::Value;

const JSON: (&str, &str) = ("content-type", "application/json");

async fn start() -> (Stack, Caller) {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", "acme"]);
    (stack, caller)
}

async fn get(caller: &Caller, path: &str) -> Reply {
    caller.get(path).await
}

async fn send(caller: &Caller, method: Method, path: &str, body: &Value) -> Reply {
    caller.ask(method, path, &[JSON], body.to_string()).await
}

async fn post(caller: &Caller, path: &str, body: &Value) -> Reply {
    send(caller, Method::POST, path, body).await
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("a page").iter().map(|item| item["login"].as_str().expect("a login ID")).collect()
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
}

async fn create(caller: &Caller, user: Value) {
    let reply = post(caller, "/v1/users", &user).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.json());
}
