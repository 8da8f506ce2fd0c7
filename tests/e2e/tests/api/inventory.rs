//! `/v1/numbers`, and the lists of roles, departments and teams.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{JSON, code, get, post, send, start};

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_added_edited_and_paged() {
    let (_stack, caller) = start().await;
    let numbers: Vec<_> =
        (0..5).map(|last| json!({ "number": format!("+91987654321{last}"), "labels": ["new"] })).collect();
    let body = json!({ "numbers": numbers });
    assert_eq!(post(&caller, "/v1/numbers", &body).await.status, StatusCode::CREATED);
    assert_eq!(post(&caller, "/v1/numbers", &body).await.json()["taken"].as_array().unwrap().len(), 5);

    let path = "/v1/numbers/+919876543210";
    let number = get(&caller, path).await;
    assert_eq!(
        (&number.json()["state"], &number.headers["etag"]),
        (&json!("active"), &axum::http::HeaderValue::from_static("\"1\""))
    );
    let rest = json!({ "state": "resting", "resting_until": "2027-02-03" });
    assert_eq!(send(&caller, Method::PATCH, path, &rest).await.json()["resting_until"], "2027-02-03");
    let half = send(&caller, Method::PATCH, path, &json!({ "state": "active" })).await;
    assert_eq!((code(&half), half.json()["pointer"].clone()), ((422, "INVALID_FIELD".into()), json!("/resting_until")));
    let stale = caller.ask(Method::PATCH, path, &[JSON, ("if-match", "\"1\"")], r#"{"labels":[]}"#).await;
    assert_eq!(code(&stale), (412, "VERSION_CONFLICT".into()));

    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = get(&caller, &format!("/v1/numbers?limit=2{next}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(code(&get(&caller, "/v1/numbers/+911").await).0, 404);
    let twice = json!({ "numbers": [{ "number": "+919876543219" }, { "number": "+919876543219", "state": "new" }] });
    let refused = post(&caller, "/v1/numbers", &twice).await;
    assert_eq!(
        (code(&refused), refused.json()["pointer"].clone()),
        ((422, "INVALID_FIELD".into()), json!("/numbers/1/number"))
    );
    let wrong = json!({ "numbers": [{ "number": "+919876543219" }, { "number": "98765" }] });
    let refused = post(&caller, "/v1/numbers", &wrong).await;
    assert_eq!(
        (code(&refused), refused.json()["pointer"].clone()),
        ((422, "INVALID_FIELD".into()), json!("/numbers/1/number"))
    );
    assert_eq!(get(&caller, "/v1/numbers/+919876543219").await.status, StatusCode::NOT_FOUND, "nothing half-done");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_departments_and_teams_are_named_listed_and_taken_away() {
    let (_stack, caller) = start().await;
    for kind in ["roles", "departments", "teams"] {
        for (id, name) in [("b", "Bee"), ("a", "Ay"), ("b", "Be")] {
            let put = send(&caller, Method::PUT, &format!("/v1/{kind}/{id}"), &json!({ "name": name })).await;
            assert_eq!(put.status, StatusCode::OK);
        }
        let list = get(&caller, &format!("/v1/{kind}")).await.json();
        assert_eq!(list["items"], json!([{ "id": "a", "name": "Ay" }, { "id": "b", "name": "Be" }]));
        assert_eq!(caller.ask(Method::DELETE, &format!("/v1/{kind}/a"), &[], "").await.status, StatusCode::NO_CONTENT);
        assert_eq!(get(&caller, &format!("/v1/{kind}")).await.json()["items"].as_array().unwrap().len(), 1);
    }
}
