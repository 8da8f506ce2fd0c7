//! What a switch asks the API, by login ID and by extension.

use axum::http::{Method, StatusCode};
use e2e::Stack;
use serde_json::{Value, json};

use super::{CHECK, furnish};

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_knows_extensions_is_told_the_same() {
    let stack = Stack::start(&[]).await;
    let owner = furnish(&stack).await;
    let switch = stack.caller(&["--account", stack.account.as_str(), "--scope", CHECK]);
    let ask = async |path: &str| switch.get(&format!("/v1/{path}")).await;
    for number in ["+919876500001", "+919876500002", "+919876500099"] {
        let by_login = ask(&format!("users/user1/caller-ids/{number}?suggest=true")).await;
        let told = ask(&format!("extensions/DESK-1/caller-ids/{number}?suggest=true")).await;
        assert_eq!((told.status, told.json()), (StatusCode::OK, by_login.json()), "{number}");
        assert_eq!(told.header("rollcall-allowed"), by_login.header("rollcall-allowed"));
        assert_eq!(told.header("rollcall-use"), by_login.header("rollcall-use"));
    }
    let unknown = json!({ "allowed": false, "code": "USER_UNKNOWN", "state": "active" });
    assert_eq!(ask("extensions/999/caller-ids/+919876500001").await.json(), unknown);
    assert_eq!(ask("extensions/-/caller-ids/-?extension=desk-1&number=%2B919876500001").await.json()["allowed"], true);
    for wrong in ["extensions/desk-1/caller-ids/d%2A%7C", "extensions/desk%20%201/caller-ids/+919876500001"] {
        assert_eq!(ask(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let reader = stack.caller(&["--account", stack.account.as_str(), "--scope", "rollcall/users.read"]);
    let refused = reader.get("/v1/extensions/desk-1/caller-ids/+919876500001").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(ask("extensions").await.status, StatusCode::FORBIDDEN);

    // Who has it now is asked about, and not who had it.
    let moved = async |login: &str, extension: Value| {
        let path = format!("/v1/users/{login}");
        let reply = owner.ask(Method::PATCH, &path, &[], json!({ "extension": extension }).to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    };
    moved("user1", Value::Null).await;
    assert_eq!(ask("extensions/desk-1/caller-ids/+919876500001").await.json(), unknown);
    moved("user2", json!({ "login": "desk-1", "intercom": "7" })).await;
    let told = ask("extensions/desk-1/caller-ids/+919876500001").await.json();
    assert_eq!(told["code"], "NUMBER_NOT_ON_LIST");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_given_to_who_would_rather_have_them_and_say_how_long_they_are_good() {
    let stack = Stack::start(&[]).await;
    let owner = furnish(&stack).await;
    owner.ask(Method::PATCH, "/v1/users/user2", &[], json!({ "name": "Ravi" }).to_string()).await;
    let switch = stack.caller(&["--account", stack.account.as_str(), "--scope", CHECK]);
    for (accept, number, kind, body) in [
        ("text/plain", "+919876500001", "text/plain; charset=utf-8", "allowed"),
        ("text/plain", "+919876500002", "text/plain; charset=utf-8", "refused NUMBER_NOT_ON_LIST +919876500001"),
        (
            "text/plain;q=0.1, application/json",
            "+919876500001",
            "application/json",
            r#"{"allowed":true,"state":"active"}"#,
        ),
        ("*/*", "+919876500001", "application/json", r#"{"allowed":true,"state":"active"}"#),
    ] {
        let path = format!("/v1/users/user1/caller-ids/{number}?suggest=true");
        let reply = switch.ask(Method::GET, &path, &[("accept", accept)], "").await;
        assert_eq!((reply.header("content-type"), &*reply.text()), (kind, body), "{accept}");
        let (allowed, keep) = if number.ends_with('1') { ("yes", 5) } else { ("no", 2) };
        assert_eq!(reply.header("rollcall-allowed"), allowed);
        assert_eq!(reply.header("cache-control"), format!("private, max-age={keep}"));
        assert_eq!(reply.header("vary"), "accept");
    }
}
