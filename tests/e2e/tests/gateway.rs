//! The door of the API: who gets through it, and what is said to who doesn't.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Reply, Stack};
use serde_json::json;

/// API Gateway's limit of a request.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// What API Gateway says itself, in place of the function.
fn message(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["message"].as_str().unwrap_or_default().to_owned())
}

fn said(status: u16, message: &str) -> (u16, String) {
    (status, message.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_valid_token_with_the_scope_reaches_the_function() {
    let stack = Stack::start(&[]).await;
    let users = "/v1/users";

    let all = stack.caller(&[]).get(users).await;
    assert!(all.status != StatusCode::UNAUTHORIZED && all.status != StatusCode::FORBIDDEN, "{all:?}");
    assert_eq!(all.json().get("message"), None, "the function's answer, not the gateway's: {all:?}");
    assert_eq!(all.header("apigw-requestid").len(), 16, "{all:?}");

    let none = stack.stranger().get(users).await;
    assert_eq!(message(&none), said(401, "Unauthorized"));
    assert_eq!(none.header("www-authenticate"), "Bearer");
    let expired = stack.caller_claiming(&json!({ "exp": 1 })).get(users).await;
    assert_eq!(message(&expired), said(401, "Unauthorized"));
    assert!(expired.header("www-authenticate").contains("expired"), "{expired:?}");
    let reader = stack.caller_claiming(&json!({ "scope": "rollcall/users.read openid" }));
    assert_ne!(reader.get(users).await.status, StatusCode::FORBIDDEN);
    let write = reader.ask(Method::POST, users, &[("content-type", "application/json")], "{}").await;
    assert_eq!(message(&write), said(403, "Forbidden"));
    assert!(write.header("www-authenticate").contains("rollcall/users.write"), "{write:?}");
    let elsewhere = Stack::start(&[]).await.caller(&[]);
    let foreign = [("authorization", elsewhere.token().expect("a token"))];
    let foreign = stack.stranger().ask(Method::GET, users, &foreign, Body::empty()).await;
    assert_eq!(message(&foreign), said(401, "Unauthorized"), "another stack's token");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_route_is_not_found_and_what_is_too_large_is_not_read() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&[]);
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/v1"),
        (Method::GET, "/v1/users/"),
        (Method::PUT, "/v1/users"),
        (Method::HEAD, "/v1/users"),
        (Method::OPTIONS, "/v1/users"),
    ] {
        let reply = caller.ask(method.clone(), path, &[], Body::empty()).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let elsewhere = caller.ask(Method::GET, "/v1/users", &[("host", "example.com")], Body::empty()).await;
    assert_eq!(message(&elsewhere), said(403, "Forbidden"), "another host");
    assert_eq!(message(&stack.stranger().get("/v1/nothing").await), said(404, "Not Found"), "whoever asks");
    let large = caller.ask(Method::POST, "/v1/users", &[], vec![b' '; MAX_BODY + 1]).await;
    assert_eq!(message(&large), said(413, "Request Entity Too Large"));
    // API Gateway would take it, Lambda doesn't.
    let large = caller.ask(Method::POST, "/v1/users", &[], vec![b' '; MAX_BODY]).await;
    assert_eq!(message(&large), said(413, "Request Entity Too Large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_tells_its_key_as_a_provider_does() {
    let stack = Stack::start(&[]).await;
    let stranger = stack.stranger();
    let discovery = stranger.get("/.well-known/openid-configuration").await.json();
    let issuer = discovery["issuer"].as_str().expect("an issuer");
    assert_eq!(issuer, stack.output("ApiUrl"));
    let keys = discovery["jwks_uri"].as_str().and_then(|keys| keys.strip_prefix(issuer)).expect("a path of the issuer");
    let keys = stranger.get(keys).await.json();
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["alg"]), (&"RSA".into(), &"RS256".into()));
    assert_eq!(keys["keys"][0].get("d"), None, "the private part stays private");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_what_the_function_reads() {
    let stack = Stack::start(&[]).await;
    stack.create_users(2).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let user = "/v1/users/user1";
    let patch = r#"{"designation":"Täam lead"}"#;
    for (number, kind) in
        ["application/merge-patch+json", "application/json", "text/plain", "image/png", ""].into_iter().enumerate()
    {
        // Those that are no text for API Gateway come in base64.
        let headers = [("content-type", kind), ("if-match", &*format!("\"{}\"", number + 1))];
        let body = patch.replace("lead", &format!("lead {number}"));
        let reply = caller.ask(Method::PATCH, user, &headers[usize::from(kind.is_empty())..], body).await;
        assert_eq!(reply.json()["designation"], format!("Täam lead {number}"), "{kind}");
    }
    for kind in ["application/json", "image/png"] {
        let broken = caller.ask(Method::PATCH, user, &[("content-type", kind)], &b"{\"name\":\"\xff\"}"[..]).await;
        assert_eq!((broken.status.as_u16(), &broken.json()["code"]), (400, &"MALFORMED_JSON".into()), "{kind}");
    }
    // Headers of one name are one, with commas between.
    let twice = [("if-none-match", "\"1\""), ("if-none-match", "\"6\"")];
    assert_eq!(caller.ask(Method::GET, user, &twice, Body::empty()).await.status, StatusCode::NOT_MODIFIED);
    let cookies = [("cookie", "a=1; b=\"2\""), ("cookie", "c")];
    assert_eq!(caller.ask(Method::GET, user, &cookies, Body::empty()).await.status, StatusCode::OK);
    for query in ["search=the+user2", "search=The%20user2", "search=user2&limit=%31", "limit=1&search=%75ser2&"] {
        let found = caller.get(&format!("/v1/users?{query}")).await.json();
        assert_eq!(found["items"][0]["login"], "user2", "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_the_limits_of_whoever_reads_it() {
    const MEGABYTE: usize = 1024 * 1024;
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&[]);
    let send = async |kind: &str, bytes: usize| {
        let reply = caller.ask(Method::POST, "/v1/users", &[("content-type", kind)], vec![b' '; bytes]).await;
        let json = reply.json();
        (reply.status.as_u16(), json["code"].as_str().or(json["message"].as_str()).unwrap_or_default().to_owned())
    };
    assert_eq!(send("application/json", 2 * MEGABYTE).await, said(400, "MALFORMED_JSON"));
    assert_eq!(send("application/json", 2 * MEGABYTE + 1).await, said(413, "TOO_LARGE"), "the function's limit");
    assert_eq!(send("application/json", 5 * MEGABYTE).await, said(413, "TOO_LARGE"));
    // Lambda's limit is one of the event, where base64 makes four bytes of three.
    assert_eq!(send("image/png", 5 * MEGABYTE).await, said(413, "Request Entity Too Large"));
    assert_eq!(send("application/json", 6 * MEGABYTE).await, said(413, "Request Entity Too Large"));
}
