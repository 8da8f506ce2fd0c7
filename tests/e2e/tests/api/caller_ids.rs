//! `/v1/users/{login}/caller-ids`.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{create, get, names, post, send, start};

#[tokio::test(flavor = "multi_thread")]
async fn caller_ids_are_appended_by_the_bulk_jobs_rules_removed_and_resolved() {
    let (stack, caller) = start().await;
    create(&caller, json!({ "login": "ana", "name": "Ana", "department": "sales" })).await;
    let numbers = json!({ "numbers": [
        { "number": "+919876543210", "department": "sales" },
        { "number": "+919876543211", "provider": "DID-7" },
        { "number": "+919876543212", "state": "retired" },
        { "number": "+919876543213", "state": "resting", "resting_until": "2027-01-01", "department": "sales" },
    ] });
    assert_eq!(post(&caller, "/v1/numbers", &numbers).await.json()["added"].as_array().unwrap().len(), 4);

    let path = "/v1/users/ana/caller-ids";
    let written = json!({ "caller_ids": ["98765 43210", "DID-7", "+919876543212", "9.8E9", "nope", "+12025550123", "9876543210"] });
    let reply = post(&caller, path, &written).await.json();
    assert_eq!(reply["added"], json!(["+919876543210", "+919876543211"]));
    let refused: Vec<_> =
        reply["refused"].as_array().unwrap().iter().map(|refused| refused["code"].as_str().unwrap()).collect();
    assert_eq!(refused, ["NUMBER_RETIRED", "NUMBER_SCIENTIFIC", "NUMBER_INVALID", "NUMBER_NOT_OWNED"]);
    assert_eq!(post(&caller, path, &written).await.json()["already_allowed"].as_array().unwrap().len(), 2);
    assert_eq!(stack.list("ana").await.unwrap().len(), 2);

    let first = get(&caller, path).await;
    assert_eq!(first.json()["effective"], json!(["+919876543210", "+919876543211"]));
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let same = caller.ask(Method::GET, path, &[("if-none-match", &tag)], "").await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);

    for (policy, effective) in [
        ("department", json!(["+919876543210"])),
        ("all", json!(["+919876543210", "+919876543211"])),
        ("custom", json!(["+919876543210", "+919876543211"])),
    ] {
        let put = send(&caller, Method::PUT, "/v1/users/ana/caller-id-policy", &json!({ "policy": policy })).await;
        assert_eq!(put.json()["policy"], policy);
        assert_eq!(get(&caller, path).await.json()["effective"], effective, "{policy}");
    }
    for _ in 0..2 {
        let removed = caller.ask(Method::DELETE, &format!("{path}/+919876543211"), &[], "").await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(stack.list("ana").await.unwrap(), ["+919876543210"]);
    let holders = get(&caller, "/v1/numbers/+919876543210/users").await.json();
    assert_eq!(names(&holders), ["ana"]);
    assert_eq!(names(&get(&caller, "/v1/numbers/+919876543211/users").await.json()), [""; 0]);
}
