//! At dial time: what a switch asks before it lets a call pass.

mod default;
mod edge;
mod process;
mod proxy;
mod routes;
mod sip;

use axum::http::Method;
use e2e::{Caller, Stack};
use serde_json::{Value, json};

/// All that a switch may do.
const CHECK: &str = "rollcall/dial.check";

/// An account with numbers and two users; `user1` has the extension `desk-1` and dials from the first number. Gives the door of who may do all.
async fn furnish(stack: &Stack) -> Caller {
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let send = async |path: &str, body: Value| {
        let reply = owner.ask(Method::POST, path, &[], body.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
    };
    let numbers: Vec<Value> = (1..=6).map(|last| json!({ "number": format!("+91987650000{last}") })).collect();
    send("/v1/numbers", json!({ "numbers": numbers })).await;
    for (login, extension) in [("user1", json!({ "login": "desk-1", "intercom": "1" })), ("user2", Value::Null)] {
        send("/v1/users", json!({ "login": login, "name": login, "extension": extension })).await;
    }
    send("/v1/users/user1/caller-ids", json!({ "caller_ids": ["+919876500001"] })).await;
    owner
}
