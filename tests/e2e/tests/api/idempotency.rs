//! `Idempotency-Key`: a POST that comes again is carried out once.

use axum::http::{Method, StatusCode};
use rollcall_storage::directory::{IdempotencyRecord, RecordedResponse};
use serde_json::json;

use super::{JSON, code, get, names, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_an_idempotency_key_is_done_once() {
    let (stack, caller) = start().await;
    let keyed = async |body: &str, key: &str| {
        caller.ask(Method::POST, "/v1/users", &[JSON, ("idempotency-key", key)], body.to_owned()).await
    };
    let ana = r#"{"login":"ana","name":"Ana"}"#;
    let first = keyed(ana, "one").await;
    let second = keyed(ana, "one").await;
    assert_eq!((first.status, &first.body), (StatusCode::CREATED, &second.body));
    assert_eq!(second.headers["location"], first.headers["location"]);
    assert_eq!(code(&keyed(r#"{"login":"bob","name":"Bob"}"#, "one").await), (422, "IDEMPOTENCY_KEY_REUSED".into()));
    assert_eq!(code(&keyed(ana, "two").await), (409, "LOGIN_ID_TAKEN".into()));
    assert_eq!(code(&keyed(ana, &"x".repeat(200)).await), (400, "INVALID_PARAMETER".into()));

    // Somebody else with the same key is somebody else.
    let other = stack.caller(&["--account", "acme", "--subject", "bob@example.com"]);
    let theirs = other.ask(Method::POST, "/v1/users", &[JSON, ("idempotency-key", "one")], ana).await;
    assert_eq!(code(&theirs), (409, "LOGIN_ID_TAKEN".into()));

    let neighbour = stack.caller(&["--account", "other"]);
    let theirs = neighbour.ask(Method::POST, "/v1/users", &[JSON, ("idempotency-key", "one")], ana).await;
    assert_eq!(theirs.status, StatusCode::CREATED, "another account knows nothing of the key");
    assert_eq!(names(&get(&neighbour, "/v1/users").await.json()), ["ana"]);

    // All at once: one does it, and the others get its answer, or are told to wait for it.
    let numbers: Vec<_> = (0..100).map(|last| json!({ "number": format!("+9198765{last:05}") })).collect();
    let numbers = json!({ "numbers": numbers }).to_string();
    let asked =
        (0..8).map(|_| caller.ask(Method::POST, "/v1/numbers", &[JSON, ("idempotency-key", "many")], numbers.clone()));
    let answers = futures_util::future::join_all(asked).await;
    let done: Vec<_> = answers.iter().filter(|reply| reply.status == StatusCode::CREATED).collect();
    assert!(!done.is_empty());
    assert!(done.iter().all(|reply| reply.json()["added"].as_array().is_some_and(|added| added.len() == 100)));
    for reply in answers.iter().filter(|reply| reply.status != StatusCode::CREATED) {
        assert_eq!(code(reply), (409, "IDEMPOTENCY_IN_PROGRESS".into()));
    }

    // An answer that is too long to keep is given all the same.
    let junk = json!({ "caller_ids": vec!["x".repeat(250); 1_000] }).to_string();
    for _ in 0..2 {
        let reply = caller
            .ask(Method::POST, "/v1/users/ana/caller-ids", &[JSON, ("idempotency-key", "junk")], junk.clone())
            .await;
        assert_eq!(reply.json()["refused"].as_array().map(Vec::len), Some(1_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_once_until_its_request_dies_or_a_day_is_over() {
    const DAY: i64 = 24 * 60 * 60;
    let (stack, _) = start().await;
    let first = IdempotencyRecord { request: "first".into(), working_until: 130, given: None };
    let other = IdempotencyRecord { request: "other".into(), working_until: 130, given: None };
    let take = async |answer: &IdempotencyRecord, now: i64| {
        stack.directory.begin_request(&stack.account, "key", answer, now).await.expect("the table answers")
    };
    assert_eq!(take(&first, 100).await, None);
    assert_eq!(take(&first, 101).await, Some(first.clone()), "it is at work");
    assert_eq!(take(&other, 131).await, Some(first.clone()), "another request never gets the key");
    let second = IdempotencyRecord { working_until: 161, ..first.clone() };
    assert_eq!(take(&second, 131).await, None, "it has died");
    assert_eq!(take(&first, 132).await, Some(second.clone()), "one at a time");
    let given = RecordedResponse { status: 201, headers: Vec::new(), body: "{}".into() };
    let kept = IdempotencyRecord { given: Some(given), ..second };
    stack.directory.complete_request(&stack.account, "key", &kept, 140).await.expect("the table answers");
    assert_eq!(take(&first, 200).await, Some(kept.clone()), "an answer stays");
    assert_eq!(take(&first, 140 + DAY).await, Some(kept));
    assert_eq!(take(&other, 141 + DAY).await, None);
}
