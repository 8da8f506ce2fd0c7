//! Groups, and what the settings have some of them set.

use axum::http::{Method, StatusCode};
use e2e::{ScimClient, Stack, entra_user};
use serde_json::{Value, json};

use super::{id_of, table, user};

async fn put(stack: &Stack, path: &str, name: &str) {
    let reply =
        stack.caller(&["--account", "acme"]).ask(Method::PUT, path, &[], json!({ "name": name }).to_string()).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.text());
}

async fn settings(stack: &Stack, patch: Value) -> Value {
    let headers = [("content-type", "application/merge-patch+json")];
    let reply =
        stack.caller(&["--account", "acme"]).ask(Method::PATCH, "/v1/settings", &headers, patch.to_string()).await;
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_the_settings_name_sets_and_takes_back() {
    let stack = Stack::start(&[]).await;
    for (path, name) in [
        ("/v1/departments/sales", "Sales"),
        ("/v1/teams/north", "North"),
        ("/v1/roles/agent", "Agent"),
        ("/v1/roles/plain", "Plain"),
    ] {
        put(&stack, path, name).await;
    }
    let unknown = settings(&stack, json!({ "scim_groups": [{ "group": "Sales", "team": "nowhere" }] })).await;
    assert_eq!((&unknown["code"], &unknown["pointer"]), (&json!("INVALID_FIELD"), &json!("/scim_groups/0/team")));
    let rules = json!([{ "group": "SALES staff", "department": "sales", "team": "north", "role": "agent" }]);
    let set = settings(&stack, json!({ "scim_groups": rules, "default_role": "plain" })).await;
    assert_eq!(set["scim_groups"], rules, "{set}");

    let okta = ScimClient::of(&stack).await;
    let maya = okta.made("/Users", entra_user("maya", "1")).await;
    stack.create_users(1).await;
    assert_eq!(user(&stack, "maya").await["role"], "plain");
    let of = async |login: &str| {
        let known = user(&stack, login).await;
        (known["department"].clone(), known["team"].clone(), known["role"].clone())
    };
    let given = (json!("sales"), json!("north"), json!("agent"));
    let group = okta.made("/Groups", json!({ "displayName": "Sales Staff", "members": [{ "value": maya }] })).await;
    let path = format!("/Groups/{group}");
    assert_eq!(of("maya").await, given);
    // Also of somebody of whom nothing was sent.
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id_of("user1") }] }]);
    assert_eq!(okta.patch(&path, add.clone()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(of("user1").await, given);
    let before = table(&stack).await;
    assert_eq!(okta.patch(&path, add).await.status, StatusCode::NO_CONTENT);
    assert_eq!(table(&stack).await, before, "said twice, written once");
    // What a person has set since stays.
    let no_team = json!({ "team": null }).to_string();
    let headers = [("content-type", "application/merge-patch+json")];
    assert!(
        stack
            .caller(&["--account", "acme"])
            .ask(Method::PATCH, "/v1/users/maya", &headers, no_team)
            .await
            .status
            .is_success()
    );
    let out = json!([{ "op": "remove", "path": format!("members[value eq \"{maya}\"]") }]);
    assert_eq!(okta.patch(&path, out).await.status, StatusCode::NO_CONTENT);
    assert_eq!(of("maya").await, (json!(null), json!(null), json!("plain")));
    // A group of another name sets nothing, and one that is gone neither.
    let rename = json!([{ "op": "replace", "value": { "id": group, "displayName": "Others" } }]);
    assert_eq!(okta.patch(&path, rename).await.status, StatusCode::NO_CONTENT);
    assert_eq!(of("user1").await.0, json!(null));
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "sales staff" }]);
    assert_eq!(okta.patch(&path, rename).await.status, StatusCode::NO_CONTENT);
    assert_eq!(of("user1").await, given);
    assert_eq!(okta.ask(Method::DELETE, &path, &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(of("user1").await.0, json!(null));
    assert_eq!(okta.ask(Method::DELETE, &path, &[], None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_told_apart_and_kept_as_they_are_sent() {
    let stack = Stack::start(&[]).await;
    let client = ScimClient::of(&stack).await;
    stack.create_users(3).await;
    let id = client
        .made("/Groups", json!({ "displayName": "Sales", "externalId": "g-1", "urn:acme:2.0:Group": { "floor": 3 } }))
        .await;
    let path = format!("/Groups/{id}");
    for body in [json!({ "displayName": "SALES" }), json!({ "displayName": "Other", "externalId": "g-1" })] {
        let taken = client.post("/Groups", body).await;
        assert_eq!((taken.status, &taken.json()["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")));
    }
    for filter in ["displayName eq \"sales\"", "externalId eq \"g-1\""] {
        assert_eq!(client.find("Groups", filter).await["Resources"][0]["id"], json!(id), "{filter}");
    }
    assert_eq!(client.find("Groups", "displayName eq \"nobody\"").await["Resources"], json!([]));
    assert_eq!(client.get(&path).await.json()["urn:acme:2.0:Group"]["floor"], 3);
    // A member whom nobody knows: nothing is written of the rest either.
    let before = table(&stack).await;
    let mixed = json!([{ "op": "add", "path": "members", "value": [{ "value": id_of("user1") }, { "value": id_of("nobody") }] }]);
    let refused = client.patch(&path, mixed).await;
    assert_eq!((refused.status, &refused.json()["scimType"]), (StatusCode::BAD_REQUEST, &json!("invalidValue")));
    assert_eq!(table(&stack).await, before);
    // Replaced, emptied by no list and no filter, and put.
    let members = async || {
        let shown = client.get(&path).await.json();
        let members = shown["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["value"].as_str().expect("an ID").to_owned()).collect::<Vec<_>>()
    };
    let list = |logins: &[&str]| logins.iter().map(|login| json!({ "value": id_of(login) })).collect::<Value>();
    for (change, expected) in [
        (json!([{ "op": "add", "value": { "members": list(&["user1", "user2"]) } }]), &["user1", "user2"][..]),
        (json!([{ "op": "remove", "path": "members", "value": [] }]), &["user1", "user2"]),
        (json!([{ "op": "replace", "path": "members", "value": list(&["user2", "user3"]) }]), &["user2", "user3"]),
        (json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", id_of("user2")) }]), &["user3"]),
        (json!([{ "op": "remove", "path": "members" }]), &[]),
    ] {
        assert_eq!(client.patch(&path, change.clone()).await.status, StatusCode::NO_CONTENT, "{change}");
        let mut expected: Vec<_> = expected.iter().map(|login| id_of(login)).collect();
        expected.sort();
        let mut found = members().await;
        found.sort();
        assert_eq!(found, expected, "{change}");
    }
    let put =
        client.ask(Method::PUT, &path, &[], Some(json!({ "displayName": "Sales", "members": list(&["user1"]) }))).await;
    assert_eq!((put.status, members().await), (StatusCode::OK, vec![id_of("user1")]), "{}", put.text());
    assert_eq!(put.json().get("urn:acme:2.0:Group"), None);
    // Who is gone is no member, and somebody else of that login ID isn't either.
    let shown = client.get(&format!("/Users/{}?attributes=groups", id_of("user1"))).await.json();
    assert_eq!(shown["groups"][0]["display"], "Sales", "{shown}");
    assert!(
        stack.caller(&["--account", "acme"]).ask(Method::DELETE, "/v1/users/user1", &[], "").await.status.is_success()
    );
    assert!(members().await.is_empty());
    client.made("/Users", entra_user("user1", "9")).await;
    assert!(members().await.is_empty());
}
