//! Everything that changes what a user may dial from.

use axum::http::{Method, StatusCode};
use e2e::{SmartfloTraps, rollcall, user};
use rollcall_model::{jobs::JobKind, settings::PhoneSystem};
use serde_json::json;

use super::{Phones, number};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_a_list_reaches_smartflo_in_the_order_that_was_told() {
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo) = (&phones.stack, &phones.smartflo);
    let n: Vec<String> = (0..4).map(number).collect();
    phones.own(&n).await;
    stack.create_users(2).await;
    let (a, b) = (smartflo.hire("user1"), smartflo.hire("user2"));
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let ask = async |method: Method, path: &str, body: serde_json::Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = owner.ask(method, path, &[], body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
    };

    phones.append(&[("user1", &n[1]), ("user2", &n[1]), ("user2", &n[2])]).await;
    phones.has(&a, &[&n[1]]).await;
    phones.has(&b, &[&n[1], &n[2]]).await;
    // What was first stays first, though a lower number comes.
    phones.append(&[("user1", &n[0])]).await;
    phones.has(&a, &[&n[1], &n[0]]).await;
    let escaped = n[1].replace('+', "%2B");
    ask(Method::DELETE, &format!("/v1/users/user2/caller-ids/{escaped}"), json!(null)).await;
    phones.has(&b, &[&n[2]]).await;
    ask(Method::PUT, "/v1/users/user2/caller-id-policy", json!({ "policy": "all" })).await;
    phones.has(&b, &[&n[2], &n[0], &n[1], &n[3]]).await;
    // A number's state changes the lists of everybody, whatever their policy.
    ask(Method::PATCH, &format!("/v1/numbers/{}", n[0].replace('+', "%2B")), json!({ "state": "retired" })).await;
    phones.has(&a, &[&n[1]]).await;
    phones.has(&b, &[&n[2], &n[1], &n[3]]).await;
    // A rotation, and its undo.
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n", n[1], n[3]);
    let rotation = stack.ended(&stack.drop_as(JobKind::RotateCallerIds, "r.csv", file).await).await;
    phones.has(&a, &[&n[3]]).await;
    phones.has(&b, &[&n[2], &n[3]]).await;
    assert!(rollcall(Some(stack), &["undo", rotation.id.as_str(), "--account", "acme", "--yes"], b"").status.success());
    phones.has(&a, &[&n[1]]).await;
    phones.has(&b, &[&n[2], &n[1], &n[3]]).await;

    // Nobody has seen yet whether what is told takes the place of what was there.
    phones.asked("/v1/users/user1", |user| user["switch"]["state"] == "unverified").await;
    let seen = ["push", "--verify", "replaces=yes", "--account", "acme"];
    assert!(rollcall(Some(stack), &seen, b"").status.success());
    phones.asked("/v1/users/user1", |user| user["switch"]["state"] == "in_step").await;
    let standing =
        phones.asked("/v1/phone-system", |at| at["push"]["pending"] == 0 && at["push"]["in_step"] == 2).await;
    assert_eq!(standing["push"]["verified"]["replaces"], true, "{standing}");

    // Who is deleted has no numbers there any more, and nobody is asked.
    assert_eq!(owner.ask(Method::DELETE, "/v1/users/user1", &[], "").await.status, StatusCode::NO_CONTENT);
    phones.has(&a, &[]).await;
    let tokens = smartflo.tokens_given();
    phones.append(&[("user2", &n[3])]).await;
    phones.pushed(|job| job.progress.users > 0 || job.ended.is_some()).await;
    assert!(smartflo.tokens_given() <= tokens + 2, "one login for each run");
}

#[tokio::test(flavor = "multi_thread")]
async fn zoom_is_read_back_and_what_the_inventory_does_not_know_is_left_alone() {
    let phones = Phones::start(PhoneSystem::ZoomPhone, SmartfloTraps::default(), &[]).await;
    let (stack, zoom) = (&phones.stack, &phones.zoom);
    let n: Vec<String> = (0..40).map(number).collect();
    phones.own(&n).await;
    let foreign = "+12025550199";
    let at = zoom.hire("asha@example.com", &[&n[0], foreign]);
    stack.create_user(user("asha@example.com")).await;
    let has = async |wanted: &[&str]| {
        let wanted: std::collections::BTreeSet<&str> = wanted.iter().copied().collect();
        e2e::until("Zoom's list", || {
            let has = zoom.users()[at].customised.clone();
            let has: std::collections::BTreeSet<&str> = has.iter().map(String::as_str).collect();
            (has == wanted).then_some(())
        })
        .await;
    };
    phones.append(&[("asha@example.com", &n[1])]).await;
    has(&[&n[1], foreign]).await;
    let told = phones.asked("/v1/users/asha@example.com", |user| user["switch"]["state"] == "in_step").await;
    assert_eq!(told["switch"]["told"], 1, "{told}");
    // More than one request takes.
    let many: Vec<(&str, &str)> = n.iter().map(|number| ("asha@example.com", number.as_str())).collect();
    phones.append(&many).await;
    let all: Vec<&str> = n.iter().map(String::as_str).chain([foreign]).collect();
    has(&all).await;
    let requests = zoom.requests();
    // What is so already is read, and not told.
    assert!(rollcall(Some(stack), &["push", "asha@example.com", "--account", "acme"], b"").status.success());
    assert!(zoom.requests() > requests);
    has(&all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_phone_system_takes_no_lists_has_no_marks() {
    let phones = Phones::start(PhoneSystem::Builtin, SmartfloTraps::default(), &[]).await;
    let (stack, n) = (&phones.stack, [number(0)]);
    phones.own(&n).await;
    stack.create_users(1).await;
    let a = phones.smartflo.hire("user1");
    phones.append(&[("user1", &n[0])]).await;
    let refused = rollcall(Some(stack), &["push", "--account", "acme"], b"");
    assert!(!refused.status.success());
    assert_eq!(phones.asked("/v1/phone-system", |_| true).await, json!({ "system": "builtin" }));
    let refused = phones.asked("/v1/users?switch=failed", |_| true).await;
    assert_eq!(refused["code"], "INVALID_PARAMETER", "{refused}");
    // With one that does, everybody is told who has numbers; what was told before the change counts for nothing.
    phones.choose(PhoneSystem::Smartflo).await;
    phones.has(&a, &[&n[0]]).await;
}
