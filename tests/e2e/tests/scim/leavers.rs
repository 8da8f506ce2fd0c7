//! Who leaves, and who returns.

use axum::http::{Method, StatusCode};
use e2e::{ScimClient, Stack, entra_user, rollcall};
use serde_json::{Value, json};

use super::{id_of, user};

const MAYA: &str = "maya@contoso.example";

fn active(active: bool) -> Value {
    json!([{ "op": "Replace", "path": "active", "value": active.to_string() }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_undoes_what_leaving_did_and_what_a_person_did_stays() {
    let stack = Stack::start(&[]).await;
    let client = ScimClient::of(&stack).await;
    stack.create_users(3).await;
    let owner = stack.caller(&["--account", "acme"]);
    let act = async |login: &str, action: &str| {
        let reply = owner.ask(Method::POST, &format!("/v1/users/{login}/actions/{action}"), &[], "").await;
        assert!(reply.status.is_success(), "{login} {action}: {}", reply.text());
    };
    let headers = [("content-type", "application/merge-patch+json")];
    for login in ["user1", "user2", "user3"] {
        let body = json!({ "calling_agent": true }).to_string();
        assert!(owner.ask(Method::PATCH, &format!("/v1/users/{login}"), &headers, body).await.status.is_success());
    }
    let told = async |login: &str, is: bool| {
        let reply = client.patch(&format!("/Users/{}", id_of(login)), active(is)).await;
        assert_eq!((reply.status, &reply.json()["active"]), (StatusCode::OK, &json!(is)), "{}", reply.text());
    };
    let state = async |login: &str| {
        let known = user(&stack, login).await;
        format!("{} {}", known["web_login"].as_str().unwrap(), known["agent_status"].as_str().unwrap())
    };
    // Disabled by a person before, and blocked by one meanwhile.
    act("user2", "disable-agent").await;
    for login in ["user1", "user2", "user3"] {
        told(login, false).await;
        assert_eq!(state(login).await, "blocked disabled");
    }
    act("user3", "block-agent").await;
    for (login, expected) in [("user1", "active enabled"), ("user2", "active disabled"), ("user3", "active blocked")] {
        told(login, true).await;
        assert_eq!(state(login).await, expected, "{login}");
    }
    // Let in by a person: the directory's word again changes nothing.
    told("user1", false).await;
    act("user1", "unblock-web-login").await;
    told("user1", false).await;
    assert_eq!(state("user1").await, "active disabled");
    // Whoever was blocked before has not left now, because something else is said.
    told("user1", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_once_when_many_leave_in_a_day() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack.create_users(20).await;
    let client = ScimClient::of(&stack).await;
    for number in 1..=12 {
        assert_eq!(stack.mails().len(), usize::from(number > 10), "before the leaver {number}");
        let left = client.patch(&format!("/Users/{}", id_of(&format!("user{number}"))), active(false)).await;
        assert_eq!(left.status, StatusCode::OK, "nobody is kept from leaving: {}", left.text());
    }
    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].subject.contains("10 of 20 users have left"), "{}", mails[0].subject);
    assert!(mails[0].text.contains(&client.key), "{}", mails[0].text);
}

/// The whole story.
#[tokio::test(flavor = "multi_thread")]
async fn maya_comes_has_her_departments_numbers_leaves_and_returns() {
    let stack = Stack::start(&[]).await;
    let owner = stack.caller(&["--account", "acme"]);
    let send = async |method: Method, path: &str, body: Value| {
        let kind = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let reply = owner.ask(method, path, &[("content-type", kind)], body.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
    };
    send(Method::PUT, "/v1/departments/sales", json!({ "name": "Sales" })).await;
    send(
        Method::POST,
        "/v1/numbers",
        json!({ "numbers": [{ "number": "+919876500001", "department": "sales" }, { "number": "+919876500002" }] }),
    )
    .await;
    send(Method::PATCH, "/v1/settings", json!({ "scim_groups": [{ "group": "Sales", "department": "sales" }] })).await;
    let entra = ScimClient::of(&stack).await;
    let maya = entra.made("/Users", entra_user(MAYA, "e-1")).await;
    entra.made("/Groups", json!({ "displayName": "Sales", "members": [{ "value": maya }] })).await;
    send(Method::PUT, &format!("/v1/users/{MAYA}/caller-id-policy"), json!({ "policy": "department" })).await;
    send(Method::POST, &format!("/v1/users/{MAYA}/caller-ids"), json!({ "caller_ids": ["+919876500002"] })).await;
    send(Method::PUT, "/v1/mappings/crm-1", json!({ "phone_user": MAYA })).await;
    let sees = async || {
        let resync = rollcall(Some(&stack), &["resync", "--force", "--account", "acme"], &[]);
        assert!(resync.status.success(), "{}", String::from_utf8_lossy(&resync.stderr));
        let shown = owner.get("/v1/mappings/crm-1/caller-ids").await;
        shown.json()["caller_ids"].as_array().cloned().unwrap_or_default()
    };
    assert_eq!(sees().await, ["+919876500001"]);
    let path = format!("/Users/{maya}");
    assert_eq!(entra.patch(&path, active(false)).await.status, StatusCode::OK);
    assert!(sees().await.is_empty());
    assert_eq!(stack.list(MAYA).await.map(|list| list.len()), Some(1), "her list is kept");
    assert_eq!(entra.patch(&path, active(true)).await.status, StatusCode::OK);
    assert_eq!(sees().await, ["+919876500001"]);
}
